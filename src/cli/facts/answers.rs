//! What the forge answered about a pull request and its people, each thing asked once; and which things a decision is
//! going to ask, so that they can be asked side by side beforehand.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, OnceLock, PoisonError};

use crate::forge::{self, Check, Forge, Lock, Review};
use crate::gate::{Facts, Known, PersonaFacts, Standing, Trouble, Unknown};
use crate::model::event::Pull;
use crate::model::pattern::Wildcard;
use crate::model::rules::{Checks, Permission};

/// Something that the forge is asked.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::cli) enum Question {
    Permission(String),
    Team { team: String, login: String },
    Reviews,
    Checks,
    Mergeable,
    BaseChanges,
    ChangedFiles,
    Locked,
}

/// The answers so far.
pub(in crate::cli) struct Answers<'a> {
    forge: &'a dyn Forge,
    pull: Option<&'a Pull>,
    permissions: Mutex<BTreeMap<String, Known<Permission>>>,
    teams: Mutex<BTreeMap<(String, String), Known<bool>>>,
    reviews: OnceLock<Known<Vec<Review>>>,
    checks: OnceLock<Known<Vec<Check>>>,
    mergeable: OnceLock<Known<bool>>,
    base_changes: OnceLock<Known<Vec<String>>>,
    changed_files: OnceLock<Known<Vec<String>>>,
    locked: OnceLock<Known<BTreeSet<String>>>,
    locks: Mutex<BTreeMap<String, Known<Option<Lock>>>>,
}

impl<'a> Answers<'a> {
    pub(in crate::cli) fn new(forge: &'a dyn Forge, pull: Option<&'a Pull>) -> Self {
        Self {
            forge,
            pull,
            permissions: Mutex::default(),
            teams: Mutex::default(),
            reviews: OnceLock::new(),
            checks: OnceLock::new(),
            mergeable: OnceLock::new(),
            base_changes: OnceLock::new(),
            changed_files: OnceLock::new(),
            locked: OnceLock::new(),
            locks: Mutex::default(),
        }
    }

    /// Asks all of these side by side.
    pub(in crate::cli) fn ask(&self, questions: &[Question]) {
        forge::side_by_side(questions, |question| match question {
            Question::Permission(login) => drop(self.permission(login)),
            Question::Team { team, login } => drop(self.team_member(team, login)),
            Question::Reviews => drop(self.reviews()),
            Question::Checks => drop(self.checks()),
            Question::Mergeable => drop(self.mergeable()),
            Question::BaseChanges => drop(self.base_changes()),
            Question::ChangedFiles => drop(self.changed_files()),
            Question::Locked => drop(self.locked()),
        });
    }

    pub(super) fn pull(&self) -> Known<&'a Pull> {
        self.pull.ok_or_else(|| Unknown::new("no pull request is named, as `--pr N` does"))
    }

    pub(super) fn permission(&self, login: &str) -> Known<Permission> {
        once(&self.permissions, login.to_owned(), || self.forge.permission(login).map_err(unknown))
    }

    pub(super) fn team_member(&self, team: &str, login: &str) -> Known<bool> {
        let key = (team.to_owned(), login.to_owned());
        once(&self.teams, key, || self.forge.team_member(team, login).map_err(unknown))
    }

    pub(super) fn reviews(&self) -> Known<&[Review]> {
        kept(&self.reviews, || self.forge.reviews(self.pull()?.number).map_err(unknown))
    }

    pub(super) fn checks(&self) -> Known<&[Check]> {
        kept(&self.checks, || self.forge.checks(&self.pull()?.head_sha).map_err(unknown))
    }

    pub(super) fn mergeable(&self) -> Known<bool> {
        let ask = || match self.forge.mergeable(self.pull()?).map_err(unknown)? {
            Some(mergeable) => Ok(mergeable),
            None => Err(Unknown { trouble: Some(Trouble::Outage), ..Unknown::new("GitHub is still computing it") }),
        };
        self.mergeable.get_or_init(ask).clone()
    }

    pub(super) fn base_changes(&self) -> Known<&[String]> {
        kept(&self.base_changes, || self.forge.base_changes(self.pull()?).map_err(unknown))
    }

    /// By the locks that the pull request keeps of layers until it is closed.
    pub(super) fn applied(&self, layers: &[&str]) -> Known<BTreeSet<String>> {
        let Some(pull) = self.pull.filter(|_| !layers.is_empty()) else { return Ok(BTreeSet::new()) };
        let locked = self.locked()?;
        let layers: Vec<&str> = layers.iter().copied().filter(|layer| locked.contains(*layer)).collect();
        let locks = forge::side_by_side(&layers, |layer| self.lock(layer));
        let locks: Vec<Option<Lock>> = locks.into_iter().collect::<Known<_>>()?;
        // What work of a run that died came to nobody knows.
        let applied = |lock: &Lock| (lock.applied || lock.work.is_some()) && lock.pull == Some(pull.number);
        Ok(locks.into_iter().flatten().filter(applied).map(|lock| lock.layer).collect())
    }

    fn locked(&self) -> Known<&BTreeSet<String>> {
        self.locked.get_or_init(|| self.forge.locked().map_err(unknown)).as_ref().map_err(Clone::clone)
    }

    fn lock(&self, layer: &str) -> Known<Option<Lock>> {
        once(&self.locks, layer.to_owned(), || self.forge.lock(layer).map_err(unknown))
    }

    pub(super) fn changed_files(&self) -> Known<&[String]> {
        kept(&self.changed_files, || self.forge.changed_files(self.pull()?).map_err(unknown))
    }
}

fn unknown(error: forge::Error) -> Unknown {
    let unreadable = matches!(error, forge::Error::Denied(_));
    let outage = error.is_outage().then_some(Trouble::Outage);
    let trouble = outage.or_else(|| matches!(error, forge::Error::Here(_)).then_some(Trouble::Here));
    Unknown { message: error.to_string(), unreadable, trouble }
}

fn kept<T>(cell: &OnceLock<Known<Vec<T>>>, ask: impl FnOnce() -> Known<Vec<T>>) -> Known<&[T]> {
    cell.get_or_init(ask).as_deref().map_err(Clone::clone)
}

fn once<K: Ord + Clone, V: Clone>(answers: &Mutex<BTreeMap<K, V>>, key: K, ask: impl FnOnce() -> V) -> V {
    if let Some(known) = answers.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
        return known.clone();
    }
    // The others need not wait while this one is asked.
    let answer = ask();
    answers.lock().unwrap_or_else(PoisonError::into_inner).entry(key).or_insert(answer).clone()
}

/// Facts that all hold, and remember what they were asked.
#[derive(Default)]
pub(in crate::cli) struct Rehearsal {
    all_hold: PersonaFacts,
    asked: RefCell<BTreeSet<Question>>,
}

impl Rehearsal {
    /// What was asked.
    pub(in crate::cli) fn questions(self) -> Vec<Question> {
        self.asked.into_inner().into_iter().collect()
    }

    fn note(&self, question: Question) {
        self.asked.borrow_mut().insert(question);
    }
}

impl Facts for Rehearsal {
    fn permission(&self, login: &str) -> Known<Permission> {
        self.note(Question::Permission(login.to_owned()));
        self.all_hold.permission(login)
    }

    fn team_member(&self, team: &str, login: &str) -> Known<bool> {
        self.note(Question::Team { team: team.to_owned(), login: login.to_owned() });
        self.all_hold.team_member(team, login)
    }

    fn approvals(&self, stage: Option<&str>, layer: Option<&str>) -> Known<u32> {
        self.note(Question::Reviews);
        self.all_hold.approvals(stage, layer)
    }

    fn checks(&self, wanted: &Checks) -> Known<Standing> {
        self.note(Question::Checks);
        self.all_hold.checks(wanted)
    }

    fn mergeable(&self) -> Known<bool> {
        self.note(Question::Mergeable);
        self.all_hold.mergeable()
    }

    fn up_to_date(&self, paths: &[Wildcard]) -> Known<bool> {
        self.note(Question::BaseChanges);
        self.all_hold.up_to_date(paths)
    }

    fn planned(&self, stage: &str, layer: Option<&str>) -> Known<bool> {
        // The board answers that.
        self.all_hold.planned(stage, layer)
    }

    fn changed(&self, paths: &[Wildcard]) -> Known<Option<String>> {
        self.note(Question::ChangedFiles);
        self.all_hold.changed(paths)
    }

    fn applied(&self, layers: &[&str]) -> Known<BTreeSet<String>> {
        self.note(Question::Locked);
        self.all_hold.applied(layers)
    }
}
