//! The fold from entries to rows: which entry a row shows.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::before::{Before, Reaching};
use super::row::{row, shown_link};
use super::{Board, Entry, Happening, Layout, Recorded, Row, RowSpec, Status};

/// Folds what was recorded into the board that `layout` describes. The order and repetition of `recorded` do not
/// matter: entries are ordered by their server's id, and of those with equal ids the first counts.
pub(crate) fn fold(layout: &Layout, recorded: &[Recorded]) -> Board {
    let ordered = ordered(recorded);
    let tracks = tracks(layout, &ordered);
    let index: HashMap<&str, usize> = layout.rows.iter().enumerate().map(|(at, spec)| (spec.id.as_str(), at)).collect();
    let mut rows: Vec<Option<Row>> = vec![None; layout.rows.len()];
    let mut reaching: Vec<Reaching> = vec![Reaching::default(); layout.rows.len()];
    for at in lower_first(layout, &index) {
        let spec = &layout.rows[at];
        let places: Vec<usize> = spec.after.iter().filter_map(|id| index.get(id.as_str()).copied()).collect();
        let before = places.iter().filter_map(|place| Some((rows[*place].as_ref()?, &reaching[*place])));
        reaching[at] = Reaching::of(spec.layer.as_deref(), before);
        let before: Vec<&Row> = places.iter().filter_map(|place| rows[*place].as_ref()).collect();
        let before = Before::of(spec, &before, &reaching[at]);
        rows[at] = Some(row(layout, spec, tracks.get(spec.id.as_str()), &before));
    }
    Board { history: history(layout, &ordered, &tracks), rows: rows.into_iter().flatten().collect() }
}

/// The entries that rows stand on now, of rows that ci.toml no longer has too.
pub(crate) fn standing<'r>(layout: &Layout, recorded: &'r [Recorded]) -> Vec<&'r Recorded> {
    let mut current: Vec<&Recorded> = current(layout, &tracks(layout, &ordered(recorded))).collect();
    current.sort_by_key(|record| record.seq);
    current.dedup_by_key(|record| record.seq);
    current
}

/// What rows stand on, with the layers that ci.toml has lost and without.
fn current<'a>(layout: &Layout, tracks: &HashMap<&str, Tracks<'a>>) -> impl Iterator<Item = &'a Recorded> {
    let of_row = |tracks: &Tracks<'a>| {
        let Standing { whole, layers } = tracks.standing(layout, |_| true);
        let layers: Vec<_> = layers.into_iter().map(|(_, track)| track.current).collect();
        layers.into_iter().chain([whole.current, tracks.standing(layout, |layer| layout.has(layer)).whole.current])
    };
    tracks.values().flat_map(of_row).flatten()
}

fn ordered(recorded: &[Recorded]) -> Vec<&Recorded> {
    let mut first: HashMap<&str, &Recorded> = HashMap::new();
    for record in recorded {
        let known = first.entry(&record.entry.id).or_insert(record);
        if record.seq < known.seq {
            *known = record;
        }
    }
    let mut ordered: Vec<&Recorded> = first.into_values().collect();
    ordered.sort_by_key(|record| record.seq);
    ordered
}

/// The tracks of every row that something was reported to.
fn tracks<'a>(layout: &Layout, ordered: &[&'a Recorded]) -> HashMap<&'a str, Tracks<'a>> {
    let of_one_layer = of_one_layer(layout);
    // Who reports to a row of one layer may name the layer or not: it is the same work.
    let layer = |entry: &'a Entry| entry.layer.as_deref().filter(|_| !of_one_layer.contains(entry.row.as_str()));
    // Newest first, so that it is known of what was announced whether it came to nothing.
    let mut came_to_nothing = HashSet::new();
    let mut counting: Vec<&Recorded> = Vec::new();
    for record in ordered.iter().rev() {
        let entry = &record.entry;
        if let Some(work) = entry.work.as_deref() {
            if !entry.began {
                came_to_nothing.insert(work);
            } else if !entry.status.ended() && came_to_nothing.contains(&work) {
                continue;
            }
        }
        counting.push(record);
    }
    let mut tracks: HashMap<&str, Tracks<'_>> = HashMap::new();
    for record in counting.into_iter().rev() {
        let entry = &record.entry;
        tracks.entry(&entry.row).or_default().0.entry(layer(entry)).or_default().take(record);
    }
    tracks
}

fn of_one_layer(layout: &Layout) -> HashSet<&str> {
    layout.rows.iter().filter(|spec| spec.layer.is_some()).map(|spec| spec.id.as_str()).collect()
}

/// The places of the rows, each behind those of the rows that it comes after, wherever they stand in ci.toml.
fn lower_first(layout: &Layout, index: &HashMap<&str, usize>) -> Vec<usize> {
    let mut above: Vec<Vec<usize>> = vec![Vec::new(); layout.rows.len()];
    let mut waits = vec![0_usize; layout.rows.len()];
    for (at, spec) in layout.rows.iter().enumerate() {
        for before in spec.after.iter().filter_map(|id| index.get(id.as_str())) {
            above[*before].push(at);
            waits[at] += 1;
        }
    }
    let mut order: Vec<usize> = (0..waits.len()).filter(|at| waits[*at] == 0).collect();
    let mut next = 0;
    while let Some(at) = order.get(next).copied() {
        next += 1;
        for above in &above[at] {
            waits[*above] -= 1;
            if waits[*above] == 0 {
                order.push(*above);
            }
        }
    }
    // There are no circles: check-config refuses them. Were there one, its rows would still be shown.
    order.extend((0..waits.len()).filter(|at| waits[*at] > 0));
    order
}

/// What was reported to one row, by layer; a row of one layer has one track.
#[derive(Default)]
pub(super) struct Tracks<'a>(BTreeMap<Option<&'a str>, Track<'a>>);

/// What a row stands on.
#[derive(Default)]
pub(super) struct Standing<'l, 'a> {
    /// What was reported for the row as a whole, if anything was: where layers reported since, only what did not go well.
    pub(super) whole: Track<'a>,
    /// What stands of each layer, where some of them reported since: of others what was reported for the whole.
    pub(super) layers: Vec<(&'l str, Track<'a>)>,
}

impl<'a> Tracks<'a> {
    /// What stands, of the layers that count.
    pub(super) fn standing<'l>(&'l self, layout: &'l Layout, counts: impl Fn(&str) -> bool) -> Standing<'l, 'a> {
        let whole = self.0.get(&None).copied().unwrap_or_default();
        let layers = self.0.iter().filter_map(|(layer, track)| Some(((*layer)?, track.beside(&whole))));
        let layers = layers.filter(|(layer, _)| counts(layer));
        let layers: Vec<_> = layers.map(|(layer, track)| (layer, track, whole.replaces(&track))).collect();
        if layers.iter().all(|(.., is_taken)| *is_taken) {
            let changed = layers.iter().fold(whole, |whole, (_, track, _)| whole.beside(track));
            return Standing { whole: changed, layers: Vec::new() };
        }
        let mut others = layout.layers.iter().filter(|layer| !self.0.contains_key(&Some(layer.as_str()))).peekable();
        // What came later and took no layer's place is of an older run than any, if all have a word of their own.
        let is_late = layers.iter().all(|(.., is_taken)| !is_taken)
            && layers.iter().any(|(_, track, _)| track.seq() < whole.seq())
            && others.peek().is_none();
        let stands = |track, is_taken| if is_taken { whole.instead(track) } else { track };
        let layers = layers.into_iter().map(|(layer, track, is_taken)| (layer, stands(track, is_taken)));
        // What was done for all of them was done for those that said nothing since.
        let others = others.filter(|_| whole.is_done()).map(|layer| (layer.as_str(), whole));
        let mut layers: Vec<_> = layers.chain(others).collect();
        layers.sort_by_key(|(layer, _)| *layer);
        Standing { whole: if is_late || !whole.holds() { Track::default() } else { whole }, layers }
    }
}

/// What one layer (or nobody in particular) reported to one row, in order.
#[derive(Default, Clone, Copy)]
pub(super) struct Track<'a> {
    pub(super) current: Option<&'a Recorded>,
    /// The report that the work of `current` began.
    pub(super) began: Option<&'a Recorded>,
    /// What the work of `current` was asked for by.
    pub(super) asked: Option<&'a str>,
    /// How that work ended: `current`, or what it says once more without a word on changes.
    pub(super) outcome: Option<&'a Recorded>,
    /// The last report of work that changed something, or may have.
    pub(super) changed: Option<&'a Recorded>,
    /// Whether any work said whether it changed something.
    pub(super) says: bool,
}

impl<'a> Track<'a> {
    fn take(&mut self, record: &'a Recorded) {
        let entry = &record.entry;
        // What did nothing says so, whatever its work is.
        self.says |= entry.changes == Some(true) || (entry.began && entry.status.done() && entry.changes.is_some());
        let held = self.current.map(|held| &held.entry);
        let is_taken = held.is_none_or(|held| takes(entry, held));
        let is_again = self.outcome.is_some_and(|outcome| says_again(entry, &outcome.entry));
        if (may_have_changed(entry) && !is_again) || (is_taken && held.is_some_and(|held| breaks_off(entry, held))) {
            self.changed = Some(record);
        }
        if is_taken {
            let outcome = if is_again { self.outcome } else { Some(record).filter(|_| entry.status.ended()) };
            let (asked, began) = (self.asked_by(entry), self.begun_by(record));
            *self = Self { current: Some(record), asked, began, outcome, ..*self };
        }
    }

    /// What its work said of changes.
    pub(super) fn changes(&self) -> Option<bool> {
        self.outcome?.entry.changes
    }

    /// What its work recorded.
    pub(super) fn digest(&self) -> Option<String> {
        self.outcome?.entry.digest.clone()
    }

    /// What the work of an entry that takes its place was asked for by: whoever says again that it runs, or how it ended,
    /// need not know.
    fn asked_by(&self, entry: &'a Entry) -> Option<&'a str> {
        let own = entry.action.as_deref();
        let Some(held) = self.current.map(|held| &held.entry) else { return own };
        let is_same = held.run == entry.run && (!held.status.ended() || (entry.status.ended() && entry.run.is_some()));
        self.asked.filter(|_| is_same).or(own)
    }

    /// What the work of a report that takes its place began with.
    fn begun_by(&self, record: &'a Recorded) -> Option<&'a Recorded> {
        let entry = &record.entry;
        let goes_on = self.current.is_some_and(|held| !held.entry.status.ended());
        let of_run = |began: &&Recorded| began.entry.run == entry.run && (goes_on || entry.run.is_some());
        let began = self.began.filter(of_run);
        if entry.status.ended() {
            return began;
        }
        // Whoever says once more that it runs began when that was said first.
        let is_reported = |record: &Recorded| record.entry.status == Status::Running && record.entry.work.is_none();
        let first = began.filter(|began| goes_on && is_reported(began) && is_reported(record));
        Some(first.unwrap_or(record))
    }

    fn seq(&self) -> Option<u64> {
        self.current.map(|record| record.seq)
    }

    /// The same, where `other` may have changed something since.
    fn beside(self, other: &Self) -> Self {
        let changed = [self.changed, other.changed].into_iter().flatten().max_by_key(|record| record.seq);
        Self { changed, says: self.says || other.says, ..self }
    }

    /// Whether what this says of the whole row stands in place of what `layer` says.
    fn replaces(&self, layer: &Self) -> bool {
        if layer.outcome.zip(self.current).is_some_and(|(layer, whole)| says_again(&whole.entry, &layer.entry)) {
            return false;
        }
        let (Some(whole), Some(layer)) = (self.current, layer.current) else { return false };
        if whole.seq > layer.seq { takes(&whole.entry, &layer.entry) } else { !takes(&layer.entry, &whole.entry) }
    }

    /// What this says of the whole row, as that of a layer that its run may have begun.
    fn instead(self, layer: Self) -> Self {
        let of_run = |began: &&Recorded| self.current.is_some_and(|record| record.entry.run == began.entry.run);
        let began = layer.began.filter(of_run);
        Self { began: self.began.or(began), asked: self.asked.or(began.and(layer.asked)), ..self.beside(&layer) }
    }

    fn is_done(&self) -> bool {
        self.current.is_some_and(|record| record.entry.status.done())
    }

    /// Whether what this says of the whole row is not settled by what a layer reports.
    fn holds(&self) -> bool {
        self.current.is_some_and(|record| {
            record.entry.began && matches!(record.entry.status, Status::Running | Status::Failure | Status::Dropped)
        })
    }
}

/// Whether a report says once more how work of a run ended, as `held` did with all that there is to know: at the end of a job,
/// or of the run.
fn says_again(entry: &Entry, held: &Entry) -> bool {
    let is_outcome = entry.status.ended() && entry.status == held.status && held.began;
    let is_of_run = entry.run.is_some() && entry.run == held.run && (entry.work.is_none() || held.work.is_none());
    // What one job of a run found another does not take back.
    let says_no_more = entry.changes.is_none() || (entry.changes == Some(false) && held.changes == Some(true));
    is_outcome && is_of_run && says_no_more && entry.digest.is_none()
}

/// Whether nobody says any more what the work of `held` came to, as another run is at it.
fn breaks_off(entry: &Entry, held: &Entry) -> bool {
    let is_other = held.run != entry.run && (held.work.is_none() || held.work != entry.work);
    held.status == Status::Running && is_other
}

/// Whether work that ended so changed something, or may have.
fn may_have_changed(entry: &Entry) -> bool {
    let ended = matches!(entry.status, Status::Success | Status::Failure | Status::Dropped);
    ended && entry.began && entry.changes != Some(false)
}

/// Whether an entry takes the place of `held`, which came before it. Work that came to nothing takes no place, and what
/// waits does not hide what runs.
fn takes(entry: &Entry, held: &Entry) -> bool {
    match entry.status {
        // What had nothing to do is not hidden by what came to nothing.
        _ if !held.began => entry.began || entry.status.done() || !held.status.done(),
        _ if !entry.began => false,
        Status::Pending => {
            !older_attempt(entry, held) && (held.status != Status::Running || !waits_beside(entry, held))
        }
        Status::Running => !older_attempt(entry, held),
        Status::Success | Status::Failure | Status::Skipped | Status::Dropped => outranks(entry, held),
    }
}

/// Whether an entry that says that work waits is of other work than `held`.
fn waits_beside(entry: &Entry, held: &Entry) -> bool {
    match (&entry.work, &held.work) {
        (Some(work), Some(other)) => work != other,
        (Some(_), None) => true,
        // A report from no run is about whatever runs.
        (None, _) => entry.run.is_some_and(|new| held.run.is_none_or(|old| old.id != new.id)),
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

/// Every outcome, and the work without one that rows stand on, newest first.
fn history(layout: &Layout, ordered: &[&Recorded], tracks: &HashMap<&str, Tracks<'_>>) -> Vec<Happening> {
    let specs: HashMap<&str, &RowSpec> = layout.rows.iter().map(|spec| (spec.id.as_str(), spec)).collect();
    let standing: HashSet<u64> = current(layout, tracks).map(|record| record.seq).collect();
    let mut lines = Vec::new();
    for record in ordered.iter().rev() {
        let entry = &record.entry;
        if !entry.status.ended() && !standing.contains(&record.seq) {
            continue;
        }
        let spec = specs.get(entry.row.as_str());
        let layer = entry.layer.as_deref().filter(|_| spec.is_none_or(|spec| spec.layer.is_none()));
        let title = spec.map_or(entry.row.as_str(), |spec| spec.title.as_str());
        lines.push(Happening {
            seq: record.seq,
            at: record.at,
            title: layer.map_or_else(|| title.to_owned(), |layer| format!("{title} ({layer})")),
            action: entry.action.clone(),
            by: entry.by.clone(),
            status: entry.status,
            note: entry.note.clone(),
            link: shown_link(entry),
        });
    }
    lines
}
