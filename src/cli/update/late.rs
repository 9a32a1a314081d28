//! Reports about a run that could not report itself. The journal knows from before who asked for its work, and for what; who
//! reports is only told beside that.

use jiff::Timestamp;

use super::Dashboard;
use crate::cli::work;
use crate::forge;
use crate::model::board::{Entry, Recorded};
use crate::model::ids::RunId;
use crate::model::journal::{DESCRIPTION, cut};
use crate::model::rules::Rules;
use crate::model::span::At;

/// The run that is reported about.
pub(super) struct Late {
    /// What the journal has of it.
    recorded: Vec<Recorded>,
    /// When it ended, where that is known: whoever reports it took his time.
    until: Option<Timestamp>,
}

impl Late {
    pub(super) fn of(dashboard: &Dashboard<'_>, run: RunId) -> forge::Result<Self> {
        let (recorded, end) = forge::both(|| dashboard.read(), || dashboard.forge.run_conclusion(run));
        let mut recorded = recorded?;
        // What was reported from outside tells of nobody who asked.
        recorded.retain(|record| record.entry.run == Some(run) && record.entry.work.is_some());
        Ok(Self { recorded, until: end.ok().flatten().and_then(|end| end.at) })
    }

    /// An outcome that `by` reports, in the name of who asked for that work, where the journal leaves no doubt about it.
    pub(super) fn outcome(&self, dashboard: &Dashboard<'_>, by: &str, entry: Entry) -> Entry {
        let entry = Entry { until: self.until, by: Some(by.to_owned()), ..entry };
        let works = self.works(dashboard, &entry);
        let Some(first) = works.first() else { return entry };
        if works.iter().any(|other| (&other.by, &other.action) != (&first.by, &first.action)) {
            return entry;
        }
        let reported = format!("(reported by {by})");
        // However much there is to say, who says it is to be read.
        let taken = entry.status.word().len() + reported.chars().count() + ":  ".len();
        let note = format!("{} {reported}", cut(&entry.note, DESCRIPTION.saturating_sub(taken)));
        let note = note.trim_start().to_owned();
        Entry { by: first.by.clone(), action: first.action.clone(), note, ..entry }
    }

    /// Gives back the locks that this work did not get to give back.
    pub(super) fn give_back_locks(&self, dashboard: &Dashboard<'_>, reports: &[Entry]) -> forge::Result<()> {
        let reports = reports.iter().filter(|report| may_lock(dashboard.rules, &report.row));
        let mut works: Vec<&Entry> = reports.flat_map(|report| self.works(dashboard, report)).collect();
        works.sort_unstable_by_key(|entry| &entry.work);
        works.dedup_by_key(|entry| &entry.work);
        works.into_iter().try_for_each(|entry| work::give_back_of(dashboard.forge, entry, &self.recorded))
    }

    /// What the run said itself about the work that a report is about.
    fn works(&self, dashboard: &Dashboard<'_>, report: &Entry) -> Vec<&Entry> {
        // Who reports to a row of one layer need not name the layer.
        let layer = report.layer.as_deref().filter(|_| dashboard.is_for_all_layers(&report.row));
        let of_row = |entry: &&Entry| entry.row == report.row && (layer.is_none() || entry.layer.as_deref() == layer);
        self.recorded.iter().map(|record| &record.entry).filter(of_row).collect()
    }
}

/// Whether work of a row may hold a lock: where ci.toml has that work no longer, nobody can tell.
fn may_lock(rules: &Rules, row: &str) -> bool {
    let is_of = |stage: &At<String>| rules.rows_of_stage(&stage.value).iter().any(|known| known == row);
    let mut reporting = rules.handlers.values().filter(|handler| handler.stage.as_ref().is_some_and(is_of)).peekable();
    reporting.peek().is_none() || reporting.any(|handler| handler.lock)
}
