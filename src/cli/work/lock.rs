//! The locks of layers: who may take one, from whom, and who may give one back. Nobody takes anything from work under
//! way, and a layer that may have been changed stays with its pull request.

use indexmap::IndexSet;

use super::Work;
use super::act::{LOCKED, Tried};
use crate::cli::{console, output};
use crate::exec::job::Outcome;
use crate::forge::{self, Forge, Lock, Taken};
use crate::model::board::Status;
use crate::model::rules::{Handler, Layer, Unlock};
use crate::render;

/// What came of asking for the layer's lock.
pub(super) enum Locked {
    /// It is ours, where the handler wants one; where it was taken over, from whom.
    Free { lock: Option<Lock>, from: Option<String> },
    /// Another holds it.
    Held(Box<Outcome>),
}

/// Takes the layer's lock where the handler wants it.
pub(super) fn take(work: &Work<'_>, handler: &Handler, layer: Option<&Layer>) -> forge::Result<Locked> {
    let Some(layer) = layer.filter(|_| handler.lock) else { return Ok(Locked::Free { lock: None, from: None }) };
    let forge = work.dashboard.forge;
    let lock = Lock {
        layer: layer.key.value.clone(),
        pull: work.dashboard.pull,
        by: work.actor.to_owned(),
        run: work.run,
        process: Some(output::random()),
        sha: Some(work.dashboard.sha.clone()),
        at: jiff::Timestamp::now(),
        applied: false,
    };
    let Taken::Held(held) = forge.take_lock(&lock)? else { return Ok(Locked::Free { lock: Some(lock), from: None }) };
    let own_run = held.run.is_some() && held.run == lock.run;
    let whose = match held.pull {
        Some(pull) if held.pull == lock.pull && own_run => format!("another job of this run ({pull}, {})", held.by),
        Some(pull) if held.pull == lock.pull => format!("another run of this pull request {pull} ({})", held.by),
        Some(pull) => format!("pull request {pull} ({})", held.by),
        None => held.by.clone(),
    };
    let under_way = under_way(forge, &held)?;
    if !under_way
        && let Some((lock, why)) = claim(work, handler, &held, lock)?
        && forge.replace_lock(&held, &lock)?
    {
        let from = why.map(|why| format!("took over the lock of {whose}, {why}"));
        return Ok(Locked::Free { lock: Some(lock), from });
    }
    let remedy = if under_way { wait(work, &held) } else { release(work, &held) };
    let note = format!("locked by {whose} since {}", render::date_and_time(held.at));
    Ok(Locked::Held(Box::new(refused(note, remedy))))
}

/// What to do about work under way.
fn wait(work: &Work<'_>, held: &Lock) -> String {
    const WAIT: &str = "wait until that run has ended, or cancel it";
    if held.pull.is_none() || held.pull == work.dashboard.pull {
        return WAIT.to_owned();
    }
    format!("{WAIT}; then {}", release(work, held))
}

/// What to do about a lock whose run has ended, or of which nobody can tell.
fn release(work: &Work<'_>, held: &Lock) -> String {
    let line = work.dashboard.rules.line_to_unlock(&held.layer);
    match (held.pull, line) {
        (Some(pull), Some(line)) if held.pull == work.dashboard.pull => {
            format!("where nobody works on {pull} any more, comment `{line}`")
        }
        (Some(pull), Some(line)) => format!("merge or close pull request {pull}, or comment `{line}` there"),
        (Some(pull), None) => format!("merge or close pull request {pull}"),
        (None, _) => {
            format!("where nobody works on it any more, delete `{}`", work.dashboard.forge.lock_name(&held.layer))
        }
    }
}

fn refused(note: String, remedy: String) -> Outcome {
    Outcome { reason: Some(LOCKED), remedy: Some(remedy), ..Outcome::not_begun(Status::Dropped, note) }
}

/// Whether the work that holds a lock still goes on, as far as its run tells. A run that is not known any more was deleted,
/// which runs can be that have ended or are two weeks old. See
/// <https://docs.github.com/en/actions/managing-workflow-runs/deleting-a-workflow-run>.
fn under_way(forge: &dyn Forge, held: &Lock) -> forge::Result<bool> {
    let Some(run) = held.run.filter(|_| held.process.is_some()) else { return Ok(false) };
    match forge.run_conclusion(run) {
        Ok(conclusion) => Ok(conclusion.is_none()),
        Err(forge::Error::NotFound(_)) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Whether somebody works with it of whom nobody can tell whether he still does: at his own machine.
fn by_hand(held: &Lock) -> bool {
    held.run.is_none() && held.process.is_some()
}

/// The lock that may take the place of one that no work under way holds, and why, where that is worth a line.
fn claim(
    work: &Work<'_>,
    handler: &Handler,
    held: &Lock,
    lock: Lock,
) -> forge::Result<Option<(Lock, Option<&'static str>)>> {
    if by_hand(held) {
        return Ok(None);
    }
    let own = held.pull.is_some() && held.pull == lock.pull;
    if let Some(number) = held.pull.filter(|_| !own) {
        match work.dashboard.forge.pull(number) {
            Ok(pull) if pull.closed || pull.merged => return Ok(Some((lock, Some("which is closed")))),
            Ok(_) => {}
            Err(forge::Error::NotFound(_)) => return Ok(Some((lock, Some("which is gone")))),
            Err(error) => return Err(error),
        }
    }
    let applied = held.applied || began(work, handler, held)?;
    let broke_off = held.process.is_some();
    Ok(match (own, applied) {
        (true, true) => Some((Lock { applied, ..lock }, broke_off.then_some("which broke off"))),
        (true, false) => Some((lock, broke_off.then_some("which ended without applying"))),
        (false, true) if held.pull.is_some() => None,
        (false, true) => Some((lock, Some("whose run broke off"))),
        (false, false) => Some((lock, Some("whose run ended without applying"))),
    })
}

/// Whether the work that holds a lock began, by the journal of the commit. What broke off may have applied its layer.
fn began(work: &Work<'_>, handler: &Handler, held: &Lock) -> forge::Result<bool> {
    let stage = handler.stage.as_ref().map(|stage| work.dashboard.rules.rows_of_stage(&stage.value));
    let (Some(rows), Some(sha)) = (stage, &held.sha) else { return Ok(true) };
    let recorded = work.dashboard.of(sha.clone(), held.pull).read()?;
    let of_work = recorded.iter().filter(|recorded| {
        let entry = &recorded.entry;
        rows.contains(&entry.row) && entry.layer.as_deref() == Some(&held.layer) && entry.run == held.run
    });
    let newest = of_work.max_by_key(|recorded| recorded.seq).map(|recorded| &recorded.entry);
    Ok(newest.is_some_and(|entry| entry.began && entry.status != Status::Pending))
}

/// Gives back the lock of work that has ended: to the pull request, if its layer may have been changed, else to all.
pub(super) fn give_back(work: &Work<'_>, lock: Option<&Lock>, touched: bool) {
    let Some(lock) = lock else { return };
    let (forge, applied) = (work.dashboard.forge, lock.applied || touched);
    let given = if lock.pull.is_some() && applied {
        forge.replace_lock(lock, &Lock { process: None, applied, ..lock.clone() })
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
    let mut remedies = IndexSet::new();
    for layer in layers {
        let Some(held) = forge.lock(&layer)?.filter(|held| held.pull == work.dashboard.pull) else { continue };
        if under_way(forge, &held)? {
            busy.push(format!("{layer} is held by a run under way ({})", held.by));
            remedies.insert("wait until that run has ended, or cancel it, then unlock".to_owned());
        } else if by_hand(&held) && !asked {
            busy.push(format!("{layer} is held by {} without a run", held.by));
            remedies.insert(release(work, &held));
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
    let remedy = remedies.into_iter().collect::<Vec<_>>().join("; ");
    Ok(Outcome { began, ..refused(format!("{said}: {}", busy.join("; ")), remedy) })
}
