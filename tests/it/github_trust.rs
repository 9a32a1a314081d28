//! Whom the tool believes on GitHub: forgeries, the rules that judge a pull request, forks, and who comments. Each
//! story tries the attack.

use serde_json::json;

use crate::github::{BOT, GitHub, Job, READ_ONLY, UNREADABLE};
use crate::on_github::{CONFIG, github};

/// A GitHub with this ci.toml on `main`, whose pull request 7 wants something of every layer.
pub(crate) fn github_with(config: &str) -> GitHub {
    let github = GitHub::start(config);
    for layer in ["bootstrap", "platform", "data-staging", "data-prod"] {
        github.commit("work", &format!("{layer}/wanted"), &format!("{layer} as on work\n"));
    }
    github
}

/// The stories' ci.toml, with one passage of it put otherwise.
pub(crate) fn config(passage: &str, other: &str) -> String {
    assert!(CONFIG.contains(passage), "ci.toml of the stories has no `{passage}`");
    CONFIG.replace(passage, other)
}

/// Whether a step ran: those of the stories leave a file.
pub(crate) fn ran(github: &GitHub, file: &str) -> bool {
    github.folder().join(file).exists()
}

/// What git asked for since the log was taken last.
#[track_caller]
fn assert_nothing_fetched(github: &GitHub) {
    let log = github.take_log();
    assert!(!log.0.iter().any(|asked| asked.target.contains(".git/")), "{:#?}", log.lines());
    assert!(!ran(github, "begun-platform"), "a step ran");
}

/// Writes all that the journal of a commit says onto another commit in somebody else's name, as of newer runs.
fn forge_journal(github: &GitHub, from: &str, to: &str, creator: &str, change: impl Fn(&str) -> String) {
    for status in github.statuses(from) {
        let forged = json!({
            "state": "success", "context": status.context, "description": change(&status.description),
            "target_url": change(&status.target_url),
        });
        github.state(|state| state.status_as(creator, to, &forged));
    }
}

#[test]
fn entries_and_pointers_of_others_count_for_nothing() {
    let github = github();
    github.job().on(github.comment(7, "alice", "/plan")).ci(["run"]).exits(0);
    let planned = github.head(7);
    let pushed = github.commit("work", "platform/wanted", "something else\n");
    github.job().ci(["update", "--pr", "7", "--stage", "lint", "--status", "failure"]).exits(0);
    let run = github.state(|state| state.runs.keys().next().copied()).unwrap().to_string();
    let decoy = github.state(|state| state.comment_as("mallory", 7, "a decoy")).id.to_string();
    let genuine = github.dashboard(7).id.to_string();
    let changed = |text: &str| text.replace(&run, "99999999").replace("failure", "success").replace(&genuine, &decoy);
    for creator in ["mallory", "evil[bot]", "github-actions"] {
        forge_journal(&github, &planned, &pushed, creator, changed);
        forge_journal(&github, &pushed, &pushed, creator, changed);
    }

    assert_eq!(github.row(7, "lint"), "failure: nobody said why (for the pull request's head: no commit was named)");
    assert_eq!(github.row(7, "plan-platform"), "pending: ");
    github.state(|state| state.approve(7, "bob"));
    let refused = github.job().on(github.comment(7, "alice", "/apply platform")).ci(["run"]).exits(4);
    assert!(refused.stderr.contains("planned"), "{refused:#?}");
    github.job().ci(["update", "--pr", "7", "--stage", "e2e", "--status", "running"]).exits(0);
    assert_eq!(github.dashboard(7).id.to_string(), genuine);
    assert!(github.dashboard(7).body.contains("| E2E Tests | [🔄]"), "{}", github.dashboard(7).body);
    assert_eq!(github.comments(7).iter().find(|comment| comment.author == "mallory").unwrap().body, "a decoy");
}

#[test]
fn a_dashboard_of_another_is_never_taken() {
    let github = github();
    let forged = format!("<!-- infra-dashboard:{} -->\n## all is well", github.head(7));
    for author in ["mallory", "renovate[bot]", "alice"] {
        github.state(|state| state.comment_as(author, 7, &forged));
    }
    github.job().ci(["init", "--pr", "7"]).exits(0);
    let ours = github.dashboard(7);
    github.job().ci(["update", "--pr", "7", "--stage", "lint", "--status", "success"]).exits(0);
    github.job().ci(["sync", "--pr", "7"]).exits(0);
    assert_eq!(github.dashboard(7).id, ours.id);
    let theirs = github.comments(7).into_iter().filter(|comment| comment.author != BOT);
    assert_eq!(theirs.map(|comment| comment.body).collect::<Vec<_>>(), [&*forged; 3]);
}

#[test]
fn a_marker_in_our_own_output_is_no_dashboard() {
    let github = github();
    let marker = format!("<!-- infra-dashboard:{} -->", "a".repeat(40));
    let forged = format!("{marker}\n-->\n```\n<!-- infra-dashboard-state:{{\"rows\":[]}} -->\n| Lint | ✅ |\n");
    github.commit("work", "platform/wanted", &forged);
    let head = github.head(7);
    github.commit("work", "bootstrap/wanted", &format!("<!-- infra-dashboard:{head} -->\n"));
    github.job().on(github.comment(7, "alice", "/plan bootstrap platform")).ci(["run"]).exits(0);
    let body = github.dashboard(7).body;
    assert_eq!(body.matches("<!-- infra-dashboard:").count(), 1, "{body}");
    assert_eq!(body.matches("<!-- infra-dashboard-state:").count(), 1, "{body}");

    // Nothing points at the dashboard any more: it is looked for among the comments.
    let ours = github.dashboard(7);
    github.state(|state| state.statuses.retain(|status| status.context != "ci/dashboard"));
    github.job().ci(["sync", "--pr", "7"]).exits(0);
    assert_eq!(github.dashboard(7).id, ours.id);
    let others = |github: &GitHub| github.comments(7).into_iter().filter(|one| one.author == BOT).count();
    let before = others(&github);
    github.state(|state| {
        state.statuses.retain(|status| status.context != "ci/dashboard");
        state.comments.remove(&ours.id);
    });
    github.job().ci(["sync", "--pr", "7"]).exits(0);
    assert_ne!(github.dashboard(7).id, ours.id);
    assert_eq!(others(&github), before);
}

/// A ci.toml that lets everybody run something else.
fn looser() -> String {
    config("command = \"plan\"\ngate    = \"writers\"", "command = \"plan\"\ngate    = \"anyone\"")
        .replace("touch \\\"$RUNNER_TEMP/begun-", "touch \\\"$RUNNER_TEMP/evil-")
}

#[test]
fn a_pull_request_is_judged_by_the_rules_of_its_base() {
    let github = github();
    github.commit("work", "ci.toml", &looser());
    // What stands in the workspace is no rule either.
    std::fs::write(github.workspace().join("ci.toml"), looser()).unwrap();
    github.take_log();
    let refused = github.job().on(github.comment(7, "mallory", "/plan")).ci(["run"]).exits(4);
    assert!(refused.stderr.contains("permission"), "{refused:#?}");
    assert_nothing_fetched(&github);
    github.job().on(github.pull_event(7, "synchronize")).ci(["run"]).exits(0);
    assert!(ran(&github, "begun-platform") && !ran(&github, "evil-platform"));
}

#[test]
fn the_code_that_runs_is_the_heads_and_is_fetched_after_the_gate_opened() {
    let github = github();
    github.take_log();
    github.job().on(github.comment(7, "mallory", "/plan")).ci(["run"]).exits(4);
    assert_nothing_fetched(&github);
    github.job().on(github.comment(7, "alice", "/plan")).ci(["run"]).exits(0);
    assert_eq!(github.row(7, "plan-platform"), "success: wants platform as on work");
    let log = github.take_log();
    let first = |words: &str| log.0.iter().position(|asked| asked.target.contains(words)).unwrap();
    assert!(first("/collaborators/alice/permission") < first(".git/"), "{:#?}", log.lines());
}

#[test]
fn a_config_that_is_nowhere_was_mistyped() {
    let github = github();
    let event = github.comment(7, "alice", "/plan");
    let told = github.job().on(event).ci(["run", "--config", "infra.toml"]).exits(2);
    assert!(told.stderr.contains("there is no `infra.toml`, neither here nor on `main`"), "{told:#?}");
    assert!(github.comments(7).len() == 1, "only the command stands there");
}

#[test]
fn a_ci_toml_takes_effect_when_merged() {
    let github = github();
    github.commit("work", "ci.toml", CONFIG);
    github.delete("main", "ci.toml");
    github.commit("main", "README.md", "without\n");
    for own in [false, true] {
        github.checkout();
        if own {
            std::fs::write(github.workspace().join("ci.toml"), CONFIG).unwrap();
        }
        github.take_log();
        for event in [github.pull_event(7, "opened"), github.comment(7, "alice", "/plan")] {
            let told = github.job().on(event).ci(["run"]).exits(0);
            assert!(told.stderr.contains("takes effect when merged"), "{told:#?}");
        }
        assert_nothing_fetched(&github);
    }
    assert!(github.statuses(&github.head(7)).is_empty());
}

#[test]
fn a_stage_that_the_base_does_not_know_counts_once_merged() {
    let github = github();
    let own = config("[stages.lint]", "[stages.docs]\n[stages.lint]");
    std::fs::write(github.workspace().join("ci.toml"), own).unwrap();
    let update = ["update", "--pr", "7", "--stage", "docs", "--status", "success"];
    let told = github.job().on(github.pull_event(7, "opened")).ci(update).exits(0);
    assert!(told.stderr.contains("counts once merged"), "{told:#?}");
    let unknown = ["update", "--pr", "7", "--stage", "lnt", "--status", "success"];
    let told = github.job().on(github.pull_event(7, "opened")).ci(unknown).exits(2);
    assert!(told.stderr.contains("did you mean `lint`"), "{told:#?}");
    assert!(github.statuses(&github.head(7)).is_empty());
}

/// Its job was under way when the base lost it: what came of it is history.
#[test]
fn a_stage_that_left_the_base_while_its_job_ran_is_recorded() {
    let github = github();
    let with_docs = config("[stages.lint]", "[stages.docs]\n[stages.lint]");
    github.commit("main", "ci.toml", &with_docs);
    let update = |status| {
        let update = ["update", "--pr", "7", "--stage", "docs", "--status", status];
        github.job().on(github.pull_event(7, "opened")).ci(update).exits(0)
    };
    update("running");
    github.commit("main", "ci.toml", CONFIG);
    // Whether the checkout still has it or not.
    for (own, status) in [(with_docs.as_str(), "failure"), (CONFIG, "success")] {
        std::fs::write(github.workspace().join("ci.toml"), own).unwrap();
        let told = update(status);
        assert!(told.stderr.contains("`docs` is in ci.toml no longer"), "{told:#?}");
        let last = github.statuses(&github.head(7)).into_iter().rfind(|status| status.context == "ci/docs").unwrap();
        assert_eq!(last.description, status);
    }
}

#[test]
fn a_stage_of_each_layer_that_left_the_base_while_its_job_ran_is_recorded() {
    let github = github();
    github.commit("main", "ci.toml", &config("[stages.lint]", "[stages.docs]\neach = \"layer\"\n[stages.lint]"));
    let update = |status| github.job().ci(["update", "--pr", "7", "--stage", "docs", "--status", status]).exits(0);
    update("running");
    github.commit("main", "ci.toml", CONFIG);
    let told = update("success");
    assert!(told.stderr.contains("`docs` is in ci.toml no longer"), "{told:#?}");
}

#[test]
fn a_base_that_is_not_the_default_branch_has_rules_of_its_own() {
    let github = github();
    let stricter = config("[gates.writers]\npermission = \"write\"", "[gates.writers]\npermission = \"admin\"");
    github.commit("release", "ci.toml", &stricter);
    github.state(|state| state.pull(7).base = "release".to_owned());
    github.take_log();
    let refused = github.job().on(github.comment(7, "alice", "/plan")).ci(["run"]).exits(4);
    assert!(refused.stderr.contains("wants admin"), "{refused:#?}");
    assert_nothing_fetched(&github);
    github.job().on(github.comment(7, "root", "/plan")).ci(["run"]).exits(0);
}

#[test]
fn a_command_that_only_the_base_knows_is_heard() {
    let github = github();
    github.commit("main", "ci.toml", &config("pattern = '/help'", "pattern = '/manual'"));
    github.job().on(github.comment(7, "mallory", "/manual")).ci(["run"]).exits(0);
    assert!(github.comments(7).iter().any(|comment| comment.author == BOT), "{:#?}", github.comments(7));
    // What is no command there either costs a look at it, and what does not look like one costs nothing.
    for (text, most) in [("/lgtm", 2), ("see\n\n    /manual", 0), ("1/2 of it\n//manual", 0), ("do not /manual", 0)] {
        let event = github.comment(7, "alice", text);
        github.take_log();
        github.job().on(event).ci(["run"]).exits(0);
        assert!(github.take_log().requests() <= most, "{text}");
    }
}

#[test]
fn templates_are_those_of_the_base() {
    let github = github();
    github.commit("main", "templates/help.md.j2", "help of the base\n");
    github.commit("work", "templates/help.md.j2", "help of mallory\n");
    github.checkout();
    github.job().on(github.comment(7, "alice", "/help")).ci(["run"]).exits(0);
    std::fs::write(github.workspace().join("templates/help.md.j2"), "help of mallory\n").unwrap();
    github.job().on(github.comment(7, "alice", "/help")).ci(["run"]).exits(0);
    let said = |text: &str| github.comments(7).iter().filter(|comment| comment.body.contains(text)).count();
    assert_eq!((said("help of the base"), said("help of mallory")), (1, 0), "{:#?}", github.comments(7));
}

#[test]
fn what_is_pushed_after_the_comment_is_not_applied() {
    let github = github();
    github.job().on(github.comment(7, "alice", "/plan platform")).ci(["run"]).exits(0);
    github.state(|state| state.approve(7, "bob"));
    let asked = github.comment(7, "alice", "/apply platform");
    github.commit("work", "platform/wanted", "something else\n");
    github.take_log();
    let refused = github.job().on(asked).ci(["run"]).exits(4);
    assert!(refused.stderr.contains("planned") && refused.stderr.contains("/plan platform"), "{refused:#?}");
    assert!(!ran(&github, "applied-platform"));
}

/// The head moves while a lower layer is applied: the one above it is not begun.
#[test]
fn what_is_pushed_while_it_is_applied_is_plan_stale() {
    let slow = config(
        "cat wanted > \\\"$RUNNER_TEMP/applied-{{ layer }}\\\"",
        "cat wanted > \\\"$RUNNER_TEMP/applied-{{ layer }}\\\"; for i in $(seq 400); do test -e \\\"$RUNNER_TEMP/pushed\\\" && break; sleep 0.05; done",
    );
    let github = github_with(&slow);
    github.job().on(github.comment(7, "alice", "/plan bootstrap platform")).ci(["run"]).exits(0);
    github.state(|state| state.approve(7, "bob"));
    let asked = github.job().on(github.comment(7, "alice", "/apply bootstrap platform"));
    let planned = github.head(7);
    let applied = std::thread::scope(|threads| {
        let applying = threads.spawn(|| asked.ci(["run"]));
        while !ran(&github, "applied-bootstrap") && !applying.is_finished() {
            std::thread::yield_now();
        }
        github.commit("work", "platform/wanted", "something else\n");
        std::fs::write(github.folder().join("pushed"), "").unwrap();
        applying.join().unwrap()
    });
    let applied = applied.exits(1);
    assert!(applied.stderr.contains("plan-stale"), "{applied:#?}");
    assert!(!ran(&github, "applied-platform"));
    let asked = github.take_log().lines();
    let locked = |layer: &str| asked.iter().any(|line| line.contains(&format!("ci/locks/{layer}")));
    assert_eq!((locked("bootstrap"), locked("platform")), (true, false), "{asked:#?}");
    let said = github.statuses(&planned).into_iter().rfind(|status| status.context.starts_with("ci/apply")).unwrap();
    assert!(said.description.contains("/plan platform"), "{said:#?}");
}

/// Pull request 7 comes from a fork of mallory's.
fn from_a_fork(github: &GitHub) {
    github.state(|state| {
        let pull = state.pull(7);
        (pull.head_repository, pull.author) = ("mallory/infra".to_owned(), "mallory".to_owned());
    });
}

#[test]
fn a_fork_runs_nothing_by_default() {
    let github = github();
    from_a_fork(&github);
    github.take_log();
    let refused = github.job().on(github.pull_event(7, "opened")).token(READ_ONLY).ci(["run"]).exits(4);
    assert!(refused.stderr.contains("forks = true"), "{refused:#?}");
    for command in ["/plan", "/e2e", "/apply"] {
        let refused = github.job().on(github.comment(7, "root", command)).ci(["run"]).exits(4);
        assert!(refused.stderr.contains("fork"), "{refused:#?}");
    }
    assert_nothing_fetched(&github);
    assert!(!github.state(|state| state.runs.values().any(|run| run.workflow == "e2e.yml")));
}

#[test]
fn a_fork_is_told_by_the_job_summary() {
    let open = config("layers = \"changed\"\n", "layers = \"changed\"\ngate = \"forks\"\n")
        .replace("[gates.apply]", "[gates.forks]\npermission = \"read\"\nforks = true\n[gates.apply]");
    for (wanted, code) in [(Some("platform"), 0), (None, 1)] {
        let github = github_with(&open);
        if wanted.is_none() {
            github.delete("work", "platform/wanted");
            github.commit("work", "platform/other", "");
        }
        from_a_fork(&github);
        let told = github.job().on(github.pull_event(7, "opened")).token(READ_ONLY).ci(["run"]).exits(code);
        assert_eq!(told.stderr.matches("may only read").count(), 1, "{told:#?}");
        assert!(!told.stderr.contains("not allowed"), "{told:#?}");
        let summary = std::fs::read_to_string(Job::summary(&github)).unwrap();
        assert!(summary.contains("wants bootstrap as on work"), "{summary}");
        assert!(github.comments(7).is_empty() && github.statuses(&github.head(7)).is_empty());
    }
}

#[test]
fn who_is_not_the_author_of_a_comment_commands_nothing_by_it() {
    let github = github();
    let mut edited = github.comment(7, "alice", "/plan");
    edited.payload["action"] = json!("edited");
    edited.payload["changes"] = json!({ "body": { "from": "nothing yet" } });
    github.take_log();
    let mut by_another = edited.clone();
    by_another.payload["sender"] = github.comment(7, "mallory", "").payload["sender"].clone();
    let refused = github.job().on(by_another).ci(["run"]).exits(4);
    assert!(refused.stderr.contains("sender"), "{refused:#?}");
    assert_nothing_fetched(&github);
    github.job().on(edited).ci(["run"]).exits(0);
    assert!(ran(&github, "begun-platform"));
}

#[test]
fn bots_and_issues_command_nothing_and_cost_nothing() {
    let github = github();
    let mut on_issue = github.comment(7, "alice", "/plan");
    on_issue.payload["issue"].as_object_mut().unwrap().remove("pull_request");
    let bots = ["renovate[bot]", BOT].map(|login| github.comment(7, login, "/plan"));
    github.take_log();
    for event in bots.into_iter().chain([on_issue]) {
        github.job().on(event).ci(["run"]).exits(0);
        assert_eq!(github.take_log().lines(), Vec::<String>::new());
    }
    assert!(!ran(&github, "begun-platform"));
}

#[test]
fn a_permission_that_cannot_be_looked_up_is_none() {
    let github = github();
    github.state(|state| state.roles.insert("carol".to_owned(), UNREADABLE.to_owned()));
    github.take_log();
    let refused = github.job().on(github.comment(7, "carol", "/plan")).ci(["run"]).exits(4);
    assert!(refused.stderr.contains("permission"), "{refused:#?}");
    assert_nothing_fetched(&github);
}
