//! Whether what failed on the way to a forge is tried again, and when. It is decided without a clock or chance; only
//! [`Patience`] knows what time it is.

use std::time::{Duration, Instant};

use jiff::{RoundMode, Timestamp, TimestampRound, Unit};

use super::Error;

/// A pause of this length wants an explanation.
const NOTICED: Duration = Duration::from_secs(5);

/// How trouble on the way is put up with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    /// For how long.
    pub(crate) budget: Duration,
    /// Hears why a pause is made that somebody would notice.
    pub(crate) waiting: fn(&str),
}

impl Patience {
    /// Tries until it goes well or is given up.
    pub(super) fn insist<T>(self, attempt: impl Fn() -> Result<T, Trouble>) -> Result<T, Error> {
        let begun = Instant::now();
        let mut attempts = 0;
        loop {
            attempts += 1;
            let trouble = match attempt() {
                Ok(value) => return Ok(value),
                Err(trouble) => trouble,
            };
            let spent = Spent { attempts, request: begun.elapsed(), unwell: begun.elapsed() };
            self.pause(&trouble, spent)?;
        }
    }

    /// Waits until it is worth trying again.
    ///
    /// # Errors
    /// What went wrong, where it is not.
    pub(super) fn pause(self, trouble: &Trouble, spent: Spent) -> Result<(), Error> {
        match decide(trouble, spent, self.budget, Timestamp::now(), chance()) {
            Verdict::Stop(error) => Err(error),
            Verdict::Again(after) => {
                if after >= NOTICED {
                    (self.waiting)(&format!("{}; trying again in {} s", trouble.text(), after.as_secs()));
                }
                std::thread::sleep(after);
                Ok(())
            }
        }
    }
}

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
    fn text(&self) -> String {
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
            let until = whole(now.checked_add(wait.unwrap_or(doubled)).unwrap_or(Timestamp::MAX));
            (after, Error::Limited { until, message: message.clone() })
        }
    };
    let request = spent.request.saturating_add(after) > budget;
    let unwell = spent.unwell.saturating_add(after) > budget && spent.attempts >= TRIES;
    if request || unwell { Verdict::Stop(error) } else { Verdict::Again(after) }
}

/// The next whole second: nobody wants to know more.
fn whole(time: Timestamp) -> Timestamp {
    let seconds = TimestampRound::new().smallest(Unit::Second).mode(RoundMode::Ceil);
    time.round(seconds).unwrap_or(time)
}

/// Twice as long each time, and between half and all of that.
fn pause(attempts: u32, chance: f64) -> Duration {
    let full = FIRST.saturating_mul(1 << (attempts - 1).min(10)).min(LONGEST);
    full.mul_f64(0.5 + chance.clamp(0.0, 1.0) / 2.0)
}

/// Between 0 and 1.
fn chance() -> f64 {
    getrandom::u32().map_or(0.5, |number| f64::from(number) / f64::from(u32::MAX))
}
