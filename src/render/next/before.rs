//! What a row comes after: whether that is done, and what is to be recorded anew before the row's work can do any good.

use super::layers_of;
use crate::model::board::{Board, Cell, Row, Status};
use crate::model::rules::Rules;

/// Whether the stage that a row's work is held to was done again since that was needed: for the layers for which it was,
/// else for all that had something to do.
pub(super) fn is_renewed(board: &Board, held_to: &str, row: &Row, needed: impl Fn(&Cell) -> bool) -> bool {
    let renewed = |layer: Option<&str>, since: u64| {
        let stands: Vec<(Status, u64)> = stands(board, held_to, layer).collect();
        let is_new = |(_, seq): &(Status, u64)| *seq > since;
        let is_fine = |stand: &(Status, u64)| stand.0 == Status::Skipped || (stand.0.done() && is_new(stand));
        stands.iter().any(is_new) && stands.iter().all(is_fine)
    };
    let mut cells = row.cells.iter().filter(|cell| needed(cell)).peekable();
    if cells.peek().is_some() {
        cells.all(|cell| renewed(Some(&cell.layer), cell.seq))
    } else {
        renewed(row.layer.as_deref(), row.seq)
    }
}

/// Whether all that a row comes after is done: for the layers that it is about, where it is about some.
pub(super) fn may_begin(rules: &Rules, board: &Board, row: &Row) -> bool {
    let before = rules.stages.get(&row.stage).map(|stage| stage.after.as_slice()).unwrap_or_default();
    let done = |layer| before.iter().all(|stage| stands(board, stage, layer).all(|(status, _)| status.done()));
    let layers = layers_of(row);
    if layers.is_empty() { done(None) } else { layers.into_iter().all(|layer| done(Some(layer))) }
}

/// How the rows of a stage stand, and the places of their reports in the journal: for a layer, where one is asked for.
fn stands(board: &Board, stage: &str, layer: Option<&str>) -> impl Iterator<Item = (Status, u64)> {
    let concerns = move |row: &&Row| {
        row.stage == stage && (layer.is_none() || row.layer.is_none() || layer == row.layer.as_deref())
    };
    board.rows.iter().filter(concerns).map(move |row| match row.cells.iter().find(|cell| layer == Some(&cell.layer)) {
        Some(cell) => (cell.status, cell.seq),
        None => (row.status, row.seq),
    })
}
