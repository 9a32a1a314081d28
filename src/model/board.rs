//! The board: what the entries of the journal say about each row. It is a fold over a set that only grows, so every
//! reader of the same entries sees the same board. It does not know how it is drawn, nor where entries come from.

mod before;
mod fold;
mod row;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::ids::{PullNumber, RunId};
use super::rules::Effect;

pub(crate) use fold::{fold, standing};

/// Where a row stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Status {
    /// Nothing was reported yet.
    Pending,
    /// Work is under way.
    Running,
    /// The work succeeded.
    Success,
    /// The work failed.
    Failure,
    /// There was nothing to do: as good as done.
    Skipped,
    /// The work did not take place (cancelled, superseded, after a failure): not done.
    Dropped,
}

impl Status {
    /// The word that people read. Both kinds of skipped read the same; the note says why.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Success => "success",
            Self::Failure => "failure",
            Self::Skipped | Self::Dropped => "skipped",
        }
    }

    /// Whether this is an end of the work.
    pub(crate) fn ended(self) -> bool {
        match self {
            Self::Pending | Self::Running => false,
            Self::Success | Self::Failure | Self::Skipped | Self::Dropped => true,
        }
    }

    /// Whether nothing is left to do.
    pub(crate) fn done(self) -> bool {
        match self {
            Self::Success | Self::Skipped => true,
            Self::Pending | Self::Running | Self::Failure | Self::Dropped => false,
        }
    }

    /// Every word that `ci update --status` and `report` take, ours and GitHub's (a check run's `conclusion`, a commit
    /// status's `state`, a job's `status`), with what it means here.
    pub(crate) const WORDS: [(&'static str, Self); 16] = [
        ("pending", Self::Pending),
        ("running", Self::Running),
        ("success", Self::Success),
        ("failure", Self::Failure),
        ("skipped", Self::Skipped),
        ("cancelled", Self::Dropped),
        ("stale", Self::Dropped),
        ("neutral", Self::Success),
        ("timed_out", Self::Failure),
        ("action_required", Self::Failure),
        ("startup_failure", Self::Failure),
        ("error", Self::Failure),
        ("queued", Self::Pending),
        ("waiting", Self::Pending),
        ("requested", Self::Pending),
        ("in_progress", Self::Running),
    ];

    /// Reads one of [`Self::WORDS`].
    pub(crate) fn parse(word: &str) -> Option<Self> {
        Self::WORDS.iter().find(|(known, _)| *known == word).map(|(_, status)| *status)
    }
}

/// One line of the journal: somebody reported something about a row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    /// Random; two entries with equal ids are one that was sent twice.
    pub(crate) id: String,
    /// The row, e.g. `plan-platform`: a stage's key, with the layer's where the stage has `each`.
    pub(crate) row: String,
    pub(crate) status: Status,
    /// Why, for people; may be empty.
    pub(crate) note: String,
    pub(crate) pr: Option<PullNumber>,
    /// The run that reported, where one did.
    pub(crate) run: Option<RunId>,
    /// The page of that run.
    pub(crate) url: String,
    /// What the row links to, where it is not the run.
    pub(crate) link: Option<String>,
    /// The layer that this is about, also where the row is one for all layers.
    pub(crate) layer: Option<String>,
    /// Who asked.
    pub(crate) by: Option<String>,
    /// What was asked: a command such as `/plan`, or the name of an event.
    pub(crate) action: Option<String>,
    /// The digest of what would change, see `language.md` on `record`.
    pub(crate) digest: Option<String>,
    /// Whether there is something to change, where that is known.
    pub(crate) changes: Option<bool>,
    /// False of an outcome that says why work did not begin: its row goes on showing the work that did, if any.
    pub(crate) began: bool,
    /// What all entries about one job of one decision have in common, at random: what says that work did not begin says
    /// so of that work alone. `None` where it was reported from outside.
    pub(crate) work: Option<String>,
    /// When the work ended, where that is known better than by when it was reported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) until: Option<Timestamp>,
}

/// An entry as the journal gives it back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Recorded {
    /// The status's id: entries are ordered by it.
    pub(crate) seq: u64,
    /// The server's time.
    pub(crate) at: Timestamp,
    pub(crate) entry: Entry,
}

/// What the dashboard is made of, from ci.toml: its rows in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Layout {
    pub(crate) rows: Vec<RowSpec>,
    /// The layers that ci.toml has.
    pub(crate) layers: Vec<String>,
}

impl Layout {
    fn has(&self, layer: &str) -> bool {
        self.layers.iter().any(|known| known == layer)
    }
}

/// A row that ci.toml declares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RowSpec {
    /// `STAGE` or `STAGE-LAYER`.
    pub(crate) id: String,
    pub(crate) stage: String,
    /// Set where the stage has `each`.
    pub(crate) layer: Option<String>,
    pub(crate) title: String,
    /// Ids of the rows that this one comes after.
    pub(crate) after: Vec<String>,
    pub(crate) optional: bool,
    /// Shown only once something was reported.
    pub(crate) when_reported: bool,
    /// What its work does.
    pub(crate) effect: Effect,
    /// Whether it comes after a plan, so that it may apply what that found.
    pub(crate) follows_a_plan: bool,
    /// The stage that says what is to be done here, where its work is held to the record of one.
    pub(crate) held_to: Option<String>,
}

/// A row as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Row {
    pub(crate) id: String,
    pub(crate) stage: String,
    pub(crate) layer: Option<String>,
    pub(crate) title: String,
    pub(crate) optional: bool,
    /// Whether it appears in the table.
    pub(crate) shown: bool,
    pub(crate) status: Status,
    pub(crate) note: String,
    /// What the row links to: the link of its entry, else the page of its run.
    pub(crate) link: Option<String>,
    /// The page of the run that reported, where one did.
    pub(crate) run_page: Option<String>,
    /// When its status was reported.
    pub(crate) at: Option<Timestamp>,
    /// The place of that report in the journal; 0 where there is none.
    #[serde(skip)]
    pub(crate) seq: u64,
    /// What was asked for when that was reported.
    pub(crate) action: Option<String>,
    /// How long the work took, in seconds, where its begin and its end were reported.
    pub(crate) seconds: Option<i64>,
    /// Whether the work found something to change, where that is known.
    pub(crate) changes: Option<bool>,
    /// What those that come after it have to follow.
    #[serde(skip)]
    pub(crate) changed: Option<Changed>,
    /// Whether any work is behind it.
    #[serde(skip)]
    pub(crate) began: bool,
    pub(crate) digest: Option<String>,
    /// Where layers report to one row: what each says.
    pub(crate) cells: Vec<Cell>,
    /// The layers whose work was done too early, with what they said.
    #[serde(skip)]
    pub(crate) outdated: Vec<Cell>,
    /// What its work does.
    #[serde(skip)]
    pub(crate) effect: Effect,
    /// Where layers report to one row: those that have something to do and said nothing, or nothing since that was found.
    pub(crate) missing: Vec<String>,
    /// The layers that have nothing to do by what comes before it, and `None` where none has: of what only looks.
    #[serde(skip)]
    pub(crate) idle: BTreeSet<Option<String>>,
}

/// What one layer says in a row for all layers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Cell {
    pub(crate) layer: String,
    pub(crate) status: Status,
    pub(crate) note: String,
    pub(crate) digest: Option<String>,
    pub(crate) changes: Option<bool>,
    /// What was asked for.
    pub(crate) action: Option<String>,
    pub(crate) run: Option<RunId>,
    /// When its status was reported.
    pub(crate) at: Timestamp,
    /// The place of that report in the journal.
    #[serde(skip)]
    pub(crate) seq: u64,
    /// What those that come after it have to follow.
    #[serde(skip)]
    pub(crate) changed: Option<Changed>,
    /// Whether any work is behind it.
    #[serde(skip)]
    pub(crate) began: bool,
}

/// The last change that whatever comes after has to follow. What was changed once stays changed, though doing it again finds
/// nothing to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Changed {
    pub(crate) kind: Change,
    /// The place in the journal of the report of it.
    pub(crate) seq: u64,
    pub(crate) at: Timestamp,
    /// When the work had ended that did it, also where that was reported later.
    pub(crate) ended: Timestamp,
    /// The work that did it, see [`Entry::work`].
    pub(crate) work: Option<String>,
}

/// How something is known to have changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Change {
    /// It is to be done, says work that only looked.
    Found,
    /// It was done, or may have been by work that broke off.
    Made,
    /// Nobody says.
    Perhaps,
}

/// Every row, and what happened, newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Board {
    pub(crate) rows: Vec<Row>,
    pub(crate) history: Vec<Happening>,
}

/// A line of the history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Happening {
    pub(crate) seq: u64,
    pub(crate) at: Timestamp,
    /// The title of the row, with the layer where the title does not tell.
    pub(crate) title: String,
    pub(crate) action: Option<String>,
    pub(crate) by: Option<String>,
    pub(crate) status: Status,
    pub(crate) note: String,
    pub(crate) link: Option<String>,
}

/// Where the board as a whole stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Overall {
    /// Something is still to be done, or runs.
    Pending,
    /// A row failed.
    Failure,
    /// Ready to merge.
    Ready,
}

impl Entry {
    /// What all jobs of one decision have in common, which wait for each other.
    fn decision(work: Option<&str>) -> Option<&str> {
        work.map(|work| work.rsplit_once('.').map_or(work, |(decision, _)| decision))
    }
}

impl Board {
    /// Ready when every row that is shown and not optional is done; failed when one of them failed.
    pub(crate) fn overall(&self) -> Overall {
        let mut required = self.rows.iter().filter(|row| row.shown && !row.optional).peekable();
        if required.clone().any(|row| row.status == Status::Failure) {
            Overall::Failure
        } else if required.peek().is_some() && required.all(|row| row.status.done()) {
            Overall::Ready
        } else {
            Overall::Pending
        }
    }

    pub(crate) fn row(&self, id: &str) -> Option<&Row> {
        self.rows.iter().find(|row| row.id == id)
    }

    /// How a stage stands for a layer, and the digest that it recorded. Where layers report to one row, a layer that did
    /// not report has nothing.
    pub(crate) fn stands(&self, stage: &str, layer: Option<&str>) -> Option<(Status, Option<&str>)> {
        match self.told(stage, layer)? {
            Told::Cell(cell) => Some((cell.status, cell.digest.as_deref())),
            Told::Row(row) => Some((row.status, row.digest.as_deref())),
        }
    }

    /// Whether a stage succeeded, for a layer or with all of its rows, or looked and found nothing left to do.
    pub(crate) fn succeeded(&self, stage: &str, layer: Option<&str>) -> bool {
        if let Some(told) = self.told(stage, layer) {
            return told.succeeded();
        }
        let rows = || self.rows.iter().filter(|row| layer.is_none() && row.stage == stage);
        rows().all(|row| row.status.done()) && rows().any(|row| Told::Row(row).succeeded())
    }

    fn told(&self, stage: &str, layer: Option<&str>) -> Option<Told<'_>> {
        let of_layer = layer.and_then(|layer| self.row(&format!("{stage}-{layer}")));
        let row = of_layer.or_else(|| self.row(stage))?;
        match layer {
            Some(layer) if !row.cells.is_empty() => row.cells.iter().find(|cell| cell.layer == layer).map(Told::Cell),
            Some(_) | None => Some(Told::Row(row)),
        }
    }
}

/// What speaks for a layer.
enum Told<'b> {
    Row(&'b Row),
    Cell(&'b Cell),
}

impl Told<'_> {
    fn succeeded(&self) -> bool {
        let (status, changes, began) = match self {
            Self::Row(row) => (row.status, row.changes, row.began),
            Self::Cell(cell) => (cell.status, cell.changes, cell.began),
        };
        match status {
            Status::Success => true,
            Status::Skipped => began && changes == Some(false),
            Status::Pending | Status::Running | Status::Failure | Status::Dropped => false,
        }
    }
}
