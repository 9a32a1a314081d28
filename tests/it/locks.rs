//! Who holds a layer: a pull request, from its first apply until it is closed, and one of its runs at a time.

mod broken_off;

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use crate::github::git;
use crate::on_github;
use crate::place::{GitHub, Place, on_both};
use crate::project::{Project, Ran};

const CONFIG: &str = r#"
version = 1

[layers.web]
dir   = "web"
paths = ["web/desired/**"]

[stages.apply]
name = "Apply"

[commands.apply]
pattern = "/apply"

[commands.unlock]
pattern = "/unlock"

[[rules]]
command = "unlock"
gate    = "anyone"
run     = "unlock"

[[rules]]
command = "apply"
gate    = "anyone"
run     = "apply"

[[rules]]
on  = "push"
run = "apply"

[[rules]]
on    = "pull_request"
types = ["closed"]
run   = "unlock"

[handlers.unlock]
unlock = "all"

[handlers.apply]
each  = "layer"
stage = "apply"
lock  = true
steps = [{ run = ["sh", "-c", "test ! -e STORE/fail && if test -e STORE/wait; then echo started; for i in $(seq 400); do test -e STORE/wait || break; sleep 0.05; done; fi"] }]
"#;

/// Two pull requests, 7 and 8.
fn two<P: Place>() -> P {
    let place = P::with(CONFIG);
    place.open(8);
    place
}

fn apply(place: &impl Place, pull: u64) -> Ran {
    place.run(place.comment(pull, "alice", "/apply"))
}

fn apply_that_fails(place: &impl Place, pull: u64) {
    place.put("fail", "");
    apply(place, pull).exits(1);
    place.take_away("fail");
}

/// Returns what is said on pull request 8.
#[track_caller]
fn eight_is_held_off(place: &impl Place) -> String {
    apply(place, 8).exits(4);
    assert!(place.row_of(8, "apply").contains("locked by pull request 7 (alice)"), "{}", place.row_of(8, "apply"));
    refusal(place, 8)
}

/// An apply that has begun and goes on while the file `wait` is there.
fn under_way(place: &impl Place) -> Child {
    place.put("wait", "");
    begins(place.comment(7, "alice", "/apply"))
}

/// A job whose work has begun.
fn begins(mut command: Command) -> Child {
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().ends_with("│ started")), "the work did not begin");
    child
}

fn what_a_run_holds_is_not_given_away_for_an_earlier_one_that_failed<P: Place>() {
    let place: P = two();
    apply_that_fails(&place, 7);
    let mut child = under_way(&place);
    eight_is_held_off(&place);
    let second = apply(&place, 7).exits(4);
    assert!(second.stderr.contains("locked by another run of this pull request 7 (alice)"), "{}", second.stderr);
    place.take_away("wait");
    assert!(child.wait().unwrap().success());
}

fn a_layer_is_held_until_its_pull_request_is_closed<P: Place>() {
    let place: P = two();
    apply(&place, 7).exits(0);
    eight_is_held_off(&place);
    let closed = place.run(place.close(7)).exits(0);
    assert!(closed.stderr.contains("released web"), "{closed:#?}");
    apply(&place, 8).exits(0);
    assert_eq!(place.row_of(8, "apply"), "success: ");
}

fn what_a_closed_pull_request_holds_is_taken_over<P: Place>() {
    let place: P = two();
    apply(&place, 7).exits(0);
    eight_is_held_off(&place);
    // No job of its closing runs.
    drop(place.close(7));
    apply(&place, 8).exits(0);
    let row = place.row_of(8, "apply");
    assert!(row.contains("took over the lock of pull request 7 (alice), which is closed"), "{row}");
}

fn work_without_a_pull_request_holds_a_layer_no_longer_than_it_runs<P: Place>() {
    let place = P::with(CONFIG);
    place.run(place.pushed_to_main()).exits(0);
    apply(&place, 7).exits(0);
    assert_eq!(place.row("apply"), "success: ");
}

/// Two pull requests that are worked at in one folder: what one plans there the other would apply.
#[test]
fn one_run_at_a_time_works_in_the_folder_of_a_layer() {
    let project = Project::with(&CONFIG.replace("lock  = true\n", "").replace("STORE/", ""));
    project.write("web/main.tf", "");
    project.write("wait", "");
    let apply = |pull: &str| {
        let mut command = project.command();
        command.args(["try", "--pr", pull, "/apply"]);
        command
    };
    let mut first = begins(apply("7"));
    let second = Ran::of(apply("8").output().unwrap()).exits(4);
    assert!(second.stderr.contains("locked by another run, in the folder `web`"), "{second:#?}");
    assert!(second.stderr.contains("wait until that run has ended"), "{second:#?}");
    std::fs::remove_file(project.path().join("wait")).unwrap();
    assert!(first.wait().unwrap().success());
    Ran::of(apply("8").output().unwrap()).exits(0);
}

/// As for two workspaces of the same code: the plan is a file there.
#[test]
fn layers_of_one_folder_take_turns() {
    let project = Project::with(
        &CONFIG
            .replace("[stages.apply]", "[layers.shop]\ndir = \"web\"\n\n[stages.apply]")
            .replace("lock  = true\n", "dir   = \"web\"\n")
            .lines()
            .filter(|line| !line.starts_with("steps"))
            .chain([r#"steps = [{ run = ["sh", "-c", "echo {{ layer }} > tfplan; sleep 0.2; grep -x {{ layer }} tfplan"] }]"#])
            .collect::<Vec<_>>()
            .join("\n"),
    );
    project.write("web/main.tf", "");
    project.ci(["try", "/apply"]).exits(0);
}

/// What `alice` was told last that was not done, and why.
#[track_caller]
fn refusal(place: &impl Place, pull: u64) -> String {
    let mut told = place.comments(pull).into_iter().rev();
    told.find(|body| body.contains(" was not run")).expect("nobody was told")
}

fn who_is_held_off_leaves_the_row_to_the_run_under_way<P: Place>() {
    let place: P = two();
    let mut child = under_way(&place);
    apply(&place, 7).exits(4);
    assert!(place.row("apply").starts_with("running: "), "{}", place.row("apply"));
    let why = refusal(&place, 7);
    assert!(why.contains("locked by another run of this pull request 7 (alice)"), "{why}");
    assert!(why.contains("**wait until that run has ended, or cancel it**"), "{why}");
    place.take_away("wait");
    assert!(child.wait().unwrap().success());
    // The run that was held off is the newer one, and still it is the other's outcome that stands.
    assert_eq!(place.row("apply"), "success: ");
    assert!(place.dashboard().contains("locked by another run"), "{}", place.dashboard());
}

fn who_is_held_off_does_not_hide_what_was_done_before<P: Place>() {
    let place: P = two();
    apply(&place, 7).exits(0);
    place.says("/unlock").exits(0);
    apply(&place, 8).exits(0);
    apply(&place, 7).exits(4);
    assert_eq!(place.row("apply"), "success: ");
    let why = refusal(&place, 7);
    assert!(why.contains("locked by pull request 8 (alice)"), "{why}");
    assert!(why.contains("merge or close pull request 8, or comment `/unlock` there"), "{why}");
}

fn a_run_under_way_is_not_unlocked<P: Place>() {
    let place: P = two();
    let mut child = under_way(&place);
    let refused = place.says("/unlock").exits(4);
    assert!(refused.stderr.contains("web is held by a run under way (alice)"), "{refused:#?}");
    assert!(refusal(&place, 7).contains("wait until that run has ended, or cancel it, then unlock"));
    eight_is_held_off(&place);
    // Nor is it because its pull request is closed meanwhile.
    place.run(place.close(7)).exits(4);
    apply(&place, 8).exits(4);
    place.kill(&mut child);
    place.take_away("wait");
    place.settles();
    apply(&place, 8).exits(0);
}

/// Two layers, of which pull request 7 applies one, as long as the file `wait` is there.
fn two_layers<P: Place>() -> P {
    let config = CONFIG.replace("[stages.apply]", "[layers.api]\ndir = \"api\"\n\n[stages.apply]").replace(
        "pattern = \"/apply\"",
        "pattern = '/apply(\\s+(?<layers>.+))?'\nargs.layers = { type = \"layers\", default = \"all\" }",
    );
    let place = P::with(&config);
    place.open(8);
    place
}

fn what_was_done_in_part_is_told_as_that<P: Place>() {
    let place: P = two_layers();
    place.run(place.comment(8, "alice", "/apply web")).exits(0);
    // One layer is applied, the other is held by 8.
    apply(&place, 7).exits(4);
    let why = refusal(&place, 7);
    assert!(why.contains("was not run in full:") && why.contains("(web): locked by pull request 8"), "{why}");

    place.run(place.comment(8, "alice", "/unlock")).exits(0);
    place.put("wait", "");
    let mut child = begins(place.comment(7, "alice", "/apply web"));
    let refused = place.says("/unlock").exits(4);
    assert!(refused.stderr.contains("released api: web is held by a run under way"), "{refused:#?}");
    assert!(refusal(&place, 7).contains("`/unlock` of alice was not run in full:"), "{}", refusal(&place, 7));
    place.take_away("wait");
    assert!(child.wait().unwrap().success());
}

/// No run tells them apart, and nobody can tell whether the first one still works.
#[test]
fn people_at_their_own_machines_hold_a_layer_each_for_themselves() {
    let github: GitHub = two();
    let here = || github.job().env("GITHUB_RUN_ID", "").env("GITHUB_ACTOR", "alice");
    github.put("wait", "");
    let mut child = begins(here().command(["apply", "--pr", "7"]));
    let second = here().ci(["apply", "--pr", "7"]).exits(4);
    assert!(second.stderr.contains("where nobody works on 7 any more, comment `/unlock`"), "{second:#?}");
    github.take_away("wait");
    assert!(child.wait().unwrap().success());
    here().ci(["apply", "--pr", "7"]).exits(0);
}

/// Nor is it taken from somebody since his pull request is closed, unless a person says so.
#[test]
fn what_somebody_holds_at_his_own_machine_only_a_person_gives_away() {
    let github: GitHub = two();
    let here = github.job().env("GITHUB_RUN_ID", "").env("GITHUB_ACTOR", "alice");
    github.put("wait", "");
    let mut child = begins(here.command(["apply", "--pr", "7"]));
    let closed = github.run(Place::close(&github, 7)).exits(4);
    assert!(closed.stderr.contains("web is held by alice without a run"), "{closed:#?}");
    let why = eight_is_held_off(&github);
    assert!(why.contains("comment `/unlock` there"), "{why}");
    github.says("/unlock").exits(0);
    apply(&github, 8).exits(0);
    github.take_away("wait");
    assert!(child.wait().unwrap().success());
    // What was given away meanwhile is not taken back,
    apply(&github, 8).exits(0);
    // nor if nobody holds it now.
    github.put("wait", "");
    let mut child = begins(here.command(["apply", "--pr", "8"]));
    github.run(Place::comment(&github, 8, "alice", "/unlock")).exits(0);
    github.take_away("wait");
    assert!(child.wait().unwrap().success());
    github.open_pull(9, "work-8");
    apply(&github, 9).exits(0);
}

/// Where no command releases locks, the reference does.
#[test]
fn what_somebody_holds_at_his_own_machine_can_be_released_as_is_said() {
    let config = CONFIG
        .replace("[commands.unlock]\npattern = \"/unlock\"\n", "")
        .replace("[[rules]]\ncommand = \"unlock\"\ngate    = \"anyone\"\nrun     = \"unlock\"\n", "");
    let github = <GitHub as Place>::with(&config);
    Place::open(&github, 8);
    let here = github.job().env("GITHUB_RUN_ID", "").env("GITHUB_ACTOR", "alice");
    github.put("wait", "");
    let mut child = begins(here.command(["apply", "--pr", "7"]));
    github.kill(&mut child);
    github.take_away("wait");
    let why = eight_is_held_off(&github);
    assert!(why.contains("where nobody works on it any more, delete `refs/ci/locks/web`"), "{why}");
    git::git(&git::bare(github.folder()), &["update-ref", "-d", "refs/ci/locks/web"]);
    apply(&github, 8).exits(0);
}

on_both!(
    what_was_done_in_part_is_told_as_that,
    who_is_held_off_leaves_the_row_to_the_run_under_way,
    who_is_held_off_does_not_hide_what_was_done_before,
    a_run_under_way_is_not_unlocked,
    what_a_run_holds_is_not_given_away_for_an_earlier_one_that_failed,
    a_layer_is_held_until_its_pull_request_is_closed,
    what_a_closed_pull_request_holds_is_taken_over,
    work_without_a_pull_request_holds_a_layer_no_longer_than_it_runs,
);

/// By the lock that its pull request keeps: it may be done in part, or its change was taken back.
#[test]
fn what_was_applied_is_planned_with_every_push_though_its_files_are_as_on_the_base() {
    let config = on_github::CONFIG.replace("dir = \"bootstrap\"", "dir = \"bootstrap\"\npaths = [\"elsewhere/**\"]");
    let github = on_github::wanting(crate::github::GitHub::start(&config));
    github.job().on(github.comment(7, "alice", "/plan bootstrap")).ci(["run"]).exits(0);
    github.state(|state| state.approve(7, "bob"));
    github.job().on(github.comment(7, "alice", "/apply bootstrap")).ci(["run"]).exits(0);
    github.commit("work", "platform/more", "of another layer\n");
    github.take_log();
    github.job().on(github.pull_event(7, "synchronize")).ci(["run"]).exits(0);
    assert_eq!(github.row(7, "plan-bootstrap"), "success: wants bootstrap as on work");
    // All locks are listed at once, and read where there is one.
    let log = github.take_log();
    let asked = ["matching-refs/", "ref/", "commits/"].map(|what| log.of("GET", &format!("/git/{what}")).len());
    assert_eq!(asked, [1, 1, 1], "{:#?}", log.lines());
    // Another pull request has nothing to do with that.
    github.open_pull(8, "work");
    github.job().on(github.pull_event(8, "opened")).ci(["run"]).exits(0);
    assert_eq!(github.row(8, "plan-bootstrap"), "skipped: no changes in elsewhere/**");
    // What nobody can read is named, with what to do.
    git::git(&git::bare(github.folder()), &["update-ref", "refs/ci/locks/bootstrap", "main"]);
    let refused = github.job().on(github.pull_event(8, "synchronize")).ci(["run"]).exits(3);
    assert!(refused.stderr.contains("what `refs/ci/locks/bootstrap` says cannot be read"), "{refused:#?}");
    assert!(refused.stderr.contains("what was applied already"), "{refused:#?}");
}
