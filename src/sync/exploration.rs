//! Every interleaving of three writers over one journal whose lists lag, with one of them dying at any point: the very
//! machine of the tool, against a small world. The search remembers states, so it is complete, not a sample.
#![expect(clippy::print_stderr, reason = "how many states were searched is what a reader of the test wants to know")]

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::rc::Rc;

use super::{Answer, Ask, Journal, Phase, Points, Writer};

type Entry = u8;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Item {
    Entry(Entry),
    Pointer(Points),
}

/// How far a reading of the journal may be off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lists {
    /// It shows the journal up to some point: what lag does.
    Lag,
    /// The same, less the readings that do not show a writer's fence: those only make it ask again, and what it learned
    /// from them is in the next one. This makes three writers few enough states to be searched in each test run.
    Fenced,
    /// It may leave out any one item: nothing does that, and the machine could not stand it.
    Holes,
}

#[derive(Debug, Clone, Default)]
struct World {
    log: Vec<Item>,
    comments: BTreeMap<u64, BTreeSet<Entry>>,
    created: u64,
    /// Who wrote a comment last, and who pointed at one last.
    wrote: Option<usize>,
    pointed: Option<usize>,
    /// What the newest pointer tells of.
    told: BTreeSet<Entry>,
}

/// What states have in common they share.
#[derive(Debug, Clone)]
struct State {
    world: Rc<World>,
    writers: Vec<Rc<Writer<Entry>>>,
    dead: Option<usize>,
    /// An entry that the first writer is still to be given, at whatever moment.
    late: Option<Entry>,
}

impl State {
    fn is_busy(&self, who: usize) -> bool {
        self.dead != Some(who) && self.writers[who].phase != Phase::Done
    }

    /// Whether it is busy, or can still be made so.
    fn may_act(&self, who: usize) -> bool {
        self.is_busy(who) || (who == 0 && self.late.is_some())
    }
}

impl World {
    fn journal(&self, shown: impl Fn(usize) -> bool) -> Journal<Entry> {
        let mut journal = Journal { entries: Vec::new(), pointers: Vec::new() };
        for (at, item) in self.log.iter().enumerate().filter(|(at, _)| shown(*at)) {
            match item {
                Item::Entry(entry) => journal.entries.push((self.seq(at), *entry)),
                Item::Pointer(points) => journal.pointers.push((self.seq(at), points.clone())),
            }
        }
        journal
    }

    /// Every reading that the journal may give now. How far a reading lags behind matters only where it hides an item,
    /// so every prefix is one.
    fn readings(&self, lists: Lists, most: usize) -> Vec<Journal<Entry>> {
        let len = self.log.len();
        match lists {
            Lists::Lag | Lists::Fenced => {
                (len.saturating_sub(most)..=len).map(|end| self.journal(|at| at < end)).collect()
            }
            Lists::Holes => (0..=len).map(|hole| self.journal(|at| at != hole)).collect(),
        }
    }

    fn append(&mut self, item: Item) -> u64 {
        self.log.push(item);
        self.seq(self.log.len() - 1)
    }

    /// The id of an item. Writers only compare ids, so entries are numbered by what they are: then logs that differ in
    /// their order alone lead to the same states.
    fn seq(&self, at: usize) -> u64 {
        match &self.log[at] {
            Item::Entry(entry) => u64::from(*entry),
            Item::Pointer(_) => {
                100 + self.log[..at].iter().filter(|item| matches!(item, Item::Pointer(_))).count() as u64
            }
        }
    }

    fn write(&mut self, who: usize, comment: u64, writer: &Writer<Entry>) {
        self.comments.insert(comment, known(writer));
        self.wrote = Some(who);
    }
}

fn known(writer: &Writer<Entry>) -> BTreeSet<Entry> {
    writer.entries().map(|(_, entry)| *entry).collect()
}

/// Everything that one writer's next request may lead to.
fn steps(state: &State, who: usize, lists: Lists, lag: usize) -> Vec<State> {
    let mut after = Vec::new();
    let mut shared = Rc::clone(&state.world);
    let writer = &state.writers[who];
    let mut reach = |world: &Rc<World>, answer: Answer<Entry>| {
        let mut next = State { world: Rc::clone(world), ..state.clone() };
        let writer = Rc::make_mut(&mut next.writers[who]);
        writer.answer(answer);
        // To wait touches nothing that another sees, so that its moment makes no difference.
        while matches!(writer.phase, Phase::Lagging { .. } | Phase::Backoff) {
            writer.answer(Answer::Waited);
        }
        after.push(next);
    };
    match writer.ask() {
        Ask::Record(entries) => {
            let world = Rc::make_mut(&mut shared);
            let own: Vec<_> = entries.into_iter().map(|entry| (world.append(Item::Entry(entry)), entry)).collect();
            for journal in shared.readings(lists, lag + own.len()) {
                reach(&shared, Answer::Recorded { own: own.clone(), journal });
            }
        }
        Ask::FindOrphan => {
            // The list of comments lags too.
            reach(&shared, Answer::Orphan(None));
            if let Some(orphan) = shared.comments.keys().next() {
                reach(&shared, Answer::Orphan(Some(*orphan)));
            }
        }
        Ask::Write(None) => {
            let world = Rc::make_mut(&mut shared);
            world.created += 1;
            let id = world.created;
            world.write(who, id, writer);
            reach(&shared, Answer::Written(id));
        }
        Ask::Write(Some(id)) if shared.comments.contains_key(&id) => {
            Rc::make_mut(&mut shared).write(who, id, writer);
            reach(&shared, Answer::Written(id));
        }
        Ask::Write(Some(_)) => reach(&shared, Answer::Gone),
        Ask::Compare(comment) => match shared.comments.get(&comment) {
            None => reach(&shared, Answer::Gone),
            Some(content) => {
                let known = known(writer);
                reach(&shared, Answer::Stands { comment: known == *content, pointer: known == shared.told });
            }
        },
        Ask::Delete(ids) => {
            let world = Rc::make_mut(&mut shared);
            for id in ids {
                world.comments.remove(&id);
            }
            reach(&shared, Answer::Deleted);
        }
        Ask::Point { comment, gone } => {
            let world = Rc::make_mut(&mut shared);
            let fence = world.append(Item::Pointer(Points { comment, gone }));
            world.pointed = Some(who);
            world.told = known(writer);
            reach(&shared, Answer::Pointed(fence));
        }
        Ask::Read => {
            for journal in shared.readings(lists, lag) {
                let mut reader = Writer::clone(writer);
                reader.answer(Answer::Read(journal.clone()));
                if lists != Lists::Fenced || !matches!(reader.phase, Phase::Lagging { .. }) {
                    reach(&shared, Answer::Read(journal));
                }
            }
        }
        Ask::Wait | Ask::GiveWay => reach(&shared, Answer::Waited),
        Ask::Done => {}
    }
    after
}

/// What is wrong with a state in which nobody has anything left to do.
fn verdict(state: &State) -> Result<(), String> {
    let gone: BTreeSet<u64> = state
        .world
        .log
        .iter()
        .flat_map(|item| match item {
            Item::Pointer(points) => points.gone.clone(),
            Item::Entry(_) => Vec::new(),
        })
        .collect();
    let target = state
        .world
        .log
        .iter()
        .filter_map(|item| match item {
            Item::Pointer(points) if !gone.contains(&points.comment) => Some(points.comment),
            Item::Pointer(_) | Item::Entry(_) => None,
        })
        .min();
    // A writer that died between writing and the end of its fence leaves a comment that the next call mends.
    let excused = state.dead.is_some() && (state.world.wrote == state.dead || state.world.pointed == state.dead);
    let all: BTreeSet<Entry> = state
        .world
        .log
        .iter()
        .filter_map(|item| match item {
            Item::Entry(entry) => Some(*entry),
            Item::Pointer(_) => None,
        })
        .collect();
    let Some(target) = target else {
        return if excused { Ok(()) } else { Err("nobody points at a comment".to_owned()) };
    };
    // So does one that died between its entry and its comment, but then only its own entry may be missing.
    let owed: BTreeSet<Entry> =
        all.into_iter().filter(|entry| state.dead.is_none_or(|dead| usize::from(*entry) != dead)).collect();
    match state.world.comments.get(&target) {
        None if excused => Ok(()),
        None => Err(format!("the dashboard {target} is not there")),
        Some(content) if !excused && !owed.is_subset(content) => Err(format!("{target} shows {content:?} of {owed:?}")),
        Some(_) if !excused && !owed.is_subset(&state.world.told) => {
            Err(format!("the pointer tells {:?} of {owed:?}", state.world.told))
        }
        Some(_) if state.dead.is_none() && state.world.comments.len() != 1 => {
            Err(format!("{} comments are left", state.world.comments.len()))
        }
        Some(_) => Ok(()),
    }
}

struct Search {
    states: usize,
    ends: usize,
    fault: Option<String>,
}

fn explore(writers: Vec<Writer<Entry>>, world: World, lists: Lists, lag: usize, crash: bool) -> Search {
    let writers = writers.into_iter().map(Rc::new).collect();
    search(State { world: Rc::new(world), writers, dead: None, late: None }, lists, lag, crash)
}

fn search(begin: State, lists: Lists, lag: usize, crash: bool) -> Search {
    let mut found = Search { states: 0, ends: 0, fault: None };
    let mut seen: HashSet<u64> = HashSet::new();
    let alike = begin.late.is_none();
    let mut open = vec![begin];
    while let Some(state) = open.pop() {
        if !seen.insert(fingerprint(&state, lag, crash)) {
            continue;
        }
        found.states += 1;
        let busy: Vec<usize> = (0..state.writers.len()).filter(|who| state.is_busy(*who)).collect();
        if let Some(entry) = state.late {
            let mut next = State { late: None, ..state.clone() };
            Rc::make_mut(&mut next.writers[0]).add([entry]);
            open.push(next);
        }
        if busy.is_empty() && state.late.is_none() {
            found.ends += 1;
            if let Err(fault) = verdict(&state) {
                found.fault = Some(format!("{fault}: {state:?}"));
                return found;
            }
        }
        // Where writers are alike, which of those that did nothing yet goes first makes no difference.
        let fresh = |who: &usize| {
            let writer = &state.writers[*who];
            alike && writer.phase == Phase::Record && !writer.queue.is_empty()
        };
        let first = busy.iter().copied().find(fresh);
        for who in busy.into_iter().filter(|who| !fresh(who) || Some(*who) == first) {
            open.extend(steps(&state, who, lists, lag));
            if crash && state.dead.is_none() {
                open.push(State { dead: Some(who), ..state.clone() });
            }
        }
    }
    found
}

/// Equal for states from which the same can still happen.
fn fingerprint(state: &State, lag: usize, crash: bool) -> u64 {
    let mut hasher = DefaultHasher::new();
    let world = &state.world;
    // No reading can hide what stands before the end of the log: there, order and repetition are of no account.
    let (settled, end) = world.log.split_at(world.log.len().saturating_sub(lag));
    let (mut entries, mut named, mut gone) = (BTreeSet::<Entry>::new(), BTreeSet::new(), BTreeSet::<u64>::new());
    for item in settled {
        match item {
            Item::Entry(entry) => drop(entries.insert(*entry)),
            Item::Pointer(points) => {
                named.insert(points.comment);
                gone.extend(&points.gone);
            }
        }
    }
    (entries, named, gone, end).hash(&mut hasher);
    (&world.comments, world.created, &world.told, state.dead, state.late).hash(&mut hasher);
    // Who wrote and pointed last excuses the one that died, or may die.
    let may_die = |who: usize| crash && state.dead.is_none() && state.may_act(who);
    let excuse = |who: Option<usize>| who.filter(|who| state.dead == Some(*who) || may_die(*who));
    (excuse(world.wrote), excuse(world.pointed)).hash(&mut hasher);
    for (who, writer) in state.writers.iter().enumerate() {
        // What a writer knows that does nothing any more makes no difference; of a fence, whether it can be hidden does.
        let known = state.may_act(who).then(|| {
            let Phase::Read { fence } = writer.phase else { return Cow::Borrowed(&**writer) };
            let at = (settled.len()..world.log.len()).find(|at| world.seq(*at) == fence);
            let fence = at.map_or(0, |at| 1 + (at - settled.len()) as u64);
            Cow::Owned(Writer { phase: Phase::Read { fence }, ..Writer::clone(writer) })
        });
        known.hash(&mut hasher);
    }
    hasher.finish()
}

fn writers(count: u8) -> Vec<Writer<Entry>> {
    (0..count).map(|entry| Writer::new(vec![entry])).collect()
}

/// A dashboard that stands already, as it does for all but the first call.
fn standing() -> World {
    World {
        log: vec![Item::Entry(9), Item::Pointer(Points { comment: 1, gone: vec![] })],
        comments: BTreeMap::from([(1, BTreeSet::from([9]))]),
        created: 1,
        wrote: None,
        pointed: None,
        told: BTreeSet::from([9]),
    }
}

#[test]
fn three_writers_with_lag_and_a_crash_lose_nothing() {
    let found = explore(writers(3), standing(), Lists::Fenced, 1, true);
    assert_eq!(found.fault, None);
    eprintln!("three writers, one dies: {} states, {} ends", found.states, found.ends);
}

#[test]
fn an_entry_may_come_at_any_moment() {
    for world in [standing(), World::default()] {
        let writers = writers(2).into_iter().map(Rc::new).collect();
        let state = State { world: Rc::new(world), writers, dead: None, late: Some(7) };
        let found = search(state, Lists::Lag, 2, false);
        assert_eq!(found.fault, None);
        eprintln!("two writers, one more entry: {} states, {} ends", found.states, found.ends);
    }
}

#[test]
fn first_writers_leave_one_comment() {
    let found = explore(writers(2), World::default(), Lists::Lag, 4, true);
    assert_eq!(found.fault, None);
    eprintln!("two first writers, one dies: {} states, {} ends", found.states, found.ends);
}

#[test]
fn a_deleted_dashboard_is_made_again() {
    let mut world = standing();
    world.comments.clear();
    let found = explore(writers(2), world, Lists::Lag, 1, false);
    assert_eq!(found.fault, None);
    eprintln!("a deleted dashboard: {} states, {} ends", found.states, found.ends);
}

#[test]
fn who_only_ensures_changes_nothing_that_is_right() {
    let found = explore(vec![Writer::ensure(), Writer::new(vec![1])], standing(), Lists::Lag, 3, false);
    assert_eq!(found.fault, None);
    let mut writer = Writer::<Entry>::ensure();
    writer.answer(Answer::Recorded { own: vec![], journal: standing().journal(|_| true) });
    assert_eq!(writer.ask(), Ask::Compare(1));
    writer.answer(Answer::Stands { comment: true, pointer: true });
    assert_eq!(writer.ask(), Ask::Done);
}

#[test]
fn the_search_finds_a_loss_where_lists_have_holes() {
    let found = explore(writers(3), standing(), Lists::Holes, 0, false);
    assert!(found.fault.is_some(), "a machine that cannot fail here was not tested");
}
