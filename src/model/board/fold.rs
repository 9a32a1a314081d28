//! The fold from entries to rows: which entry a row shows.

use std::collections::{BTreeMap, HashMap};

use super::{Board, Cell, Entry, Happening, Layout, Recorded, Row, RowSpec, Status};

/// Folds what was recorded into the board that `layout` describes. The order and repetition of `recorded` do not
/// matter: entries are ordered by their server's id, and of those with equal ids the first counts.
pub(crate) fn fold(layout: &Layout, recorded: &[Recorded]) -> Board {
    let mut first: HashMap<&str, &Recorded> = HashMap::new();
    for record in recorded {
        let known = first.entry(&record.entry.id).or_insert(record);
        if record.seq < known.seq {
            *known = record;
        }
    }
    let mut ordered: Vec<&Recorded> = first.into_values().collect();
    ordered.sort_by_key(|record| record.seq);

    let mut tracks: HashMap<&str, BTreeMap<Option<&str>, Track<'_>>> = HashMap::new();
    for record in &ordered {
        let track = tracks.entry(&record.entry.row).or_default().entry(record.entry.layer.as_deref()).or_default();
        track.take(record);
    }

    let mut rows: Vec<Row> = Vec::with_capacity(layout.rows.len());
    let mut index: HashMap<&str, usize> = HashMap::new();
    let nothing = BTreeMap::new();
    for spec in &layout.rows {
        let before: Vec<&Row> =
            spec.after.iter().filter_map(|id| index.get(id.as_str()).map(|at| &rows[*at])).collect();
        let row = row(spec, tracks.get(spec.id.as_str()).unwrap_or(&nothing), &before);
        index.insert(&spec.id, rows.len());
        rows.push(row);
    }
    Board { history: history(layout, &ordered), rows }
}

/// What one layer (or nobody in particular) reported to one row, in order.
#[derive(Default)]
struct Track<'a> {
    current: Option<&'a Recorded>,
    /// The report that the work of `current` began.
    began: Option<&'a Recorded>,
}

impl<'a> Track<'a> {
    fn take(&mut self, record: &'a Recorded) {
        let entry = &record.entry;
        let Some(held) = self.current else {
            self.began = (!entry.status.ended()).then_some(record);
            self.current = Some(record);
            return;
        };
        if entry.status.ended() {
            if outranks(entry, &held.entry) {
                self.began = self.began.filter(|began| began.entry.run == entry.run);
                self.current = Some(record);
            }
        } else if !older_attempt(entry, &held.entry) {
            self.began = Some(record);
            self.current = Some(record);
        }
    }
}

/// Whether an outcome may stand in a row that `held` holds: from the same run or a newer one, or from none.
fn outranks(entry: &Entry, held: &Entry) -> bool {
    match (entry.run, held.run) {
        (Some(new), Some(old)) => new >= old,
        (None, _) | (_, None) => true,
    }
}

fn older_attempt(entry: &Entry, held: &Entry) -> bool {
    matches!((entry.run, held.run), (Some(new), Some(old)) if new.id == old.id && new.attempt < old.attempt)
}

fn row(spec: &RowSpec, tracks: &BTreeMap<Option<&str>, Track<'_>>, before: &[&Row]) -> Row {
    let mut row = Row {
        id: spec.id.clone(),
        stage: spec.stage.clone(),
        layer: spec.layer.clone(),
        title: spec.title.clone(),
        optional: spec.optional,
        shown: !spec.when_reported || !tracks.is_empty(),
        status: Status::Pending,
        note: String::new(),
        link: None,
        run_page: None,
        at: None,
        seconds: None,
        changes: None,
        digest: None,
        cells: Vec::new(),
    };
    let whole = match spec.layer.as_deref() {
        // A row of one layer: whoever reported last, with or without naming the layer.
        Some(layer) => newest([tracks.get(&None), tracks.get(&Some(layer))].into_iter().flatten()),
        None => tracks.get(&None),
    };
    let since = whole.and_then(|track| track.current).map_or(0, |record| record.seq);
    let layers: Vec<(&str, &Track<'_>)> = match spec.layer {
        Some(_) => Vec::new(),
        None => tracks
            .iter()
            .filter_map(|(layer, track)| Some(((*layer)?, track)))
            .filter(|(_, track)| track.current.is_some_and(|record| record.seq > since))
            .collect(),
    };
    if !layers.is_empty() {
        over_layers(&mut row, &layers, before);
    } else if let Some(track) = whole {
        of_one(&mut row, track);
    } else if let Some(note) = nothing_to_do(spec, before) {
        row.status = Status::Skipped;
        row.note = note;
    }
    row
}

fn newest<'t, 'a: 't>(tracks: impl Iterator<Item = &'t Track<'a>>) -> Option<&'t Track<'a>> {
    tracks.max_by_key(|track| track.current.map(|record| record.seq))
}

fn of_one(row: &mut Row, track: &Track<'_>) {
    let Some(record) = track.current else { return };
    let entry = &record.entry;
    row.status = entry.status;
    row.note.clone_from(&entry.note);
    row.link = shown_link(entry);
    row.run_page = run_page(entry);
    row.at = Some(record.at);
    row.changes = entry.changes;
    row.digest.clone_from(&entry.digest);
    row.seconds = seconds(track);
}

/// Failure if one failed, running while one runs, dropped if one did not take place, success when every layer that was
/// planned with changes is done, else pending.
fn over_layers(row: &mut Row, layers: &[(&str, &Track<'_>)], before: &[&Row]) {
    let cells: Vec<(&str, &Recorded, &Track<'_>)> =
        layers.iter().filter_map(|(layer, track)| Some((*layer, track.current?, *track))).collect();
    let has = |status| cells.iter().find(|(_, record, _)| record.entry.status == status);
    let planned = |layer: &str| cells.iter().any(|(known, ..)| *known == layer);
    // A layer that holds changes and was not yet touched still has to be done.
    let missing = before
        .iter()
        .filter(|row| row.status == Status::Success && row.changes != Some(false))
        .filter_map(|row| row.layer.as_deref())
        .filter(|layer| !planned(layer))
        .count();
    let done = cells.iter().filter(|(_, record, _)| record.entry.status.done()).count();
    let total = cells.len() + missing;
    let telling = has(Status::Failure).or_else(|| has(Status::Running)).or_else(|| has(Status::Dropped));
    row.status = match telling {
        Some((_, record, _)) => record.entry.status,
        None if done < total => Status::Pending,
        None if cells.iter().all(|(_, record, _)| record.entry.status == Status::Skipped) => Status::Skipped,
        None => Status::Success,
    };
    row.note = match telling {
        Some((layer, record, _)) if record.entry.note.is_empty() => (*layer).to_owned(),
        Some((layer, record, _)) => format!("{layer}: {}", record.entry.note),
        None if total == 1 => cells[0].1.entry.note.clone(),
        None => format!("{done} of {total} layers"),
    };
    let latest = telling.or_else(|| cells.iter().max_by_key(|(_, record, _)| record.seq));
    if let Some((_, record, _)) = latest {
        row.link = shown_link(&record.entry);
        row.run_page = run_page(&record.entry);
        row.at = Some(record.at);
    }
    row.seconds = match &*cells {
        [(_, _, track)] => seconds(track),
        _ => None,
    };
    row.changes = if cells.iter().all(|(_, record, _)| record.entry.changes == Some(false)) {
        Some(false)
    } else {
        cells.iter().any(|(_, record, _)| record.entry.changes == Some(true)).then_some(true)
    };
    row.cells = cells
        .iter()
        .map(|(layer, record, _)| Cell {
            layer: (*layer).to_owned(),
            status: record.entry.status,
            note: record.entry.note.clone(),
            digest: record.entry.digest.clone(),
            run: record.entry.run,
        })
        .collect();
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

fn shown_link(entry: &Entry) -> Option<String> {
    entry.link.clone().or_else(|| run_page(entry))
}

fn run_page(entry: &Entry) -> Option<String> {
    (!entry.url.is_empty()).then(|| entry.url.clone())
}

fn seconds(track: &Track<'_>) -> Option<i64> {
    let (began, ended) = (track.began?, track.current?);
    let took = ended.at.as_second() - began.at.as_second();
    (ended.entry.status.ended() && took >= 0).then_some(took)
}

/// Every outcome, and every begin that has no outcome of its run yet, newest first.
fn history(layout: &Layout, ordered: &[&Recorded]) -> Vec<Happening> {
    let titles: HashMap<&str, &RowSpec> = layout.rows.iter().map(|spec| (spec.id.as_str(), spec)).collect();
    let mut closed = std::collections::HashSet::new();
    let mut lines = Vec::new();
    for record in ordered.iter().rev() {
        let entry = &record.entry;
        let work = (&entry.row, &entry.layer, entry.run);
        if entry.status.ended() {
            closed.insert(work);
        } else if closed.contains(&work) {
            continue;
        }
        let spec = titles.get(entry.row.as_str());
        let title = spec.map_or(entry.row.as_str(), |spec| spec.title.as_str());
        let title = match &entry.layer {
            Some(layer) if spec.is_none_or(|spec| spec.layer.is_none()) => format!("{title} ({layer})"),
            Some(_) | None => title.to_owned(),
        };
        lines.push(Happening {
            seq: record.seq,
            at: record.at,
            title,
            action: entry.action.clone(),
            by: entry.by.clone(),
            status: entry.status,
            note: entry.note.clone(),
            link: shown_link(entry),
        });
    }
    lines
}
