//! The next step: what failed, what runs, what to type, or that all is done. One sentence for people, from the rules and
//! the board alone. It does not know who reads it, nor what the facts of a gate are.

mod advice;
mod before;
#[cfg(test)]
mod tests;

use super::escape::one_line;
use crate::model::board::{Board, Cell, Overall, Row, Status};
use crate::model::decision::is_stale;
use crate::model::journal::{self, DESCRIPTION};
use crate::model::rules::{Handler, Rules, held_to};

use advice::{Advice, advice};
use before::{layers_of_whole, may_begin, open_before, outlived, stale_note};

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
            NextKind::Waiting if command.is_some() => format!("Next: {title}{more}{to_do}"),
            NextKind::Waiting => format!("Waiting for {title}{more}{to_do}"),
            NextKind::Nothing => "Nothing to do yet".to_owned(),
        }
    }

    /// The sentence cut to what a commit status holds: the note gives way to what is to be done.
    pub(crate) fn description(&self) -> String {
        let title = journal::cut(&one_line(&self.title), 40);
        let bare = Self { title, note: String::new(), ..self.clone() };
        let left = DESCRIPTION.saturating_sub(bare.sentence().chars().count() + ": ".len());
        let note = if left > 0 { journal::cut(&one_line(&self.note), left) } else { String::new() };
        journal::cut(&one_line(&Self { note, ..bare }.sentence()), DESCRIPTION)
    }
}

/// What keeps a row from being done.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Matter {
    Failed,
    Running,
    /// It would not have been what was reviewed, which is to be recorded anew first.
    Stale,
    Dropped,
    Waiting,
}

impl Matter {
    /// Of a row, unless it is done.
    fn of(rules: &Rules, board: &Board, row: &Row) -> Option<Self> {
        match row.status {
            Status::Success | Status::Skipped => None,
            Status::Failure if !is_stale(&row.note) => Some(Self::Failed),
            // What was recorded anew since waits as if it had never been tried.
            Status::Failure => Some(if stale_note(rules, board, row).is_none() { Self::Waiting } else { Self::Stale }),
            Status::Pending => Some(Self::Waiting),
            Status::Running => Some(Self::Running),
            Status::Dropped => Some(Self::Dropped),
        }
    }
}

/// The next step, of the rows that are required:
/// 1. the first one that failed, where there is something to mend;
/// 2. what runs;
/// 3. what was found stale, whose note says what to write, until that was done;
/// 4. that all is done;
/// 5. the first one that did not take place or may begin, with those like it of its stage;
/// 6. the first one that waits for others.
pub(crate) fn next_step(rules: &Rules, board: &Board) -> NextStep {
    let required = board.rows.iter().filter(|row| row.shown && !row.optional);
    let left: Vec<(Matter, &Row)> = required.filter_map(|row| Some((Matter::of(rules, board, row)?, row))).collect();
    for urgent in [Matter::Failed, Matter::Running, Matter::Stale] {
        let rows: Vec<&Row> = left.iter().filter(|(matter, _)| *matter == urgent).map(|(_, row)| *row).collect();
        if let [first, more @ ..] = &*rows {
            return about(rules, board, urgent, first, more);
        }
    }
    if board.overall() == Overall::Ready {
        return whole(NextKind::Ready);
    }
    let is_open = |(matter, row): &(Matter, &Row)| *matter == Matter::Dropped || may_begin(rules, board, row);
    let mut open = left.iter().copied().filter(is_open);
    let Some((matter, first)) = open.next().or_else(|| left.first().copied()) else { return whole(NextKind::Nothing) };
    let alike = open.filter(|(other, row)| *other == matter && row.stage == first.stage).map(|(_, row)| row);
    about(rules, board, matter, first, &alike.collect::<Vec<_>>())
}

fn whole(kind: NextKind) -> NextStep {
    NextStep { kind, title: String::new(), note: String::new(), link: None, more: 0, advice: None, command: None }
}

fn about(rules: &Rules, board: &Board, matter: Matter, row: &Row, more: &[&Row]) -> NextStep {
    // One command for all of them, where several rows of the stage wait or fell out.
    let alike = more.iter().copied().filter(|other| matter != Matter::Failed && other.stage == row.stage);
    let covered: Vec<&Row> = std::iter::once(row).chain(alike).collect();
    let (kind, is_typed) = match matter {
        Matter::Failed => (NextKind::Failed, true),
        Matter::Running => (NextKind::Running, false),
        Matter::Stale => (NextKind::Dropped, false),
        Matter::Dropped => (NextKind::Dropped, true),
        Matter::Waiting => (NextKind::Waiting, true),
    };
    let advice = advice(kind, &covered);
    // What failed is done again once what comes before it is.
    let before = if matter == Matter::Failed { open_before(rules, board, row) } else { Vec::new() };
    let line = || command(rules, board, &before).or_else(|| command(rules, board, &covered));
    NextStep {
        kind,
        title: if one_line(&row.title).is_empty() { row.id.clone() } else { row.title.clone() },
        note: stale_note(rules, board, row).filter(|_| matter == Matter::Stale).unwrap_or_else(|| row.note.clone()),
        link: row.link.clone(),
        more: more.len(),
        advice,
        command: if is_typed { line() } else { None },
    }
}

/// What to type for rows of one stage: what does their work, or what has to be done anew before that.
fn command(rules: &Rules, board: &Board, rows: &[&Row]) -> Option<String> {
    let stage = &rows.first()?.stage;
    let all = board.rows.iter().filter(|row| row.stage == *stage).count();
    // Without layers a command is for all of them, those that are done too.
    let layers = match rows {
        [row] => layers_of(row),
        rows if rows.len() == all => Vec::new(),
        rows => rows.iter().filter_map(|row| row.layer.as_deref()).collect(),
    };
    let mut asked: Vec<Option<&str>> = rows.iter().flat_map(|row| asked_for(row)).collect();
    // Hundreds of layers were asked for by a few commands.
    asked.sort_unstable();
    asked.dedup();
    let mut handlers: Vec<&Handler> = asked.into_iter().flat_map(|asked| rules.handlers_for(stage, asked)).collect();
    handlers.sort_by_key(|handler| &handler.key.value);
    handlers.dedup_by_key(|handler| &handler.key.value);
    let record = held_to(&handlers);
    let whole: Vec<&str> = rows.iter().flat_map(|row| layers_of_whole(rules, board, record, row)).collect();
    let line = line(rules, &handlers, &layers, &whole);
    // Of what the line is for, and of nothing else, it matters whether that is to be recorded anew.
    let of = line.as_ref().map_or(&*layers, |(_, of)| of);
    let outlived = |of: &[_]| record.and_then(|record| Some((record, outlived(board, record, rows, of)?)));
    let Some((record, anew)) = outlived(of) else { return Some(line?.0) };
    let whole = outlived(&whole).map(|(_, of)| of).unwrap_or_default();
    Some(self::line(rules, &rules.handlers_for(record, None), &anew, &whole)?.0)
}

/// A line for these layers; for the whole, where none is for that, one for as many of its layers as it takes.
fn line<'l>(
    rules: &Rules,
    handlers: &[&Handler],
    layers: &'l [&'l str],
    whole: &'l [&'l str],
) -> Option<(String, &'l [&'l str])> {
    let some = || if layers.is_empty() { rules.line_for(handlers, whole) } else { None };
    rules.line_for(handlers, layers).or_else(some)
}

/// The layer that a row is about; of a row for all layers, those whose trouble it shows, or that are left to do where some
/// are done. What runs is not asked for once more, nor what may wait for it, nor, beside what is to be fixed, what is to be
/// recorded anew.
fn layers_of(row: &Row) -> Vec<&str> {
    let open = open_cells(row).map(|cell| cell.layer.as_str()).chain(untouched(row));
    row.layer.as_deref().map_or_else(|| open.collect(), |layer| vec![layer])
}

/// The layers that are left to do and said nothing, where nothing else is the matter.
fn untouched(row: &Row) -> impl Iterator<Item = &str> {
    row.missing.iter().filter(|_| row.status == Status::Pending).map(String::as_str)
}

fn open_cells(row: &Row) -> impl Iterator<Item = &Cell> {
    let runs = row.cells.iter().any(|cell| cell.status == Status::Running);
    row.cells.iter().filter(move |cell| match cell.status {
        Status::Failure => is_stale(&row.note) || !is_stale(&cell.note),
        Status::Dropped => true,
        Status::Pending => !runs,
        Status::Running | Status::Success | Status::Skipped => false,
    })
}

/// What was asked for of what is open in a row: of each layer, where there are some.
fn asked_for(row: &Row) -> Vec<Option<&str>> {
    // Nobody asked for anything yet of those that are untouched.
    let untouched = untouched(row).map(|_| None);
    let of_layers: Vec<Option<&str>> = open_cells(row).map(|cell| cell.action.as_deref()).chain(untouched).collect();
    if of_layers.is_empty() { vec![row.action.as_deref()] } else { of_layers }
}
