//! What was asked of the server, and when.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

/// One request.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) method: String,
    /// The path with its query.
    pub(crate) target: String,
    pub(crate) body: String,
    pub(crate) authorization: Option<String>,
    pub(crate) status: u16,
    connection: u64,
    begin: SystemTime,
    end: SystemTime,
}

impl Asked {
    pub(super) fn new(request: &super::server::Request, status: u16, connection: u64, begin: SystemTime) -> Self {
        Self {
            method: request.method.clone(),
            target: request.target.clone(),
            body: String::from_utf8_lossy(&request.body).into_owned(),
            authorization: request.header("authorization").map(str::to_owned),
            status,
            connection,
            begin,
            end: SystemTime::now(),
        }
    }
}

impl Asked {
    /// Whether it asks the same.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        (&self.method, &self.target, &self.body) == (&other.method, &other.target, &other.body)
    }

    /// How long after another had ended it began.
    pub(crate) fn later_than(&self, other: &Self) -> Duration {
        self.begin.duration_since(other.end).unwrap_or_default()
    }
}

/// All requests of a while, in the order in which they ended.
#[derive(Debug, Clone, Default)]
pub(crate) struct Log(pub(crate) Vec<Asked>);

impl Log {
    /// How many requests went to the API, those of git left out.
    pub(crate) fn requests(&self) -> usize {
        self.api().count()
    }

    /// How many connections they went over.
    pub(crate) fn connections(&self) -> usize {
        self.api().map(|asked| asked.connection).collect::<BTreeSet<_>>().len()
    }

    fn api(&self) -> impl Iterator<Item = &Asked> {
        self.0.iter().filter(|asked| !asked.target.contains(".git/"))
    }

    /// The most requests of which each began after the one before it had ended.
    pub(crate) fn round_trips(&self) -> usize {
        let mut requests: Vec<&Asked> = self.api().collect();
        requests.sort_by_key(|asked| asked.begin);
        let mut chains: Vec<usize> = Vec::new();
        for (at, asked) in requests.iter().enumerate() {
            let before = requests[..at].iter().zip(&chains).filter(|(before, _)| before.end <= asked.begin);
            chains.push(1 + before.map(|(_, chain)| *chain).max().unwrap_or(0));
        }
        chains.into_iter().max().unwrap_or(0)
    }

    /// What had ended by then.
    pub(crate) fn until(&self, time: SystemTime) -> Self {
        Self(self.0.iter().filter(|asked| asked.end <= time).cloned().collect())
    }

    /// What began after that.
    pub(crate) fn from(&self, time: SystemTime) -> Self {
        Self(self.0.iter().filter(|asked| asked.begin >= time).cloned().collect())
    }

    /// Those whose method and target hold these words, as `POST /statuses/`.
    pub(crate) fn of(&self, method: &str, target: &str) -> Vec<&Asked> {
        self.0.iter().filter(|asked| asked.method == method && asked.target.contains(target)).collect()
    }

    /// `METHOD TARGET`, a line each, for messages.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.0.iter().map(|asked| format!("{} {} → {}", asked.method, asked.target, asked.status)).collect()
    }
}
