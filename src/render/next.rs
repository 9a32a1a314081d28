//! The next step: what failed, what runs, what to type, or that all is done. One sentence for people, from the rules and
//! the board alone. It does not know who reads it, nor what the facts of a gate are.

use super::escape::one_line;
use crate::model::board::{Board, Overall, Row, Status};
use crate::model::decision::PLAN_STALE;
use crate::model::journal::{self, DESCRIPTION};
use crate::model::rules::{Action, ArgKind, Command, Rule, Rules, Select};

/// What is to be done next, in parts, so that each sink can draw it in its own way.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub(crate) struct NextStep {
    pub(crate) kind: NextKind,
    /// The title of the row that it is about; empty where it is about the whole.
    pub(crate) title: String,
    /// What that row says.
    pub(crate) note: String,
    pub(crate) link: Option<String>,
    /// How many more rows are in the same state.
    pub(crate) more: usize,
    /// What to type, where a command leads on.
    pub(crate) command: Option<String>,
}

/// The kinds of next step, the most urgent first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum NextKind {
    /// A row failed.
    Failed,
    /// Work is under way.
    Running,
    /// Everything that is required is done.
    Ready,
    /// A row's work did not take place.
    Dropped,
    /// A row waits for somebody to begin.
    Waiting,
    /// No row waits for anything.
    Nothing,
}

impl NextKind {
    /// The sign before the sentence.
    pub(super) fn icon(self) -> &'static str {
        match self {
            Self::Failed => "❌",
            Self::Running => "🔄",
            Self::Ready => "✅",
            Self::Dropped => "⏭️",
            Self::Waiting | Self::Nothing => "⏳",
        }
    }
}

impl NextStep {
    /// The sentence in plain text, on one line.
    pub(crate) fn sentence(&self) -> String {
        let Self { title, command, .. } = self;
        let note = if self.note.is_empty() { String::new() } else { format!(": {}", self.note) };
        let more = match self.more {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let typed = |lead: &str| command.as_ref().map_or_else(String::new, |command| format!("{lead}{command}"));
        match self.kind {
            NextKind::Failed => format!("{title}{more} failed{note}; fix it and push{}", typed(", or type ")),
            NextKind::Running if self.more > 0 => format!("{title}{more} are running"),
            NextKind::Running => format!("{title} is running"),
            NextKind::Ready => "Ready to merge".to_owned(),
            NextKind::Dropped => {
                let is = if self.more > 0 { "are" } else { "is" };
                format!("{title}{more} {is} not done{note}{}", typed("; type "))
            }
            NextKind::Waiting => match command {
                Some(command) => format!("Next: {title}{more}; type {command}"),
                None => format!("Waiting for {title}{more}"),
            },
            NextKind::Nothing => "Nothing to do yet".to_owned(),
        }
    }

    /// The sentence cut to what a commit status holds.
    pub(crate) fn description(&self) -> String {
        let short = Self { note: journal::cut(&self.note, 50), title: journal::cut(&self.title, 40), ..self.clone() };
        journal::cut(&one_line(&short.sentence()), DESCRIPTION)
    }
}

/// The next step: the first failure, else what runs, else ready to merge, else what is waited for.
pub(crate) fn next_step(rules: &Rules, board: &Board) -> NextStep {
    let required: Vec<&Row> = board.rows.iter().filter(|row| row.shown && !row.optional).collect();
    let with = |status: Status| required.iter().copied().filter(|row| row.status == status).collect::<Vec<_>>();
    let (stale, broken): (Vec<&Row>, Vec<&Row>) = with(Status::Failure).into_iter().partition(|row| is_stale(row));
    if let [first, more @ ..] = &*broken {
        return about(rules, NextKind::Failed, first, more);
    }
    if let [first, more @ ..] = &*stale {
        return NextStep { command: None, ..about(rules, NextKind::Dropped, first, more) };
    }
    if let [first, more @ ..] = &*with(Status::Running) {
        return NextStep { command: None, ..about(rules, NextKind::Running, first, more) };
    }
    if board.overall() == Overall::Ready {
        return whole(NextKind::Ready);
    }
    let open: Vec<&Row> = required
        .iter()
        .copied()
        .filter(|row| row.status == Status::Dropped || (row.status == Status::Pending && may_begin(rules, board, row)))
        .collect();
    let blocked = || required.iter().copied().find(|row| row.status == Status::Pending);
    let Some(first) = open.first().copied().or_else(blocked) else { return whole(NextKind::Nothing) };
    let alike: Vec<&Row> =
        open.iter().skip(1).copied().filter(|row| row.stage == first.stage && row.status == first.status).collect();
    let kind = if first.status == Status::Dropped { NextKind::Dropped } else { NextKind::Waiting };
    about(rules, kind, first, &alike)
}

/// Whether there is nothing to fix, and the same command again would end the same: the note names the one to write.
fn is_stale(failed: &Row) -> bool {
    failed.note.contains(&format!("{PLAN_STALE}: "))
}

fn whole(kind: NextKind) -> NextStep {
    NextStep { kind, title: String::new(), note: String::new(), link: None, more: 0, command: None }
}

fn about(rules: &Rules, kind: NextKind, row: &Row, more: &[&Row]) -> NextStep {
    // One command for all of them, where several rows of the stage wait or fell out.
    let several = kind != NextKind::Failed && more.iter().any(|other| other.stage == row.stage);
    let layer = if several { None } else { layer_of(row) };
    NextStep {
        kind,
        title: if one_line(&row.title).is_empty() { row.id.clone() } else { row.title.clone() },
        note: row.note.clone(),
        link: row.link.clone(),
        more: more.len(),
        command: command_for(rules, &row.stage, layer),
    }
}

/// The layer that a row is about; of a row for all layers, the one whose trouble it shows.
fn layer_of(row: &Row) -> Option<&str> {
    let telling = matches!(row.status, Status::Failure | Status::Dropped);
    let cell = row.cells.iter().find(|cell| telling && cell.status == row.status).map(|cell| cell.layer.as_str());
    row.layer.as_deref().or(cell)
}

/// Whether every row that this one comes after is done: of its own layer, where both have one.
fn may_begin(rules: &Rules, board: &Board, row: &Row) -> bool {
    let Some(stage) = rules.stages.get(&row.stage) else { return true };
    board
        .rows
        .iter()
        .filter(|before| stage.after.iter().any(|after| **after == before.stage))
        .filter(|before| row.layer.is_none() || before.layer.is_none() || row.layer == before.layer)
        .all(|before| before.status.done())
}

/// What to type so that a stage's work begins: the usage of the first command whose rule runs a handler of that stage.
pub(super) fn command_for(rules: &Rules, stage: &str, layer: Option<&str>) -> Option<String> {
    let reports = |handler: &str| {
        let stage_of = rules.handlers.get(handler).and_then(|handler| handler.stage.as_ref());
        stage_of.is_some_and(|known| known.value == stage)
    };
    let runs = |rule: &&Rule| match &rule.action {
        Action::Run(handlers) => handlers.iter().any(|handler| reports(handler)),
        Action::Say(_) => false,
    };
    let about = |rule: &&Rule| match (rule.layers.as_ref().map(|layers| &layers.value), layer) {
        (Some(Select::Named(named)), Some(layer)) => named.iter().any(|name| name == layer),
        (Some(Select::All | Select::Changed | Select::Planned | Select::Named(_)) | None, _) => true,
    };
    let fitting = || rules.rules.iter().filter(runs).filter(about).filter(|rule| rule.command.is_some());
    // A rule with a condition may be the wrong one: it comes last.
    let rule = fitting().find(|rule| rule.condition.is_none()).or_else(|| fitting().next())?;
    let command = rules.commands.get(rule.command.as_deref()?)?;
    Some(line(command, layer))
}

/// A line that the command's pattern takes, with the layer where it has an argument for one; else its usage.
fn line(command: &Command, layer: Option<&str>) -> String {
    let words: Vec<&str> =
        command.usage.split_whitespace().take_while(|word| !word.starts_with(['[', '<', '('])).collect();
    let bare = words.join(" ");
    let takes_layers = command.args.values().any(|arg| matches!(arg.kind, ArgKind::Layer | ArgKind::Layers));
    let full = layer.filter(|_| takes_layers).map(|layer| format!("{bare} {layer}"));
    [full, Some(bare)]
        .into_iter()
        .flatten()
        .find(|line| command.pattern.captures(line).is_some())
        .unwrap_or_else(|| command.usage.clone())
}

#[cfg(test)]
mod tests {
    use super::super::fixture;
    use super::{NextKind, next_step};
    use crate::model::board::Status;

    fn sentence(statuses: &[(&str, Status, &str)]) -> String {
        let rules = fixture::rules();
        next_step(&rules, &fixture::board(statuses)).description()
    }

    #[test]
    fn the_first_failure_comes_first_with_the_line_to_type() {
        let said = sentence(&[
            ("plan-bootstrap", Status::Running, ""),
            ("plan-platform", Status::Failure, "`terraform plan` exited with 1"),
        ]);
        assert_eq!(
            said,
            "Plan: platform failed: `terraform plan` exited with 1; fix it and push, or type /plan platform"
        );
    }

    #[test]
    fn what_waits_is_named_with_one_command_for_all_layers() {
        assert_eq!(sentence(&[]), "Next: Plan: bootstrap and 1 more; type /plan");
        assert_eq!(sentence(&[("plan-bootstrap", Status::Success, "")]), "Next: Plan: platform; type /plan platform");
        let planned = [("plan-bootstrap", Status::Success, ""), ("plan-platform", Status::Skipped, "")];
        assert_eq!(sentence(&planned), "Next: Apply; type /apply");
    }

    #[test]
    fn what_runs_and_what_was_cancelled_are_said() {
        assert_eq!(sentence(&[("plan-platform", Status::Running, "")]), "Plan: platform is running");
        assert_eq!(
            sentence(&[("plan-bootstrap", Status::Success, ""), ("plan-platform", Status::Dropped, "cancelled")]),
            "Plan: platform is not done: cancelled; type /plan platform"
        );
    }

    #[test]
    fn a_real_failure_beside_a_stale_plan_is_still_one() {
        let said = sentence(&[
            ("plan-bootstrap", Status::Failure, "plan-stale: comment `/plan`"),
            ("e2e", Status::Failure, "`make` exited with 1"),
        ]);
        assert!(said.contains("`make` exited with 1; fix it and push"), "{said}");
    }

    #[test]
    fn optional_rows_do_not_hold_back() {
        let rules = fixture::rules();
        let done = ["plan-bootstrap", "plan-platform", "apply", "e2e"].map(|row| (row, Status::Success, ""));
        let board = fixture::board(&done);
        assert_eq!(next_step(&rules, &board).kind, NextKind::Ready);
        assert_eq!(next_step(&rules, &board).sentence(), "Ready to merge");
    }

    #[test]
    fn a_description_fits_a_commit_status() {
        let long = "x".repeat(1000);
        let said = sentence(&[("plan-platform", Status::Failure, &long)]);
        assert!(said.chars().count() <= 140 && said.ends_with("/plan platform"), "{said}");
    }
}
