//! What handlers print, as comments: one for each run and handler, created as soon as there is output, so that rows can
//! link to it when the work ends. They are decorations of the dashboard: one that cannot be written is told in the log,
//! and the work goes on.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Work;
use crate::cli::board::Dashboard;
use crate::cli::console;
use crate::cli::output::random;
use crate::exec::job::Outcome;
use crate::forge;
use crate::model::board::{Recorded, Status};
use crate::model::decision::Job;
use crate::render::{self, Section};
use crate::terraform;

/// The outputs of one run.
pub(super) struct Outputs {
    /// Tells the comments of this run from those of others.
    key: String,
    run_url: String,
    action: String,
    by: String,
    handlers: Mutex<BTreeMap<String, Arc<Mutex<Printed>>>>,
}

/// What the jobs of one handler printed.
#[derive(Default)]
struct Printed {
    /// The comment and its page.
    comment: Option<(u64, String)>,
    /// By the jobs' labels, in the order in which they printed first.
    sections: Vec<Text>,
    /// Whether the comment does not say all yet.
    behind: bool,
    /// Whether the log says already that it could not be posted.
    warned: bool,
}

/// What one job printed.
struct Text {
    title: String,
    status: Status,
    note: String,
    text: String,
    details: String,
    whole: Option<String>,
}

impl Outputs {
    pub(super) fn new(work: &Work<'_>) -> Self {
        let run = work.run.map_or_else(random, |run| run.to_string());
        Self {
            key: run,
            run_url: work.run_url.to_owned(),
            action: work.action.clone(),
            by: work.actor.to_owned(),
            handlers: Mutex::default(),
        }
    }

    /// Posts what a job printed so far, where nothing is posted yet: so that there is a page to link to when it ends.
    pub(super) fn open(&self, work: &Work<'_>, job: &Job, text: &str) {
        let printed = self.printed(&job.handler);
        let mut printed = lock(&printed);
        let begun = Text::new(job, Status::Running, "", text, &self.run_url);
        printed.keep(begun);
        if printed.comment.is_none() {
            self.post(work, &job.handler, &mut printed);
        }
    }

    /// Keeps what a job printed in the end; returns the page that its row links to. Where that page was there before,
    /// [`Self::bring_up_to_date`] is to follow.
    pub(super) fn add(&self, work: &Work<'_>, job: &Job, outcome: &Outcome) -> Option<String> {
        let text = outcome.output.as_deref().filter(|text| !text.trim().is_empty())?;
        let printed = self.printed(&job.handler);
        let mut printed = lock(&printed);
        let mut ended = Text::new(job, outcome.status, &outcome.note, text, &self.run_url);
        ended.details = details(outcome);
        printed.keep(ended);
        if printed.comment.is_none() {
            self.post(work, &job.handler, &mut printed);
        } else {
            printed.behind = true;
        }
        printed.comment.as_ref().map(|(_, page)| page.clone())
    }

    /// Writes the comment of a job's handler, where it does not say all yet.
    pub(super) fn bring_up_to_date(&self, work: &Work<'_>, job: &Job) {
        let printed = self.printed(&job.handler);
        let mut printed = lock(&printed);
        if printed.behind {
            self.post(work, &job.handler, &mut printed);
        }
    }

    fn printed(&self, handler: &str) -> Arc<Mutex<Printed>> {
        lock(&self.handlers).entry(handler.to_owned()).or_default().clone()
    }

    fn post(&self, work: &Work<'_>, handler: &str, printed: &mut Printed) {
        let dashboard = work.dashboard;
        let Some(pull) = dashboard.pull else { return };
        let body = self.body(dashboard, handler, printed);
        let posted = match &printed.comment {
            Some((id, _)) => dashboard.forge.edit_comment(*id, &body),
            None => dashboard.forge.create_comment(pull, &body),
        };
        match posted {
            Ok(posted) => {
                printed.comment = Some((posted.id, posted.url));
                printed.behind = false;
            }
            // It is said once, at the end, of all that is not written.
            Err(error) if work.may_not_write(&error) => {}
            Err(_) if std::mem::replace(&mut printed.warned, true) => {}
            Err(error) => console::warning(&format!("the output of `{handler}` could not be posted: {error}")),
        }
    }

    fn body(&self, dashboard: &Dashboard<'_>, handler: &str, printed: &Printed) -> String {
        let page = dashboard.url();
        let key = format!("{}.{handler}.{}", dashboard.sha.short(), self.key);
        render::output(
            dashboard.templates,
            &render::Output {
                rules: dashboard.rules,
                key: &key,
                title: handler,
                sha: &dashboard.sha,
                action: Some(&self.action),
                by: Some(self.by.as_str()).filter(|by| !by.is_empty()),
                run_page: Some(&self.run_url),
                dashboard: page.as_deref(),
                sections: printed.sections.iter().map(Text::section).collect(),
            },
        )
    }

    /// Hides the outputs that no row links to any more since this run replaced them.
    pub(super) fn hide_replaced(&self, dashboard: &Dashboard<'_>, before: &[Recorded], after: &[Recorded]) {
        let comments = |links: &mut dyn Iterator<Item = &str>| -> BTreeSet<u64> {
            links.filter_map(|link| dashboard.forge.comment_at(link)).collect()
        };
        let board = dashboard.board(after);
        let shown = comments(&mut board.rows.iter().filter_map(|row| row.link.as_deref()));
        let linked = comments(&mut before.iter().filter_map(|recorded| recorded.entry.link.as_deref()));
        let replaced: Vec<u64> = linked.difference(&shown).copied().collect();
        forge::side_by_side(&replaced, |comment| {
            let Ok(posted) = dashboard.forge.comment(*comment) else { return };
            let start = render::tag(dashboard.rules, "output", "");
            let ours = dashboard.forge.account().is_ok_and(|account| account == posted.author);
            if ours && !posted.minimized && posted.body.starts_with(start.trim_end_matches(" -->")) {
                let _decoration = dashboard.forge.minimize(*comment);
            }
        });
    }

    /// Shows all that was printed.
    pub(super) fn with_sections<T>(&self, show: impl FnOnce(&[Section<'_>]) -> T) -> T {
        let handlers: Vec<_> = lock(&self.handlers).values().cloned().collect();
        let printed: Vec<_> = handlers.iter().map(|printed| lock(printed)).collect();
        let sections: Vec<Section<'_>> =
            printed.iter().flat_map(|printed| printed.sections.iter().map(Text::section)).collect();
        show(&sections)
    }
}

impl Printed {
    /// Takes a text in the place of what the same job printed before.
    fn keep(&mut self, text: Text) {
        match self.sections.iter_mut().find(|known| known.title == text.title) {
            Some(known) => *known = text,
            None => self.sections.push(text),
        }
    }
}

/// What a plan changes, as a table, and what its checks warn of.
fn details(outcome: &Outcome) -> String {
    let plans: Vec<String> = outcome.captures.values().filter_map(terraform::changes_table).collect();
    let mut details = plans.join("\n\n");
    for warning in outcome.captures.values().flat_map(terraform::warnings) {
        details.push_str(&format!("\n\n⚠️ {}", render::escaped(&warning)));
    }
    details
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Text {
    fn new(job: &Job, status: Status, note: &str, text: &str, run_url: &str) -> Self {
        Self {
            title: job.label().to_owned(),
            status,
            note: note.to_owned(),
            text: terraform::diff_text(text),
            details: String::new(),
            whole: Some(run_url.to_owned()),
        }
    }

    fn section(&self) -> Section<'_> {
        Section {
            title: &self.title,
            status: self.status,
            note: &self.note,
            text: &self.text,
            language: "diff",
            details: &self.details,
            whole: self.whole.as_deref(),
        }
    }
}
