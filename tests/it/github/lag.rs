//! Lists that lag: what is new is missing from them for a while, as where a replica answers.

use std::collections::BTreeMap;

/// The lists that may.
#[derive(Default)]
pub(crate) struct Lags {
    pub(crate) statuses: Lag,
    pub(crate) comments: Lag,
    pub(crate) runs: Lag,
}

/// By how much a list lags. Readings are counted, so that no story depends on time.
#[derive(Default)]
pub(crate) struct Lag {
    /// From how many readings what is made from now on is missing; at 0 it has caught up and shows everything.
    pub(crate) by: usize,
    readings: usize,
    /// The first readings that show what was made, by its id.
    from: BTreeMap<u64, usize>,
}

impl Lag {
    /// Something new is made.
    pub(super) fn made(&mut self, id: u64) {
        self.from.insert(id, self.readings + 1 + self.by);
    }

    /// The list is read.
    pub(super) fn read(&mut self) {
        self.readings += 1;
    }

    /// Whether this reading shows it.
    pub(super) fn shows(&self, id: u64) -> bool {
        self.by == 0 || self.from.get(&id).is_none_or(|from| *from <= self.readings)
    }
}
