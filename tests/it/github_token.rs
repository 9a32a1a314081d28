//! Tokens on GitHub: what one that may not write is told, and that none ever shows.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::github::{Job, READ_ONLY, STATUSES_ONLY, TOKEN};
use crate::github_trust::{config, github_with, ran};
use crate::on_github::github;
use crate::project::GIT;

#[test]
fn a_token_that_may_only_read_is_told_the_line_it_lacks() {
    let github = github();
    let update = ["update", "--pr", "7", "--stage", "lint", "--status", "success"];
    let told = github.job().token(READ_ONLY).ci(update).exits(3);
    assert!(told.stderr.contains("permissions") && told.stderr.contains("statuses: write"), "{told:#?}");
    github.take_log();
    let told = github.job().token(READ_ONLY).on(github.comment(7, "alice", "/plan")).ci(["run"]).exits(3);
    assert!(told.stderr.contains("statuses: write") && told.stderr.contains("nothing was run"), "{told:#?}");
    assert!(!ran(&github, "begun-platform"));
}

#[test]
fn a_token_that_may_not_write_the_dashboard_leaves_no_row_running() {
    let github = github();
    let plan = |token| github.job().token(token).on(github.comment(7, "alice", "/plan platform")).ci(["run"]);
    let told = plan(STATUSES_ONLY).exits(3);
    assert!(told.stderr.contains("pull-requests: write") && told.stderr.contains("nothing was run"), "{told:#?}");
    assert!(!ran(&github, "begun-platform"));
    let row = || github.row(7, "plan-platform");
    assert_eq!(row(), "dropped: nothing was run: the dashboard could not be written");
    // What was done before goes on standing.
    plan(TOKEN).exits(0);
    let planned = row();
    assert!(planned.starts_with("success: "), "{planned}");
    plan(STATUSES_ONLY).exits(3);
    assert_eq!(row(), planned);
}

#[test]
fn a_job_without_a_token_falls_back_to_no_forge_where_everybody_may_do_everything() {
    let github = github();
    for command in [&["run"][..], &["doctor"], &["show", "--pr", "7"]] {
        let told = github.job().on(github.comment(7, "mallory", "/plan")).token("").ci(command).exits(2);
        assert!(told.stderr.contains("no token") && told.stderr.contains("set GITHUB_TOKEN"), "{told:#?}");
    }
    assert!(!github.workspace().join(".ci").exists(), "the local forge was begun");
    // Who means it says so.
    github.job().token("").ci(["--forge", "local", "doctor"]).exits(0);
}

#[test]
fn a_wrong_budget_is_shown() {
    let told = github().job().env("CI_RETRY_BUDGET", "2m").ci(["show", "--pr", "7"]).exits(2);
    assert!(told.stderr.contains("`CI_RETRY_BUDGET` is `2m`") && told.stderr.contains("such as `120`"), "{told:#?}");
}

#[test]
fn a_wrong_address_or_name_is_a_mistake_of_the_call() {
    let github = github();
    for (name, value) in [("GITHUB_REPOSITORY", "acme"), ("GITHUB_API_URL", "nonsense")] {
        let told = github.job().env(name, value).ci(["show", "--pr", "7"]).exits(2);
        assert!(told.stderr.contains(value), "{told:#?}");
    }
}

/// A `git` on the path that writes down its arguments before it does what git does.
fn recording_git(folder: &Path) -> (String, std::path::PathBuf) {
    let path = std::env::var("PATH").unwrap();
    let (bin, record) = (folder.join("bin"), folder.join("arguments"));
    std::fs::create_dir_all(&bin).unwrap();
    let script = format!("#!/bin/sh\necho \"$*\" >> '{}'\nexec '{}' \"$@\"\n", record.display(), GIT.display());
    std::fs::write(bin.join("git"), script).unwrap();
    std::fs::set_permissions(bin.join("git"), std::fs::Permissions::from_mode(0o755)).unwrap();
    (format!("{}:{path}", bin.display()), record)
}

#[test]
fn the_token_never_shows() {
    let leaky = config(
        "cat wanted\"], output = true },",
        "cat wanted; env; printf '%s' $LEAKED_TOKEN | base64\"], output = true },",
    );
    let github = github_with(&leaky);
    let (path, record) = recording_git(github.folder());
    let run = |token: &str| {
        let job = github.job().on(github.comment(7, "alice", "/plan")).token(token);
        let job = job.env("PATH", &path).env("GH_TOKEN", TOKEN).env("ACTIONS_ID_TOKEN_REQUEST_TOKEN", TOKEN);
        job.env("LEAKED_TOKEN", TOKEN).ci(["run", "--verbose"])
    };
    let planned = run(TOKEN).exits(0);
    let arguments = std::fs::read_to_string(record).unwrap();
    assert!(arguments.contains("fetch"), "{arguments}");
    assert!(planned.stderr.contains("LEAKED_TOKEN=***") && !planned.stderr.contains("GITHUB_TOKEN="), "{planned:#?}");
    assert!(!planned.stderr.contains("GH_TOKEN=") && !planned.stderr.contains("ACTIONS_ID_TOKEN"), "{planned:#?}");
    let log = github.take_log();
    let header = Some(format!("Bearer {TOKEN}"));
    assert!(log.of("POST", "/statuses/").iter().all(|asked| asked.authorization == header), "{:#?}", log.lines());
    let mut places = vec![planned.stdout, planned.stderr, arguments];
    places.extend(log.0.iter().flat_map(|asked| [asked.target.clone(), asked.body.clone()]));
    places.extend(github.comments(7).into_iter().map(|comment| comment.body));
    let statuses = github.statuses(&github.head(7));
    places.extend(statuses.into_iter().flat_map(|status| [status.description, status.target_url]));
    places.push(std::fs::read_to_string(Job::summary(&github)).unwrap());
    places.push(std::fs::read_to_string(Job::outputs(&github)).unwrap());
    let encoded = "Z2hzX29mX3RoZV9qb2"; // the token's first characters in base64
    for place in places {
        assert!(!place.contains(TOKEN) && !place.contains(encoded), "{place}");
    }
}

#[test]
fn a_token_that_is_refused_does_not_show_either() {
    let github = github();
    let told = github.job().on(github.comment(7, "alice", "/plan")).token("ghs_expired").ci(["run"]).exits(3);
    assert!(told.stderr.contains("Bad credentials"), "{told:#?}");
    assert!(!told.stderr.contains("ghs_expired") && !told.stdout.contains("ghs_expired"), "{told:#?}");
    assert!(!ran(&github, "begun-platform"));
}
