//! The journal of one commit and its dashboard, over a forge: reading what counts, and driving the writer's machine.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use super::output;
use crate::forge::{self, Forge};
use crate::model::board::{Board, Entry, Layout, Recorded, fold};
use crate::model::ids::{PullNumber, Sha};
use crate::model::journal::{Line, Pointer, State, StatusRecord};
use crate::model::rules::{OldCommits, Rules};
use crate::render::{self, Page, Templates};
use crate::schedule;
use crate::sync::{Answer, Ask, Journal, Points, Writer};

/// The dashboard of one commit.
pub(super) struct Dashboard<'a> {
    pub(super) forge: &'a dyn Forge,
    pub(super) rules: &'a Rules,
    pub(super) templates: &'a Templates,
    pub(super) sha: Sha,
    /// None for commits without a pull request: those have a journal and no comment.
    pub(super) pull: Option<PullNumber>,
    layout: Layout,
}

impl<'a> Dashboard<'a> {
    pub(super) fn new(
        forge: &'a dyn Forge,
        (rules, templates): (&'a Rules, &'a Templates),
        sha: Sha,
        pull: Option<PullNumber>,
    ) -> Self {
        Self { forge, rules, templates, sha, pull, layout: schedule::layout(rules) }
    }

    /// The dashboard of another commit of the same repository.
    pub(super) fn of(&self, sha: Sha, pull: Option<PullNumber>) -> Self {
        Self::new(self.forge, (self.rules, self.templates), sha, pull)
    }

    /// Every entry of ours about this pull request.
    pub(super) fn read(&self) -> forge::Result<Vec<Recorded>> {
        let mut read = Vec::new();
        for line in self.lines()? {
            if let Line::Entry(recorded) = line {
                read.push(recorded);
            }
        }
        Ok(read)
    }

    /// The comment that is the dashboard, by the pointers of the journal.
    pub(super) fn comment(&self) -> forge::Result<Option<u64>> {
        let mut writer = Writer::<Recorded>::ensure();
        writer.answer(Answer::Recorded { own: Vec::new(), journal: self.journal()? });
        Ok(writer.target())
    }

    /// What entries amount to.
    pub(super) fn board(&self, recorded: &[Recorded]) -> Board {
        fold(&self.layout, recorded)
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

    /// The statuses of this commit that are entries or pointers of ours, newest first, about whichever pull request.
    fn all_lines(&self) -> forge::Result<Vec<Line>> {
        let account = self.forge.account()?;
        let ours = |record: &&StatusRecord| {
            record.creator == account || self.rules.dashboard.authors.contains(&record.creator)
        };
        let statuses = self.forge.statuses(&self.sha)?;
        Ok(statuses
            .iter()
            .filter(ours)
            .filter_map(|record| Line::read(record, &self.rules.dashboard.context))
            .collect())
    }

    /// The pull request that reported to one of these rows of this commit last, whichever it is.
    pub(super) fn pull_of_rows(&self, rows: &[String]) -> forge::Result<Option<PullNumber>> {
        Ok(self.all_lines()?.into_iter().find_map(|line| match line {
            Line::Entry(recorded) if rows.contains(&recorded.entry.row) => recorded.entry.pr,
            Line::Entry(_) | Line::Pointer { .. } => None,
        }))
    }

    /// Those about this pull request.
    fn lines(&self) -> forge::Result<Vec<Line>> {
        let mut lines = self.all_lines()?;
        lines.retain(|line| match line {
            Line::Entry(recorded) => recorded.entry.pr == self.pull,
            Line::Pointer { pointer, .. } => pointer.pr == self.pull,
        });
        Ok(lines)
    }

    fn journal(&self) -> forge::Result<Journal<Recorded>> {
        let mut journal = Journal { entries: Vec::new(), pointers: Vec::new() };
        for line in self.lines()? {
            match line {
                Line::Entry(recorded) => journal.entries.push((recorded.seq, recorded)),
                Line::Pointer { seq, pointer } => {
                    journal.pointers.push((seq, Points { comment: pointer.comment, gone: pointer.gone }));
                }
            }
        }
        Ok(journal)
    }

    /// Appends entries and brings the comment up to date; returns all that is known then.
    pub(super) fn write(&self, entries: Vec<Entry>) -> forge::Result<Vec<Recorded>> {
        let mut writer = self.writer(entries);
        self.drive(&mut writer, &mut |_| {})?;
        Ok(writer.entries().map(|(_, recorded)| recorded.clone()).collect())
    }

    /// Makes sure that the comment is there and reads right; whether it was already so.
    pub(super) fn ensure(&self) -> forge::Result<(Vec<Recorded>, bool)> {
        let mut writer = Writer::ensure();
        let mut wrote = false;
        self.drive(&mut writer, &mut |ask| wrote |= matches!(ask, Ask::Write(_)))?;
        Ok((writer.entries().map(|(_, recorded)| recorded.clone()).collect(), !wrote))
    }

    fn writer(&self, entries: Vec<Entry>) -> Writer<Recorded> {
        let unsent = entries.into_iter().map(unsent).collect();
        if self.pull.is_some() { Writer::new(unsent) } else { Writer::journal_only(unsent) }
    }

    /// Does what the machine asks until it asks nothing; `seen` hears each request once it is done.
    fn drive(&self, writer: &mut Writer<Recorded>, seen: &mut dyn FnMut(&Ask<Recorded>)) -> forge::Result<()> {
        loop {
            let ask = writer.ask();
            let answer = match &ask {
                Ask::Record(entries) => {
                    let own = entries.iter().map(|unsent| self.append(unsent)).collect::<forge::Result<_>>()?;
                    Answer::Recorded { own, journal: self.journal()? }
                }
                Ask::FindOrphan => Answer::Orphan(self.orphan(writer)?),
                Ask::Compare(comment) => match self.forge.comment(*comment) {
                    Ok(posted) => Answer::Stands(posted.body == self.markdown(&known(writer))),
                    Err(forge::Error::NotFound(_)) => Answer::Gone,
                    Err(error) => return Err(error),
                },
                Ask::Write(comment) => self.write_comment(*comment, &known(writer))?,
                Ask::Delete(comments) => {
                    for comment in comments {
                        match self.forge.delete_comment(*comment) {
                            Ok(()) | Err(forge::Error::NotFound(_)) => {}
                            Err(error) => return Err(error),
                        }
                    }
                    Answer::Deleted
                }
                Ask::Point { comment, gone } => Answer::Pointed(self.point(*comment, gone, &known(writer))?),
                Ask::Read => Answer::Read(self.journal()?),
                Ask::Wait => {
                    pause();
                    Answer::Waited
                }
                Ask::Done => return Ok(()),
            };
            writer.answer(answer);
            seen(&ask);
        }
    }

    fn append(&self, unsent: &Recorded) -> forge::Result<(u64, Recorded)> {
        let status = unsent.entry.status(&self.rules.dashboard.context);
        let record = self.forge.append(&self.sha, &status)?;
        let entry = unsent.entry.clone();
        Ok((record.id, Recorded { seq: record.id, at: record.created_at, entry }))
    }

    /// A dashboard of this commit that a writer created and could not point at any more.
    fn orphan(&self, writer: &Writer<Recorded>) -> forge::Result<Option<u64>> {
        let Some(pull) = self.pull else { return Ok(None) };
        let since = writer.entries().map(|(_, recorded)| recorded.at).min();
        let account = self.forge.account()?;
        let comments = self.forge.comments(pull, since)?;
        let ours = |comment: &&forge::PostedComment| {
            comment.author == account && render::marked(&comment.body, self.rules, &self.sha)
        };
        Ok(comments.iter().find(ours).map(|comment| comment.id))
    }

    fn write_comment(&self, comment: Option<u64>, recorded: &[Recorded]) -> forge::Result<Answer<Recorded>> {
        let body = self.markdown(recorded);
        match (comment, self.pull) {
            (Some(id), _) => match self.forge.edit_comment(id, &body) {
                Ok(posted) => Ok(Answer::Written(posted.id)),
                Err(forge::Error::NotFound(_)) => Ok(Answer::Gone),
                Err(error) => Err(error),
            },
            (None, Some(pull)) => {
                let posted = self.forge.create_comment(pull, &body)?;
                self.hide_older(pull, posted.id);
                Ok(Answer::Written(posted.id))
            }
            (None, None) => Err(forge::Error::Invalid("a commit without a pull request has no dashboard".to_owned())),
        }
    }

    /// Hides the dashboards of earlier commits. A decoration: it never fails the call.
    fn hide_older(&self, pull: PullNumber, newest: u64) {
        if self.rules.dashboard.old_commits == OldCommits::Keep {
            return;
        }
        let (Ok(account), Ok(comments)) = (self.forge.account(), self.forge.comments(pull, None)) else { return };
        let start = format!("<!-- {}:", self.rules.dashboard.marker);
        for comment in comments.iter().filter(|comment| comment.id < newest && comment.author == account) {
            let other = comment.body.starts_with(&start) && !render::marked(&comment.body, self.rules, &self.sha);
            if other && !comment.minimized {
                let _decoration = self.forge.minimize(comment.id);
            }
        }
    }

    fn point(&self, comment: u64, gone: &[u64], recorded: &[Recorded]) -> forge::Result<u64> {
        let board = self.board(recorded);
        let url = self.forge.comment_url(self.pull, comment);
        let pointer = Pointer {
            id: output::random(),
            pr: self.pull,
            comment,
            gone: gone.to_vec(),
            state: State::from(board.overall()),
            next: render::next_step(self.rules, &board).description(),
            url,
        };
        Ok(self.forge.append(&self.sha, &pointer.status(&self.rules.dashboard.context))?.id)
    }
}

fn known(writer: &Writer<Recorded>) -> Vec<Recorded> {
    writer.entries().map(|(_, recorded)| recorded.clone()).collect()
}

/// An entry that has no id of the forge yet.
fn unsent(entry: Entry) -> Recorded {
    Recorded { seq: u64::MAX, at: jiff::Timestamp::UNIX_EPOCH, entry }
}

/// Others are writing too: a little random delay, so that not all come back at once.
fn pause() {
    let random = u64::from_str_radix(&output::random()[..4], 16).unwrap_or(0);
    std::thread::sleep(Duration::from_millis(5 + random % 50));
}

/// A writer beside the work: entries are sent to it as they come, and it coalesces those that wait.
pub(super) struct Keeper<'d, 'a> {
    dashboard: &'d Dashboard<'a>,
    entries: Receiver<Vec<Entry>>,
    first: &'d Begun,
}

/// Whether the first entries stand in the journal, so that the work may begin.
#[derive(Default)]
pub(super) struct Begun {
    state: Mutex<Option<bool>>,
    moved: Condvar,
}

impl Begun {
    fn set(&self, stands: bool) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.get_or_insert(stands);
        self.moved.notify_all();
    }

    /// Waits until the first entries are written, or cannot be: whether they are.
    pub(super) fn wait(&self) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            match *state {
                Some(stands) => return stands,
                None => state = self.moved.wait(state).unwrap_or_else(PoisonError::into_inner),
            }
        }
    }
}

impl<'d, 'a> Keeper<'d, 'a> {
    pub(super) fn new(dashboard: &'d Dashboard<'a>, first: &'d Begun) -> (Self, Sender<Vec<Entry>>) {
        let (sender, entries) = channel();
        (Self { dashboard, entries, first }, sender)
    }

    /// Writes what is sent until nobody can send any more; returns all that is known then. After a failure it goes on
    /// taking entries and tries them once more at the end, since the work goes on too.
    pub(super) fn keep(self) -> forge::Result<Vec<Recorded>> {
        let mut writer = self.dashboard.writer(Vec::new());
        let mut result = Ok(());
        while let Ok(entries) = self.entries.recv() {
            writer.add(entries.into_iter().chain(self.entries.try_iter().flatten()).map(unsent));
            result = self.dashboard.drive(&mut writer, &mut |ask| {
                if matches!(ask, Ask::Write(_)) || self.dashboard.pull.is_none() {
                    self.first.set(true);
                }
            });
            if result.is_err() {
                self.first.set(false);
            }
        }
        if result.is_err() {
            result = self.dashboard.drive(&mut writer, &mut |_| {});
        }
        self.first.set(result.is_ok());
        result.map(|()| known(&writer))
    }
}
