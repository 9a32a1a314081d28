//! What a row comes after: whether that is done, and what is to be recorded anew before the row's work can do any good.

use jiff::Timestamp;

use crate::model::board::{Board, Row, Status};
use crate::model::decision::PLAN_STALE;
use crate::model::rules::Rules;

/// Whether there is nothing to fix, and the same command again would end the same: the note names the one to write.
pub(super) fn is_stale(failed: &Row) -> bool {
    let says = |note: &str| note.contains(&format!("{PLAN_STALE}: "));
    let mut cells = failed.cells.iter().filter(|cell| cell.status == Status::Failure).peekable();
    if cells.peek().is_some() { cells.all(|cell| says(&cell.note)) } else { says(&failed.note) }
}

/// Whether all that a row comes after was done again since it was found stale: for each layer that was.
pub(super) fn is_renewed(rules: &Rules, board: &Board, stale: &Row) -> bool {
    let renewed = |layer: Option<&str>, since: Option<Timestamp>| {
        let before = rows_before(rules, board, stale, layer);
        let mut before = before.filter(|row| layer.is_none() || row.layer.is_some()).peekable();
        before.peek().is_some() && before.all(|row| row.status.done() && row.at > since)
    };
    let mut cells = stale.cells.iter().filter(|cell| cell.status == Status::Failure).peekable();
    if cells.peek().is_some() {
        cells.all(|cell| renewed(Some(&cell.layer), Some(cell.at)))
    } else {
        renewed(stale.layer.as_deref(), stale.at)
    }
}

/// Whether every row that this one comes after is done: of its own layer, where both have one.
pub(super) fn may_begin(rules: &Rules, board: &Board, row: &Row) -> bool {
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
