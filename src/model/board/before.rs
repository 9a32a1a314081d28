//! What the rows say that a row comes after: what is to be done because of them, and what was done too early.

use super::fold::Track;
use super::{Cell, Change, Changed, Entry, Layout, Recorded, Row, RowSpec, Status};

/// The rows that a row comes after.
pub(super) struct Before<'a> {
    rows: &'a [&'a Row],
    /// Those of them that say whether there is anything to do.
    deciding: Vec<&'a Row>,
    told: Vec<Told<'a>>,
    /// What was made before, by those too that stand before the rows.
    made: Vec<Told<'a>>,
}

/// What is said of one layer, or of all.
struct Told<'a> {
    layer: Option<&'a str>,
    status: Status,
    changes: Option<bool>,
    changed: Option<&'a Changed>,
}

impl<'a> Before<'a> {
    /// `making` are the rows that made changes and that stand before this one, directly or through others.
    pub(super) fn of(spec: &RowSpec, rows: &'a [&'a Row], making: &'a [&'a Row]) -> Self {
        let held_to = rows.iter().copied().filter(|row| spec.held_to.as_ref() == Some(&row.stage));
        let deciding: Vec<&Row> = held_to.collect();
        Self {
            rows,
            deciding: if deciding.is_empty() { rows.to_vec() } else { deciding },
            told: rows.iter().copied().flat_map(told).collect(),
            made: making.iter().copied().flat_map(told).filter(made).collect(),
        }
    }

    /// Whether there is nothing to do: for a layer, where one is meant.
    pub(super) fn is_idle(&self, layer: Option<&str>) -> bool {
        let concerns = |row: &&&Row| row.layer.is_none() || layer.is_none() || row.layer.as_deref() == layer;
        let mut deciding = self.deciding.iter().filter(concerns).peekable();
        deciding.peek().is_some()
            && deciding.all(|row| match layer.filter(|_| !row.cells.is_empty()) {
                Some(layer) => {
                    let cell = row.cells.iter().find(|cell| cell.layer == layer);
                    cell.is_some_and(|cell| is_idle(cell.status, cell.changes, cell.changed.as_ref()))
                }
                None => is_idle(row.status, row.changes, row.changed.as_ref()),
            })
    }

    /// What a row says that has nothing to do: what the first of a chain has nothing to do with, the rest has not either.
    pub(super) fn nothing_to_do(&self, stage: &str) -> String {
        let inherited =
            self.deciding.iter().find(|row| row.note.starts_with("nothing to ")).map(|row| row.note.clone());
        inherited.unwrap_or_else(|| format!("nothing to {stage}"))
    }

    /// The kind of change that work was done for a layer before, which it is to follow, if there is one.
    pub(super) fn outdated_by(&self, track: &Track<'_>, layer: Option<&str>) -> Option<Change> {
        let record = track.current.filter(|record| record.entry.status.done())?;
        let is_for = |told: &&Told<'_>| layer.is_none() || told.layer.is_none() || told.layer == layer;
        let is_after = |changed: &&Changed| match changed.kind {
            Change::Perhaps => false,
            // That no file changed says nothing of what was found or made nevertheless.
            _ if !record.entry.began => true,
            Change::Found => is_after(changed, record),
            // What began before was about what was there before. The jobs of one decision wait for each other.
            Change::Made => match track.began.filter(|began| began.entry.status == Status::Running) {
                Some(began) if !is_of_one(&began.entry, changed) => changed.seq > began.seq,
                Some(_) | None => is_after(changed, record),
            },
        };
        let changed = self.told.iter().chain(&self.made).filter(is_for).filter_map(|told| told.changed);
        changed.filter(is_after).max_by_key(|changed| changed.seq).map(|changed| changed.kind)
    }

    /// The layers that hold changes, by what is said of them or since they are `outdated`.
    pub(super) fn to_do<'l>(&self, layout: &'l Layout, outdated: impl Iterator<Item = &'l str>) -> Vec<String>
    where
        'a: 'l,
    {
        let done = || self.told.iter().filter(|told| told.status.done());
        let is_known = |told: &Told<'a>| told.changed.is_some_and(|changed| changed.kind != Change::Perhaps);
        // Where nothing is said of changes a layer may hold some, unless something else says that it does not.
        let is_idle = |told: &Told<'_>| is_idle(told.status, told.changes, told.changed);
        let is_said = |layer| self.is_idle(layer) || done().any(|told| told.layer == layer && is_idle(told));
        let may_hold =
            |told: &Told<'a>| told.status == Status::Success && told.changes.is_none() && !is_said(told.layer);
        let told = done().filter(|told| is_known(told) || may_hold(told)).filter_map(|told| told.layer);
        // Changes of the whole may be any layer's, and where nobody says which layers hold some, all may.
        let of_whole = done().any(|told| told.layer.is_none() && is_known(told));
        let is_any = of_whole || (!self.tells_of_layers() && !self.is_idle(None));
        let any = layout.layers.iter().filter(|_| is_any).map(String::as_str);
        let mut layers: Vec<String> = Vec::new();
        for layer in told.chain(any).chain(outdated) {
            if layers.iter().all(|known| known != layer) {
                layers.push(layer.to_owned());
            }
        }
        layers
    }

    /// Whether anything is said of single layers.
    fn tells_of_layers(&self) -> bool {
        self.told.iter().any(|told| told.layer.is_some())
    }

    /// Whether the rows that speak of single layers are done.
    pub(super) fn layers_are_done(&self) -> bool {
        self.rows.iter().filter(|row| row.layer.is_some() || !row.cells.is_empty()).all(|row| row.status.done())
    }
}

/// What a row says, of each of its layers where they report to it.
fn told<'r>(row: &'r Row) -> impl Iterator<Item = Told<'r>> {
    let of_cell = |cell: &'r Cell| {
        let Cell { status, changes, .. } = *cell;
        Told { layer: Some(cell.layer.as_str()), status, changes, changed: cell.changed.as_ref() }
    };
    let outdated = row.outdated.iter().map(of_cell).map(|told| Told { status: Status::Pending, ..told });
    let Row { status, changes, .. } = *row;
    let changed = row.changed.as_ref();
    let is_told = row.cells.is_empty() && (row.at.is_some() || changed.is_some());
    let whole = is_told.then_some(Told { layer: row.layer.as_deref(), status, changes, changed });
    row.cells.iter().map(of_cell).chain(outdated).chain(whole)
}

/// Whether a row says that changes were made.
pub(super) fn made_changes(row: &Row) -> bool {
    told(row).any(|told| made(&told))
}

fn made(told: &Told<'_>) -> bool {
    told.changed.is_some_and(|changed| changed.kind == Change::Made)
}

/// Whether there was nothing to do, or nothing was found to do.
fn is_idle(status: Status, changes: Option<bool>, changed: Option<&Changed>) -> bool {
    let found_none = status == Status::Skipped || (status == Status::Success && changes == Some(false));
    found_none && changed.is_none()
}

/// Whether something changed after work had ended.
fn is_after(changed: &Changed, record: &Recorded) -> bool {
    match record.entry.until {
        // It was reported late.
        Some(until) => changed.at > until.min(record.at),
        None => changed.seq > record.seq,
    }
}

/// Whether work is of the decision whose work made a change.
fn is_of_one(entry: &Entry, changed: &Changed) -> bool {
    let decision = Entry::decision(entry.work.as_deref());
    decision.is_some() && decision == Entry::decision(changed.work.as_deref())
}
