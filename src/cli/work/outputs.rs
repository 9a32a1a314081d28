//! What handlers print, as comments: one for each run and handler, created when there is output, and extended as more
//! comes. They are decorations of the dashboard: one that cannot be written is told in the log, and the work goes on.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use super::Work;
use crate::cli::board::Dashboard;
use crate::cli::console;
use crate::exec::job::Outcome;
use crate::forge;
use crate::model::board::Status;
use crate::model::decision::Job;
use crate::model::ids::RunId;
use crate::render::{self, Section};
use crate::terraform;

/// The outputs of one run.
pub(super) struct Outputs {
    run: RunId,
    run_url: String,
    action: String,
    by: String,
    handlers: Mutex<BTreeMap<String, Printed>>,
}

#[derive(Default)]
struct Printed {
    /// The comment and its page.
    comment: Option<(u64, String)>,
    sections: Vec<Text>,
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
        Self {
            run: work.run,
            run_url: work.run_url.to_owned(),
            action: work.action.clone(),
            by: work.actor.to_owned(),
            handlers: Mutex::default(),
        }
    }

    /// Keeps what a job printed and posts it; returns the page that its row links to.
    pub(super) fn add(&self, work: &Work<'_>, job: &Job, outcome: &Outcome) -> Option<String> {
        let text = outcome.output.as_deref().filter(|text| !text.trim().is_empty())?;
        let plans: Vec<String> = outcome.captures.values().filter_map(terraform::changes_table).collect();
        let mut details = plans.join("\n\n");
        for warning in outcome.captures.values().flat_map(terraform::warnings) {
            details.push_str(&format!("\n\n⚠️ {}", render::escaped(&warning)));
        }
        let section = Text {
            title: job.label().to_owned(),
            status: outcome.status,
            note: outcome.note.clone(),
            text: terraform::diff_text(text),
            details,
            whole: Some(self.run_url.clone()),
        };
        let mut handlers = self.handlers.lock().unwrap_or_else(PoisonError::into_inner);
        let printed = handlers.entry(job.handler.clone()).or_default();
        printed.sections.push(section);
        match self.post(work.dashboard, &job.handler, printed) {
            Ok(page) => page,
            Err(error) => {
                console::warning(&format!("the output of `{}` could not be posted: {error}", job.handler));
                None
            }
        }
    }

    fn post(&self, dashboard: &Dashboard<'_>, handler: &str, printed: &mut Printed) -> forge::Result<Option<String>> {
        let Some(pull) = dashboard.pull else { return Ok(None) };
        let sections = printed.sections.iter().map(Text::section).collect();
        let comment = dashboard.comment().ok().flatten();
        let page = comment.map(|comment| dashboard.forge.comment_url(Some(pull), comment));
        let key = format!("{}.{handler}.{}", dashboard.sha.short(), self.run);
        let body = render::output(
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
                sections,
            },
        );
        let posted = match &printed.comment {
            Some((id, _)) => dashboard.forge.edit_comment(*id, &body)?,
            None => dashboard.forge.create_comment(pull, &body)?,
        };
        printed.comment = Some((posted.id, posted.url.clone()));
        Ok(Some(posted.url))
    }

    /// Hides the outputs of earlier runs of the same handlers on this commit.
    pub(super) fn finish(&self, dashboard: &Dashboard<'_>) {
        let Some(pull) = dashboard.pull else { return };
        let handlers = self.handlers.lock().unwrap_or_else(PoisonError::into_inner);
        let posted: Vec<(&String, u64)> =
            handlers.iter().filter_map(|(handler, printed)| Some((handler, printed.comment.as_ref()?.0))).collect();
        if posted.is_empty() {
            return;
        }
        let (Ok(account), Ok(comments)) = (dashboard.forge.account(), dashboard.forge.comments(pull, None)) else {
            return;
        };
        for (handler, newest) in posted {
            let start = render::tag(dashboard.rules, "output", &format!("{}.{handler}.", dashboard.sha.short()));
            let start = start.trim_end_matches(" -->");
            let older = comments.iter().filter(|comment| {
                comment.id < newest
                    && comment.author == account
                    && !comment.minimized
                    && comment.body.starts_with(start)
            });
            for comment in older {
                let _decoration = dashboard.forge.minimize(comment.id);
            }
        }
    }

    /// Shows all that was printed.
    pub(super) fn with_sections<T>(&self, show: impl FnOnce(&[Section<'_>]) -> T) -> T {
        let handlers = self.handlers.lock().unwrap_or_else(PoisonError::into_inner);
        let sections: Vec<Section<'_>> =
            handlers.values().flat_map(|printed| printed.sections.iter().map(Text::section)).collect();
        show(&sections)
    }
}

impl Text {
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
