//! What a row says, from what stands of it and the rows before it.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::before::Before;
use super::fold::{Standing, Track, Tracks};
use super::{Cell, Change, Changed, Entry, Layout, Recorded, Row, RowSpec, Status};
use crate::model::decision::{GONE, UNREPORTED, is_stale};
use crate::model::rules::Effect;

pub(super) fn row(layout: &Layout, spec: &RowSpec, tracks: Option<&Tracks<'_>>, before: &Before<'_>) -> Row {
    let standing = tracks.map(|tracks| tracks.standing(layout, |layer| layout.has(layer))).unwrap_or_default();
    let mut row = Row {
        id: spec.id.clone(),
        stage: spec.stage.clone(),
        layer: spec.layer.clone(),
        title: spec.title.clone(),
        optional: spec.optional,
        // What was said of layers that ci.toml has lost stands in the history.
        shown: !spec.when_reported || standing.whole.current.is_some() || !standing.layers.is_empty(),
        status: Status::Pending,
        note: String::new(),
        link: None,
        run_page: None,
        at: None,
        seq: 0,
        action: None,
        seconds: None,
        changes: None,
        changed: None,
        began: false,
        digest: None,
        cells: Vec::new(),
        outdated: Vec::new(),
        effect: spec.effect,
        missing: Vec::new(),
        idle: BTreeSet::new(),
    };
    // Where there is nothing to do, and nothing was ever done, what did nothing leaves nothing to be done.
    let did_nothing = |track: &Track<'_>| track.changed.is_none() && did_nothing(track);
    // What only looks, and says nothing of changes, passes that on.
    if spec.effect.is_read_only() {
        row.idle = before.idle(layout, spec.layer.as_deref());
    }
    let counts = |layer: Option<&str>, track: &Track<'_>| !(did_nothing(track) && before.is_idle(layer));
    let Standing { whole, mut layers } = standing;
    layers.retain(|(layer, track)| counts(Some(layer), track));
    if !layers.is_empty() {
        over_layers(&mut row, (layout, spec), &Standing { whole, layers }, before);
    } else if whole.current.is_some() && counts(spec.layer.as_deref(), &whole) {
        of_one(&mut row, spec, &whole, before);
    } else if before.is_idle(spec.layer.as_deref()) {
        row.status = Status::Skipped;
        row.note = before.nothing_to_do(spec);
        (row.began, row.changes) = (before.has_looked(spec.layer.as_deref()), Some(false));
    }
    row
}

/// Whether work that was asked for did not begin, or did not begin again.
fn did_nothing(track: &Track<'_>) -> bool {
    track.current.is_some_and(|record| match record.entry.status {
        Status::Dropped => !record.entry.began || track.changes() == Some(false),
        Status::Failure => !record.entry.began,
        Status::Pending | Status::Running | Status::Success | Status::Skipped => false,
    })
}

fn of_one(row: &mut Row, spec: &RowSpec, track: &Track<'_>, before: &Before<'_>) {
    let Some(record) = track.current else { return };
    row.changed = changed(spec, track);
    if let Some(why) = before.outdated_by(track, row.layer.as_deref()) {
        why.clone_into(&mut row.note);
        return;
    }
    let entry = &record.entry;
    row.status = entry.status;
    row.note.clone_from(&entry.note);
    tell_of(row, record, track);
    row.changes = track.changes();
    row.began = entry.began;
    row.digest = track.digest();
    row.seconds = seconds(track);
}

/// What a row tells of the report that it shows.
fn tell_of(row: &mut Row, record: &Recorded, track: &Track<'_>) {
    row.link = shown_link(&record.entry);
    row.run_page = run_page(&record.entry);
    (row.at, row.seq) = (Some(record.at), record.seq);
    row.action = track.asked.map(str::to_owned);
}

/// What whoever comes after this work has to follow.
fn changed(spec: &RowSpec, track: &Track<'_>) -> Option<Changed> {
    let (record, kind) = match spec.effect {
        Effect::Looks | Effect::Checks => {
            let found = |outcome: &&Recorded| outcome.entry.status == Status::Success && track.changes() == Some(true);
            (track.outcome.filter(found), Change::Found)
        }
        Effect::Changes => (track.changed, Change::Made),
        // What follows a plan may apply it. Who says of some work whether it changed anything does not say so of what broke off.
        Effect::Unknown if spec.follows_a_plan || track.says => (track.changed, Change::Made),
        Effect::Unknown => (track.changed, Change::Perhaps),
    };
    let of = |record: &Recorded| Changed {
        kind,
        seq: record.seq,
        at: record.at,
        ended: ended_at(record),
        work: record.entry.work.clone(),
    };
    record.map(of)
}

/// What one layer says in a row for several.
type Of<'a> = (&'a str, &'a Recorded, &'a Track<'a>);

/// What layers say in one row.
struct Over<'s> {
    cells: Vec<Of<'s>>,
    /// What was done too early, and why it was.
    outdated: Vec<(Of<'s>, &'static str)>,
    /// The layers that have something to do and said nothing, or nothing since that was found.
    missing: Vec<String>,
    /// What keeps the row from being done: of a layer, or of the whole.
    telling: Option<(Option<&'s str>, &'s Recorded, &'s Track<'s>)>,
}

/// Failure if one failed, running while one runs, dropped if one did not take place, success when every layer that was
/// planned with changes is done, else pending.
fn over_layers(row: &mut Row, (layout, spec): (&Layout, &RowSpec), standing: &Standing<'_, '_>, before: &Before<'_>) {
    let over = Over::of(layout, standing, before);
    (row.status, row.note) = (over.status(), over.note());
    if let Some((record, track)) = over.shown() {
        tell_of(row, record, track);
    }
    row.seconds = over.seconds();
    row.changes = over.changes();
    row.cells = over.cells.iter().map(|of| cell(spec, of)).collect();
    row.outdated = over.outdated.iter().map(|(of, _)| cell(spec, of)).collect();
    row.missing = over.missing;
    row.began = row.cells.iter().any(|cell| cell.began);
    let changed = row.cells.iter().chain(&row.outdated).filter_map(|cell| cell.changed.as_ref());
    row.changed = changed.max_by_key(|changed| changed.seq).cloned();
}

impl<'s> Over<'s> {
    fn of(layout: &Layout, standing: &'s Standing<'_, '_>, before: &Before<'_>) -> Self {
        let Standing { whole, layers } = standing;
        let (mut cells, mut outdated): (Vec<Of<'s>>, _) = (Vec::new(), Vec::new());
        for (layer, track) in layers {
            let Some(record) = track.current else { continue };
            match before.outdated_by(track, Some(layer)) {
                Some(why) => outdated.push(((*layer, record, track), why)),
                None => cells.push((*layer, record, track)),
            }
        }
        let mut missing = before.to_do(layout, outdated.iter().map(|((layer, ..), _)| *layer));
        missing.retain(|layer| cells.iter().all(|(known, ..)| known != layer));
        let mut over = Self { cells, outdated, missing, telling: None };
        // What did not go well with the whole counts too, until all layers are done that had something to do.
        let is_open = over.is_open() || !before.layers_are_done();
        let of_whole = whole.current.filter(|whole| is_open || whole.entry.status == Status::Running);
        let of_layers = over.cells.iter().map(|(layer, record, track)| (Some(*layer), *record, *track));
        let all = of_whole.into_iter().map(|record| (None, record, whole)).chain(of_layers);
        let telling = all.filter_map(|of| Some((tells(&of.1.entry)?, of)));
        over.telling = telling.min_by_key(|(rank, _)| *rank).map(|(_, of)| of);
        over
    }

    fn done(&self) -> usize {
        self.cells.iter().filter(|(_, record, _)| record.entry.status.done()).count()
    }

    /// Whether something is still to be done.
    fn is_open(&self) -> bool {
        !self.missing.is_empty() || self.done() < self.cells.len()
    }

    fn status(&self) -> Status {
        match self.telling {
            Some((_, record, _)) => record.entry.status,
            None if self.is_open() => Status::Pending,
            None if self.cells.iter().all(|(_, record, _)| record.entry.status == Status::Skipped) => Status::Skipped,
            None => Status::Success,
        }
    }

    fn note(&self) -> String {
        let total = self.cells.len() + self.missing.len();
        match (self.telling, &*self.cells, &*self.outdated) {
            (Some((Some(layer), record, _)), ..) if record.entry.note.is_empty() => layer.to_owned(),
            (Some((Some(layer), record, _)), ..) => format!("{layer}: {}", record.entry.note),
            (Some((None, record, _)), ..) => record.entry.note.clone(),
            (None, [(_, record, _)], _) if total == 1 => record.entry.note.clone(),
            (None, [], [(_, why), ..]) if total == 1 => (*why).to_owned(),
            (None, ..) => format!("{} of {total} layers", self.done()),
        }
    }

    /// The report that the row shows: what keeps it from being done, else the newest.
    fn shown(&self) -> Option<(&'s Recorded, &'s Track<'s>)> {
        let newest =
            || self.cells.iter().map(|(_, record, track)| (*record, *track)).max_by_key(|(record, _)| record.seq);
        self.telling.map(|(_, record, track)| (record, track)).or_else(newest)
    }

    fn seconds(&self) -> Option<i64> {
        match (self.telling, &*self.cells) {
            (Some((None, _, track)), _) => seconds(track),
            (_, [(_, _, track)]) => seconds(track),
            _ => None,
        }
    }

    fn changes(&self) -> Option<bool> {
        let says = |known: bool| move |(_, _, track): &Of<'_>| track.changes() == Some(known);
        match self.cells.iter().any(says(true)) {
            true => Some(true),
            false => (!self.cells.is_empty() && self.cells.iter().all(says(false))).then_some(false),
        }
    }
}

fn cell(spec: &RowSpec, (layer, record, track): &Of<'_>) -> Cell {
    let entry = &record.entry;
    Cell {
        layer: (*layer).to_owned(),
        status: entry.status,
        note: entry.note.clone(),
        digest: track.digest(),
        changes: track.changes(),
        action: track.asked.map(str::to_owned),
        run: entry.run,
        at: record.at,
        seq: record.seq,
        changed: changed(spec, track),
        began: entry.began,
    }
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

pub(super) fn shown_link(entry: &Entry) -> Option<String> {
    entry.link.clone().or_else(|| run_page(entry))
}

fn run_page(entry: &Entry) -> Option<String> {
    (!entry.url.is_empty()).then(|| entry.url.clone())
}

/// When work ended, also where it was reported later. GitHub changes when a run ended if that is run again.
pub(super) fn ended_at(record: &Recorded) -> Timestamp {
    record.entry.until.map_or(record.at, |until| until.min(record.at))
}

fn seconds(track: &Track<'_>) -> Option<i64> {
    // Waiting is no work.
    let began = track.began.filter(|began| began.entry.status == Status::Running)?;
    let ended = track.current?;
    let took = ended_at(ended).as_second() - began.at.as_second();
    // When work ended of which nobody heard, nobody knows.
    let note = &ended.entry.note;
    let heard = ended.entry.status.ended() && !note.starts_with(UNREPORTED) && note != GONE;
    (heard && took >= 0).then_some(took)
}
