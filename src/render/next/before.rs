//! What a row comes after: whether that is done, and what is to be recorded anew before the row's work can do any good.

use super::layers_of;
use crate::model::board::{Board, Cell, Row, Status};
use crate::model::rules::Rules;

/// Whether what a row comes after was done again since that was needed: for each layer for which it was, what is about that
/// layer; where nothing is, all of it.
pub(super) fn is_renewed(rules: &Rules, board: &Board, stale: &Row, needed: impl Fn(&Cell) -> bool) -> bool {
    let renewed = |layer: Option<&str>, since: u64| {
        let (own, whole): (Vec<Before>, Vec<Before>) =
            before(rules, board, stale, layer).partition(|before| before.of_layer);
        let telling = if own.is_empty() { whole } else { own };
        !telling.is_empty() && telling.iter().all(|before| before.status.done() && before.seq > since)
    };
    let mut cells = stale.cells.iter().filter(|cell| needed(cell)).peekable();
    if cells.peek().is_some() {
        cells.all(|cell| renewed(Some(&cell.layer), cell.seq))
    } else {
        renewed(stale.layer.as_deref(), stale.seq)
    }
}

/// Whether all that a row comes after is done: for the layers that it is about, where it is about some.
pub(super) fn may_begin(rules: &Rules, board: &Board, row: &Row) -> bool {
    let done = |layer: Option<&str>| before(rules, board, row, layer).all(|before| before.status.done());
    let layers = layers_of(row);
    if layers.is_empty() { done(None) } else { layers.into_iter().all(|layer| done(Some(layer))) }
}

/// How a row stands that another one comes after.
struct Before {
    status: Status,
    /// The place of its report in the journal.
    seq: u64,
    /// Whether it is about the layer that was asked for, rather than about all.
    of_layer: bool,
}

/// What a row comes after: for a layer, where one is asked for.
fn before(rules: &Rules, board: &Board, row: &Row, layer: Option<&str>) -> impl Iterator<Item = Before> {
    let stage = rules.stages.get(&row.stage);
    let is_before = move |before: &&Row| {
        stage.is_some_and(|stage| stage.after.iter().any(|after| **after == before.stage))
            && (layer.is_none() || before.layer.is_none() || layer == before.layer.as_deref())
    };
    board.rows.iter().filter(is_before).map(move |row| match row.cells.iter().find(|cell| layer == Some(&cell.layer)) {
        Some(cell) => Before { status: cell.status, seq: cell.seq, of_layer: true },
        None => Before { status: row.status, seq: row.seq, of_layer: row.layer.is_some() },
    })
}
