//! Jobs side by side, each after those it waits for. It does not know what a job does, only how it ended.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use super::cancel::Cancel;
use super::job::{AFTER, BEHIND, CHANGES, Outcome, REPORTED};
use crate::model::board::Status;

/// A job, by what the others need to know of it.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    /// What people call it: the layer.
    pub(crate) label: String,
    /// What it does, in whatever layer.
    pub(crate) handler: String,
    /// Indices of the jobs that must have succeeded, or had nothing to do, before it starts. Whether those of the same
    /// handler found changes makes no difference.
    pub(crate) after: Vec<usize>,
}

/// Runs jobs, at most `parallel` at a time, and returns their outcomes in the order of `jobs`. Those above a job that
/// failed are dropped; once cancelled, nothing more starts. `ended` is called on the job's thread; those that wait for
/// a job start after that.
pub(crate) fn run_all(
    jobs: &[Node],
    parallel: usize,
    cancel: &Cancel,
    run: impl Fn(usize) -> Outcome + Sync,
    ended: &(dyn Fn(usize, &Outcome) + Sync),
) -> Vec<Outcome> {
    let pool = Pool { jobs, cancel, places: Mutex::new(vec![Place::Waiting; jobs.len()]), moved: Condvar::new() };
    let work = || {
        while let Some((job, dropped)) = pool.take() {
            // A panic is a mistake of ours; the row says so, and the others do not wait for ever.
            let broken = |_| Outcome::new(Status::Failure, "broke off: this is a defect of `ci`, please report it");
            let outcome = dropped.unwrap_or_else(|| catch_unwind(AssertUnwindSafe(|| run(job))).unwrap_or_else(broken));
            let heard = catch_unwind(AssertUnwindSafe(|| ended(job, &outcome)));
            pool.end(job, outcome);
            heard.unwrap_or_else(|panic| resume_unwind(panic));
        }
    };
    thread::scope(|scope| (0..parallel.clamp(1, jobs.len().max(1))).for_each(|_| drop(scope.spawn(work))));
    let places = pool.places.into_inner().unwrap_or_else(PoisonError::into_inner);
    places.into_iter().map(Place::outcome).collect()
}

/// Where a job stands.
#[derive(Debug, Clone)]
enum Place {
    Waiting,
    Running,
    Ended(Box<Outcome>),
}

impl Place {
    fn outcome(self) -> Outcome {
        match self {
            Self::Ended(outcome) => *outcome,
            // Only a panic of `ended` leaves such a one, and that goes on from the scope of the threads.
            Self::Waiting | Self::Running => Outcome::not_begun(Status::Dropped, "not run"),
        }
    }
}

struct Pool<'a> {
    jobs: &'a [Node],
    cancel: &'a Cancel,
    places: Mutex<Vec<Place>>,
    moved: Condvar,
}

/// What a job that waits can do now.
enum Turn {
    Start,
    Wait,
    Drop(Box<Outcome>),
}

impl Pool<'_> {
    /// The next job to run, or to drop and how; waits until there is one. None when none will come.
    fn take(&self) -> Option<(usize, Option<Outcome>)> {
        let mut places = self.lock();
        loop {
            let waiting: Vec<usize> = (0..places.len()).filter(|job| matches!(places[*job], Place::Waiting)).collect();
            let turns = waiting.iter().map(|job| (*job, self.turn(*job, &places)));
            let mut ready = turns.filter_map(|(job, turn)| match turn {
                Turn::Start => Some((job, None)),
                Turn::Drop(outcome) => Some((job, Some(*outcome))),
                Turn::Wait => None,
            });
            let next = ready.next();
            if let Some((job, dropped)) = next {
                places[job] = Place::Running;
                return Some((job, dropped));
            }
            let running = places.iter().any(|place| matches!(place, Place::Running));
            match waiting.first() {
                None => return None,
                // They wait for each other, which a valid ci.toml cannot say.
                Some(job) if !running => {
                    places[*job] = Place::Running;
                    return Some((*job, Some(Outcome::not_begun(Status::Dropped, "waits for itself"))));
                }
                Some(_) => places = self.moved.wait(places).unwrap_or_else(PoisonError::into_inner),
            }
        }
    }

    fn turn(&self, job: usize, places: &[Place]) -> Turn {
        if self.cancel.is_set() {
            return Turn::Drop(Box::new(Outcome::cancelled()));
        }
        let mut wait = false;
        for below in &self.jobs[job].after {
            match places.get(*below) {
                // Of several that failed it is told of the first, whichever ended sooner.
                Some(Place::Ended(outcome)) if !wait => {
                    if let Some(why) = held_back(&self.jobs[*below], outcome, &self.jobs[job]) {
                        let reason = match outcome.reason {
                            Some(AFTER | BEHIND) => outcome.reason,
                            _ if outcome.began && outcome.status.ended() => Some(AFTER),
                            _ => Some(BEHIND),
                        };
                        let dropped = Outcome { reason, ..Outcome::not_begun(Status::Dropped, why) };
                        return Turn::Drop(Box::new(dropped));
                    }
                }
                Some(Place::Waiting | Place::Running) => wait = true,
                Some(Place::Ended(_)) | None => {}
            }
        }
        if wait { Turn::Wait } else { Turn::Start }
    }

    fn end(&self, job: usize, outcome: Outcome) {
        self.lock()[job] = Place::Ended(Box::new(outcome));
        self.moved.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Place>> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why a job does not start after one that ended so, if it does not.
fn held_back(below: &Node, outcome: &Outcome, job: &Node) -> Option<String> {
    let label = &below.label;
    match (outcome.status, outcome.reason) {
        (_, Some(REPORTED)) | (Status::Success | Status::Skipped, _) => None,
        // That one layer drifted is no reason not to look at the others.
        (_, Some(CHANGES)) if below.handler == job.handler => None,
        // Whatever held back the one below holds back this one too.
        (Status::Dropped, Some(AFTER | BEHIND)) => Some(outcome.note.clone()),
        (Status::Dropped, _) => Some(format!("after {label}: {}", outcome.note)),
        (Status::Failure, _) => Some(format!("after {label} failed")),
        (Status::Pending | Status::Running, _) => Some(format!("{label} is still to end: ask for this by itself then")),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::{Barrier, Mutex};

    use super::{Node, run_all};
    use crate::exec::cancel::Cancel;
    use crate::exec::job::{AFTER, BEHIND, CHANGES, Outcome, REPORTED};
    use crate::model::board::Status;

    fn nodes(after: &[(&str, &[usize])]) -> Vec<Node> {
        let node = |label: &str, after: &[usize]| {
            let handler = label.split('/').next().unwrap_or_default().to_owned();
            Node { label: label.to_owned(), handler, after: after.to_vec() }
        };
        after.iter().map(|(label, after)| node(label, after)).collect()
    }

    /// Runs jobs of which `failing` fails, and returns what was observed and what was returned.
    fn observed(jobs: &[Node], parallel: usize, failing: Option<usize>) -> (Vec<String>, Vec<(Status, String)>) {
        let seen = Mutex::new(Vec::new());
        let see = |job: usize, what: &str| seen.lock().unwrap().push(format!("{} {what}", jobs[job].label));
        let run = |job| {
            see(job, "starts");
            Outcome::new(if failing == Some(job) { Status::Failure } else { Status::Success }, "")
        };
        let ended = |job: usize, outcome: &Outcome| see(job, outcome.status.word());
        let outcomes = run_all(jobs, parallel, &Cancel::new(), run, &ended);
        (seen.into_inner().unwrap(), outcomes.into_iter().map(|outcome| (outcome.status, outcome.note)).collect())
    }

    #[test]
    fn lower_layers_come_first() {
        let jobs = nodes(&[("data", &[1]), ("platform", &[2]), ("bootstrap", &[])]);
        let (seen, outcomes) = observed(&jobs, 4, None);
        let expected =
            ["bootstrap", "platform", "data"].map(|layer| [format!("{layer} starts"), format!("{layer} success")]);
        assert_eq!(seen, expected.concat());
        assert_eq!(outcomes, vec![(Status::Success, String::new()); 3]);
    }

    #[test]
    fn those_above_a_failure_are_dropped_and_others_are_not() {
        let jobs = nodes(&[("bootstrap", &[]), ("platform", &[0]), ("data", &[1]), ("other", &[])]);
        let (seen, outcomes) = observed(&jobs, 1, Some(0));
        assert_eq!(outcomes[1], (Status::Dropped, "after bootstrap failed".to_owned()));
        assert_eq!(outcomes[2], (Status::Dropped, "after bootstrap failed".to_owned()));
        assert_eq!(outcomes[3].0, Status::Success);
        assert!(!seen.contains(&"platform starts".to_owned()));
    }

    #[test]
    fn those_above_say_what_holds_them_back() {
        let jobs = nodes(&[("low", &[]), ("high", &[0]), ("higher", &[1])]);
        let above = |below: Outcome| {
            let outcomes = run_all(&jobs, 1, &Cancel::new(), |_| below.clone(), &|_, _| {});
            outcomes.into_iter().skip(1).map(|outcome| (outcome.note, outcome.reason)).collect::<Vec<_>>()
        };
        let twice = |note: &str, reason| vec![(note.to_owned(), Some(reason)); 2];
        let locked = Outcome::not_begun(Status::Dropped, "locked by eve");
        assert_eq!(above(locked), twice("after low: locked by eve", BEHIND));
        assert_eq!(above(Outcome::new(Status::Failure, "exit 1")), twice("after low failed", AFTER));
        assert_eq!(
            above(Outcome::new(Status::Running, "started")),
            twice("low is still to end: ask for this by itself then", BEHIND)
        );
        let told = Outcome { reason: Some(REPORTED), ..Outcome::new(Status::Failure, "told") };
        assert_eq!(above(told), vec![("told".to_owned(), Some(REPORTED)); 2]);
    }

    #[test]
    fn changes_of_one_layer_hold_back_other_work_alone() {
        let jobs = nodes(&[("drift/low", &[]), ("drift/high", &[0]), ("apply/low", &[0])]);
        let found = Outcome { reason: Some(CHANGES), ..Outcome::new(Status::Failure, "1 to change") };
        let outcomes = run_all(&jobs, 1, &Cancel::new(), |_| found.clone(), &|_, _| {});
        let told: Vec<&str> = outcomes.iter().map(|outcome| outcome.note.as_str()).collect();
        assert_eq!(told, ["1 to change", "1 to change", "after drift/low failed"]);
    }

    #[test]
    fn independent_jobs_run_side_by_side_up_to_the_limit() {
        let jobs = nodes(&[("a", &[]), ("b", &[]), ("c", &[]), ("d", &[])]);
        // Each waits for another: with one at a time, none would end.
        let (meet, running, most) = (Barrier::new(2), AtomicUsize::new(0), AtomicUsize::new(0));
        let run = |_| {
            most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            meet.wait();
            running.fetch_sub(1, Ordering::SeqCst);
            Outcome::new(Status::Success, "")
        };
        let outcomes = run_all(&jobs, 2, &Cancel::new(), run, &|_, _| {});
        assert_eq!((outcomes.len(), most.into_inner()), (4, 2));
    }

    #[test]
    fn once_cancelled_nothing_starts() {
        let jobs = nodes(&[("a", &[]), ("b", &[]), ("c", &[0])]);
        let cancel = Cancel::new();
        let run = |_| {
            cancel.trigger();
            Outcome::cancelled()
        };
        let outcomes = run_all(&jobs, 1, &cancel, run, &|_, _| {});
        assert_eq!(outcomes, vec![Outcome::cancelled(); 3]);
    }

    #[test]
    fn panics_and_circles_end_too() {
        let jobs = nodes(&[("a", &[]), ("b", &[0]), ("c", &[3]), ("d", &[2])]);
        let outcomes = run_all(&jobs, 2, &Cancel::new(), |_| panic!("on purpose"), &|_, _| {});
        let statuses: Vec<_> = outcomes.iter().map(|outcome| outcome.status).collect();
        assert_eq!(statuses, [Status::Failure, Status::Dropped, Status::Dropped, Status::Dropped]);
        assert!(run_all(&[], 2, &Cancel::new(), |_| panic!("no job"), &|_, _| {}).is_empty());
    }
}
