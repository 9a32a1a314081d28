//! A writer beside the work: jobs send it their entries as they come, and it keeps the dashboard meanwhile.

use std::cell::{Cell, RefCell};
use std::sync::mpsc::{Receiver, Sender, channel};

use jiff::Timestamp;

use super::Dashboard;
use super::drive::{known, unsent};
use crate::forge;
use crate::model::board::{Entry, Recorded};
use crate::sync::{Ask, Writer};

/// The writer: it coalesces the entries that wait.
pub(in crate::cli) struct Keeper<'d, 'a> {
    dashboard: &'d Dashboard<'a>,
    sent: Receiver<Sent>,
    /// Who waits until the work may begin: until the first entries stand in the comment too.
    begun: Cell<Option<Sender<forge::Result<()>>>>,
    /// Those who wait until an entry, by its id, stands in the journal.
    waiting: RefCell<Vec<(String, Sender<forge::Result<()>>)>>,
    /// Whether the journal took anything.
    recorded: Cell<bool>,
}

/// Entries, and who waits until they stand in the journal.
pub(in crate::cli) struct Sent {
    entries: Vec<Entry>,
    stand: Option<Sender<forge::Result<()>>>,
}

impl Sent {
    pub(in crate::cli) fn new(entries: Vec<Entry>) -> Self {
        Self { entries, stand: None }
    }

    /// Entries of which the receiver hears once that they stand in the journal, or that they could not be written.
    pub(in crate::cli) fn told(entries: Vec<Entry>) -> (Self, Receiver<forge::Result<()>>) {
        let (stand, told) = channel();
        (Self { entries, stand: Some(stand) }, told)
    }
}

/// What the keeper leaves behind.
pub(in crate::cli) struct Kept {
    /// All that is known, also what could not be written.
    pub(in crate::cli) recorded: Vec<Recorded>,
    /// What of it is not in the journal.
    pub(in crate::cli) unsent: Vec<Entry>,
    /// Why the dashboard does not show all of it, where it does not.
    pub(in crate::cli) lost: Option<forge::Error>,
}

/// Waits until it is told whether entries stand.
pub(in crate::cli) fn heard(told: &Receiver<forge::Result<()>>) -> forge::Result<()> {
    told.recv().unwrap_or_else(|_| Err(forge::Error::Server("nobody writes the dashboard any more".to_owned())))
}

impl<'d, 'a> Keeper<'d, 'a> {
    /// The writer, by what entries are sent to it, and where it is told whether the work may begin.
    pub(in crate::cli) fn new(dashboard: &'d Dashboard<'a>) -> (Self, Sender<Sent>, Receiver<forge::Result<()>>) {
        let ((sender, sent), (begun, told)) = (channel(), channel());
        let begun = Cell::new(Some(begun));
        (Self { dashboard, sent, begun, waiting: RefCell::default(), recorded: Cell::new(false) }, sender, told)
    }

    /// Writes what is sent until nobody can send any more. After a failure it goes on taking entries and tries them once
    /// more at the end, since the work goes on too; where the account may not even write the journal, it does not.
    pub(in crate::cli) fn keep(self) -> Kept {
        let mut writer = self.dashboard.writer(Vec::new());
        let (mut result, mut denied) = (Ok(()), false);
        while let Ok(sent) = self.sent.recv() {
            writer.add(self.taken(sent).into_iter().map(unsent));
            if !denied {
                result = self.write(&mut writer);
                denied = matches!(result, Err(forge::Error::Denied(_)));
            }
            self.tell(|_| true, &result);
        }
        if result.is_err() && (!denied || self.recorded.get()) {
            result = self.write(&mut writer);
        }
        let unsent = writer.queued().iter().map(|draft| draft.entry.clone()).collect();
        Kept { recorded: with_drafts(&writer), unsent, lost: result.err() }
    }

    fn write(&self, writer: &mut Writer<Recorded>) -> forge::Result<()> {
        let result = self.dashboard.drive(writer, &mut |ask| {
            if let Ask::Record(entries) = ask {
                self.recorded.set(true);
                self.tell(|id| entries.iter().any(|unsent| unsent.entry.id == id), &Ok(()));
            }
            if matches!(ask, Ask::Write(_)) || self.dashboard.pull.is_none() {
                self.may_begin(&Ok(()));
            }
            // What the work reports meanwhile goes first, so that it stands soon after the work has ended.
            self.sent.try_iter().flat_map(|sent| self.taken(sent)).collect()
        });
        self.may_begin(&result);
        result
    }

    /// Tells, once, whether the work may begin.
    fn may_begin(&self, stands: &forge::Result<()>) {
        if let Some(begun) = self.begun.take() {
            let _gone = begun.send(stands.clone());
        }
    }

    /// The entries that were sent; who waits for them is remembered.
    fn taken(&self, sent: Sent) -> Vec<Entry> {
        let Sent { entries, stand } = sent;
        if let (Some(last), Some(stand)) = (entries.last(), stand) {
            self.waiting.borrow_mut().push((last.id.clone(), stand));
        }
        entries
    }

    /// Tells those who wait for such an entry.
    fn tell(&self, such: impl Fn(&str) -> bool, stands: &forge::Result<()>) {
        self.waiting.borrow_mut().retain(|(id, waiting)| {
            let tell = such(id);
            if tell {
                let _gone = waiting.send(stands.clone());
            }
            !tell
        });
    }
}

/// What is known, and behind it what is not in the journal, as of now.
fn with_drafts(writer: &Writer<Recorded>) -> Vec<Recorded> {
    let mut recorded = known(writer);
    let last = recorded.last().map_or(0, |recorded| recorded.seq);
    let drafts = (last + 1..).zip(writer.queued());
    recorded.extend(drafts.map(|(seq, draft)| Recorded { seq, at: Timestamp::now(), entry: draft.entry.clone() }));
    recorded
}
