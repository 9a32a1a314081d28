//! The writer's machine, driven over a forge: what it asks is done, side by side where nothing waits for anything.

use std::sync::PoisonError;
use std::thread;
use std::time::{Duration, Instant};

use indexmap::IndexMap;

use super::Dashboard;
use crate::cli::output;
use crate::forge;
use crate::model::board::{Entry, Recorded};
use crate::model::ids::PullNumber;
use crate::model::journal::{Pointer, State};
use crate::model::rules::OldCommits;
use crate::render;
use crate::sync::{Answer, Ask, Writer};

/// For how long a list of statuses may lag behind what was written.
const LAG: Duration = Duration::from_secs(60);
/// The shortest and about the longest pause.
const LEAST: Duration = Duration::from_millis(5);
const MOST: Duration = Duration::from_secs(4);

impl Dashboard<'_> {
    /// Appends entries and brings the comment up to date; returns all that is known then.
    pub(in crate::cli) fn write(&self, entries: Vec<Entry>) -> forge::Result<Vec<Recorded>> {
        let mut writer = self.writer(entries);
        self.drive(&mut writer, &mut |_| Vec::new())?;
        Ok(writer.entries().map(|(_, recorded)| recorded.clone()).collect())
    }

    /// Makes sure that the comment is there and reads right; whether it was already so.
    pub(in crate::cli) fn ensure(&self) -> forge::Result<(Vec<Recorded>, bool)> {
        let mut writer = Writer::ensure();
        let mut wrote = false;
        self.drive(&mut writer, &mut |ask| {
            wrote |= matches!(ask, Ask::Write(_) | Ask::Point { .. });
            Vec::new()
        })?;
        Ok((writer.entries().map(|(_, recorded)| recorded.clone()).collect(), !wrote))
    }

    pub(super) fn writer(&self, entries: Vec<Entry>) -> Writer<Recorded> {
        let unsent = entries.into_iter().map(unsent).collect();
        if self.pull.is_some() { Writer::new(unsent) } else { Writer::journal_only(unsent) }
    }

    /// Does what the machine asks until it asks nothing; `seen` hears each request once it is done, and gives the entries
    /// that came in meanwhile.
    pub(super) fn drive(
        &self,
        writer: &mut Writer<Recorded>,
        seen: &mut dyn FnMut(&Ask<Recorded>) -> Vec<Entry>,
    ) -> forge::Result<()> {
        let mut patience = Patience::default();
        loop {
            let ask = writer.ask();
            let begun = Instant::now();
            let answer = match &ask {
                Ask::Record(entries) => self.record(entries)?,
                Ask::FindOrphan => Answer::Orphan(self.orphan(writer)?),
                Ask::Compare(comment) => match self.forge.comment(*comment) {
                    Ok(posted) => {
                        let known = known(writer);
                        let pointer = self.is_told(*comment, &known);
                        Answer::Stands { comment: self.reads_right(&posted.body, &known), pointer }
                    }
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
                Ask::Read => Answer::Read(self.journal(&self.forge.statuses(&self.sha)?, &self.forge.account()?)),
                Ask::Wait => {
                    patience.lagging()?;
                    Answer::Waited
                }
                Ask::GiveWay => {
                    patience.pause();
                    Answer::Waited
                }
                Ask::Done => return Ok(()),
            };
            if !matches!(ask, Ask::Wait | Ask::GiveWay) {
                patience.trip = patience.trip.max(begun.elapsed());
            }
            writer.answer(answer);
            if let (Ask::Write(_) | Ask::Compare(_), Some(comment)) = (&ask, writer.target()) {
                self.found.get_or_init(|| comment);
            }
            writer.add(seen(&ask).into_iter().map(unsent));
        }
    }

    /// Appends entries and reads the journal at the same time. Entries about one row go one after another, so that what
    /// was reported last is also what is recorded last.
    fn record(&self, entries: &[Recorded]) -> forge::Result<Answer<Recorded>> {
        let mut rows: IndexMap<(&str, Option<&str>), Vec<&Recorded>> = IndexMap::new();
        for unsent in entries {
            rows.entry((&unsent.entry.row, unsent.entry.layer.as_deref())).or_default().push(unsent);
        }
        let rows: Vec<Vec<&Recorded>> = rows.into_values().collect();
        let append =
            |row: &Vec<&Recorded>| -> forge::Result<Vec<_>> { row.iter().map(|unsent| self.append(unsent)).collect() };
        let (own, statuses) = forge::both(|| forge::side_by_side(&rows, append), || self.forge.statuses(&self.sha));
        let own: forge::Result<Vec<_>> = own.into_iter().collect();
        let own = own?.concat();
        // Our own entries tell whose account this is, so that it need not be asked.
        Ok(Answer::Recorded { own, journal: self.journal(&statuses?, &self.forge.account()?) })
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
        let pointer = self.pointer(comment, gone, recorded);
        Ok(self.forge.append(&self.sha, &pointer.status(&self.rules.dashboard.context))?.id)
    }

    fn pointer(&self, comment: u64, gone: &[u64], recorded: &[Recorded]) -> Pointer {
        let board = self.board(recorded);
        Pointer {
            id: output::random(),
            pr: self.pull,
            comment,
            gone: gone.to_vec(),
            state: State::from(board.overall()),
            next: render::next_step(self.rules, &board).description(),
            url: self.forge.comment_url(self.pull, comment),
        }
    }

    /// Whether a comment reads as these entries would have it.
    pub(in crate::cli) fn reads_right(&self, body: &str, recorded: &[Recorded]) -> bool {
        forge::same_text(body, &self.markdown(recorded))
    }

    /// Whether the newest pointer that was read names this comment and tells people what these entries come to.
    pub(in crate::cli) fn is_told(&self, comment: u64, recorded: &[Recorded]) -> bool {
        let told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.as_ref().is_some_and(|(_, pointer)| {
            let says = |pointer: &Pointer| {
                let status = pointer.status(&self.rules.dashboard.context);
                (status.state, status.description)
            };
            pointer.comment == comment && says(pointer) == says(&self.pointer(comment, &[], recorded))
        })
    }
}

pub(super) fn known(writer: &Writer<Recorded>) -> Vec<Recorded> {
    writer.entries().map(|(_, recorded)| recorded.clone()).collect()
}

/// An entry that has no id of the forge yet.
pub(super) fn unsent(entry: Entry) -> Recorded {
    Recorded { seq: u64::MAX, at: jiff::Timestamp::UNIX_EPOCH, entry }
}

/// How long to wait: at random, so that not all come back at once, and longer each time.
#[derive(Default)]
struct Patience {
    /// The longest that the forge took for anything.
    trip: Duration,
    pauses: u32,
    waited: Duration,
}

impl Patience {
    /// A list lags, which it may for a while.
    fn lagging(&mut self) -> forge::Result<()> {
        if self.waited > LAG {
            let seconds = self.waited.as_secs();
            return Err(forge::Error::Server(format!("the journal does not show what was written {seconds} s ago")));
        }
        let pause = self.pause();
        self.waited += pause;
        Ok(())
    }

    fn pause(&mut self) -> Duration {
        let random = u32::from_str_radix(&output::random()[..4], 16).unwrap_or(0) % 1_000;
        let most = self.trip.max(LEAST).saturating_mul(2 << self.pauses.min(6)).min(MOST);
        let pause = most / 2 + most / 1_000 * random;
        self.pauses += 1;
        thread::sleep(pause);
        pause
    }
}
