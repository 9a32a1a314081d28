//! The journal of one commit and its dashboard, over a forge: what counts in it, and how it reads.

mod drive;
mod keeper;

use std::sync::{Mutex, OnceLock, PoisonError};

use crate::forge::{self, Forge};
use crate::model::board::{Board, Entry, Layout, Recorded, fold, standing};
use crate::model::ids::{PullNumber, Sha};
use crate::model::journal::{Line, Pointer, StatusRecord};
use crate::model::rules::Rules;
use crate::render::{self, Page, Templates};
use crate::schedule;
use crate::sync::{Answer, Journal, Points, Writer};

pub(super) use keeper::{Keeper, Kept, Sent, heard};

/// The dashboard of one commit.
pub(super) struct Dashboard<'a> {
    pub(super) forge: &'a dyn Forge,
    pub(super) rules: &'a Rules,
    pub(super) templates: &'a Templates,
    pub(super) sha: Sha,
    /// None for commits without a pull request: those have a journal and no comment.
    pub(super) pull: Option<PullNumber>,
    layout: Layout,
    /// The comment, as far as this process wrote or found it.
    found: OnceLock<u64>,
    /// The newest pointer that was read, with its id.
    told: Mutex<Option<(u64, Pointer)>>,
}

impl<'a> Dashboard<'a> {
    pub(super) fn new(
        forge: &'a dyn Forge,
        (rules, templates): (&'a Rules, &'a Templates),
        sha: Sha,
        pull: Option<PullNumber>,
    ) -> Self {
        Self {
            forge,
            rules,
            templates,
            sha,
            pull,
            layout: schedule::layout(rules),
            found: OnceLock::new(),
            told: Mutex::default(),
        }
    }

    /// The dashboard of another commit of the same repository.
    pub(super) fn of(&self, sha: Sha, pull: Option<PullNumber>) -> Self {
        Self::new(self.forge, (self.rules, self.templates), sha, pull)
    }

    /// Every entry of ours about this pull request.
    pub(super) fn read(&self) -> forge::Result<Vec<Recorded>> {
        let (statuses, account) = self.statuses_and_account();
        Ok(self.lines(&statuses?, &account?).filter_map(entry).collect())
    }

    /// The page of the dashboard, once it was written.
    pub(super) fn url(&self) -> Option<String> {
        self.found.get().map(|comment| self.forge.comment_url(self.pull, *comment))
    }

    /// The comment that is the dashboard, by the pointers of the journal.
    pub(super) fn comment(&self) -> forge::Result<Option<u64>> {
        let mut writer = Writer::<Recorded>::ensure();
        let (statuses, account) = self.statuses_and_account();
        writer.answer(Answer::Recorded { own: Vec::new(), journal: self.journal(&statuses?, &account?) });
        Ok(writer.target())
    }

    /// What entries amount to.
    pub(super) fn board(&self, recorded: &[Recorded]) -> Board {
        fold(&self.layout, recorded)
    }

    /// The entries that its rows stand on.
    pub(super) fn standing<'r>(&self, recorded: &'r [Recorded]) -> Vec<&'r Recorded> {
        standing(&self.layout, recorded)
    }

    /// Whether a row is one for all layers, as far as ci.toml has it.
    pub(super) fn is_for_all_layers(&self, row: &str) -> bool {
        self.layout.rows.iter().any(|spec| spec.id == row && spec.layer.is_none())
    }

    /// What an entry is about: the row, and the layer where that does not name it.
    pub(super) fn subject(&self, entry: &Entry) -> String {
        match entry.layer.as_deref().filter(|_| self.is_for_all_layers(&entry.row)) {
            Some(layer) => format!("{} ({layer})", entry.row),
            None => entry.row.clone(),
        }
    }

    /// What the page of the dashboard is drawn from.
    pub(super) fn page<'p>(&'p self, board: &'p Board, recorded: &'p [Recorded]) -> Page<'p> {
        Page { rules: self.rules, board, recorded, sha: &self.sha, pr: self.pull }
    }

    /// The comment as it is to read.
    pub(super) fn markdown(&self, recorded: &[Recorded]) -> String {
        let board = self.board(recorded);
        render::dashboard(self.templates, &self.page(&board, recorded))
    }

    /// The statuses of this commit, and whose of them are ours: asked side by side.
    fn statuses_and_account(&self) -> (forge::Result<Vec<StatusRecord>>, forge::Result<String>) {
        forge::both(|| self.forge.statuses(&self.sha), || self.forge.account())
    }

    /// Whether what this login wrote is ours; `account` is the token's own.
    pub(super) fn is_ours(&self, login: &str, account: &str) -> bool {
        login == account || self.rules.dashboard.authors.iter().any(|author| author == login)
    }

    /// What of these statuses is ours, newest first, about whichever pull request.
    fn ours(&self, statuses: &[StatusRecord], account: &str) -> impl Iterator<Item = Line> {
        let ours = move |record: &&StatusRecord| self.is_ours(&record.creator, account);
        statuses.iter().filter(ours).filter_map(|record| Line::read(record, &self.rules.dashboard.context))
    }

    /// What of these statuses is ours and about this pull request.
    fn lines(&self, statuses: &[StatusRecord], account: &str) -> impl Iterator<Item = Line> {
        self.ours(statuses, account).filter(|line| match line {
            Line::Entry(recorded) => recorded.entry.pr == self.pull,
            Line::Pointer { pointer, .. } => pointer.pr == self.pull,
        })
    }

    fn journal(&self, statuses: &[StatusRecord], account: &str) -> Journal<Recorded> {
        let mut journal = Journal { entries: Vec::new(), pointers: Vec::new() };
        for line in self.lines(statuses, account) {
            match line {
                Line::Entry(recorded) => journal.entries.push((recorded.seq, recorded)),
                Line::Pointer { seq, pointer } => {
                    let points = Points { comment: pointer.comment, gone: pointer.gone.clone() };
                    journal.pointers.push((seq, points));
                    let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
                    if told.as_ref().is_none_or(|(newest, _)| seq > *newest) {
                        *told = Some((seq, pointer));
                    }
                }
            }
        }
        journal
    }

    /// Every entry of ours on this commit, about whichever pull request, newest first.
    pub(super) fn read_all(&self) -> forge::Result<Vec<Recorded>> {
        let (statuses, account) = self.statuses_and_account();
        Ok(self.ours(&statuses?, &account?).filter_map(entry).collect())
    }
}

fn entry(line: Line) -> Option<Recorded> {
    match line {
        Line::Entry(recorded) => Some(recorded),
        Line::Pointer { .. } => None,
    }
}
