//! Whether a request that failed is sent again, and when. Decided without a clock, a network or chance of its own.

use std::time::Duration;

use jiff::Timestamp;

use crate::forge::Error;

/// What went wrong with one try.
#[derive(Debug, Clone)]
pub(super) enum Trouble {
    /// It would go wrong again.
    Final(Error),
    /// GitHub, or the way to it, is unwell.
    Unwell {
        error: Error,
        /// How long GitHub asks to wait.
        wait: Option<Duration>,
        /// Whether the request may have taken effect all the same.
        may_have_worked: bool,
    },
    /// There were too many requests; this one did nothing.
    Limited {
        message: String,
        /// How long until it is worth trying, where GitHub tells.
        wait: Option<Duration>,
    },
}

impl Trouble {
    /// In words.
    pub(super) fn text(&self) -> String {
        match self {
            Self::Final(error) | Self::Unwell { error, .. } => error.to_string(),
            Self::Limited { message, .. } => format!("too many requests: {message}"),
        }
    }
}

/// How long has been tried already.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spent {
    /// How often this request was sent, this time included.
    pub(super) attempts: u32,
    /// Since this request was sent first.
    pub(super) request: Duration,
    /// Since anything last went well, as far as requests were sent in that time.
    pub(super) unwell: Duration,
}

/// What to do about it.
#[derive(Debug, Clone)]
pub(super) enum Verdict {
    /// Send it again after so long.
    Again(Duration),
    /// Give up.
    Stop(Error),
}

/// The first pause, and the longest.
const FIRST: Duration = Duration::from_millis(300);
const LONGEST: Duration = Duration::from_secs(15);
/// How long to wait where GitHub only says that there were too many requests.
/// See <https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api#exceeding-the-rate-limit>.
const LIMITED: Duration = Duration::from_secs(60);
/// So often is each request tried although others used up the time.
const TRIES: u32 = 3;

/// Decides; `chance` is between 0 and 1.
pub(super) fn decide(trouble: &Trouble, spent: Spent, budget: Duration, now: Timestamp, chance: f64) -> Verdict {
    let pause = pause(spent.attempts, chance);
    let (after, error) = match trouble {
        Trouble::Final(error) => return Verdict::Stop(error.clone()),
        Trouble::Unwell { error, wait, .. } => (wait.unwrap_or_default().max(pause), error.clone()),
        Trouble::Limited { message, wait } => {
            let doubled = LIMITED.saturating_mul(1 << (spent.attempts - 1).min(6));
            // All who wait for the same moment should not come back in it together.
            let after = wait.unwrap_or(doubled) + pause.mul_f64(0.5);
            let until = now.checked_add(wait.unwrap_or(doubled)).unwrap_or(Timestamp::MAX);
            (after, Error::Limited { until, message: message.clone() })
        }
    };
    let request = spent.request.saturating_add(after) > budget;
    let unwell = spent.unwell.saturating_add(after) > budget && spent.attempts >= TRIES;
    if request || unwell { Verdict::Stop(error) } else { Verdict::Again(after) }
}

/// Twice as long each time, and between half and all of that.
fn pause(attempts: u32, chance: f64) -> Duration {
    let full = FIRST.saturating_mul(1 << (attempts - 1).min(10)).min(LONGEST);
    full.mul_f64(0.5 + chance.clamp(0.0, 1.0) / 2.0)
}
