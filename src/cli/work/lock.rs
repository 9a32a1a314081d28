//! The locks of layers: who may take one, from whom, and who may give one back. Nobody takes anything from work under
//! way, and a layer that may have been changed stays with its pull request.

use indexmap::IndexSet;

use super::Work;
use super::act::{LOCKED, Tried};
use crate::cli::console;
use crate::exec::job::Outcome;
use crate::forge::{self, Forge, Lock, Taken};
use crate::model::board::{Entry, Recorded, Status};
use crate::model::decision::{HELD, Job};
use crate::model::rules::{Handler, Layer, Unlock};
use crate::render;

/// What came of asking for the layer's lock.
pub(super) enum Locked {
    /// It is ours, where the handler wants one; where it was taken over, from whom.
    Free { lock: Option<Lock>, from: Option<String> },
    /// Another holds it.
    Held(Box<Outcome>),
}

/// How often a lock is asked for that changes hands meanwhile.
const TRIES: usize = 3;

/// Takes the layer's lock where the handler of a job wants it.
pub(super) fn take(work: &Work<'_>, job: &Job, handler: &Handler, layer: Option<&Layer>) -> forge::Result<Locked> {
    let Some(layer) = layer.filter(|_| handler.lock) else { return Ok(Locked::Free { lock: None, from: None }) };
    let forge = work.dashboard.forge;
    let lock = Lock {
        layer: layer.key.value.clone(),
        pull: work.dashboard.pull,
        by: work.actor.to_owned(),
        run: work.run,
        work: Some(work.word(job)),
        sha: Some(work.dashboard.sha.clone()),
        at: jiff::Timestamp::now(),
        applied: false,
    };
    let mut tries = 0;
    loop {
        let Taken::Held(held) = forge.take_lock(&lock)? else {
            return Ok(Locked::Free { lock: Some(lock), from: None });
        };
        let under_way = under_way(forge, &held)?;
        let claim = if under_way { None } else { claim(work, &held, &lock)? };
        tries += 1;
        match claim {
            Some((lock, why)) if forge.replace_lock(&held, &lock)? => {
                let from = why.map(|why| format!("took over the lock of {}, {why}", whose(&held, &lock)));
                return Ok(Locked::Free { lock: Some(lock), from });
            }
            // It has changed hands since.
            Some(_) if tries < TRIES => {}
            Some(_) | None => {
                let remedy = if under_way { wait(work, &held) } else { release(work, &held) };
                let note = format!("{HELD}{} since {}", whose(&held, &lock), render::date_and_time(held.at));
                return Ok(Locked::Held(Box::new(refused(note, remedy))));
            }
        }
    }
}

/// Who holds a lock, for those who want it.
fn whose(held: &Lock, lock: &Lock) -> String {
    let own_run = held.run.is_some() && held.run == lock.run;
    match held.pull {
        Some(pull) if held.pull == lock.pull && own_run => format!("another job of this run ({pull}, {})", held.by),
        Some(pull) if held.pull == lock.pull => format!("another run of this pull request {pull} ({})", held.by),
        Some(pull) => format!("pull request {pull} ({})", held.by),
        None => held.by.clone(),
    }
}

/// What to do about a run under way.
const WAIT: &str = "wait until that run has ended, or cancel it";

/// What to do about work under way.
fn wait(work: &Work<'_>, held: &Lock) -> String {
    if held.run == work.run {
        return "run this job again once the run has ended".to_owned();
    }
    if held.pull.is_none() || held.pull == work.dashboard.pull {
        return WAIT.to_owned();
    }
    format!("{WAIT}; then {}", release(work, held))
}

/// What to do about a lock that no run under way holds, as far as anybody can tell.
fn release(work: &Work<'_>, held: &Lock) -> String {
    let line = work.dashboard.rules.line_to_unlock(&held.layer);
    let ours = held.pull == work.dashboard.pull;
    match (held.pull, line) {
        (Some(pull), Some(line)) if ours => format!("where nobody works on {pull} any more, comment `{line}`"),
        (Some(pull), Some(line)) if by_hand(held) => {
            format!("where nobody works on {pull} any more, comment `{line}` there")
        }
        (Some(pull), Some(line)) => format!("merge or close pull request {pull}, or comment `{line}` there"),
        (Some(pull), None) if !ours && !by_hand(held) => format!("merge or close pull request {pull}"),
        (_, None) | (None, Some(_)) => {
            format!("where nobody works on it any more, delete `{}`", work.dashboard.forge.lock_name(&held.layer))
        }
    }
}

/// The outcome of work that may not begin since another process works in its layer's folder.
pub(super) fn folder_is_taken(folder: &str) -> Outcome {
    let remedy = format!("{WAIT}; where it was killed, what it left behind may hold the folder");
    refused(format!("{HELD}another run, in the folder `{folder}`"), remedy)
}

fn refused(note: String, remedy: String) -> Outcome {
    Outcome { reason: Some(LOCKED), remedy: Some(remedy), ..Outcome::not_begun(Status::Dropped, note) }
}

/// Whether the work that holds a lock still goes on, as far as its run tells. A run that is not known any more was deleted,
/// which runs can be that have ended or are two weeks old. See
/// <https://docs.github.com/en/actions/managing-workflow-runs/deleting-a-workflow-run>.
fn under_way(forge: &dyn Forge, held: &Lock) -> forge::Result<bool> {
    let Some(run) = held.run.filter(|_| held.work.is_some()) else { return Ok(false) };
    match forge.run_conclusion(run) {
        Ok(conclusion) => Ok(conclusion.is_none()),
        Err(forge::Error::NotFound(_)) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Whether somebody works with it of whom nobody can tell whether he still does: at his own machine.
fn by_hand(held: &Lock) -> bool {
    held.run.is_none() && held.work.is_some()
}

/// The lock that may take the place of one that no work under way holds, and why, where that is worth a line.
fn claim(work: &Work<'_>, held: &Lock, lock: &Lock) -> forge::Result<Option<(Lock, Option<&'static str>)>> {
    if by_hand(held) {
        return Ok(None);
    }
    let taken = |why| Ok(Some((lock.clone(), why)));
    let own = held.pull.is_some() && held.pull == lock.pull;
    if let Some(number) = held.pull.filter(|_| !own) {
        match work.dashboard.forge.pull(number) {
            Ok(pull) if pull.closed || pull.merged => return taken(Some("which is closed")),
            Ok(_) => {}
            Err(forge::Error::NotFound(_)) => return taken(Some("which is gone")),
            Err(error) => return Err(error),
        }
    }
    let applied = held.applied || began(work, held)?;
    let broke_off = held.work.is_some();
    match (own, applied) {
        (true, true) => Ok(Some((Lock { applied, ..lock.clone() }, broke_off.then_some("which did not give it back")))),
        (true, false) => taken(broke_off.then_some("which ended without applying")),
        (false, true) if held.pull.is_some() => Ok(None),
        (false, true) => taken(Some("whose run did not give it back")),
        (false, false) => taken(Some("whose run ended without applying")),
    }
}

/// Whether the work that holds a lock began, unless the journal of its commit says that it did not: what broke off may
/// have applied its layer.
fn began(work: &Work<'_>, held: &Lock) -> forge::Result<bool> {
    let Some(sha) = held.sha.as_ref().filter(|_| held.work.is_some()) else { return Ok(true) };
    Ok(may_have_begun(&work.dashboard.of(sha.clone(), held.pull).read()?, held.work.as_deref()))
}

/// What the journal says of a work last.
fn may_have_begun(recorded: &[Recorded], work: Option<&str>) -> bool {
    let of_it = recorded.iter().filter(|recorded| recorded.entry.work.as_deref() == work);
    let newest = of_it.max_by_key(|recorded| recorded.seq);
    newest.is_none_or(|recorded| recorded.entry.began && recorded.entry.status != Status::Pending)
}

/// Gives back the lock of work whose end others report, as its entry in the journal names it: to its pull request alone, for
/// nobody knows whether its layer was changed, unless the journal says that it did not begin. Not while its run is under way,
/// whoever says that it has ended.
pub(in crate::cli) fn give_back_of(forge: &dyn Forge, entry: &Entry, recorded: &[Recorded]) -> forge::Result<()> {
    let Some(layer) = &entry.layer else { return Ok(()) };
    let of_it = |held: &Lock| held.work == entry.work && held.run == entry.run && held.pull == entry.pr;
    if let Some(held) = forge.lock(layer)?.filter(of_it)
        && !under_way(forge, &held)?
    {
        give_back(forge, Some(&held), may_have_begun(recorded, entry.work.as_deref()));
    }
    Ok(())
}

/// Gives back the lock of work that has ended: to the pull request, if its layer may have been changed, else to all.
pub(super) fn give_back(forge: &dyn Forge, lock: Option<&Lock>, touched: bool) {
    let Some(lock) = lock else { return };
    let applied = lock.applied || touched;
    let given = if lock.pull.is_some() && applied {
        forge.replace_lock(lock, &Lock { work: None, applied, ..lock.clone() })
    } else {
        forge.release_lock(lock)
    };
    if let Err(error) = given {
        console::warning(&format!("the lock of `{}` could not be given back: {error}", lock.layer));
    }
}

/// Releases the locks that this pull request holds. Those of people at their own machines only if a person asks.
pub(super) fn unlock(work: &Work<'_>, which: &Unlock) -> Tried {
    let layers: Vec<String> = match which {
        Unlock::Layers(layers) => layers.clone(),
        Unlock::All if work.agenda.layers.is_empty() => work.dashboard.rules.layers.keys().cloned().collect(),
        Unlock::All => work.agenda.layers.clone(),
    };
    let (forge, asked) = (work.dashboard.forge, work.event.by_person());
    let (mut released, mut busy) = (Vec::new(), Vec::new());
    let locked = forge.locked()?;
    for layer in layers.into_iter().filter(|layer| locked.contains(layer)) {
        let Some(held) = forge.lock(&layer)?.filter(|held| held.pull == work.dashboard.pull) else { continue };
        if under_way(forge, &held)? {
            let why = format!("{layer} is held by a run under way ({})", held.by);
            busy.push((why, format!("{WAIT}, then unlock")));
        } else if by_hand(&held) && !asked {
            busy.push((format!("{layer} is held by {} without a run", held.by), release(work, &held)));
        } else if forge.release_lock(&held)? {
            released.push(layer);
        }
    }
    let said = if released.is_empty() {
        "nothing was released".to_owned()
    } else {
        format!("released {}", released.join(", "))
    };
    if busy.is_empty() {
        console::note(&said);
        return Ok(Outcome::new(Status::Success, said));
    }
    let began = !released.is_empty();
    let (why, remedies): (Vec<String>, IndexSet<String>) = busy.into_iter().unzip();
    let remedies: Vec<String> = remedies.into_iter().collect();
    Ok(Outcome { began, ..refused(format!("{said}: {}", why.join("; ")), remedies.join("; ")) })
}
