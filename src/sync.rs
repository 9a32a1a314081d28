//! The dashboard's writer: a state machine without IO, the same for every command and forge. GitHub cannot update a
//! comment on a condition, so the comment is only a view; the journal is the truth. The machine appends to the journal,
//! writes the comment from all that it knows, and fences: it appends a pointer and reads until the journal shows it.
//! Whatever was appended before the fence is in that reading; whoever appends later writes later. It does not know what
//! an entry says or how a comment looks.

#[cfg(test)]
mod exploration;

use std::collections::{BTreeMap, BTreeSet};

/// What the caller is to do next. Each is answered through [`Writer::answer`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Ask<E> {
    /// Append these to the journal and, side by side, read it: [`Answer::Recorded`].
    Record(Vec<E>),
    /// Look for a comment of ours that no pointer names: [`Answer::Orphan`].
    FindOrphan,
    /// Say whether this comment and the newest pointer read as [`Writer::entries`] would have them: [`Answer::Stands`] or
    /// [`Answer::Gone`].
    Compare(u64),
    /// Write the comment from [`Writer::entries`], a new one where there is none: [`Answer::Written`] or
    /// [`Answer::Gone`].
    Write(Option<u64>),
    /// Delete these comments, which lost to another: [`Answer::Deleted`].
    Delete(Vec<u64>),
    /// Append the pointer to this comment, which also says which ones are gone: [`Answer::Pointed`].
    Point { comment: u64, gone: Vec<u64> },
    /// Read the journal: [`Answer::Read`].
    Read,
    /// Wait a little, for the list lags: [`Answer::Waited`].
    Wait,
    /// Wait at random, longer each time, for others are writing too: [`Answer::Waited`].
    GiveWay,
    /// Nothing: the comment shows all that is known.
    Done,
}

/// What came of an [`Ask`].
#[derive(Debug, Clone)]
pub(crate) enum Answer<E> {
    Recorded { own: Vec<(u64, E)>, journal: Journal<E> },
    Orphan(Option<u64>),
    Stands { comment: bool, pointer: bool },
    Written(u64),
    Gone,
    Deleted,
    Pointed(u64),
    Read(Journal<E>),
    Waited,
}

/// The journal as it was read: entries and pointers of ours, by their ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Journal<E> {
    pub(crate) entries: Vec<(u64, E)>,
    pub(crate) pointers: Vec<(u64, Points)>,
}

/// What a pointer says.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Points {
    pub(crate) comment: u64,
    pub(crate) gone: Vec<u64>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Phase {
    Record,
    Orphan,
    Compare(u64),
    Write(Option<u64>),
    Delete(Vec<u64>),
    Point(u64),
    Read {
        fence: u64,
    },
    /// The journal did not show the fence yet.
    Lagging {
        fence: u64,
    },
    /// Others are writing too.
    Backoff,
    Done,
}

/// The machine.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Writer<E> {
    phase: Phase,
    /// Entries that are still to be appended.
    queue: Vec<E>,
    known: BTreeMap<u64, E>,
    /// Comments that pointers name, and those that we wrote and no pointer may name yet.
    named: BTreeSet<u64>,
    gone: BTreeSet<u64>,
    /// Comments that we found gone and that no pointer of ours has said yet.
    untold: BTreeSet<u64>,
    /// What stands in the comment, as far as this process wrote it.
    shown: Option<(u64, BTreeSet<u64>)>,
    /// Whether there is a comment to keep: there is none for commits without a pull request.
    comment: bool,
    /// Whether a comment that already reads right is left alone.
    ensure: bool,
    /// Whether others wrote at the same time: then one of them may have written all of it, and is left to.
    crowded: bool,
}

impl<E: Clone> Writer<E> {
    /// A writer that appends `entries` and writes the comment.
    pub(crate) fn new(entries: Vec<E>) -> Self {
        Self {
            phase: Phase::Record,
            queue: entries,
            known: BTreeMap::new(),
            named: BTreeSet::new(),
            gone: BTreeSet::new(),
            untold: BTreeSet::new(),
            shown: None,
            comment: true,
            ensure: false,
            crowded: false,
        }
    }

    /// A writer that appends `entries` alone: there is no comment to keep.
    pub(crate) fn journal_only(entries: Vec<E>) -> Self {
        Self { comment: false, ..Self::new(entries) }
    }

    /// A writer that makes sure that the comment is there and reads right, and changes nothing where it does.
    pub(crate) fn ensure() -> Self {
        Self { ensure: true, ..Self::new(Vec::new()) }
    }

    /// Takes more entries, whenever nothing is asked that is not answered. They are appended next: whatever was to be done
    /// before, what follows from them covers it.
    pub(crate) fn add(&mut self, entries: impl IntoIterator<Item = E>) {
        self.queue.extend(entries);
        if !self.queue.is_empty() {
            self.phase = Phase::Record;
        }
    }

    /// All that is known of the journal, in its order.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (u64, &E)> {
        self.known.iter().map(|(seq, entry)| (*seq, entry))
    }

    /// What is still to be appended.
    pub(crate) fn queued(&self) -> &[E] {
        &self.queue
    }

    /// The comment that is the dashboard, as far as is known.
    pub(crate) fn target(&self) -> Option<u64> {
        self.named.iter().copied().find(|comment| !self.gone.contains(comment))
    }

    /// What is to be done next.
    pub(crate) fn ask(&self) -> Ask<E> {
        match &self.phase {
            Phase::Record => Ask::Record(self.queue.clone()),
            Phase::Orphan => Ask::FindOrphan,
            Phase::Compare(comment) => Ask::Compare(*comment),
            Phase::Write(comment) => Ask::Write(*comment),
            Phase::Delete(comments) => Ask::Delete(comments.clone()),
            Phase::Point(comment) => Ask::Point { comment: *comment, gone: self.untold.iter().copied().collect() },
            Phase::Read { .. } => Ask::Read,
            Phase::Lagging { .. } => Ask::Wait,
            Phase::Backoff => Ask::GiveWay,
            Phase::Done => Ask::Done,
        }
    }

    /// Takes the answer to what [`Self::ask`] said. An answer to something else changes nothing.
    pub(crate) fn answer(&mut self, answer: Answer<E>) {
        self.phase = match (std::mem::replace(&mut self.phase, Phase::Done), answer) {
            (Phase::Record, Answer::Recorded { own, journal }) => {
                // Entries that came in meanwhile stay in the queue.
                self.queue.drain(..own.len().min(self.queue.len()));
                self.known.extend(own);
                self.learn(journal);
                self.after_record()
            }
            (Phase::Orphan, Answer::Orphan(found)) => Phase::Write(found),
            (Phase::Compare(comment), Answer::Stands { comment: true, pointer }) => {
                self.shown = Some((comment, self.known.keys().copied().collect()));
                // The pointer may be of one that knew less, even our own: it tells people what the rows come to.
                if pointer { self.settle() } else { Phase::Point(comment) }
            }
            (Phase::Compare(comment), Answer::Stands { comment: false, .. }) => Phase::Write(Some(comment)),
            (Phase::Compare(comment) | Phase::Write(Some(comment)), Answer::Gone) => self.lost(comment),
            (Phase::Write(_), Answer::Written(comment)) => {
                self.named.insert(comment);
                self.shown = Some((comment, self.known.keys().copied().collect()));
                Phase::Point(comment)
            }
            (Phase::Delete(comments), Answer::Deleted) => {
                self.gone.extend(&comments);
                self.untold.extend(comments);
                self.settle()
            }
            (Phase::Point(_), Answer::Pointed(fence)) => {
                self.untold.clear();
                Phase::Read { fence }
            }
            (Phase::Read { fence }, Answer::Read(journal)) => {
                let fenced = journal.pointers.iter().any(|(seq, _)| *seq == fence);
                self.learn(journal);
                if fenced { self.settle() } else { Phase::Lagging { fence } }
            }
            (Phase::Lagging { fence }, Answer::Waited) => Phase::Read { fence },
            (Phase::Backoff, Answer::Waited) => Phase::Record,
            (phase, _) => phase,
        };
    }

    fn learn(&mut self, journal: Journal<E>) {
        for (seq, entry) in journal.entries {
            self.known.entry(seq).or_insert(entry);
        }
        for (_, points) in journal.pointers {
            self.named.insert(points.comment);
            self.gone.extend(points.gone);
        }
    }

    fn after_record(&self) -> Phase {
        if !self.comment {
            return if self.queue.is_empty() { Phase::Done } else { Phase::Record };
        }
        match self.target() {
            Some(comment) if self.crowded || (self.ensure && self.shown.is_none()) => Phase::Compare(comment),
            Some(comment) => Phase::Write(Some(comment)),
            None => Phase::Orphan,
        }
    }

    /// The comment was deleted: whoever reads the next pointer knows.
    fn lost(&mut self, comment: u64) -> Phase {
        self.gone.insert(comment);
        self.untold.insert(comment);
        if self.shown.as_ref().is_some_and(|(shown, _)| *shown == comment) {
            self.shown = None;
        }
        self.target().map_or(Phase::Orphan, |comment| Phase::Write(Some(comment)))
    }

    /// Comments that lost to a lower one.
    fn losers(&self) -> Vec<u64> {
        let target = self.target();
        let lost = |comment: &u64| Some(*comment) != target && !self.gone.contains(comment);
        self.named.iter().copied().filter(lost).collect()
    }

    /// The journal showed our fence: done where the comment shows all that is known and no other is left.
    fn settle(&mut self) -> Phase {
        if !self.queue.is_empty() {
            return Phase::Record;
        }
        let target = self.target();
        let complete = self.shown.as_ref().is_some_and(|(comment, entries)| {
            Some(*comment) == target && self.known.keys().all(|seq| entries.contains(seq))
        });
        match (complete, target) {
            (true, Some(comment)) => match self.losers() {
                // Only who has just written the lower comment may delete the others: two writers that trusted
                // pointers alone would go on deleting each other's for ever.
                losers if !losers.is_empty() => Phase::Delete(losers),
                _ if !self.untold.is_empty() => Phase::Point(comment),
                _ => Phase::Done,
            },
            (true, None) => Phase::Done,
            (false, None) => Phase::Orphan,
            (false, Some(_)) => {
                self.crowded = true;
                Phase::Backoff
            }
        }
    }
}
