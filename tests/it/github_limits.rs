//! Stories of limits on GitHub, and of 503: those that pass soon are waited out, those that do not end a call early, which then says
//! until when, and nothing is left half-written.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use jiff::Timestamp;

use crate::github::{BOT, Fault, GitHub, Log};
use crate::github_trouble::{github, nothing_is_left_to_mend, outputs, side_by_side};
use crate::github_trust::config;
use crate::project::Ran;

const LINT: [&str; 9] = ["update", "--pr", "7", "--stage", "lint", "--status", "success", "--note", "clean"];

fn update(github: &GitHub) -> Ran {
    github.job().ci(LINT)
}

fn plan(github: &GitHub) -> Ran {
    github.job().on(github.comment(7, "alice", "/plan")).ci(["run"])
}

/// How many requests something takes when all is well.
fn requests(what: fn(&GitHub) -> Ran) -> usize {
    let github = github();
    what(&github).exits(0);
    github.take_log().0.len()
}

/// For how long the one request that was refused was not sent again.
#[track_caller]
fn refused_once(log: &Log) -> Duration {
    let at = log.0.iter().position(|asked| asked.status >= 400).unwrap();
    let again = log.0[at + 1..].iter().find(|asked| asked.is_like(&log.0[at])).unwrap();
    assert_eq!(log.0.iter().filter(|asked| asked.status >= 400).count(), 1, "{:#?}", log.lines());
    again.later_than(&log.0[at])
}

#[test]
fn a_limit_that_passes_soon_is_waited_out() {
    let faults = [Fault::Secondary(Some(1)), Fault::Exhausted(403, 1), Fault::Exhausted(429, 1), Fault::Unavailable];
    let cases = (0..requests(update)).flat_map(|at| faults.map(|fault| (at, fault))).collect();
    side_by_side(cases, |(at, fault)| {
        let github = github();
        github.fail(at, fault);
        let ran = update(&github);
        let log = github.take_log();
        assert_eq!(ran.code, 0, "{fault:?} at {at}: {ran:#?}\n{:#?}", log.lines());
        let pause = refused_once(&log);
        // The other limit ends with the second that it names, and 503 is tried again soon.
        assert!(fault != Fault::Secondary(Some(1)) || pause >= Duration::from_secs(1), "{pause:?}");
        assert!(github.row(7, "lint").starts_with("success: clean"));
        nothing_is_left_to_mend(&github);
    });
}

/// When requests are allowed again, as the call says.
#[track_caller]
fn until(ran: &Ran) -> Timestamp {
    let said = ran.stderr.split("rate limited until ").nth(1).unwrap_or_else(|| panic!("{ran:#?}"));
    said.split(": ").next().unwrap().parse().unwrap()
}

/// A call ends with the limit that begins at this request, having asked nothing more often than so; the next one finds
/// nothing that it cannot mend.
fn given_up(what: fn(&GitHub) -> Ran, tries: usize, (at, fault, seconds): (usize, Fault, i64)) {
    let github = github();
    github.fail_from(at, fault);
    let (before, ran) = (Timestamp::now(), what(&github));
    let log = github.take_log();
    let case = format!("{fault:?} from {at} on: {ran:#?}\n{:#?}", log.lines());
    let refused: Vec<_> = log.0.iter().filter(|asked| matches!(asked.status, 403 | 429)).collect();
    if refused.iter().all(|asked| asked.target.ends_with("/reactions")) {
        // It came too late to matter.
        assert_eq!(ran.code, 0, "{case}");
        github.well_again();
        return nothing_is_left_to_mend(&github);
    }
    assert_eq!(ran.code, 3, "{case}");
    let (least, most) = (before.as_second() + seconds - 1, Timestamp::now().as_second() + seconds + 1);
    assert!((least..=most).contains(&until(&ran).as_second()), "{case}");
    for (number, asked) in refused.iter().enumerate() {
        let before = refused[..number].iter().filter(|before| before.is_like(asked)).count();
        assert!(before < tries, "asked again: {case}");
    }
    let written = !github.statuses(&github.head(7)).is_empty();
    let remedies = ["ci sync --pr 7", "ci update --pr 7"];
    assert!(!written || remedies.iter().any(|remedy| ran.stderr.contains(remedy)), "{case}");
    assert!(written || github.comments(7).iter().all(|comment| comment.author != BOT), "{case}");

    github.well_again();
    github.state(|state| state.end_runs("ci.yml", "failure"));
    github.job().ci(["sync", "--pr", "7"]).exits(0);
    nothing_is_left_to_mend(&github);
    assert!(outputs(&github).len() <= 1, "{case}");
}

#[test]
fn a_limit_that_outlasts_the_budget_ends_a_report() {
    let faults =
        [(Fault::Exhausted(403, 3_000), 3_000), (Fault::Exhausted(429, 3_000), 3_000), (Fault::Secondary(None), 60)];
    let cases = (0..requests(update)).flat_map(|at| faults.map(|(fault, seconds)| (at, fault, seconds))).collect();
    side_by_side(cases, |case| given_up(update, 1, case));
}

#[test]
fn a_limit_that_outlasts_the_budget_ends_a_plan() {
    let cases = (0..requests(plan)).map(|at| (at, Fault::Exhausted(403, 3_000), 3_000)).collect();
    // The work goes on meanwhile, so the dashboard is tried before it, after it, and once more at the end.
    side_by_side(cases, |case| given_up(plan, 3, case));
}

#[test]
fn a_plan_that_could_not_begin_is_told_as_that_once_the_limit_is_lifted() {
    let told = AtomicUsize::new(0);
    side_by_side((0..requests(plan)).collect(), |at| {
        let github = github();
        github.fail(at, Fault::Exhausted(403, 3_000));
        let ran = plan(&github);
        if ran.code == 3 && ran.stderr.contains("nothing was run") && !github.statuses(&github.head(7)).is_empty() {
            let row = github.row(7, "plan-base");
            assert_eq!(row, "dropped: nothing was run: the dashboard could not be written", "{at}: {ran:#?}");
            nothing_is_left_to_mend(&github);
            told.fetch_add(1, Ordering::Relaxed);
        }
    });
    assert!(told.load(Ordering::Relaxed) > 0);
}

/// Jobs that follow would take what nobody could find out for nothing to do.
#[test]
fn what_a_limit_hides_is_not_parsed_as_something_to_skip() {
    let github = GitHub::start(&config("layers = \"changed\"", "paths = [\"platform/**\"]"));
    github.commit("work", "platform/wanted", "x\n");
    let parse = |event| {
        let outputs = github.folder().join("outputs");
        std::fs::write(&outputs, "").unwrap();
        let job = github.job().on(event).env("GITHUB_OUTPUT", outputs.to_str().unwrap());
        (job.ci(["parse"]), std::fs::read_to_string(outputs).unwrap())
    };
    for (event, request) in [
        (github.pull_event(7, "opened"), "/files?"),
        (github.comment(7, "alice", "/plan platform"), "/permission"),
        (github.comment(7, "alice", "/frobnicate\n\n/plan platform"), "/permission"),
    ] {
        github.fail_on(request, Fault::Exhausted(403, 3_000));
        let (ran, outputs) = parse(event);
        let told = ran.exits(3);
        assert!(told.stderr.contains("rate limited until") && told.stderr.contains("ask again later"), "{told:#?}");
        assert!(told.stdout.is_empty() && outputs.is_empty(), "{told:#?} {outputs}");
    }
    // What is known to be a no is one.
    github.fail_on("/reviews?", Fault::Exhausted(403, 3_000));
    let (ran, outputs) = parse(github.comment(7, "alice", "/apply platform"));
    assert!(ran.exits(0).stdout.contains("mode=skip\n") && outputs.contains("skip"), "{outputs}");
}
