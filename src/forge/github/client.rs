//! One blocking HTTP client for a whole process: kept-alive connections, the token in one header, redirects followed by
//! hand, answers read within bounds, and everything tried again as `forge::retry` says. It does not know what is asked for.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use serde::de::DeserializeOwned;
use ureq::http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, LOCATION};
use ureq::http::{HeaderValue, Request};
use ureq::{Agent, Proxy};

use super::Settings;
use super::answer::Raw;
use super::base::{Base, is_loopback};
use super::lost;
use super::route::{Call, Speaks};
use crate::forge::retry::{Patience, Spent, Trouble};
use crate::forge::{Error, Result, Secret};

/// The release of the REST API that is spoken.
const VERSION: &str = "2022-11-28";
const USER_AGENT: &str = concat!("ci/", env!("CARGO_PKG_VERSION"));
/// For how long each part of a request may take.
const CONNECT: Duration = Duration::from_secs(10);
const SILENCE: Duration = Duration::from_secs(30);
const WHOLE: Duration = Duration::from_secs(60);
/// The most bytes of an answer that are read.
const BODY: u64 = 32 << 20;
/// How many redirects are followed, one after another.
const REDIRECTS: u32 = 3;
/// Connections that are kept: as many as requests go side by side, twice.
const IDLE: usize = 16;

/// The client.
pub(super) struct Client {
    agent: Agent,
    own: HeaderValue,
    members: Option<HeaderValue>,
    patience: Patience,
    /// The first and the last trouble since something went well.
    unwell: Mutex<Option<(Instant, Instant)>>,
    /// By how many seconds GitHub's clock is ahead; `i64::MIN` where no answer told yet.
    ahead: AtomicI64,
}

/// An answer whose body was understood.
pub(super) struct Answer<T> {
    pub(super) raw: Raw,
    pub(super) value: T,
}

/// What is done where a request may have taken effect although its answer did not arrive.
pub(super) enum Repeat<'a, T> {
    /// It is sent again: twice is as good as once.
    Freely,
    /// What it made is looked for first.
    Look(&'a dyn Fn() -> Result<Option<T>>),
    /// It is not sent again.
    Never,
}

impl Client {
    /// A client that speaks to APIs at `base`.
    pub(super) fn new(base: &Base, settings: &Settings) -> Result<Self> {
        let members = settings.members_token.as_ref();
        Ok(Self {
            agent: agent(base, settings.patience.budget),
            own: header(&settings.token, "GITHUB_TOKEN")?,
            members: members.map(|token| header(token, "CI_MEMBERS_TOKEN")).transpose()?,
            patience: settings.patience,
            unwell: Mutex::default(),
            ahead: AtomicI64::new(i64::MIN),
        })
    }

    /// Whether there is a token that may read who is in a team.
    pub(super) fn reads_members(&self) -> bool {
        self.members.is_some()
    }

    /// How trouble is put up with.
    pub(super) fn patience(&self) -> Patience {
        self.patience
    }

    /// By how much GitHub's clock is ahead of ours, as far as an answer told.
    pub(super) fn clock_ahead(&self) -> Option<SignedDuration> {
        let seconds = self.ahead.load(Ordering::Relaxed);
        (seconds != i64::MIN).then(|| SignedDuration::from_secs(seconds))
    }

    /// Now, by GitHub's clock.
    pub(super) fn now(&self) -> Timestamp {
        let now = Timestamp::now();
        self.clock_ahead().and_then(|ahead| now.checked_add(ahead).ok()).unwrap_or(now)
    }

    /// Sends a request until it went well or is given up.
    pub(super) fn send<T: DeserializeOwned>(
        &self,
        base: &Base,
        call: &Call,
        repeat: &Repeat<'_, T>,
    ) -> Result<Sent<T>> {
        self.send_and(base, call, repeat, &|raw| understood(&raw.body, call))
    }

    /// The same, with the body understood by `read`.
    pub(super) fn send_and<T>(
        &self,
        base: &Base,
        call: &Call,
        repeat: &Repeat<'_, T>,
        read: &dyn Fn(&Raw) -> std::result::Result<T, Trouble>,
    ) -> Result<Sent<T>> {
        let begun = Instant::now();
        let mut attempts = 0;
        loop {
            attempts += 1;
            let tried = self.attempt(base, call).and_then(|raw| Ok(Answer { value: read(&raw)?, raw }));
            let trouble = match tried {
                Ok(answer) => {
                    *self.unwell.lock().unwrap_or_else(PoisonError::into_inner) = None;
                    return Ok(Sent::Answered(answer));
                }
                Err(trouble) => trouble,
            };
            let may_have_worked = matches!(trouble, Trouble::Unwell { may_have_worked: true, .. });
            if let (true, Repeat::Never, Trouble::Unwell { error, .. }) = (may_have_worked, repeat, &trouble) {
                return Err(unsure(error));
            }
            let spent = Spent { attempts, request: begun.elapsed(), unwell: self.unwell_for() };
            self.patience.pause(&trouble, spent)?;
            if let (true, Repeat::Look(look)) = (may_have_worked, repeat)
                && let Some(found) = look()?
            {
                return Ok(Sent::Found(found));
            }
        }
    }

    /// Notes that something did not go well; since when that is so.
    fn unwell_for(&self) -> Duration {
        let now = Instant::now();
        let mut unwell = self.unwell.lock().unwrap_or_else(PoisonError::into_inner);
        // Trouble of long ago, with nothing sent since, does not count.
        let since = match *unwell {
            Some((first, last)) if now.duration_since(last) < self.patience.budget => first,
            Some(_) | None => now,
        };
        *unwell = Some((since, now));
        now.duration_since(since)
    }

    /// Sends a request once, and follows where it is redirected to.
    fn attempt(&self, base: &Base, call: &Call) -> std::result::Result<Raw, Trouble> {
        let mut address = base.at(&call.target());
        for _ in 0..REDIRECTS {
            let raw = self.exchange(&address, base, call)?;
            if let Some(date) = raw.date() {
                self.ahead.store(date.as_second() - Timestamp::now().as_second(), Ordering::Relaxed);
            }
            let Some(location) = redirection(&raw, call) else {
                return raw.trouble(call, Timestamp::now()).map_or(Ok(raw), Err);
            };
            let name = call.name();
            address = base.follow(location).ok_or_else(|| {
                Trouble::Final(Error::Server(format!(
                    "`{name}` was redirected to `{location}`, where the token is not sent"
                )))
            })?;
        }
        Err(Trouble::Final(Error::Server(format!("`{}` was redirected more than {REDIRECTS} times", call.name()))))
    }

    fn exchange(&self, address: &str, base: &Base, call: &Call) -> std::result::Result<Raw, Trouble> {
        let request = self.request(address, call);
        let wrong = |error| Trouble::Final(Error::Invalid(format!("`{}`: {error}", call.name())));
        let lost = |error: ureq::Error| lost::trouble(&error, call, &self.way(base, address));
        let response = match &call.body {
            Some(body) => {
                let request = request.header(CONTENT_TYPE, "application/json").body(body.to_string());
                self.agent.run(request.map_err(wrong)?)
            }
            None => self.agent.run(request.body(()).map_err(wrong)?),
        };
        let mut response = response.map_err(lost)?;
        let body = response.body_mut().with_config().limit(BODY).read_to_vec().map_err(lost)?;
        let (parts, _) = response.into_parts();
        Ok(Raw { status: parts.status, headers: parts.headers, body })
    }

    /// The way to a server, for messages.
    fn way(&self, base: &Base, address: &str) -> String {
        let through = self.agent.config().proxy().filter(|proxy| {
            let uri = address.parse();
            uri.is_ok_and(|uri| !proxy.is_no_proxy(&uri))
        });
        match through {
            Some(proxy) => format!("`{}` through the proxy `{}:{}`", base.origin(), proxy.host(), proxy.port()),
            None => format!("`{}`", base.origin()),
        }
    }

    fn request(&self, address: &str, call: &Call) -> ureq::http::request::Builder {
        let token = match call.speaks {
            Speaks::Own => Some(&self.own),
            Speaks::Members => self.members.as_ref(),
        };
        let request = Request::builder()
            .method(call.method.clone())
            .uri(address)
            .header(ACCEPT, call.accept)
            .header("x-github-api-version", VERSION);
        match token {
            Some(token) => request.header(AUTHORIZATION, token),
            None => request,
        }
    }
}

/// How a request ended well.
pub(super) enum Sent<T> {
    /// It was answered.
    Answered(Answer<T>),
    /// Its answer was lost, and what it made was found.
    Found(T),
}

impl<T> Sent<T> {
    pub(super) fn value(self) -> T {
        match self {
            Self::Answered(answer) => answer.value,
            Self::Found(value) => value,
        }
    }
}

fn agent(base: &Base, budget: Duration) -> Agent {
    // Without a budget nothing is tried again, and the one try has its time.
    let within = |usual: Duration| Some(if budget.is_zero() { usual } else { usual.min(budget) });
    // What is not encrypted stays on this machine, by whatever way.
    let proxy = Proxy::try_from_env().filter(|proxy| !base.in_the_clear() || is_loopback(proxy.host()));
    Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .allow_non_standard_methods(false)
        .user_agent(USER_AGENT)
        .proxy(proxy)
        .tls_config(ureq::tls::TlsConfig::builder().root_certs(ureq::tls::RootCerts::PlatformVerifier).build())
        .timeout_connect(within(CONNECT))
        .timeout_per_read(within(SILENCE))
        .timeout_global(within(WHOLE))
        .max_idle_connections(IDLE)
        .max_idle_connections_per_host(IDLE)
        .build()
        .into()
}

fn header(token: &Secret, variable: &str) -> Result<HeaderValue> {
    // A line break at the end comes along from files and pipes; it is no part of any token.
    let text = format!("Bearer {}", token.reveal().trim_end());
    let mut value = HeaderValue::from_str(&text)
        .map_err(|_| Error::Invalid(format!("the token in `{variable}` holds characters that no token has")))?;
    value.set_sensitive(true);
    Ok(value)
}

/// Where an answer says that the same request belongs.
fn redirection<'a>(raw: &'a Raw, call: &Call) -> Option<&'a str> {
    let same = match raw.status.as_u16() {
        301 | 302 => call.method == ureq::http::Method::GET,
        307 | 308 => true,
        _ => false,
    };
    same.then(|| raw.headers.get(LOCATION)?.to_str().ok()).flatten()
}

/// Reads a JSON body; where it was cut short, that is trouble which passes.
pub(super) fn understood<T: DeserializeOwned>(body: &[u8], call: &Call) -> std::result::Result<T, Trouble> {
    // Answers without a body say all that they say by their status.
    let body = if body.is_empty() { b"null" } else { body };
    serde_json::from_slice(body).map_err(|error| {
        let text = format!("`{}`: the answer cannot be read: {error}", call.name());
        if error.is_data() {
            Trouble::Final(Error::Server(text))
        } else {
            Trouble::Unwell { error: Error::Transport(text), wait: None, may_have_worked: true }
        }
    })
}

fn unsure(error: &Error) -> Error {
    let text = format!("{error}; whether it took effect is not known, so it was not sent again");
    match error {
        Error::Transport(_) => Error::Transport(text),
        Error::NotFound(_)
        | Error::Denied(_)
        | Error::Limited { .. }
        | Error::Conflict(_)
        | Error::Invalid(_)
        | Error::Here(_)
        | Error::Server(_) => Error::Server(text),
    }
}
