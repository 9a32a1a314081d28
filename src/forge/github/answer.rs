//! What GitHub's answers mean: which are refusals, which say that it is unwell, and in what words that is told. It
//! sends nothing. See <https://docs.github.com/en/rest/using-the-rest-api/troubleshooting-the-rest-api>.

use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822;
use serde::Deserialize;
use serde_json::Value;
use ureq::http::{HeaderMap, StatusCode};

use super::route::Call;
use crate::forge::Error;
use crate::forge::retry::Trouble;
use crate::model::journal::one_line;

/// An answer, read to its end.
#[derive(Debug)]
pub(super) struct Raw {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

/// What GitHub says when it refuses.
#[derive(Debug, Default, Deserialize)]
struct Said {
    #[serde(default)]
    message: Option<String>,
    /// Objects in validation errors, texts in others.
    #[serde(default)]
    errors: Option<Value>,
    #[serde(default)]
    documentation_url: Option<String>,
}

/// The most that is told of an answer that is not GitHub's JSON.
const TOLD: usize = 200;

impl Raw {
    /// A header's text.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    fn number(&self, name: &str) -> Option<i64> {
        self.header(name)?.trim().parse().ok()
    }

    /// When it was sent, by GitHub's clock.
    pub(super) fn date(&self) -> Option<Timestamp> {
        http_date(self.header("date")?)
    }

    /// What is wrong with it, if anything.
    pub(super) fn trouble(&self, call: &Call, now: Timestamp) -> Option<Trouble> {
        if self.status.is_success() {
            return None;
        }
        let text = self.told(call);
        let status = self.status.as_u16();
        if let (403 | 429, Some(wait)) = (status, self.limited(now)) {
            return Some(Trouble::Limited { message: text, wait });
        }
        // The one limit that is told as if the request were wrong.
        if status == 422 && text.contains("submitted too quickly") {
            return Some(Trouble::Limited { message: text, wait: None });
        }
        Some(match status {
            429 => Trouble::Limited { message: text, wait: None },
            408 | 500.. => Trouble::Unwell {
                error: Error::Server(text),
                wait: self.retry_after(now),
                may_have_worked: !matches!(status, 501 | 503),
            },
            401 => Trouble::Final(Error::Denied(format!("{text}; the token is wrong or has expired"))),
            403 => Trouble::Final(Error::Denied(format!("{text}{}", self.remedy(call)))),
            404 | 410 => Trouble::Final(Error::NotFound(text)),
            409 => Trouble::Final(Error::Conflict(text)),
            300..=399 => Trouble::Final(Error::Server(text)),
            _ => Trouble::Final(Error::Invalid(text)),
        })
    }

    /// Whether a 403 or 429 is about too many requests, and if so, how long to wait where it tells.
    fn limited(&self, now: Timestamp) -> Option<Option<Duration>> {
        if let Some(wait) = self.retry_after(now) {
            return Some(Some(wait));
        }
        if self.number("x-ratelimit-remaining") == Some(0) {
            return Some(self.until_reset(now));
        }
        let message = self.said().message.unwrap_or_default().to_ascii_lowercase();
        let secondary = message.contains("secondary rate limit") || message.contains("abuse detection");
        secondary.then_some(None)
    }

    /// How long until the limit of requests begins anew.
    pub(super) fn until_reset(&self, now: Timestamp) -> Option<Duration> {
        self.number("x-ratelimit-reset").map(|reset| until(reset, self.date().unwrap_or(now)))
    }

    /// Seconds, or a date.
    fn retry_after(&self, now: Timestamp) -> Option<Duration> {
        let text = self.header("retry-after")?.trim();
        let seconds = text.parse::<u64>().ok().map(Duration::from_secs);
        seconds.or_else(|| http_date(text).map(|at| until(at.as_second(), self.date().unwrap_or(now))))
    }

    fn said(&self) -> Said {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// The request and all that GitHub says about it, on one line.
    fn told(&self, call: &Call) -> String {
        let said = self.said();
        let mut text = format!("`{}`: {}", call.name(), self.status.as_u16());
        match said.message {
            Some(message) => text.push_str(&format!(" {}", one_line(&message))),
            None => text.push_str(&format!(" {}", start(&self.body, self.status))),
        }
        if let Some(details) = said.errors.as_ref().map(details).filter(|details| !details.is_empty()) {
            text.push_str(&format!(" ({})", one_line(&details)));
        }
        if let Some(url) = said.documentation_url.filter(|url| !url.is_empty()) {
            text.push_str(&format!(", see {}", one_line(&url)));
        }
        text
    }

    /// What to add to the workflow, where GitHub says that the token's permissions do not suffice.
    fn remedy(&self, call: &Call) -> String {
        if !self.said().message.is_some_and(|message| message.contains("Resource not accessible")) {
            return String::new();
        }
        match self.header("x-accepted-github-permissions").map(permissions).filter(|lines| !lines.is_empty()) {
            Some(lines) => format!("; add {lines} to `permissions`"),
            None => call.needs.map_or_else(String::new, |needs| format!("; add `{needs}` to `permissions`")),
        }
    }
}

/// The lines of a workflow's `permissions` that a header like `issues=write; pull_requests=write,contents=read` asks
/// for: any of those between semicolons, all of those between commas.
fn permissions(header: &str) -> String {
    let line = |part: &str| {
        let (name, level) = part.trim().split_once('=')?;
        Some(format!("`{}: {}`", name.replace('_', "-"), level.trim()))
    };
    let all = |set: &str| set.split(',').filter_map(line).collect::<Vec<_>>().join(" and ");
    header.split(';').map(all).filter(|set| !set.is_empty()).collect::<Vec<_>>().join(" or ")
}

/// `errors` of a refusal: objects with `message`, or with `resource`, `field` and `code`; or texts.
fn details(errors: &Value) -> String {
    let one = |error: &Value| {
        let text = |key: &str| error.get(key).and_then(Value::as_str);
        match (error.as_str().or_else(|| text("message")), text("field"), text("code")) {
            (Some(message), _, _) => Some(message.to_owned()),
            (None, Some(field), Some(code)) => Some(format!("{field}: {code}")),
            (None, _, Some(code)) => Some(code.to_owned()),
            (None, _, None) => None,
        }
    };
    match errors.as_array() {
        Some(errors) => errors.iter().filter_map(one).collect::<Vec<_>>().join("; "),
        None => one(errors).unwrap_or_default(),
    }
}

/// The start of an answer that is no JSON, say a proxy's page; else the status's usual words.
fn start(body: &[u8], status: StatusCode) -> String {
    let text = one_line(&String::from_utf8_lossy(body));
    match text.char_indices().nth(TOLD) {
        _ if text.is_empty() => status.canonical_reason().unwrap_or("without a word").to_owned(),
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text,
    }
}

fn until(second: i64, now: Timestamp) -> Duration {
    Duration::from_secs(u64::try_from(second.saturating_sub(now.as_second())).unwrap_or(0))
}

/// A time as HTTP writes it, e.g. `Sun, 06 Nov 1994 08:49:37 GMT`.
fn http_date(text: &str) -> Option<Timestamp> {
    rfc2822::DateTimeParser::new().parse_timestamp(text.trim()).ok()
}
