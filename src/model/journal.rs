//! How an entry becomes a commit status and is read back. Statuses are the log that cannot lose a write: creating one
//! is atomic, and the list is the whole history. See <https://docs.github.com/en/rest/commits/statuses>.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::board::{Entry, Overall, Recorded, Status};
use super::ids::{PullNumber, RunId};

/// The four states of a commit status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum State {
    /// Not decided yet.
    Pending,
    /// Good.
    Success,
    /// Bad.
    Failure,
    /// Did not take place.
    Error,
}

/// A commit status to be created.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct NewStatus {
    pub(crate) state: State,
    pub(crate) context: String,
    /// At most [`DESCRIPTION`] characters.
    pub(crate) description: String,
    pub(crate) target_url: String,
}

/// A commit status as the forge lists it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StatusRecord {
    pub(crate) id: u64,
    /// The login of the account that created it.
    pub(crate) creator: String,
    pub(crate) created_at: Timestamp,
    pub(crate) status: NewStatus,
}

/// The most characters that GitHub takes in a status's description.
pub(crate) const DESCRIPTION: usize = 140;

/// The row name of the status that points at the comment; no stage may have it.
pub(crate) const POINTER: &str = "dashboard";

/// The pointer: which comment is the dashboard. Writing one is also the fence of the writer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Pointer {
    /// Random, so that a writer recognises its own.
    pub(crate) id: String,
    pub(crate) pr: Option<PullNumber>,
    /// The comment's id on the forge.
    pub(crate) comment: u64,
    /// Comments that were found to be gone.
    pub(crate) gone: Vec<u64>,
    pub(crate) state: State,
    /// The next step, for people.
    pub(crate) next: String,
    /// The page of the comment.
    pub(crate) url: String,
}

impl From<Overall> for State {
    fn from(overall: Overall) -> Self {
        match overall {
            Overall::Pending => Self::Pending,
            Overall::Failure => Self::Failure,
            Overall::Ready => Self::Success,
        }
    }
}

/// What a status of ours says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Line {
    /// Something about a row.
    Entry(Recorded),
    /// Where the comment is.
    Pointer { seq: u64, pointer: Pointer },
}

impl Line {
    /// Reads a status. `None` where it is not one of ours in form; who created it is for the caller to judge.
    pub(crate) fn read(record: &StatusRecord, context: &str) -> Option<Self> {
        let named = record.status.context.strip_prefix(context)?.strip_prefix('/')?;
        let row = named.split_once('/').map_or(named, |(row, _)| row);
        let (url, fields) = split_url(&record.status.target_url)?;
        let mut fields = fields.split('~').map(unescape);
        let mut next = || fields.next().flatten();
        let number = |text: &str| text.parse::<u64>().ok();
        if named == POINTER {
            if next()? != "p1" {
                return None;
            }
            let pointer = Pointer {
                id: next()?,
                pr: number(&next()?).map(PullNumber),
                comment: number(&next()?)?,
                gone: next()?.split('.').filter_map(number).collect(),
                state: record.status.state,
                next: record.status.description.clone(),
                url,
            };
            return Some(Self::Pointer { seq: record.id, pointer });
        }
        if next()? != "1" {
            return None;
        }
        let some = |text: String| (!text.is_empty()).then_some(text);
        let id = next()?;
        let pr = number(&next()?).map(PullNumber);
        let run = match (number(&next()?), next()?.parse::<u32>().ok()) {
            (Some(id), Some(attempt)) => Some(RunId { id, attempt }),
            _ => None,
        };
        let (layer, by, action) = (some(next()?), some(next()?), some(next()?));
        let changes = match next()?.as_str() {
            "1" => Some(true),
            "0" => Some(false),
            _ => None,
        };
        let (digest, link) = (some(next()?), some(next()?));
        // Entries of earlier versions end before it.
        let began = next().is_none_or(|word| word != "0");
        let work = next().and_then(some);
        let until = next().and_then(|second| Timestamp::from_second(second.parse().ok()?).ok());
        let (word, note) = match record.status.description.split_once(": ") {
            Some((word, note)) => (word, note),
            None => (record.status.description.as_str(), ""),
        };
        let status = match (Status::parse(word)?, record.status.state) {
            (Status::Skipped | Status::Dropped, State::Error) => Status::Dropped,
            (status, _) => status,
        };
        let (row, note) = (row.to_owned(), note.to_owned());
        let entry =
            Entry { id, row, status, note, pr, run, url, link, layer, by, action, digest, changes, began, work, until };
        Some(Self::Entry(Recorded { seq: record.id, at: record.created_at, entry }))
    }
}

impl Entry {
    /// The status that says this, under `context`: of one layer of a row under a name of its own, for GitHub shows the
    /// newest status of a name as how that stands.
    pub(crate) fn status(&self, context: &str) -> NewStatus {
        let has_row = |layer: &&str| self.row.strip_suffix(*layer).is_some_and(|stage| stage.ends_with('-'));
        let layer = self.layer.as_deref().filter(|layer| !has_row(layer));
        let state = match self.status {
            Status::Pending | Status::Running => State::Pending,
            Status::Success | Status::Skipped => State::Success,
            Status::Failure => State::Failure,
            Status::Dropped => State::Error,
        };
        let note = one_line(&self.note);
        let description =
            if note.is_empty() { self.status.word().to_owned() } else { format!("{}: {note}", self.status.word()) };
        let text = |field: &Option<String>| field.clone().unwrap_or_default();
        let until = self.until.map(|until| until.as_second().to_string());
        let fields = [
            "1".to_owned(),
            self.id.clone(),
            self.pr.map_or_else(String::new, |pr| pr.to_string()),
            self.run.map_or_else(String::new, |run| run.id.to_string()),
            self.run.map_or_else(String::new, |run| run.attempt.to_string()),
            text(&self.layer),
            text(&self.by),
            text(&self.action),
            self.changes.map_or("", |changes| if changes { "1" } else { "0" }).to_owned(),
            text(&self.digest),
            text(&self.link),
            if self.began { "" } else { "0" }.to_owned(),
            text(&self.work),
        ];
        let fields: Vec<String> = fields.into_iter().chain(until).collect();
        NewStatus {
            state,
            context: [context, &self.row].into_iter().chain(layer).collect::<Vec<_>>().join("/"),
            description: cut(&description, DESCRIPTION),
            target_url: join_url(&self.url, &fields),
        }
    }
}

impl Pointer {
    /// The status that says this, under `context`.
    pub(crate) fn status(&self, context: &str) -> NewStatus {
        let fields = [
            "p1".to_owned(),
            self.id.clone(),
            self.pr.map_or_else(String::new, |pr| pr.to_string()),
            self.comment.to_string(),
            self.gone.iter().map(u64::to_string).collect::<Vec<_>>().join("."),
        ];
        NewStatus {
            state: self.state,
            context: format!("{context}/{POINTER}"),
            description: cut(&one_line(&self.next), DESCRIPTION),
            target_url: join_url(&self.url, &fields),
        }
    }
}

/// At most `most` characters, the last one an ellipsis where something is left out.
pub(crate) fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most.saturating_sub(1)).chain(['…']).collect()
}

/// The words of a text, on one line.
pub(crate) fn one_line(text: &str) -> String {
    text.split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

/// Appends the query parameter `ci`, before a fragment; GitHub's pages ignore it.
fn join_url(url: &str, fields: &[String]) -> String {
    let value = fields.iter().map(|field| escape(field)).collect::<Vec<_>>().join("~");
    let (page, fragment) = match url.split_once('#') {
        Some((page, fragment)) => (page, format!("#{fragment}")),
        None => (url, String::new()),
    };
    let mark = if page.contains('?') { '&' } else { '?' };
    format!("{page}{mark}ci={value}{fragment}")
}

/// Takes the query parameter `ci` off again: the page, and the parameter's value.
fn split_url(url: &str) -> Option<(String, &str)> {
    let (page, fragment) = match url.split_once('#') {
        Some((page, fragment)) => (page, Some(fragment)),
        None => (url, None),
    };
    let at = page.rfind("?ci=").or_else(|| page.rfind("&ci="))?;
    let value = &page[at + 4..];
    let page = match fragment {
        Some(fragment) => format!("{}#{fragment}", &page[..at]),
        None => page[..at].to_owned(),
    };
    Some((page, value))
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.') {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}

fn unescape(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let hex = [rest.next()?, rest.next()?];
            bytes.push(u8::from_str_radix(std::str::from_utf8(&hex).ok()?, 16).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}
