//! What the rows say that a row comes after: what is to be done because of them, and what was done too early.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::fold::Track;
use super::row::ended_at;
use super::{Cell, Change, Changed, Entry, Layout, Recorded, Row, RowSpec, Status};
use crate::model::rules::Effect;

/// The last changes that reach a row, of each layer and of all: those of the rows before it, and what these let through.
#[derive(Default, Clone)]
pub(super) struct Reaching(BTreeMap<(Option<String>, Change), Changed>);

impl Reaching {
    /// What reaches a row, of one layer or for all, past the rows before it, each with what reaches that.
    pub(super) fn of<'a>(layer: Option<&str>, before: impl Iterator<Item = (&'a Row, &'a Self)>) -> Self {
        let mut reaching = Self::default();
        let mut take = |of: Option<&str>, changed: &Changed| {
            if changed.kind != Change::Perhaps && is_for(layer, of) {
                let last = reaching.0.entry((of.map(str::to_owned), changed.kind)).or_insert_with(|| changed.clone());
                if changed.seq > last.seq {
                    last.clone_from(changed);
                }
            }
        };
        for (row, further) in before {
            told(row).filter_map(|told| Some((told.layer, told.changed?))).for_each(|(of, changed)| take(of, changed));
            // What was found is settled by what changes something.
            let passes = |kind| kind == Change::Made || row.effect != Effect::Changes;
            further
                .0
                .iter()
                .filter(|((_, kind), _)| passes(*kind))
                .for_each(|((of, _), changed)| take(of.as_deref(), changed));
        }
        reaching
    }

    fn all(&self) -> impl Iterator<Item = (Option<&str>, &Changed)> {
        self.0.iter().map(|((layer, _), changed)| (layer.as_deref(), changed))
    }

    /// The layers for which changes were found, or all.
    fn found(&self) -> impl Iterator<Item = Option<&str>> {
        self.all().filter(|(_, changed)| changed.kind == Change::Found).map(|(layer, _)| layer)
    }
}

/// The rows that a row comes after.
pub(super) struct Before<'a> {
    rows: &'a [&'a Row],
    /// Those to whose records the work of the row is held.
    held_to: Vec<&'a Row>,
    told: Vec<Told<'a>>,
    reaching: &'a Reaching,
    /// What the work of the row does.
    effect: Effect,
}

/// What is said of one layer, or of all.
struct Told<'a> {
    layer: Option<&'a str>,
    status: Status,
    changes: Option<bool>,
    changed: Option<&'a Changed>,
    effect: Effect,
    began: bool,
}

impl<'a> Before<'a> {
    pub(super) fn of(spec: &RowSpec, rows: &'a [&'a Row], reaching: &'a Reaching) -> Self {
        let held_to = rows.iter().copied().filter(|row| spec.held_to.as_ref() == Some(&row.stage)).collect();
        Self { rows, held_to, told: rows.iter().copied().flat_map(told).collect(), reaching, effect: spec.effect }
    }

    /// The rows that say whether there is anything to do.
    fn deciding(&self) -> &[&'a Row] {
        if self.held_to.is_empty() { self.rows } else { &self.held_to }
    }

    /// Whether there is nothing to do: for a layer, where one is meant.
    pub(super) fn is_idle(&self, layer: Option<&str>) -> bool {
        let is_found = || self.held_to.is_empty() && self.reaching.found().any(|found| is_for(found, layer));
        self.decide(layer, |told, was_idle| told.is_idle() || (told.says_nothing() && was_idle)) && !is_found()
    }

    /// The layers with nothing to do, and `None` where that is so of all: of a row of one layer, that one.
    pub(super) fn idle(&self, layout: &Layout, layer: Option<&str>) -> BTreeSet<Option<String>> {
        let all = layout.layers.iter().filter(|_| layer.is_none()).map(|layer| Some(layer.as_str())).chain([layer]);
        all.filter(|layer| self.is_idle(*layer)).map(|layer| layer.map(str::to_owned)).collect()
    }

    /// Whether work has looked for something to do.
    pub(super) fn has_looked(&self, layer: Option<&str>) -> bool {
        self.decide(layer, |told, _| told.began)
    }

    /// Whether something holds of all that the rows say that decide whether there is anything to do, each with whether there
    /// was nothing to do by what comes before that row.
    fn decide(&self, layer: Option<&str>, holds: impl Fn(&Told<'_>, bool) -> bool) -> bool {
        let concerns = |row: &&&Row| is_for(row.layer.as_deref(), layer);
        let mut deciding = self.deciding().iter().filter(concerns).peekable();
        deciding.peek().is_some()
            && deciding.all(|row| {
                let layer = row.layer.as_deref().or(layer);
                let was_idle = row.idle.iter().any(|idle| idle.as_deref() == layer);
                match layer.filter(|_| !row.cells.is_empty()) {
                    Some(_) => told(row).any(|told| told.layer == layer && holds(&told, was_idle)),
                    None => holds(&told_of_row(row), was_idle),
                }
            })
    }

    /// What a row says that has nothing to do: what the first of a chain has nothing to do with, the rest has not either.
    pub(super) fn nothing_to_do(&self, spec: &RowSpec) -> String {
        let inherited =
            self.deciding().iter().find(|row| row.note.starts_with("nothing to ")).map(|row| row.note.clone());
        // What applies is named by what it does; a policy is no verb.
        let is_verb = spec.effect == Effect::Changes;
        inherited.unwrap_or_else(|| format!("nothing to {}", if is_verb { &spec.stage } else { "do" }))
    }

    /// Why what was done for a layer does not follow what was found or made before it, if so.
    pub(super) fn outdated_by(&self, track: &Track<'_>, layer: Option<&str>) -> Option<&'static str> {
        let record = track.outcome.filter(|record| record.entry.status.done())?;
        let is_after = |changed: &&Changed| match track.began.filter(|began| began.entry.status == Status::Running) {
            // That no file changed says nothing of what was found or made nevertheless.
            _ if !record.entry.began => changed.kind == Change::Found || !is_of_one(&record.entry, changed),
            // What began before was about what was there before. The jobs of one decision wait for each other.
            Some(began) if changed.kind == Change::Made && !is_of_one(&began.entry, changed) => {
                changed.seq > began.seq && changed.ended >= began.at
            }
            Some(_) | None => is_after(changed, record),
        };
        let changed = self.reaching.all().filter(|(of, _)| is_for(*of, layer)).map(|(_, changed)| changed);
        match changed.filter(is_after).max_by_key(|changed| changed.seq).map(|changed| changed.kind) {
            Some(Change::Made) => Some("changes were made since"),
            Some(_) => Some("changes were found since"),
            None => self.is_passed_over(track, layer).then_some("skipped, though changes were found"),
        }
    }

    /// Whether others say that work was skipped which was to follow what was found: a job is skipped, too, since another failed.
    fn is_passed_over(&self, track: &Track<'_>, layer: Option<&str>) -> bool {
        let is_skipped = track.outcome.is_some_and(|outcome| {
            let Entry { status, work, changes, began, .. } = &outcome.entry;
            *status == Status::Skipped && *began && work.is_none() && *changes != Some(false)
        });
        let is_open = |found: &Changed| track.changed.is_none_or(|done| is_after(found, done));
        let found = self.told.iter().filter(|told| is_for(told.layer, layer)).filter_map(|told| told.changed);
        !self.effect.is_read_only() && is_skipped && found.filter(|changed| changed.kind == Change::Found).any(is_open)
    }

    /// The layers that hold changes, by what is said of them or since they are `outdated`.
    pub(super) fn to_do<'l>(&self, layout: &'l Layout, outdated: impl Iterator<Item = &'l str>) -> Vec<String>
    where
        'a: 'l,
    {
        let done = || self.told.iter().filter(|told| told.status.done());
        let is_known = |told: &Told<'a>| told.changed.is_some_and(|changed| changed.kind != Change::Perhaps);
        // Where nothing is said of changes a layer may hold some, unless something else says that it does not.
        let is_said = |layer| self.is_idle(layer) || done().any(|told| told.layer == layer && told.is_idle());
        let may_hold =
            |told: &Told<'a>| told.status == Status::Success && told.changes.is_none() && !is_said(told.layer);
        let told = done().filter(|told| is_known(told) || may_hold(told)).filter_map(|told| told.layer);
        let found = || self.reaching.found().filter(|_| self.held_to.is_empty());
        // Changes of the whole may be any layer's, and where nobody says which layers hold some, all may.
        let of_whole =
            done().any(|told| told.layer.is_none() && is_known(told)) || found().any(|layer| layer.is_none());
        let is_any = of_whole || (!self.tells_of_layers() && !self.is_idle(None));
        let any = layout.layers.iter().map(String::as_str).filter(|layer| is_any && !self.is_idle(Some(layer)));
        let layers: HashSet<&str> = told.chain(found().flatten()).chain(any).chain(outdated).collect();
        layout.layers.iter().filter(|layer| layers.contains(layer.as_str())).cloned().collect()
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
fn told(row: &Row) -> impl Iterator<Item = Told<'_>> {
    let of_cell = |cell| told_of_cell(row, cell);
    let outdated = row.outdated.iter().map(of_cell).map(|told| Told { status: Status::Pending, ..told });
    let is_told = row.cells.is_empty() && (row.at.is_some() || row.changed.is_some());
    row.cells.iter().map(of_cell).chain(outdated).chain(is_told.then(|| told_of_row(row)))
}

fn told_of_row(row: &Row) -> Told<'_> {
    let Row { status, changes, effect, began, .. } = *row;
    Told { layer: row.layer.as_deref(), status, changes, changed: row.changed.as_ref(), effect, began }
}

fn told_of_cell<'a>(row: &Row, cell: &'a Cell) -> Told<'a> {
    let Cell { status, changes, began, .. } = *cell;
    let (layer, changed) = (Some(cell.layer.as_str()), cell.changed.as_ref());
    Told { layer, status, changes, changed, effect: row.effect, began }
}

impl Told<'_> {
    /// Whether it looked, and says nothing of what there is to do.
    fn says_nothing(&self) -> bool {
        let is_silent = self.effect == Effect::Checks || (self.effect == Effect::Looks && self.changes.is_none());
        self.status == Status::Success && is_silent && self.changed.is_none()
    }

    /// Whether there was nothing to do, or nothing was found to do.
    fn is_idle(&self) -> bool {
        let found_none = self.status == Status::Success && self.changes == Some(false) && self.effect != Effect::Checks;
        (found_none || self.status == Status::Skipped) && self.changed.is_none()
    }
}

/// Whether what is said of one of two layers, or of all, is for the other.
fn is_for(one: Option<&str>, other: Option<&str>) -> bool {
    one.is_none() || other.is_none() || one == other
}

/// Whether something changed after work had ended.
fn is_after(changed: &Changed, record: &Recorded) -> bool {
    match record.entry.until {
        // It was reported late.
        Some(_) => changed.at > ended_at(record),
        None => changed.seq > record.seq,
    }
}

/// Whether work is of the decision whose work made a change.
fn is_of_one(entry: &Entry, changed: &Changed) -> bool {
    let decision = Entry::decision(entry.work.as_deref());
    decision.is_some() && decision == Entry::decision(changed.work.as_deref())
}
