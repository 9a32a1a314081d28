//! How long the rows say that work took: until it ended, and not until somebody heard of that.

use crate::github::GitHub;
use crate::github_trouble::github as unreported;
use crate::on_github::github;
use crate::place::Place as _;

/// How long a row says that its work took.
#[track_caller]
fn seconds(github: &GitHub, id: &str) -> Option<i64> {
    let board = github.board(7);
    let row = board["rows"].as_array().unwrap().iter().find(|row| row["id"] == id).cloned().unwrap();
    row["seconds"].as_i64()
}

/// A run that `/e2e` started succeeds after 90 seconds; the hour behind that nobody looks.
fn unheard(github: &GitHub) -> u64 {
    github.job().on(github.comment(7, "alice", "/e2e")).ci(["run"]).exits(0);
    github.state(|state| {
        let run = state.runs.values().find(|run| run.workflow == "e2e.yml").unwrap().id;
        state.end_run(run, "success");
        state.an_hour_goes_by(run, 90);
        run
    })
}

/// However somebody hears of that end, the row does not say that it took an hour.
#[track_caller]
fn took_its_time(github: &GitHub, hears: impl FnOnce(u64)) {
    hears(unheard(github));
    let took = seconds(github, "e2e");
    assert!(took.is_some_and(|took| (85..120).contains(&took)), "{took:?}");
}

#[test]
fn a_dispatched_run_took_as_long_as_github_says_whoever_hears_of_it_when() {
    let place = unreported();
    took_its_time(&place, |_| drop(place.job().ci(["sync", "--pr", "7"]).exits(0)));
    for place in [unreported(), github()] {
        took_its_time(&place, |run| {
            place.job().on(place.run_event(run, "completed")).ci(["run"]).exits(0);
        });
    }
    let place = unreported();
    took_its_time(&place, |run| {
        let (run, head) = (run.to_string(), place.head(7));
        let row = ["update", "--pr", "7", "--sha", &head, "--stage", "e2e"];
        place.job().ci([&row[..], &["--status", "success", "--run", &run]].concat()).exits(0);
    });
}

/// GitHub changes that time again when somebody lets the run run once more, or warns of something.
#[test]
fn a_run_that_changed_since_took_no_longer_than_until_somebody_heard_of_its_end() {
    let github = unreported();
    let run = unheard(&github);
    github.state(|state| state.an_hour_goes_by(run, 86_400));
    github.job().ci(["sync", "--pr", "7"]).exits(0);
    assert!(
        seconds(&github, "e2e").is_some_and(|took| (7_200..7_300).contains(&took)),
        "{:?}",
        seconds(&github, "e2e")
    );
}

#[test]
fn nobody_knows_how_long_a_run_took_that_is_gone() {
    let github = unreported();
    let run = unheard(&github);
    github.state(|state| state.runs.remove(&run));
    github.a_year_goes_by(7);
    github.job().ci(["sync", "--pr", "7"]).exits(0);
    assert_eq!((&*github.row(7, "e2e"), seconds(&github, "e2e")), ("dropped: its run is gone", None));
}
