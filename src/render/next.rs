//! The next step: what failed, what runs, what to type, or that all is done. One sentence for people, from the rules and
//! the board alone. It does not know who reads it, nor what the facts of a gate are.

use super::escape::one_line;
use crate::model::board::{Board, Overall, Row, Status};
use crate::model::decision::{CUT_SHORT, GONE, HELD, PLAN_STALE, UNREPORTED};
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
    /// What to do before anything is typed.
    pub(crate) advice: Option<Advice>,
    /// What to type, where a command leads on.
    pub(crate) command: Option<String>,
}

/// What to do, and how a command is joined to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub(crate) struct Advice {
    pub(crate) what: &'static str,
    pub(crate) joint: &'static str,
}

/// Of work that failed.
const FIX: Advice = Advice { what: "fix it and push", joint: ", or" };
/// Of work of which nobody knows what came of it.
const LOOK: Advice = Advice { what: "look at what its run did", joint: ", then" };
/// Of work whose layer another holds.
const WAIT: Advice = Advice { what: "wait until that is released", joint: ", then" };

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
        let to_do = match (self.advice, command) {
            (Some(Advice { what, joint }), Some(command)) => format!("; {what}{joint} type {command}"),
            (Some(Advice { what, .. }), None) => format!("; {what}"),
            (None, Some(command)) => format!("; type {command}"),
            (None, None) => String::new(),
        };
        match self.kind {
            NextKind::Failed => format!("{title}{more} failed{note}{to_do}"),
            NextKind::Running if self.more > 0 => format!("{title}{more} are running"),
            NextKind::Running => format!("{title} is running"),
            NextKind::Ready => "Ready to merge".to_owned(),
            NextKind::Dropped => {
                let is = if self.more > 0 { "are" } else { "is" };
                format!("{title}{more} {is} not done{note}{to_do}")
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
    // What was recorded anew since needs but to be done.
    let (renewed, stale): (Vec<&Row>, Vec<&Row>) = stale.into_iter().partition(|row| is_renewed(rules, board, row));
    if let [first, more @ ..] = &*stale {
        return NextStep { command: None, ..about(rules, NextKind::Dropped, first, more) };
    }
    if let [first, more @ ..] = &*with(Status::Running) {
        return NextStep { command: None, ..about(rules, NextKind::Running, first, more) };
    }
    if let [first, more @ ..] = &*renewed {
        return about(rules, NextKind::Waiting, first, more);
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
    let says = |note: &str| note.contains(&format!("{PLAN_STALE}: "));
    let mut cells = failed.cells.iter().filter(|cell| cell.status == Status::Failure).peekable();
    if cells.peek().is_some() { cells.all(|cell| says(&cell.note)) } else { says(&failed.note) }
}

/// Whether all that a row comes after was done again since it was found stale: for each layer that was.
fn is_renewed(rules: &Rules, board: &Board, stale: &Row) -> bool {
    let done_since = |layer: Option<&str>| {
        let before = rows_before(rules, board, stale, layer);
        let mut before = before.filter(|row| layer.is_none() || row.layer.is_some()).peekable();
        before.peek().is_some() && before.all(|row| row.status.done() && row.at > stale.at)
    };
    let cells = stale.cells.iter().filter(|cell| cell.status == Status::Failure).map(|cell| cell.layer.as_str());
    let layers: Vec<&str> = cells.chain(stale.layer.as_deref()).collect();
    if layers.is_empty() { done_since(None) } else { layers.into_iter().all(|layer| done_since(Some(layer))) }
}

fn whole(kind: NextKind) -> NextStep {
    NextStep { kind, title: String::new(), note: String::new(), link: None, more: 0, advice: None, command: None }
}

fn about(rules: &Rules, kind: NextKind, row: &Row, more: &[&Row]) -> NextStep {
    // One command for all of them, where several rows of the stage wait or fell out.
    let several = kind != NextKind::Failed && more.iter().any(|other| other.stage == row.stage);
    let layers = if several { Vec::new() } else { layers_of(row) };
    let says = |words: &str| row.note.starts_with(words) || row.note.contains(&format!(": {words}"));
    let advice = match kind {
        NextKind::Failed if says(UNREPORTED) => Some(LOOK),
        NextKind::Failed => Some(FIX),
        NextKind::Dropped if [CUT_SHORT, UNREPORTED, GONE].into_iter().any(says) => Some(LOOK),
        NextKind::Dropped if says(HELD) => Some(WAIT),
        NextKind::Dropped | NextKind::Running | NextKind::Ready | NextKind::Waiting | NextKind::Nothing => None,
    };
    NextStep {
        advice,
        kind,
        title: if one_line(&row.title).is_empty() { row.id.clone() } else { row.title.clone() },
        note: row.note.clone(),
        link: row.link.clone(),
        more: more.len(),
        command: command_for(rules, &row.stage, &layers),
    }
}

/// The layer that a row is about; of a row for all layers, those whose trouble it shows, or that are left to do where some
/// are done. What runs is not asked for once more, nor what may wait for it.
fn layers_of(row: &Row) -> Vec<&str> {
    let runs = row.cells.iter().any(|cell| cell.status == Status::Running);
    let is_open = |status: Status| match status {
        Status::Failure | Status::Dropped => true,
        Status::Pending => !runs,
        Status::Running | Status::Success | Status::Skipped => false,
    };
    let untouched = row.missing.iter().filter(|_| row.status == Status::Pending).map(String::as_str);
    let open = row.cells.iter().filter(|cell| is_open(cell.status)).map(|cell| cell.layer.as_str()).chain(untouched);
    row.layer.as_deref().map_or_else(|| open.collect(), |layer| vec![layer])
}

/// Whether every row that this one comes after is done: of its own layer, where both have one.
fn may_begin(rules: &Rules, board: &Board, row: &Row) -> bool {
    rows_before(rules, board, row, row.layer.as_deref()).all(|before| before.status.done())
}

/// The rows that one comes after: of a layer, where they have one.
fn rows_before<'b>(
    rules: &'b Rules,
    board: &'b Board,
    row: &Row,
    layer: Option<&'b str>,
) -> impl Iterator<Item = &'b Row> {
    let stage = rules.stages.get(&row.stage);
    board
        .rows
        .iter()
        .filter(move |before| stage.is_some_and(|stage| stage.after.iter().any(|after| **after == before.stage)))
        .filter(move |before| layer.is_none() || before.layer.is_none() || layer == before.layer.as_deref())
}

/// What to type so that a stage's work begins: the usage of the first command whose rule runs a handler of that stage.
fn command_for(rules: &Rules, stage: &str, layers: &[&str]) -> Option<String> {
    let reports = |handler: &str| {
        let stage_of = rules.handlers.get(handler).and_then(|handler| handler.stage.as_ref());
        stage_of.is_some_and(|known| known.value == stage)
    };
    let runs = |rule: &&Rule| match &rule.action {
        Action::Run(handlers) => handlers.iter().any(|handler| reports(handler)),
        Action::Say(_) => false,
    };
    let about = |rule: &&Rule| match rule.layers.as_ref().map(|layers| &layers.value) {
        Some(Select::Named(named)) => layers.iter().all(|layer| named.iter().any(|name| name == layer)),
        Some(Select::All | Select::Changed | Select::Planned) | None => true,
    };
    let fitting = || rules.rules.iter().filter(runs).filter(about).filter(|rule| rule.command.is_some());
    // A rule with a condition may be the wrong one: it comes last.
    let rule = fitting().find(|rule| rule.condition.is_none()).or_else(|| fitting().next())?;
    let command = rules.commands.get(rule.command.as_deref()?)?;
    Some(line(command, layers))
}

/// A line that the command's pattern takes, with the layers where it has an argument for them, with the first of them where
/// it takes but one; else its usage.
fn line(command: &Command, layers: &[&str]) -> String {
    let words: Vec<&str> =
        command.usage.split_whitespace().take_while(|word| !word.starts_with(['[', '<', '('])).collect();
    let bare = words.join(" ");
    let takes = |kind: fn(&ArgKind) -> bool| command.args.values().any(|arg| kind(&arg.kind));
    let named = match layers {
        [first, ..] if takes(|kind| matches!(kind, ArgKind::Layer)) => vec![*first],
        _ if takes(|kind| matches!(kind, ArgKind::Layers)) => layers.to_vec(),
        _ => Vec::new(),
    };
    let full = (!named.is_empty()).then(|| format!("{bare} {}", named.join(" ")));
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
    use crate::model::board::{Entry, Recorded, Status, fold};

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

    /// What is said where layers report to one row.
    fn of_layers(reports: &[(&str, Option<&str>, Status, &str)]) -> String {
        let planned =
            ["bootstrap", "platform"].map(|layer| (format!("plan-{layer}"), Some(layer), Status::Success, ""));
        let all = planned.iter().map(|(row, layer, status, note)| (row.as_str(), *layer, *status, *note));
        let recorded = (1_u64..).zip(all.chain(reports.iter().copied())).map(|(id, (row, layer, status, note))| {
            let at = jiff::Timestamp::from_second(1_000 + i64::try_from(id).unwrap()).unwrap();
            let entry = Entry { layer: layer.map(str::to_owned), ..fixture::entry(id, row, status, note) };
            Recorded { seq: id, at, entry }
        });
        let board = fold(&fixture::layout(), &recorded.collect::<Vec<_>>());
        next_step(&fixture::rules(), &board).description()
    }

    #[test]
    fn what_is_done_is_not_asked_for_again() {
        let (low, high) = (Some("bootstrap"), Some("platform"));
        assert_eq!(of_layers(&[("apply", low, Status::Success, "")]), "Next: Apply; type /apply platform");
        let beside = [("apply", low, Status::Running, ""), ("apply", high, Status::Failure, "exit 1")];
        assert!(of_layers(&beside).ends_with("or type /apply platform"), "{}", of_layers(&beside));
        let broken = [("apply", low, Status::Failure, "exit 1"), ("apply", high, Status::Dropped, "did not begin")];
        assert!(of_layers(&broken).ends_with("fix it and push, or type /apply bootstrap platform"), "{broken:?}");
    }

    #[test]
    fn what_is_stale_is_done_again_once_it_was_recorded_anew() {
        let stale = ("apply", Some("platform"), Status::Failure, "plan-stale: write `/plan platform`");
        assert!(of_layers(&[stale]).ends_with("plan-stale: write `/plan platform`"), "{}", of_layers(&[stale]));
        let again = ("plan-platform", Some("platform"), Status::Success, "");
        assert_eq!(of_layers(&[stale, again]), "Next: Apply; type /apply platform");
        // What was held back by it is not what is stale.
        let held = ("apply", Some("bootstrap"), Status::Dropped, "after platform failed");
        assert_eq!(of_layers(&[stale, held, again]), "Next: Apply; type /apply bootstrap platform");
        let real = ("apply", Some("bootstrap"), Status::Failure, "exit 1");
        assert!(of_layers(&[stale, real]).starts_with("Apply failed: "), "{}", of_layers(&[stale, real]));
    }

    #[test]
    fn what_cannot_be_fixed_is_not_asked_to_be() {
        let (layer, lost) = (Some("platform"), "ended without reporting");
        let said = of_layers(&[("apply", layer, Status::Failure, lost)]);
        assert!(said.ends_with("; look at what its run did, then type /apply platform"), "{said}");
        let said = of_layers(&[("apply", layer, Status::Dropped, lost)]);
        assert!(said.ends_with("; look at what its run did, then type /apply platform"), "{said}");
        let said = of_layers(&[("apply", layer, Status::Dropped, "cancelled while it ran")]);
        assert!(said.ends_with("; look at what its run did, then type /apply platform"), "{said}");
        let said = of_layers(&[("apply", layer, Status::Dropped, "locked by pull request 8 (bob)")]);
        assert!(said.ends_with("; wait until that is released, then type /apply platform"), "{said}");
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
