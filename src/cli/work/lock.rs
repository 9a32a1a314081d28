//! The locks of layers: who may take one, from whom, and who may give one back. Nobody takes anything from a run under
//! way.

use std::sync::LazyLock;

use super::Work;
use super::act::{LOCKED, Tried};
use crate::cli::{console, output};
use crate::exec::job::Outcome;
use crate::forge::{self, Forge, Lock, Taken};
use crate::model::board::Status;
use crate::model::rules::{Handler, Layer, Unlock};
use crate::render;

/// What to do about a run under way.
const WAIT: &str = "wait until that run has ended, or cancel it";

/// What tells this process from others that are in no run either.
static PROCESS: LazyLock<String> = LazyLock::new(output::random);

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
        process: work.run.is_none().then(|| PROCESS.clone()),
        sha: Some(work.dashboard.sha.clone()),
        at: jiff::Timestamp::now(),
        applied: false,
    };
    let Taken::Held(held) = forge.take_lock(&lock)? else { return Ok(Locked::Free { lock: Some(lock), from: None }) };
    let whose = match held.pull {
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
    let remedy = if under_way { WAIT.to_owned() } else { release(work, &held) };
    let note = format!("locked by {whose} since {}", render::date_and_time(held.at));
    Ok(Locked::Held(Box::new(refused(note, remedy))))
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

/// Whether the run that holds a lock still works. One that is not known any more was deleted, which runs can be that have
/// ended or are two weeks old. See <https://docs.github.com/en/actions/managing-workflow-runs/deleting-a-workflow-run>.
fn under_way(forge: &dyn Forge, held: &Lock) -> forge::Result<bool> {
    let Some(run) = held.run else { return Ok(false) };
    match forge.run_conclusion(run) {
        Ok(conclusion) => Ok(conclusion.is_none()),
        Err(forge::Error::NotFound(_)) => Ok(false),
        Err(error) => Err(error),
    }
}

/// The lock that may take the place of one whose run has ended, and why, where that is worth a line. A pull request that
/// is open keeps what it applied.
fn claim(
    work: &Work<'_>,
    handler: &Handler,
    held: &Lock,
    lock: Lock,
) -> forge::Result<Option<(Lock, Option<&'static str>)>> {
    let own = held.pull.is_some() && held.pull == lock.pull;
    if let Some(number) = held.pull.filter(|_| !own) {
        match work.dashboard.forge.pull(number) {
            Ok(pull) if pull.closed || pull.merged => return Ok(Some((lock, Some("which is closed")))),
            Ok(_) => {}
            Err(forge::Error::NotFound(_)) => return Ok(Some((lock, Some("which is gone")))),
            Err(error) => return Err(error),
        }
    }
    if held.run.is_none() {
        return Ok((own && held.process.is_none()).then_some((lock, None)));
    }
    let applied = held.pull.is_some() && (held.applied || applied(work, handler, held)?);
    Ok(match (own, applied) {
        (true, true) => Some((Lock { applied, ..lock }, None)),
        (false, true) => None,
        (_, false) => Some((lock, Some("whose run ended without applying"))),
    })
}

/// Whether the run that holds a lock applied its layer, by the journal of the commit.
fn applied(work: &Work<'_>, handler: &Handler, held: &Lock) -> forge::Result<bool> {
    let Some(sha) = &held.sha else { return Ok(true) };
    let stage = handler.stage.as_ref().map(|stage| stage.value.as_str());
    let rows = stage.map(|stage| work.dashboard.rules.rows_of_stage(stage)).unwrap_or_default();
    Ok(work.dashboard.of(sha.clone(), held.pull).read()?.into_iter().any(|recorded| {
        let entry = recorded.entry;
        let layer = entry.layer.as_deref() == Some(&held.layer);
        rows.contains(&entry.row) && layer && entry.run == held.run && entry.status == Status::Success
    }))
}

/// Gives back the lock of work that has ended, where nothing is left for which the layer would be held, or where no run
/// tells that it has ended: to whoever works for the same pull request next.
pub(super) fn give_back(work: &Work<'_>, lock: Option<&Lock>) {
    let Some(lock) = lock else { return };
    let forge = work.dashboard.forge;
    let given = match (lock.pull, &lock.process) {
        (None, _) => forge.release_lock(lock),
        (Some(_), Some(_)) => forge.replace_lock(lock, &Lock { process: None, ..lock.clone() }),
        (Some(_), None) => return,
    };
    if let Err(error) = given {
        console::warning(&format!("the lock of `{}` could not be released: {error}", lock.layer));
    }
}

/// Releases the locks that this pull request holds.
pub(super) fn unlock(work: &Work<'_>, which: &Unlock) -> Tried {
    let layers: Vec<String> = match which {
        Unlock::Layers(layers) => layers.clone(),
        Unlock::All if work.agenda.layers.is_empty() => work.dashboard.rules.layers.keys().cloned().collect(),
        Unlock::All => work.agenda.layers.clone(),
    };
    let forge = work.dashboard.forge;
    let (mut released, mut busy) = (Vec::new(), Vec::new());
    for layer in layers {
        let Some(held) = forge.lock(&layer)?.filter(|held| held.pull == work.dashboard.pull) else { continue };
        if held.run != work.run && under_way(forge, &held)? {
            busy.push(format!("{layer} is held by a run under way ({})", held.by));
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
    Ok(Outcome { began, ..refused(format!("{said}: {}", busy.join("; ")), format!("{WAIT}, then unlock")) })
}
