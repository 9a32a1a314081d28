//! What a row comes after: whether that is done, and what is to be recorded anew before the row's work can do any good.

use super::advice::may_be_done_in_part;
use super::layers_of;
use crate::model::board::{Board, Row, Status};
use crate::model::rules::Rules;

/// Of the layers that a command for these rows is for, those whose work may be done in part, so that what was recorded is no
/// more what would be done, unless that was done again since. Without layers it is for the whole, which is meant then.
pub(super) fn outlived<'l>(board: &Board, held_to: &str, rows: &[&Row], layers: &[&'l str]) -> Option<Vec<&'l str>> {
    let is = |layer: Option<&str>| {
        let mut rows =
            rows.iter().filter(|row| layer.is_none() || row.layer.is_none() || layer == row.layer.as_deref());
        rows.any(|row| is_outlived(board, held_to, row, layer))
    };
    let of: Vec<&str> = layers.iter().copied().filter(|layer| is(Some(layer))).collect();
    (!of.is_empty() || (layers.is_empty() && is(None))).then_some(of)
}

fn is_outlived(board: &Board, held_to: &str, row: &Row, layer: Option<&str>) -> bool {
    let own = row.cells.iter().filter(|cell| layer.is_none_or(|layer| layer == cell.layer));
    let own = own.filter(|cell| may_be_done_in_part(cell.status, &cell.note));
    let own = own.map(|cell| (Some(&*cell.layer), cell.seq));
    // What no layer said is said of all of them.
    let is_of_whole = row.cells.iter().all(|cell| cell.seq != row.seq) && may_be_done_in_part(row.status, &row.note);
    let whole = is_of_whole.then(|| (layer.or(row.layer.as_deref()), row.seq));
    own.chain(whole).any(|(layer, since)| !is_renewed(board, held_to, layer, since))
}

/// Whether the stage that a stale row is held to was done again since, for all that was found stale.
pub(super) fn is_stale_no_more(board: &Board, held_to: &str, row: &Row) -> bool {
    let mut stale = row.cells.iter().filter(|cell| cell.status == Status::Failure).peekable();
    match stale.peek() {
        Some(_) => stale.all(|cell| is_renewed(board, held_to, Some(&cell.layer), cell.seq)),
        None => is_renewed(board, held_to, row.layer.as_deref(), row.seq),
    }
}

/// Whether a stage was done again since: for a layer, else for all that had something to do.
fn is_renewed(board: &Board, stage: &str, layer: Option<&str>, since: u64) -> bool {
    let stands: Vec<(Status, u64)> = stands(board, stage, layer).collect();
    let is_new = |(_, seq): &(Status, u64)| *seq > since;
    let is_fine = |stand: &(Status, u64)| stand.0 == Status::Skipped || (stand.0.done() && is_new(stand));
    stands.iter().any(is_new) && stands.iter().all(is_fine)
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
