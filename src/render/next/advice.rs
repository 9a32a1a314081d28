//! What to do before anything is typed: whether something is to be fixed, looked at or waited for. It knows the notes that
//! `ci` itself leaves, and nothing of commands.

use super::NextKind;
use crate::model::board::Row;
use crate::model::decision::{CUT_SHORT, GONE, HELD, UNREPORTED};

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

/// What to do about a row, where the next step is of this kind.
pub(super) fn advice(kind: NextKind, row: &Row) -> Option<Advice> {
    let says = |words: &str| row.note.starts_with(words) || row.note.contains(&format!(": {words}"));
    match kind {
        NextKind::Failed if says(UNREPORTED) => Some(LOOK),
        NextKind::Failed => Some(FIX),
        NextKind::Dropped if [CUT_SHORT, UNREPORTED, GONE].into_iter().any(says) => Some(LOOK),
        NextKind::Dropped if says(HELD) => Some(WAIT),
        NextKind::Dropped | NextKind::Running | NextKind::Ready | NextKind::Waiting | NextKind::Nothing => None,
    }
}
