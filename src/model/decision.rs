//! What was decided and why, as data: every rule with the verdict of each of its conditions, what a gate asked and
//! found, and the jobs that follow. It can be printed, compared and carried out later.

use serde::Serialize;

/// The reason code of work that would not be what was reviewed. The note of its row begins with it, and says what to do.
pub(crate) const PLAN_STALE: &str = "plan-stale";

/// Whether the note of a failure says that: there is nothing to fix, and the same command again would end the same.
pub(crate) fn is_stale(note: &str) -> bool {
    note.contains(&format!("{PLAN_STALE}: "))
}

/// How the note of a row begins whose run ended without a word of what came of its work.
pub(crate) const UNREPORTED: &str = "ended without ";

/// The note of a row whose run nobody knows any more.
pub(crate) const GONE: &str = "its run is gone";

/// The note of a row whose work was cancelled when some of it was done.
pub(crate) const CUT_SHORT: &str = "cancelled while it ran";

/// How the note of a row begins whose work was to find nothing to change, and found something, as drift is.
pub(crate) const CHANGES_FOUND: &str = "changes found";

/// How the note of a row begins whose layer somebody else holds, who follows.
pub(crate) const HELD: &str = "locked by ";

/// What the rules made of an event, or of one command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Matching {
    /// What was matched: `pull_request.opened`, or the command's line.
    pub(crate) subject: String,
    pub(crate) considered: Vec<Considered>,
    /// The index of the rule that matched first.
    pub(crate) rule: Option<usize>,
    /// What could not be found out and keeps anybody from telling which rule that is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) unknown: Option<Part>,
}

/// One rule, held against the event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Considered {
    /// The line of ci.toml where the rule begins.
    pub(crate) line: usize,
    pub(crate) verdict: Verdict,
    pub(crate) conditions: Vec<Tried>,
}

/// What came of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Verdict {
    /// It is the first whose conditions all hold.
    Matched,
    /// One of its conditions does not hold.
    Rejected,
    /// All that could be found out holds, but not all could.
    Unknown,
    /// An earlier rule matched, or may have.
    NotReached,
}

/// One condition of a rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Tried {
    /// Its key in ci.toml.
    pub(crate) key: &'static str,
    pub(crate) line: usize,
    pub(crate) wanted: String,
    pub(crate) found: String,
    /// `None` where it was not asked, since an earlier condition did not hold and this one costs a request, or where it could
    /// not be found out.
    pub(crate) holds: Option<bool>,
}

/// One thing that a gate asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Part {
    /// Stable reason code: `permission`, `approvals`, `checks`, …
    pub(crate) code: &'static str,
    /// The gate that asks; empty where the language itself does (forks).
    pub(crate) gate: String,
    /// The layer that it is asked for, where it depends on the layer.
    pub(crate) layer: Option<String>,
    pub(crate) holds: bool,
    pub(crate) wanted: String,
    pub(crate) found: String,
    /// What to do where it does not hold.
    pub(crate) remedy: String,
}

/// What a matched rule amounts to: the gate's answers, and the work.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Agenda {
    pub(crate) jobs: Vec<Job>,
    /// The layers that the work is about, lower ones first.
    pub(crate) layers: Vec<String>,
    /// Rows that are marked skipped since nothing is to be done there, with why.
    pub(crate) idle: Vec<Idle>,
    /// What the gates asked. Where one does not hold, nothing runs.
    pub(crate) parts: Vec<Part>,
}

impl Agenda {
    /// What was refused.
    pub(crate) fn refused(&self) -> impl Iterator<Item = &Part> {
        self.parts.iter().filter(|part| !part.holds)
    }

    /// Every row that the jobs report to, each once, in order.
    pub(crate) fn rows(&self) -> Vec<String> {
        let mut rows: Vec<String> = Vec::new();
        for row in self.jobs.iter().flat_map(|job| &job.rows) {
            if !rows.contains(row) {
                rows.push(row.clone());
            }
        }
        rows
    }

    /// What a job is called beside the others: the layer alone may be that of several.
    pub(crate) fn told_as(&self, job: &Job) -> String {
        let alike = self.jobs.iter().filter(|other| other.label() == job.label());
        if alike.count() > 1 { job.name() } else { job.label().to_owned() }
    }

    /// Leaves only the jobs of this name, or of this handler; whether there are any.
    pub(crate) fn only(&mut self, name: &str) -> bool {
        let jobs: Vec<bool> = self.jobs.iter().map(|job| job.name() == name || job.handler == name).collect();
        self.keep(&jobs);
        self.idle.clear();
        !self.jobs.is_empty()
    }

    /// Leaves only the jobs for which `kept` says so.
    pub(crate) fn keep(&mut self, kept: &[bool]) {
        let kept: Vec<usize> = (0..self.jobs.len()).filter(|at| kept.get(*at) == Some(&true)).collect();
        let place = |before: &usize| kept.iter().position(|at| at == before);
        let jobs = kept.iter().map(|at| {
            let job = &self.jobs[*at];
            Job { after: job.after.iter().filter_map(place).collect(), ..job.clone() }
        });
        self.jobs = jobs.collect();
    }

    /// The jobs by wave: each holds those that may run side by side once the waves before it are done.
    pub(crate) fn waves(&self) -> Vec<Vec<usize>> {
        let mut depth = vec![0_usize; self.jobs.len()];
        for (at, job) in self.jobs.iter().enumerate() {
            depth[at] = job.after.iter().map(|before| depth[*before] + 1).max().unwrap_or(0);
        }
        let waves = depth.iter().max().map_or(0, |most| most + 1);
        let mut found = vec![Vec::new(); waves];
        for (at, wave) in depth.iter().enumerate() {
            found[*wave].push(at);
        }
        found
    }
}

/// One run of a handler.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Job {
    pub(crate) handler: String,
    pub(crate) layer: Option<String>,
    /// The rows that it reports to.
    pub(crate) rows: Vec<String>,
    /// Indices of the jobs that must have succeeded before; always lower than its own.
    pub(crate) after: Vec<usize>,
}

impl Job {
    /// `HANDLER` or `HANDLER/LAYER`: unique within a run.
    pub(crate) fn name(&self) -> String {
        match &self.layer {
            Some(layer) => format!("{}/{layer}", self.handler),
            None => self.handler.clone(),
        }
    }

    /// What people call it: the layer, else the handler.
    pub(crate) fn label(&self) -> &str {
        self.layer.as_deref().unwrap_or(&self.handler)
    }
}

/// A row with nothing to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Idle {
    pub(crate) row: String,
    pub(crate) layer: Option<String>,
    pub(crate) note: String,
}
