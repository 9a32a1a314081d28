//! What a row comes after: whether that is done, and what is to be recorded anew before the row's work can do any good.

use super::advice::may_be_done_in_part;
use super::layers_of;
use crate::model::board::{Board, Row, Status};
use crate::model::rules::{Rules, held_to};
use crate::model::span::At;

/// Of the layers that a command for these rows is for, those for which nothing is recorded now, or whose work may be done in
/// part, so that what was recorded is no more what would be done, unless that was done again since. Without layers it is for
/// the whole, which is meant then, also where nothing is recorded for any.
pub(super) fn outlived<'l>(board: &Board, record: &str, rows: &[&Row], layers: &[&'l str]) -> Option<Vec<&'l str>> {
    let is = |layer: Option<&str>| {
        let mut rows =
            rows.iter().filter(|row| layer.is_none() || row.layer.is_none() || layer == row.layer.as_deref());
        rows.any(|row| is_outlived(board, record, row, layer))
    };
    let is_gone = |layer| stands(board, record, Some(layer)).any(|(status, _)| !status.done());
    let of: Vec<&str> = layers.iter().copied().filter(|layer| is_gone(layer) || is(Some(layer))).collect();
    let is_none = || stands(board, record, None).all(|(status, _)| !status.done());
    (!of.is_empty() || (layers.is_empty() && (is(None) || is_none()))).then_some(of)
}

/// The layers of a row that is meant as a whole: its own, those that are left to do, else, where nothing is said of any,
/// those that were recorded, or where none was, all but those that have nothing to do.
pub(super) fn layers_of_whole<'l>(rules: &'l Rules, board: &Board, record: Option<&str>, row: &'l Row) -> Vec<&'l str> {
    let is_recorded = |layer: &&String| {
        let mut stands = record.into_iter().flat_map(|record| stands(board, record, Some(layer)));
        stands.any(|(status, _)| status == Status::Success)
    };
    let before = stages_before(rules, row);
    let is_idle = |layer: &str| {
        let mut stands = before.iter().flat_map(|stage| stands(board, stage, Some(layer))).peekable();
        stands.peek().is_some() && stands.all(|(status, _)| status == Status::Skipped)
    };
    let all = || rules.layers.keys().map(String::as_str);
    match &row.layer {
        Some(layer) => vec![layer],
        None if !row.cells.is_empty() => row.missing.iter().map(String::as_str).collect(),
        None => {
            let recorded: Vec<&str> = rules.layers.keys().filter(is_recorded).map(String::as_str).collect();
            if recorded.is_empty() { all().filter(|layer| !is_idle(layer)).collect() } else { recorded }
        }
    }
}

fn is_outlived(board: &Board, record: &str, row: &Row, layer: Option<&str>) -> bool {
    let own = row.cells.iter().filter(|cell| layer.is_none_or(|layer| layer == cell.layer));
    let own = own.filter(|cell| may_be_done_in_part(cell.status, &cell.note));
    let own = own.map(|cell| (Some(&*cell.layer), cell.seq));
    // What no layer said is said of all of them.
    let is_of_whole = row.cells.iter().all(|cell| cell.seq != row.seq) && may_be_done_in_part(row.status, &row.note);
    let whole = is_of_whole.then(|| (layer.or(row.layer.as_deref()), row.seq));
    own.chain(whole).any(|(layer, since)| !is_renewed(board, record, layer, since))
}

/// What a stale row says, or the first of its layers, for which the stage that it is held to was not done again since.
pub(super) fn stale_note(rules: &Rules, board: &Board, row: &Row) -> Option<String> {
    let Some(record) = held_to(&rules.handlers_for(&row.stage, row.action.as_deref())) else {
        return Some(row.note.clone());
    };
    let mut stale = row.cells.iter().filter(|cell| cell.status == Status::Failure).peekable();
    if stale.peek().is_none() {
        let is_renewed = is_renewed(board, record, row.layer.as_deref(), row.seq);
        return (!is_renewed).then(|| row.note.clone());
    }
    let still = stale.find(|cell| !is_renewed(board, record, Some(&cell.layer), cell.seq))?;
    Some(format!("{}: {}", still.layer, still.note))
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
    let before = stages_before(rules, row);
    let done = |layer| before.iter().all(|stage| stands(board, stage, layer).all(|(status, _)| status.done()));
    let layers = layers_of(row);
    if layers.is_empty() { done(None) } else { layers.into_iter().all(|layer| done(Some(layer))) }
}

/// What was done too early and is to be done again before a row's work is: rows of one stage, which may begin.
pub(super) fn open_before<'b>(rules: &Rules, board: &'b Board, row: &Row) -> Vec<&'b Row> {
    let layers = layers_of(row);
    let is_for = |layer: &str| layers.is_empty() || layers.contains(&layer);
    let before = stages_before(rules, row);
    let is_open = |other: &&Row| {
        // A row that says why it waits though nothing was reported was done before what it is to follow.
        let is_outdated = other.status == Status::Pending && other.at.is_none() && !other.note.is_empty();
        let is_again = match (&other.layer, &*other.outdated) {
            (Some(layer), _) => is_outdated && is_for(layer),
            (None, []) => is_outdated && other.cells.is_empty(),
            (None, outdated) => outdated.iter().any(|cell| is_for(&cell.layer)),
        };
        is_again && before.iter().any(|stage| stage.value == other.stage)
    };
    let mut open = board.rows.iter().filter(is_open).filter(|other| may_begin(rules, board, other)).peekable();
    let stage = open.peek().map(|first| first.stage.as_str());
    open.filter(|other| Some(other.stage.as_str()) == stage).collect()
}

/// The stages that a row comes after.
fn stages_before<'r>(rules: &'r Rules, row: &Row) -> Vec<&'r At<String>> {
    rules.stages.get(&row.stage).map(|stage| rules.before(stage)).unwrap_or_default()
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
