//! What goes wrong, where a story wants it.

use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, HashMap};
use std::hash::{Hash as _, Hasher as _};
use std::time::Duration;

use super::server::Response;
use super::state::now;

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
    /// 503 before anything is done.
    Unavailable,
    /// All requests of the hour are used up, as this status says; so many seconds are left of the hour.
    Exhausted(u16, u32),
    /// 403 for too many requests at once, to be tried again in so many seconds where that is told.
    Secondary(Option<u32>),
}

impl Fault {
    /// Whether it befalls the API alone: git's requests have no such limits.
    pub(super) fn is_limit(self) -> bool {
        matches!(self, Self::TooMany | Self::Exhausted(..) | Self::Secondary(_))
    }

    /// What is answered instead of doing anything.
    pub(super) fn answer(self) -> Option<Response> {
        match self {
            Self::BadGateway => Some(Response::error(502, "Bad Gateway")),
            Self::TooMany => Some(Response::error(429, "too many requests").header("retry-after", "1")),
            Self::Unavailable => Some(Response::error(503, "Service Unavailable")),
            Self::Exhausted(status, seconds) => Some(exhausted(status, seconds)),
            Self::Secondary(seconds) => {
                let message =
                    "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.";
                let response = Response::error(403, message);
                Some(match seconds {
                    Some(seconds) => response.header("retry-after", &seconds.to_string()),
                    None => response,
                })
            }
            Self::BadGatewayAfter | Self::DropBefore | Self::DropAfter | Self::CutShort => None,
        }
    }
}

fn exhausted(status: u16, seconds: u32) -> Response {
    let reset = now().as_second() + i64::from(seconds);
    Response::error(status, "API rate limit exceeded for installation ID 4711.")
        .header("x-ratelimit-limit", "5000")
        .header("x-ratelimit-remaining", "0")
        .header("x-ratelimit-reset", &reset.to_string())
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
    /// How every request goes wrong from this number on.
    pub(super) from: Option<(usize, Fault)>,
    /// How the next request that holds this goes wrong.
    pub(super) on: Option<(String, Fault)>,
    /// The request, by a part of it, behind which nothing is answered any more.
    pub(super) last: Option<String>,
    is_down: bool,
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
        if self.is_down {
            return Some(Fault::DropBefore);
        }
        self.is_down = self.last.as_ref().is_some_and(|part| request.contains(part));
        if let Some((_, fault)) = self.on.take_if(|(part, _)| request.contains(&**part)) {
            return Some(fault);
        }
        if let Some((from, fault)) = self.from
            && number >= from
        {
            return Some(fault);
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
