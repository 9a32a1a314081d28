//! The next step: what failed, what runs, what to type, or that all is done. One sentence for people, from the rules and
//! the board alone. It does not know who reads it, nor what the facts of a gate are.

mod advice;
mod before;
mod line;
#[cfg(test)]
mod tests;

use super::escape::one_line;
use crate::model::board::{Board, Overall, Row, Status};
use crate::model::journal::{self, DESCRIPTION};
use crate::model::rules::Rules;

use advice::{Advice, advice};
use before::{is_renewed, is_stale, may_begin};
use line::command_for;

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
    // What was recorded anew since waits as if it had never been tried.
    let (renewed, stale): (Vec<&Row>, Vec<&Row>) = stale.into_iter().partition(|row| is_renewed(rules, board, row));
    if let [first, more @ ..] = &*stale {
        return NextStep { command: None, ..about(rules, NextKind::Dropped, first, more) };
    }
    if let [first, more @ ..] = &*with(Status::Running) {
        return NextStep { command: None, ..about(rules, NextKind::Running, first, more) };
    }
    if board.overall() == Overall::Ready {
        return whole(NextKind::Ready);
    }
    let kind = |row: &&Row| match row.status {
        Status::Dropped => Some(NextKind::Dropped),
        Status::Pending => Some(NextKind::Waiting),
        Status::Failure | Status::Running | Status::Success | Status::Skipped => {
            renewed.contains(row).then_some(NextKind::Waiting)
        }
    };
    let left: Vec<(NextKind, &Row)> = required.iter().filter_map(|row| Some((kind(row)?, *row))).collect();
    let is_open = |kind: NextKind, row: &Row| kind == NextKind::Dropped || may_begin(rules, board, row);
    let mut open = left.iter().copied().filter(|(kind, row)| is_open(*kind, row));
    let Some((kind, first)) = open.next().or_else(|| left.first().copied()) else { return whole(NextKind::Nothing) };
    let alike: Vec<&Row> =
        open.filter(|(of, row)| *of == kind && row.stage == first.stage).map(|(_, row)| row).collect();
    about(rules, kind, first, &alike)
}

fn whole(kind: NextKind) -> NextStep {
    NextStep { kind, title: String::new(), note: String::new(), link: None, more: 0, advice: None, command: None }
}

fn about(rules: &Rules, kind: NextKind, row: &Row, more: &[&Row]) -> NextStep {
    // One command for all of them, where several rows of the stage wait or fell out.
    let several = kind != NextKind::Failed && more.iter().any(|other| other.stage == row.stage);
    let layers = if several { Vec::new() } else { layers_of(row) };
    NextStep {
        kind,
        title: if one_line(&row.title).is_empty() { row.id.clone() } else { row.title.clone() },
        note: row.note.clone(),
        link: row.link.clone(),
        more: more.len(),
        advice: advice(kind, row),
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
