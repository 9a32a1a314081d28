//! What work leaves behind that failed, broke off or was killed: a layer that may have been changed.

use std::path::Path;
use std::process::Child;

use serde_json::Value;

use super::{CONFIG, apply, apply_that_fails, begins, eight_is_held_off, two, under_way};
use crate::github::Job;
use crate::place::{GitHub, Local, Place, on_both, run_of};

fn what_may_have_been_changed_stays_with_its_pull_request<P: Place>() {
    let place: P = two();
    // Nobody knows what a step did that failed,
    apply_that_fails(&place, 7);
    eight_is_held_off(&place);
    place.says("/unlock").exits(0);
    // or that was under way when its job was killed.
    let mut child = under_way(&place);
    place.kill(&mut child);
    place.take_away("wait");
    place.settles();
    let why = eight_is_held_off(&place);
    assert!(why.contains("merge or close pull request 7, or comment `/unlock` there"), "{why}");
    // The pull request itself goes on with it,
    apply(&place, 7).exits(0);
    let row = place.row("apply");
    assert!(
        row.contains("took over the lock of another run of this pull request 7 (alice), which did not give it back"),
        "{row}"
    );
    // and keeps it if that fails.
    apply_that_fails(&place, 7);
    eight_is_held_off(&place);
}

/// `apply` is held to what `plan` recorded, which is nothing.
fn what_was_found_stale_before_anything_was_done_is_free<P: Place>() {
    let config = CONFIG.replace(
        "steps = [{",
        "steps = [{ run = ['echo', '{\"resource_changes\":[{\"change\":{\"actions\":[\"create\"]}}]}'], capture = \"again\", \
         matches = \"plan\" }, {",
    );
    let place = P::with(&format!(
        "{config}\n[stages.plan]\nname = \"Plan\"\neach = \"layer\"\n\n[handlers.plan]\nstage = \"plan\"\neach = \"layer\"\n\
         record.changes = \"plan\"\nsteps = [{{ run = [\"echo\", \"{{}}\"], capture = \"plan\" }}]\n"
    ));
    place.open(8);
    apply(&place, 7).exits(1);
    assert!(place.row("apply").contains("plan-stale"), "{}", place.row("apply"));
    apply(&place, 8).exits(1);
    let row = place.row_of(8, "apply");
    assert!(row.contains("plan-stale") && !row.contains("lock"), "{row}");
}

/// `ci` is killed alone, and what it started goes on.
#[test]
fn a_step_that_outlives_its_job_holds_its_layer_while_it_lives() {
    // Scripts use such numbers for files of their own.
    let own = CONFIG.replace("test ! -e", "exec 3>&1 4>&1 5>&1 6>&1 7>&1 8>&1 9>&1; test ! -e");
    let place = Local::with(&own);
    let mut child = under_way(&place);
    place.kill(&mut child);
    let second = apply(&place, 7).exits(4);
    assert!(second.stderr.contains("wait until that run has ended"), "{second:#?}");
    let synced = place.run(place.command(&["sync", "--pr", "7"])).exits(0);
    assert!(synced.stdout.contains("all is true already"), "{synced:#?}");
    place.take_away("wait");
    place.settles();
    place.run(place.command(&["sync", "--pr", "7"])).exits(0);
    assert_eq!(place.row("apply"), "failure: web: ended without reporting");
    apply(&place, 7).exits(0);
}

/// The board that `ci try` prints is true of what an earlier run left behind, without a `ci sync` before.
#[test]
fn who_tries_something_sees_that_a_run_was_killed() {
    let place: Local = two();
    let mut child = under_way(&place);
    place.kill(&mut child);
    place.take_away("wait");
    place.settles();
    let forge = format!("local:{}", place.store().parent().unwrap().join("forge").display());
    let tried = place.ci(&["--forge", &forge, "try", "/unlock", "--pr", "7"]).exits(0);
    assert!(tried.stdout.contains("ended without reporting") && !tried.stdout.contains("running"), "{tried:#?}");
    assert!(tried.stderr.contains("apply (web): failure, ended without reporting"), "{tried:#?}");
    let synced = place.ci(&["sync", "--pr", "7"]).exits(0);
    assert!(synced.stdout.contains("all is true already"), "{synced:#?}");
}

/// What a run that died took, of which the journal does not say that it began. Returns the id of that run.
fn taken_and_not_begun(place: &Local) -> String {
    apply(place, 7).exits(0);
    let forge = place.store().parent().unwrap().join("forge");
    let read = |path: &Path| -> Value { serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap() };
    let mut work = None;
    for file in std::fs::read_dir(forge.join("statuses").join(place.head(7))).unwrap() {
        let path = file.unwrap().path();
        let status = read(&path)["status"].clone();
        if status["description"] == "pending: waiting for the lock" {
            work = status["target_url"].as_str().unwrap().split('~').nth(12).map(str::to_owned);
        } else if status["context"] == "ci/apply/web" {
            std::fs::remove_file(path).unwrap();
        }
    }
    let path = forge.join("locks/web.json");
    let mut lock = read(&path);
    (lock["applied"], lock["work"]) = (false.into(), work.unwrap().into());
    std::fs::write(&path, lock.to_string()).unwrap();
    format!("{}/{}", lock["run"]["id"], lock["run"]["attempt"])
}

#[test]
fn what_was_taken_and_not_begun_is_taken_over() {
    let place: Local = two();
    taken_and_not_begun(&place);
    apply(&place, 8).exits(0);
    let row = place.row_of(8, "apply");
    assert!(row.contains("took over the lock of pull request 7 (alice), whose run ended without applying"), "{row}");
}

/// Nor does a report that is typed late make more of it than the journal says.
#[test]
fn what_was_taken_and_not_begun_is_free_after_a_late_report_too() {
    let place: Local = two();
    let (run, head) = (taken_and_not_begun(&place), place.head(7));
    let report = ["update", "--pr", "7", "--sha", &head, "--stage", "apply", "--layer", "web", "--status", "cancelled"];
    place.ci(&[&report[..], &["--run", &run]].concat()).exits(0);
    apply(&place, 8).exits(0);
}

/// An apply of pull request 7 that has begun, and another job of its run for the same: the jobs of a matrix are one run.
fn under_way_in_a_matrix(github: &GitHub) -> (Child, Job<'_>) {
    let job = github.job().on(github.comment(7, "alice", "/apply"));
    let command = job.command(["run"]);
    let job = job.run(run_of(&command));
    github.put("wait", "");
    (begins(command), job)
}

#[test]
fn jobs_of_one_run_do_not_apply_one_layer_side_by_side() {
    let github: GitHub = two();
    let (mut first, job) = under_way_in_a_matrix(&github);
    let second = job.ci(["run"]).exits(4);
    assert!(second.stderr.contains("locked by another job of this run (7, alice)"), "{second:#?}");
    assert!(second.stderr.contains("run this job again once the run has ended"), "{second:#?}");
    github.take_away("wait");
    assert!(first.wait().unwrap().success());
    job.ci(["run"]).exits(0);
}

/// Nor does the one that is held off say for the other that it did not begin.
#[test]
fn what_a_job_changed_stays_although_another_one_of_its_run_was_held_off() {
    let github: GitHub = two();
    let (mut first, job) = under_way_in_a_matrix(&github);
    job.ci(["run"]).exits(4);
    github.kill(&mut first);
    github.take_away("wait");
    eight_is_held_off(&github);
}

/// An account whose entries do not count here says nothing, which is not that its work did not begin.
#[test]
fn what_broke_off_under_another_account_stays_with_its_pull_request() {
    let github: GitHub = two();
    github.put("wait", "");
    let job = github.job().token("ghp_of_alice").on(github.comment(7, "alice", "/apply"));
    let mut child = begins(job.command(["run"]));
    github.kill(&mut child);
    github.take_away("wait");
    eight_is_held_off(&github);
}

fn what_another_handler_broke_off_stays_with_its_pull_request<P: Place>() {
    let steps = CONFIG.lines().find(|line| line.starts_with("steps = ")).unwrap();
    let place = P::with(&format!(
        "{CONFIG}\n[stages.destroy]\nname = \"Destroy\"\n\n[commands.destroy]\npattern = \"/destroy\"\n\n[[rules]]\n\
         command = \"destroy\"\ngate = \"anyone\"\nrun = \"destroy\"\n\n[handlers.destroy]\neach = \"layer\"\n\
         stage = \"destroy\"\nlock = true\n{steps}\n"
    ));
    place.open(8);
    place.put("wait", "");
    let mut child = begins(place.comment(7, "alice", "/destroy"));
    place.kill(&mut child);
    place.take_away("wait");
    place.settles();
    eight_is_held_off(&place);
}

on_both!(
    what_may_have_been_changed_stays_with_its_pull_request,
    what_another_handler_broke_off_stays_with_its_pull_request,
    what_was_found_stale_before_anything_was_done_is_free,
);
