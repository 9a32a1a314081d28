//! What to do before anything is typed: whether something is to be fixed, looked at or waited for. It knows the notes that
//! `ci` itself leaves, and nothing of commands.

use std::iter;

use super::NextKind;
use crate::model::board::{Row, Status};
use crate::model::decision::{CHANGES_FOUND, CUT_SHORT, GONE, HELD, UNREPORTED};

/// What to do, and how a command is joined to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub(crate) struct Advice {
    pub(crate) what: &'static str,
    pub(crate) joint: &'static str,
}

/// Of work that failed.
pub(super) const FIX: Advice = Advice { what: "fix it and push", joint: ", or" };
/// Of work that only looked, and found what looking again will find again.
const MEND: Advice = Advice { what: "apply what is declared, or declare what is there", joint: ", then" };
/// Of work of which nobody knows what came of it.
pub(super) const LOOK: Advice = Advice { what: "look at what its run did", joint: ", then" };
/// Of such work whose run is no more.
const TRACE: Advice = Advice { what: "look at what it did", joint: ", then" };
/// Of work whose layer another held, and may still hold: nobody says here when it was released.
pub(super) const WAIT: Advice = Advice { what: "try again once that is released", joint: ":" };

/// What to do about rows, where the next step is of this kind: the most careful of what any of them asks for, or any of
/// their layers, as one command is for all of them.
pub(super) fn advice(kind: NextKind, rows: &[&Row]) -> Option<Advice> {
    let notes: Vec<&str> = rows.iter().flat_map(|row| notes(row)).collect();
    let say = |words: &str| notes.iter().any(|note| says(note, words));
    match kind {
        NextKind::Running | NextKind::Ready | NextKind::Nothing => None,
        NextKind::Failed | NextKind::Dropped | NextKind::Waiting => {
            if [CUT_SHORT, UNREPORTED].into_iter().any(say) {
                Some(LOOK)
            } else if say(GONE) {
                Some(TRACE)
            } else if kind == NextKind::Failed && rows.iter().all(|row| says(&row.note, CHANGES_FOUND)) {
                Some(MEND)
            } else if kind == NextKind::Failed {
                Some(FIX)
            } else {
                say(HELD).then_some(WAIT)
            }
        }
    }
}

/// Whether work of which this is said may have been done in part.
pub(super) fn may_be_done_in_part(status: Status, note: &str) -> bool {
    match status {
        Status::Failure => true,
        Status::Dropped => [CUT_SHORT, UNREPORTED, GONE].into_iter().any(|words| says(note, words)),
        Status::Pending | Status::Running | Status::Success | Status::Skipped => false,
    }
}

fn says(note: &str, words: &str) -> bool {
    note.starts_with(words) || note.contains(&format!(": {words}"))
}

/// What a row says of what went wrong.
fn notes(row: &Row) -> impl Iterator<Item = &str> {
    let wrong = row.cells.iter().filter(|cell| matches!(cell.status, Status::Failure | Status::Dropped));
    iter::once(row.note.as_str()).chain(wrong.map(|cell| cell.note.as_str()))
}
