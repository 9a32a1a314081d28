//! Stories of an outage of GitHub while work is under way: what is known is told in the log, with what mends the rows.

use std::process::Command;

use crate::github::{GitHub, Job};
use crate::github_trouble::{CONFIG, github, nothing_is_left_to_mend, start, wait_for};
use crate::on_github;
use crate::place::run_of;
use crate::project::{Ran, binary};

/// GitHub is well again, the runs that went on have failed, and the dashboard is mended.
fn well_again_and_synced(github: &GitHub) {
    github.well_again();
    github.state(|state| state.end_runs("ci.yml", "failure"));
    github.job().ci(["sync", "--pr", "7"]).exits(0);
}

/// GitHub is gone while the work is under way.
fn down_after_the_work(end: &str, code: i32, row: &str) {
    let github = github();
    let event = github.comment(7, "alice", "/plan");
    let work = format!(
        "touch $RUNNER_TEMP/begun; for i in $(seq 400); do [ -e $RUNNER_TEMP/go ] && break; sleep 0.05; done; {end}"
    );
    let child = start(&github.job().on(event).env("WORK", &work).env("CI_RETRY_BUDGET", "2"), &["run"]);
    wait_for(|| github.folder().join("begun").exists());
    github.down();
    std::fs::write(github.folder().join("go"), "").unwrap();
    let ran = Ran::of(child.wait_with_output().unwrap()).exits(code);
    let told = if code == 1 { "plan/base: failure" } else { "plan/base: success" };
    assert!(ran.stderr.contains(told), "{ran:#?}");
    let summary = std::fs::read_to_string(Job::summary(&github)).unwrap();
    assert!(summary.contains("| Plan: base |") && summary.contains(row), "{summary}");
    assert!(!summary.contains("🔄"), "{summary}");

    well_again_and_synced(&github);
    assert_eq!(github.row(7, "plan-base"), "failure: ended without reporting");
    typed_as_told(&github, &ran, "once the forge is well again, run: ");
    let known = if code == 1 { "failure: `sh` exited with 1 " } else { "success: " };
    assert_eq!(github.row(7, "plan-base"), format!("{known}(reported by github-actions[bot])"));
    nothing_is_left_to_mend(&github);
}

/// Types the lines of the log that stand behind such words.
fn typed_as_told(github: &GitHub, ran: &Ran, behind: &str) {
    typed_by("", github, ran, behind);
}

/// The same by somebody whose login is known.
fn typed_by(login: &str, github: &GitHub, ran: &Ran, behind: &str) {
    let told = ran.stderr.lines().filter_map(|line| line.split_once(behind));
    let lines: Vec<&str> = told.map(|(_, line)| line).collect();
    assert!(!lines.is_empty(), "{ran:#?}");
    for line in lines {
        let mut shell = Command::new("sh");
        github.job().env("GITHUB_ACTOR", login).set(&mut shell);
        let call = line.replacen("ci ", "\"$0\" ", 1);
        let typed = Ran::of(shell.args(["-c", &call]).arg(binary()).output().unwrap());
        typed.exits(0);
    }
}

#[test]
fn what_a_broken_ci_toml_kept_out_can_be_reported_again() {
    let github = github();
    github.commit("main", "ci.toml", &format!("{CONFIG}\n[stages.lint"));
    let report = ["update", "--pr", "7", "--stage", "lint", "--status", "failure", "--note", "it's \"odd\""];
    github.checkout();
    // A job of another tool's comment reports too.
    let by_comment = github.job().on(github.comment(7, "alice", "digger plan")).ci(report).exits(2);
    assert!(by_comment.stderr.contains("once ci.toml is mended, run: "), "{by_comment:#?}");
    let ran = github.job().on(github.pull_event(7, "opened")).ci(report).exits(2);
    let before = github.head(7);
    github.commit("main", "ci.toml", CONFIG);
    github.commit("work", "README.md", "more\n");
    typed_as_told(&github, &ran, "once ci.toml is mended, run: ");
    let said = github.statuses(&before).into_iter().rfind(|status| status.context == "ci/lint").unwrap();
    assert_eq!(said.description, "failure: it's \"odd\"");
}

#[test]
fn an_outage_after_work_that_succeeded_is_no_success_of_the_call() {
    down_after_the_work("true", 3, "✅");
}

#[test]
fn an_outage_after_work_that_failed_is_told_as_the_failure() {
    down_after_the_work("false", 1, "❌");
}

/// A plan whose handler says more, and whose outcome GitHub does not hear of.
fn lost(more: &str) -> (GitHub, Ran) {
    let github = GitHub::start(&CONFIG.replace("[handlers.apply]", &format!("{more}\n[handlers.apply]")));
    github.commit("work", "base/wanted", "something\n");
    let ran = lost_of(&github, "/plan");
    (github, ran)
}

/// A command whose outcome GitHub does not hear of.
fn lost_of(github: &GitHub, command: &str) -> Ran {
    let event = github.comment(7, "alice", command);
    let work = "touch $RUNNER_TEMP/begun; for i in $(seq 400); do [ -e $RUNNER_TEMP/go ] && break; sleep 0.05; done";
    let child = start(&github.job().on(event).env("WORK", work).env("CI_RETRY_BUDGET", "2"), &["run"]);
    wait_for(|| github.folder().join("begun").exists());
    github.down();
    std::fs::write(github.folder().join("go"), "").unwrap();
    let ran = Ran::of(child.wait_with_output().unwrap()).exits(3);
    github.well_again();
    github.state(|state| state.end_runs("ci.yml", "failure"));
    ran
}

/// What the history says of what happened last: who asked, for what, and the note.
fn newest(github: &GitHub) -> [String; 3] {
    let newest = &github.board(7)["history"][0];
    ["by", "action", "note"].map(|field| newest[field].as_str().unwrap_or_default().to_owned())
}

#[test]
fn what_is_reported_late_keeps_who_asked_for_what() {
    for is_synced in [false, true] {
        let (github, ran) = lost("note = \"2 to add\"");
        if is_synced {
            github.job().ci(["sync", "--pr", "7"]).exits(0);
        }
        typed_by("bob", &github, &ran, "once the forge is well again, run: ");
        assert_eq!(newest(&github), ["alice", "/plan", "2 to add (reported by bob)"]);
    }
}

/// Nobody's word is taken for it that somebody else asked.
#[test]
fn a_report_about_a_run_that_the_journal_does_not_know_is_its_reporters_own() {
    let github = github();
    let report = |run: u64| {
        let run = run.to_string();
        let head = github.head(7);
        let row = ["update", "--pr", "7", "--sha", &head, "--stage", "plan-base"];
        let words = [&row[..], &["--status", "success", "--run", &run]].concat();
        github.job().env("GITHUB_ACTOR", "bob").ci(words).exits(0);
        newest(&github)
    };
    let runs = |job: Job<'_>| {
        let mut command = job.command(["run"]);
        Ran::of(command.output().unwrap()).exits(0);
        run_of(&command)
    };
    // The entries of an account that is not ours say nothing,
    let run = runs(github.job().token("ghp_of_mallory").on(github.comment(7, "mallory", "/plan")));
    assert_eq!(report(run), ["bob", "", ""]);
    // nor do those of another run, or about another row.
    let run = runs(github.job().on(github.comment(7, "alice", "/plan")));
    assert_eq!(report(run + 1_000), ["bob", "", ""]);
    let run = runs(github.job().on(github.comment(7, "alice", "/apply")));
    assert_eq!(report(run), ["bob", "", ""]);
}

/// To its pull request alone, for nobody knows what was changed; and not while the run may go on with it.
#[test]
fn a_lock_is_given_back_with_the_end_that_is_reported_late() {
    let github = github();
    github.open_pull(8, "work");
    let ran = lost_of(&github, "/apply");
    let apply = |pull: u64| github.job().on(github.comment(pull, "alice", "/apply")).ci(["run"]);
    let run = github.state(|state| *state.runs.keys().last().unwrap());

    github.state(|state| state.runs.get_mut(&run).unwrap().conclusion = None);
    typed_as_told(&github, &ran, "once the forge is well again, run: ");
    assert!(apply(7).exits(4).stderr.contains("locked by another run of this pull request 7 (alice)"));

    github.state(|state| state.end_run(run, "failure"));
    typed_as_told(&github, &ran, "once the forge is well again, run: ");
    assert!(apply(8).exits(4).stderr.contains("locked by pull request 7 (alice)"));
    apply(7).exits(0);
    assert_eq!(github.row(7, "apply-base"), "success: ");
}

#[test]
fn a_plan_that_is_reported_late_asks_for_no_lock() {
    let (github, ran) = lost("");
    github.take_log();
    typed_as_told(&github, &ran, "once the forge is well again, run: ");
    let asked = github.take_log().lines();
    assert!(asked.iter().all(|line| !line.contains("/git/")), "{asked:#?}");
}

#[test]
fn the_line_of_an_odd_note_or_link_works_when_typed() {
    let (github, ran) = lost("note = \"-2\\nchanges\"\nlink = \"logs/1\"");
    typed_as_told(&github, &ran, "once the forge is well again, run: ");
    assert_eq!(github.row(7, "plan-base"), "success: -2 changes (reported by github-actions[bot])");
}

#[test]
fn a_line_that_is_typed_late_does_not_hide_what_newer_work_came_to() {
    let (github, ran) = lost("");
    let event = github.comment(7, "alice", "/plan");
    github.job().on(event).env("WORK", "false").ci(["run"]).exits(1);
    let before = github.row(7, "plan-base");
    typed_as_told(&github, &ran, "once the forge is well again, run: ");
    assert_eq!(github.row(7, "plan-base"), before);
}

#[test]
fn what_was_started_before_an_outage_is_told() {
    let github = on_github::github();
    let event = github.comment(7, "alice", "/e2e");
    github.down_after("/dispatches");
    let ran = github.job().on(event).env("CI_RETRY_BUDGET", "1").ci(["run"]).exits(3);
    let run = github.state(|state| *state.runs.iter().find(|(_, run)| run.workflow == "e2e.yml").unwrap().0);
    let told = format!("e2e: running, started e2e.yml, {}", github.url());
    let line = ran.stderr.lines().find(|line| line.contains(&told)).unwrap_or_else(|| panic!("{ran:#?}"));
    assert!(line.ends_with(&format!("/actions/runs/{run}")), "{line}");

    well_again_and_synced(&github);
    assert_eq!(github.row(7, "e2e"), "failure: ended without saying whether e2e.yml was started: look at its runs");
    // Once that run has ended its own outcome stands.
    let ended = github.run_ends(run, "success");
    github.job().on(ended).ci(["run"]).exits(0);
    assert_eq!(github.row(7, "e2e"), "success: ");
}

/// Work that waited for something, the lock of its layer or other work, does not begin unless that is in the journal: else
/// nobody could tell later.
#[test]
fn work_that_waited_is_not_begun_in_an_outage() {
    let github = github();
    github.job().on(github.comment(7, "alice", "/apply")).ci(["run"]).exits(0);
    assert_eq!(github.row(7, "apply-base"), "success: ");
    github.state(|state| state.end_runs("ci.yml", "success"));
    let applied = github.folder().join("applied");
    std::fs::remove_file(&applied).unwrap();

    let event = github.comment(7, "alice", "/apply");
    github.down_after("/git/refs");
    github.job().on(event).env("CI_RETRY_BUDGET", "1").ci(["run"]).exits(3);
    assert!(!applied.exists());
    well_again_and_synced(&github);
    assert_eq!(github.row(7, "apply-base"), "success: ");
    nothing_is_left_to_mend(&github);
}

#[test]
fn a_workflow_that_waited_for_other_work_is_told_as_started() {
    let github = github();
    let event = github.comment(7, "alice", "/both");
    github.down_after("/dispatches");
    github.job().on(event).env("CI_RETRY_BUDGET", "1").ci(["run"]).exits(3);
    well_again_and_synced(&github);
    assert_eq!(github.row(7, "e2e"), "failure: ended without saying whether e2e.yml was started: look at its runs");
}

/// One layer fails, another is another pull request's: that this cannot be posted is less than that.
#[test]
fn an_outage_behind_the_work_does_not_change_what_came_of_it() {
    let github = GitHub::start(&format!("{CONFIG}\n[layers.other]\ndir = \"other\"\n"));
    github.commit("work", "base/wanted", "something\n");
    github.open_pull(8, "work");
    for (pull, job) in [(8, "apply/other"), (7, "apply/base")] {
        github.job().on(github.comment(pull, "alice", "/apply")).ci(["run", "--only", job]).exits(0);
    }
    github.state(|state| state.end_runs("ci.yml", "success"));
    let event = github.comment(7, "alice", "/apply");
    // The refusal looks whether there is one already.
    github.down_after("/issues/7/comments?per_page=100");
    let ran = github.job().on(event).env("WORK", "false").env("CI_RETRY_BUDGET", "1").ci(["run"]).exits(1);
    assert!(ran.stderr.contains("locked by pull request 8"), "{ran:#?}");
    github.well_again();
    assert_eq!(github.row(7, "apply-base"), "failure: `sh` exited with 1");
}

#[test]
fn an_output_that_cannot_be_posted_is_told_once() {
    let github = on_github::github();
    let event = github.comment(7, "alice", "/plan platform");
    // The dashboard is the first comment.
    github.down_after("/issues/7/comments ");
    let ran = github.job().on(event).env("CI_RETRY_BUDGET", "1").ci(["run"]).exits(3);
    assert_eq!(ran.stderr.matches("the output of `plan` could not be posted").count(), 1, "{ran:#?}");
}

/// At a terminal nothing but the token says who types.
#[test]
fn who_reports_late_at_a_terminal_is_named_by_his_token() {
    let github = github();
    github.state(|state| state.roles.insert("bob".to_owned(), "maintain".to_owned()));
    github.job().token("ghp_of_alice").on(github.comment(7, "bob", "/plan")).ci(["run"]).exits(0);
    let run = github.state(|state| *state.runs.keys().last().unwrap()).to_string();
    let head = github.head(7);
    let report = ["update", "--pr", "7", "--sha", &head, "--stage", "plan-base", "--status", "failure", "--run", &run];
    github.job().token("ghp_of_alice").env("GITHUB_ACTOR", "").ci(report).exits(0);
    let show = ["show", "--pr", "7", "--format", "json"];
    let shown = github.job().token("ghp_of_alice").ci(show).exits(0).stdout;
    let newest = &serde_json::from_str::<serde_json::Value>(&shown).unwrap()["history"][0];
    assert_eq!(newest["note"], "(reported by alice)", "{newest:#}");
    assert_eq!(newest["by"], "bob", "{newest:#}");
}
