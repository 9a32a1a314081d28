//! Stories of `ci doctor`: what is well, what is not, and that looking changes nothing.

use jiff::SignedDuration;
use serde_json::Value;

use crate::github::{BOT, Fault, GitHub, READ_ONLY};
use crate::on_github::github;
use crate::project::{Project, Ran};

fn doctor(github: &GitHub, token: Option<&str>) -> Ran {
    let job = github.job();
    let job = match token {
        Some(token) => job.token(token),
        None => job,
    };
    job.ci(["doctor", "--pr", "7", "--format", "json"])
}

/// `SEVERITY ABOUT: MESSAGE` of every finding that is not good.
fn findings(ran: &Ran) -> Vec<String> {
    let told: Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {ran:#?}"));
    let all = told["findings"].as_array().unwrap().iter().filter(|finding| finding["severity"] != "good");
    let text = |finding: &Value, key: &str| finding[key].as_str().unwrap().to_owned();
    all.map(|finding| {
        assert!(!text(finding, "remedy").is_empty(), "{finding}");
        format!("{} {}: {}", text(finding, "severity"), text(finding, "about"), text(finding, "message"))
    })
    .collect()
}

#[track_caller]
fn only(ran: &Ran, words: &[&str]) {
    let found = findings(ran);
    let right = matches!(&found[..], [one] if words.iter().all(|word| one.contains(word)));
    assert!(right, "{words:?} in {found:#?}");
}

#[test]
fn nothing_is_wrong_and_nothing_is_changed() {
    let github = github();
    only(&doctor(&github, None).exits(0), &["warning dashboard: the journal", "points at no comment"]);
    github.job().ci(["init", "--pr", "7"]).exits(0);
    let before = (github.comments(7).len(), github.statuses(&github.head(7)).len());
    let ran = doctor(&github, None).exits(0);
    assert_eq!(findings(&ran), Vec::<String>::new());
    let human = github.job().ci(["doctor", "--pr", "7"]).exits(0);
    for line in [
        "ok       token: a token of an app or of a workflow's job, which writes as `github-actions[bot]`",
        "ok       permissions: `statuses: write`",
        "ok       permissions: `contents: write`",
        "ok       permissions: `actions: write`",
        "ok       rate: 4999 of 5000",
        "ok       clock: ",
    ] {
        assert!(human.stdout.contains(line), "{line} in {}", human.stdout);
    }
    assert_eq!(before, (github.comments(7).len(), github.statuses(&github.head(7)).len()));
    github.state(|state| {
        assert!(state.issues.is_empty() && state.runs.values().all(|run| run.event != "workflow_dispatch"));
    });
}

#[test]
fn what_the_token_may_not_is_found_by_trying() {
    let github = github();
    github.job().ci(["init", "--pr", "7"]).exits(0);
    let found = findings(&doctor(&github, Some(READ_ONLY)).exits(1));
    let missing: Vec<&String> = found.iter().filter(|found| found.starts_with("problem permissions: ")).collect();
    // Statuses, comments, locks and the dispatch of e2e.yml.
    assert_eq!(missing.len(), 4, "{found:#?}");
    assert!(missing.iter().any(|found| found.contains("write commit statuses")), "{found:#?}");
    assert!(missing.iter().any(|found| found.contains("start the workflow `e2e.yml`")), "{found:#?}");
    only(&doctor(&github, Some("ghp_revoked")).exits(1), &["problem api", "a classic personal token", "401"]);
}

#[test]
fn impostors_are_named() {
    let github = github();
    github.job().ci(["init", "--pr", "7"]).exits(0);
    let (head, genuine) = (github.head(7), github.dashboard(7).body);
    github.state(|state| state.comment_as("mallory", 7, &genuine));
    only(&doctor(&github, None).exits(0), &["warning impostors", "`mallory` carries our marker"]);
    let forged = serde_json::json!({ "state": "success", "context": "ci/apply", "description": "success" });
    github.state(|state| state.status_as("eve[bot]", &head, &forged));
    let found = findings(&doctor(&github, None).exits(1));
    assert!(found.iter().any(|found| found.contains("`eve[bot]` wrote statuses under `ci/apply`")), "{found:#?}");
}

#[test]
fn a_dashboard_that_is_not_true_is_found_and_mended() {
    let github = github();
    github.job().ci(["init", "--pr", "7"]).exits(0);
    let id = github.dashboard(7).id;
    github.state(|state| state.comments.get_mut(&id).unwrap().body.push_str("\n\nall is green"));
    only(&doctor(&github, None).exits(1), &["problem dashboard", "does not say what the journal says"]);
    github.job().ci(["sync", "--pr", "7"]).exits(0);
    assert_eq!(findings(&doctor(&github, None).exits(0)), Vec::<String>::new());

    github.state(|state| state.comments.remove(&id));
    only(&doctor(&github, None).exits(1), &["problem dashboard", "is gone"]);
    github.job().ci(["sync", "--pr", "7"]).exits(0);

    let body = github.dashboard(7).body;
    github.state(|state| state.comment_as(BOT, 7, &body));
    only(&doctor(&github, None).exits(1), &["problem dashboard", "1 more comments of ours"]);
}

#[test]
fn a_check_that_is_behind_the_rows_is_found() {
    let github = github();
    github.job().ci(["init", "--pr", "7"]).exits(0);
    github.job().ci(["update", "--pr", "7", "--stage", "lint", "--status", "failure"]).exits(0);
    // As a job leaves it that dies between the comment and the pointer.
    github.state(|state| {
        let last = state.statuses.iter().rposition(|status| status.context == "ci/dashboard").unwrap();
        state.statuses.remove(last);
    });
    only(&doctor(&github, None).exits(1), &["problem dashboard", "`ci/dashboard`"]);
    github.job().ci(["sync", "--pr", "7"]).exits(0);
    assert_eq!(findings(&doctor(&github, None).exits(0)), Vec::<String>::new());
}

#[test]
fn rows_of_ended_runs_are_found() {
    let github = github();
    github.job().ci(["update", "--pr", "7", "--stage", "lint", "--status", "running"]).exits(0);
    github.state(|state| state.runs.values_mut().for_each(|run| run.conclusion = Some("cancelled".to_owned())));
    only(&doctor(&github, None).exits(1), &["problem rows: `lint` still runs"]);
    github.job().ci(["sync", "--pr", "7"]).exits(0);
    assert_eq!(findings(&doctor(&github, None).exits(0)), Vec::<String>::new());
}

#[test]
fn a_broken_ci_toml_at_the_base_is_found() {
    let github = github();
    github.commit("main", "ci.toml", "version = 1\nlayer = 3\n");
    let ran = doctor(&github, None).exits(1);
    only(&ran, &["problem rules: `unknown-key` in line 2 of `ci.toml of main`: "]);
    assert!(ran.stderr.contains("ci.toml of main"), "{ran:#?}");
}

#[test]
fn without_a_ci_toml_new_is_named() {
    let ran = Project::empty().ci(["doctor"]).exits(1);
    assert!(ran.stdout.contains("problem  rules: there is no ci.toml"), "{ran:#?}");
    assert!(ran.stdout.contains("→ `ci new` writes one"), "{ran:#?}");
}

#[test]
fn what_cannot_be_reached_is_the_api_and_is_named() {
    let github = github();
    let ran =
        github.job().env("GITHUB_API_URL", "http://127.0.0.1:9/api/v3").env("CI_RETRY_BUDGET", "1").ci(["doctor"]);
    let ran = ran.exits(3);
    assert!(ran.stdout.contains("problem  api: `acme/infra` at `http://127.0.0.1:9/api/v3`"), "{ran:#?}");
    assert!(!ran.stdout.contains(&github.url()), "{ran:#?}");
}

#[test]
fn few_requests_that_are_left_are_found() {
    let github = github();
    github.job().ci(["init", "--pr", "7"]).exits(0);
    github.state(|state| state.left = Some(12));
    only(&doctor(&github, None).exits(0), &["warning rate", "12 of 5000 requests are left until 2"]);
    // An Enterprise Server without limits.
    github.state(|state| state.left = None);
    let ran = doctor(&github, None).exits(0);
    assert_eq!(findings(&ran), Vec::<String>::new());
    assert!(!ran.stdout.contains("\"rate\""), "{ran:#?}");
    github.fail_from(0, Fault::Exhausted(403, 3_000));
    let ran = doctor(&github, None).exits(3);
    only(&ran, &["problem api", "rate limited until 2", "API rate limit exceeded"]);
    assert!(ran.stdout.contains("wait until then"), "{ran:#?}");
}

#[test]
fn a_clock_that_is_off_is_found() {
    let github = github();
    github.job().ci(["init", "--pr", "7"]).exits(0);
    for (ahead, words) in [(3_600, "s behind GitHub"), (-3_600, "s ahead of GitHub")] {
        github.state(|state| state.ahead = SignedDuration::from_secs(ahead));
        only(&doctor(&github, None).exits(0), &["warning clock: this machine is 3", words]);
    }
}

#[test]
fn the_local_forge_needs_no_token() {
    let project = Project::with("version = 1\n[stages.lint]\nname = \"Lint\"\n");
    let ran = project.ci(["doctor"]).exits(0);
    let forge = "ok       forge: the local one; for GitHub set GITHUB_TOKEN or write `--forge github`";
    assert_eq!(ran.stdout, format!("{forge}\nok       rules: `ci.toml` is right\n"));
}
