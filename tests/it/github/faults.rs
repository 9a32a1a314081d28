//! What goes wrong, where a story wants it.

use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, HashMap};
use std::hash::{Hash as _, Hasher as _};
use std::time::Duration;

/// How a request goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// 502 before anything is done.
    BadGateway,
    /// 502 although it was done.
    BadGatewayAfter,
    /// 429, to be tried again in a second.
    TooMany,
    /// The connection is closed before anything is done.
    DropBefore,
    /// The connection is closed although it was done.
    DropAfter,
    /// It was done, and half of the answer is sent.
    CutShort,
}

const ALL: [Fault; 6] =
    [Fault::BadGateway, Fault::BadGatewayAfter, Fault::TooMany, Fault::DropBefore, Fault::DropAfter, Fault::CutShort];

/// Before or after the effect of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moment {
    Before,
    After,
}

type Watcher = Box<dyn FnMut(usize, Moment) + Send>;

/// What is to go wrong.
#[derive(Default)]
pub(super) struct Faults {
    pub(super) latency: Duration,
    /// By the number of the request.
    pub(super) at: BTreeMap<usize, Fault>,
    /// Whether nothing is answered at all.
    pub(super) down: bool,
    percent: u8,
    seed: u64,
    asked: HashMap<String, u64>,
    watcher: Option<(usize, Watcher)>,
}

impl Faults {
    pub(super) fn random(&mut self, percent: u8, seed: u64) {
        (self.percent, self.seed) = (percent, seed);
    }

    pub(super) fn watch(&mut self, from: usize, watcher: Watcher) {
        self.watcher = Some((from, watcher));
    }

    pub(super) fn clear(&mut self) {
        *self = Self { latency: self.latency, ..Self::default() };
    }

    /// How the request of this number goes wrong. What befalls a request at random depends on what it asks and how often
    /// that was asked before, so that a seed gives the same faults whoever comes first.
    pub(super) fn of(&mut self, number: usize, request: &str) -> Option<Fault> {
        if self.down {
            return Some(Fault::DropBefore);
        }
        if let Some(fault) = self.at.remove(&number) {
            return Some(fault);
        }
        let times = self.asked.entry(request.to_owned()).or_default();
        *times += 1;
        let mut hasher = DefaultHasher::new();
        (self.seed, request, *times).hash(&mut hasher);
        let dice = hasher.finish();
        (self.percent > 0 && dice % 100 < u64::from(self.percent))
            .then(|| ALL[usize::try_from(dice / 100 % 6).unwrap()])
    }

    pub(super) fn tell(&mut self, number: usize, moment: Moment) {
        if let Some((from, watcher)) = &mut self.watcher
            && number >= *from
        {
            watcher(number - *from, moment);
        }
    }
}
