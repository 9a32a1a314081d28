//! What a row says, from what stands of it and the rows before it.

use jiff::Timestamp;

use super::fold::{Standing, Track, Tracks};
use super::{Cell, Entry, Layout, Recorded, Row, RowSpec, Status};
use crate::model::decision::{GONE, UNREPORTED, is_stale};

pub(super) fn row(layout: &Layout, spec: &RowSpec, tracks: Option<&Tracks<'_>>, before: &[&Row]) -> Row {
    let mut row = Row {
        id: spec.id.clone(),
        stage: spec.stage.clone(),
        layer: spec.layer.clone(),
        title: spec.title.clone(),
        optional: spec.optional,
        shown: !spec.when_reported || tracks.is_some(),
        status: Status::Pending,
        note: String::new(),
        link: None,
        run_page: None,
        at: None,
        seq: 0,
        action: None,
        seconds: None,
        changes: None,
        digest: None,
        cells: Vec::new(),
        missing: Vec::new(),
    };
    let before_it = Before::of(before);
    // What was said of layers that ci.toml has lost stands in the history.
    match tracks.map(|tracks| tracks.standing(layout, |layer| layout.has(layer))) {
        Some(standing) if !standing.layers.is_empty() => over_layers(&mut row, layout, &standing, (before, &before_it)),
        Some(Standing { whole, .. }) if whole.current.is_some() => of_one(&mut row, &whole, &before_it),
        Some(_) | None => {
            if let Some(note) = nothing_to_do(spec, before) {
                row.status = Status::Skipped;
                row.note = note;
            }
        }
    }
    row
}

fn of_one(row: &mut Row, track: &Track<'_>, before: &[Before<'_>]) {
    let Some(record) = track.current else { return };
    if is_outdated(record, row.layer.as_deref(), before) {
        CHANGED_SINCE.clone_into(&mut row.note);
        return;
    }
    let entry = &record.entry;
    row.status = entry.status;
    row.note.clone_from(&entry.note);
    row.link = shown_link(entry);
    row.run_page = run_page(entry);
    (row.at, row.seq) = (Some(record.at), record.seq);
    row.action = asked(track);
    row.changes = entry.changes;
    row.digest.clone_from(&entry.digest);
    row.seconds = seconds(track);
}

/// What one layer says in a row for several.
type Of<'a> = (&'a str, &'a Recorded, &'a Track<'a>);

/// The note of a row whose work was done before there was found something to do.
const CHANGED_SINCE: &str = "changes were found since";

/// What a row says of one layer, or of all, to those that come after it.
struct Before<'a> {
    layer: Option<&'a str>,
    status: Status,
    changes: Option<bool>,
    at: Timestamp,
    seq: u64,
}

impl Before<'_> {
    /// What rows say of which something was reported.
    fn of<'a>(rows: &[&'a Row]) -> Vec<Before<'a>> {
        let of_cell = |cell: &'a Cell| {
            let Cell { status, changes, at, seq, .. } = *cell;
            Before { layer: Some(cell.layer.as_str()), status, changes, at, seq }
        };
        let of_row = |row: &'a Row| {
            let Row { status, changes, seq, .. } = *row;
            let own = row.at.filter(|_| row.cells.is_empty());
            own.map(|at| Before { layer: row.layer.as_deref(), status, changes, at, seq })
        };
        rows.iter().flat_map(|row| row.cells.iter().map(of_cell).chain(of_row(row))).collect()
    }

    /// Whether it found changes, for this layer too, after work was done that is to follow it.
    fn outdates(&self, record: &Recorded, layer: Option<&str>) -> bool {
        let is_since = match record.entry.until {
            // It was reported late.
            Some(until) => self.at > until.min(record.at),
            None => self.seq > record.seq,
        };
        let is_for = layer.is_none() || self.layer.is_none() || self.layer == layer;
        is_since && is_for && self.status == Status::Success && self.changes == Some(true)
    }
}

/// Whether work was done before what it comes after found changes, which are still to be done.
fn is_outdated(record: &Recorded, layer: Option<&str>, before: &[Before<'_>]) -> bool {
    record.entry.status.done() && before.iter().any(|before| before.outdates(record, layer))
}

/// Failure if one failed, running while one runs, dropped if one did not take place, success when every layer that was
/// planned with changes is done, else pending.
/// What did not go well with the whole row counts too, until all layers are done that had something to do.
fn over_layers(row: &mut Row, layout: &Layout, standing: &Standing<'_>, (before, told): (&[&Row], &[Before<'_>])) {
    let Standing { whole, layers } = standing;
    let cells = layers.iter().filter_map(|(layer, track)| Some((*layer, track.current?, track)));
    let (outdated, cells): (Vec<Of<'_>>, Vec<Of<'_>>) =
        cells.partition(|(layer, record, _)| is_outdated(record, Some(layer), told));
    let missing = missing(layout, told, &outdated, &cells);
    let done = cells.iter().filter(|(_, record, _)| record.entry.status.done()).count();
    // What is said of layers before says which of them have something to do; else it may be any.
    let is_told = told.iter().any(|told| told.layer.is_some());
    let total = if is_told { cells.len() + missing.len() } else { layout.layers.len() };
    let mut tell = before.iter().filter(|row| row.layer.is_some() || !row.cells.is_empty());
    let all_known = if is_told { tell.all(|row| row.status.done()) } else { cells.len() == layout.layers.len() };
    let open = !missing.is_empty() || done < cells.len();
    let whole = whole.current.filter(|whole| whole.entry.status == Status::Running || open || !all_known);
    let of_layers = cells.iter().map(|(layer, record, _)| (Some(*layer), *record));
    let all = whole.map(|whole| (None, whole)).into_iter().chain(of_layers);
    let telling = all.filter(|(_, record)| tells(&record.entry).is_some());
    let telling = telling.min_by_key(|(_, record)| tells(&record.entry));
    row.status = match telling {
        Some((_, record)) => record.entry.status,
        None if open => Status::Pending,
        None if cells.iter().all(|(_, record, _)| record.entry.status == Status::Skipped) => Status::Skipped,
        None => Status::Success,
    };
    row.note = match telling {
        Some((Some(layer), record)) if record.entry.note.is_empty() => layer.to_owned(),
        Some((Some(layer), record)) => format!("{layer}: {}", record.entry.note),
        Some((None, record)) => record.entry.note.clone(),
        None if total == 1 => cells.first().map_or(CHANGED_SINCE, |(_, record, _)| &record.entry.note).to_owned(),
        None => format!("{done} of {total} layers"),
    };
    let latest = telling.map(|(_, record)| record);
    let latest = latest.or_else(|| cells.iter().map(|(_, record, _)| *record).max_by_key(|record| record.seq));
    if let Some(record) = latest {
        row.link = shown_link(&record.entry);
        row.run_page = run_page(&record.entry);
        (row.at, row.seq) = (Some(record.at), record.seq);
        row.action.clone_from(&record.entry.action);
    }
    row.seconds = match &*cells {
        [(_, _, track)] => seconds(track),
        _ => None,
    };
    let changes = |known: bool| move |(_, record, _): &Of<'_>| record.entry.changes == Some(known);
    row.changes = match cells.iter().any(changes(true)) {
        true => Some(true),
        false => (!cells.is_empty() && cells.iter().all(changes(false))).then_some(false),
    };
    row.missing = missing;
    row.cells = cells
        .iter()
        .map(|(layer, record, track)| Cell {
            layer: (*layer).to_owned(),
            status: record.entry.status,
            note: record.entry.note.clone(),
            digest: record.entry.digest.clone(),
            changes: record.entry.changes,
            action: asked(track),
            run: record.entry.run,
            at: record.at,
            seq: record.seq,
        })
        .collect();
}

/// The layers that hold changes and were not touched since, so that they still have to be done.
fn missing(layout: &Layout, told: &[Before<'_>], outdated: &[Of<'_>], cells: &[Of<'_>]) -> Vec<String> {
    // Where nothing is said of changes a layer may hold some, unless something else says that it does not.
    let is_idle = |layer: Option<&str>| told.iter().any(|told| told.layer == layer && told.changes == Some(false));
    let holds = |told: &&Before<'_>| told.changes.unwrap_or_else(|| !is_idle(told.layer));
    let succeeded = told.iter().filter(|told| told.status == Status::Success);
    // Changes that were found for the whole may be any layer's.
    let of_whole = succeeded.clone().any(|told| told.layer.is_none() && told.changes == Some(true));
    let any = layout.layers.iter().filter(|_| of_whole).map(String::as_str);
    let to_do = succeeded.filter(holds).filter_map(|told| told.layer).chain(any);
    let to_do = to_do.chain(outdated.iter().map(|(layer, ..)| *layer));
    let mut missing: Vec<String> = Vec::new();
    for layer in to_do {
        if cells.iter().all(|(known, ..)| *known != layer) && missing.iter().all(|known| known != layer) {
            missing.push(layer.to_owned());
        }
    }
    missing
}

/// What was asked for when work began, whoever told how it ended.
fn asked(track: &Track<'_>) -> Option<String> {
    [track.began, track.current].into_iter().flatten().find_map(|record| record.entry.action.clone())
}

/// Which of several things that keep a row from being done it shows: the least. What has to be fixed comes before what has
/// to be planned anew, and what was cut short before what did not begin.
fn tells(entry: &Entry) -> Option<u8> {
    match entry.status {
        Status::Failure => Some(u8::from(is_stale(&entry.note))),
        Status::Running => Some(2),
        Status::Dropped => Some(if entry.began { 3 } else { 4 }),
        Status::Pending | Status::Success | Status::Skipped => None,
    }
}

/// Where all rows that this one comes after had nothing to do, it has nothing to do either.
fn nothing_to_do(spec: &RowSpec, before: &[&Row]) -> Option<String> {
    let idle =
        |row: &&Row| row.status == Status::Skipped || (row.status == Status::Success && row.changes == Some(false));
    if before.is_empty() || !before.iter().all(idle) {
        return None;
    }
    // What the first of a chain has nothing to do with, the rest of the chain has not either.
    let inherited = before.iter().find(|row| row.note.starts_with("nothing to ")).map(|row| row.note.clone());
    Some(inherited.unwrap_or_else(|| format!("nothing to {}", spec.stage)))
}

pub(super) fn shown_link(entry: &Entry) -> Option<String> {
    entry.link.clone().or_else(|| run_page(entry))
}

fn run_page(entry: &Entry) -> Option<String> {
    (!entry.url.is_empty()).then(|| entry.url.clone())
}

fn seconds(track: &Track<'_>) -> Option<i64> {
    // Waiting is no work.
    let began = track.began.filter(|began| began.entry.status == Status::Running)?;
    let ended = track.current?;
    // GitHub changes when a run ended if that is run again.
    let until = ended.entry.until.map_or(ended.at, |until| until.min(ended.at));
    let took = until.as_second() - began.at.as_second();
    // When work ended of which nobody heard, nobody knows.
    let note = &ended.entry.note;
    let heard = ended.entry.status.ended() && !note.starts_with(UNREPORTED) && note != GONE;
    (heard && took >= 0).then_some(took)
}
