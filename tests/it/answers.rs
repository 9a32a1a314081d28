//! What the person who asked hears on the pull request where a run stops before anything was done of a command.

mod closed;

use crate::github::{BOT, COMMENTS_ONLY, Comment, Fault, GitHub};
use crate::github_trust::{config, ran};
use crate::on_github::{CONFIG, github};
use crate::project::Ran;

/// What we said on pull request 7 beside dashboards.
fn answers(github: &GitHub) -> Vec<String> {
    let ours = github.comments(7).into_iter().filter(|comment| comment.author == BOT).map(|comment| comment.body);
    ours.filter(|body| !body.starts_with("<!-- infra-dashboard:")).collect()
}

/// Somebody comments on pull request 7; how the run ended, and the comment then.
fn says(github: &GitHub, login: &str, text: &str) -> (Ran, Comment) {
    let event = github.comment(7, login, text);
    let id = event.payload["comment"]["id"].as_u64().unwrap();
    let ran = github.job().on(event).ci(["run"]);
    (ran, github.state(|state| state.comments[&id].clone()))
}

fn confused(comment: &Comment) -> bool {
    comment.reactions.iter().any(|(_, reaction)| reaction == "confused")
}

#[test]
fn a_ci_toml_that_cannot_be_used_is_told_to_whoever_wrote_a_command_of_it() {
    let unknown = (CONFIG.replace("[[rules]]\ncommand = \"plan\"", "[[rules]]\ncomand = \"plan\""), "`unknown-key`");
    let no_toml = (CONFIG.replacen("marker", "= marker", 1).replacen("[stages.plan]", "[stages.plan", 1), "`syntax`");
    for ((config, code), checked_out) in [(&unknown, true), (&unknown, false), (&no_toml, true), (&no_toml, false)] {
        let github = github();
        github.commit("main", "ci.toml", config);
        if checked_out {
            github.checkout();
        }
        for _ in 0..2 {
            let (ran, comment) = says(&github, "alice", "/plan platform");
            let stderr = ran.exits(2).stderr;
            assert!(stderr.contains("ci.toml") && !stderr.contains("shows all that is wrong"), "{stderr}");
            assert!(confused(&comment));
        }
        let said = answers(&github);
        assert_eq!(said.len(), 1, "one answer is enough: {said:#?}");
        for words in ["`/plan platform` of alice was not run", code, "line ", "ci.toml", "`ci check-config`"] {
            assert!(said[0].contains(words), "{words} in {}", said[0]);
        }
        assert!(confused(&says(&github, "mallory", "/apply").1));
        // What is no command of it may be meant for others.
        for (login, text) in [("alice", "/lgtm"), ("alice", "please /plan"), ("renovate[bot]", "/plan")] {
            assert!(!confused(&says(&github, login, text).1), "{text}");
        }
        says(&github, "alice", "I would not /plan this\n\nnor that").0.exits(0);
        let event = github.comment(7, "alice", "/apply");
        github.job().on(event).ci(["parse"]).exits(2);
        assert_eq!(answers(&github), said);
    }
}

#[test]
fn rules_that_cannot_be_had_are_told_to_whoever_wrote_a_command_of_the_checkout() {
    for (code, words) in [(0, "takes effect when merged"), (3, "`forge`: rate limited until")] {
        let github = github();
        if code == 0 {
            github.delete("main", "ci.toml");
        } else {
            github.commit("main", "README.md", "newer than the checkout\n");
        }
        for (login, text) in [("alice", "/lgtm"), ("mallory", "/plan"), ("alice", "/plan")] {
            let event = github.comment(7, login, text);
            let id = event.payload["comment"]["id"].as_u64().unwrap();
            if code == 3 {
                // Of the pull request, and then of its base's ci.toml.
                github.fail(1, Fault::Exhausted(403, 3_000));
            }
            github.job().on(event).ci(["run"]).exits(code);
            let hears = text == "/plan";
            assert_eq!(confused(&github.state(|state| state.comments[&id].clone())), hears, "{login}: {text}");
            assert_eq!(answers(&github).len(), usize::from(hears && login == "alice"), "{login}: {text}");
        }
        assert!(answers(&github)[0].contains(words), "{:#?}", answers(&github));
    }
}

#[test]
fn a_job_without_a_checkout_tells_whoever_asked_what_it_lacks() {
    let github = github();
    std::fs::remove_dir_all(github.workspace()).unwrap();
    std::fs::create_dir(github.workspace()).unwrap();
    let (ran, comment) = says(&github, "alice", "/plan");
    assert!(ran.exits(2).stderr.contains("is in no git repository"));
    assert!(confused(&comment));
    let said = answers(&github);
    assert!(matches!(&said[..], [one] if one.contains("begin the job with `actions/checkout`")), "{said:#?}");
}

#[test]
fn an_answer_holds_no_secret_of_the_environment() {
    let github = github();
    std::fs::remove_dir_all(github.workspace()).unwrap();
    std::fs::create_dir(github.workspace()).unwrap();
    // The error names the folder.
    let folder = github.workspace().canonicalize().unwrap().display().to_string();
    let event = github.comment(7, "alice", "/plan");
    github.job().env("DEPLOY_TOKEN", &folder).on(event).ci(["run"]).exits(2);
    let said = answers(&github);
    assert!(
        matches!(&said[..], [one] if one.contains("is in no git repository") && !one.contains(&folder)),
        "{said:#?}"
    );
}

#[test]
fn a_token_that_may_not_keep_the_dashboard_is_told_with_the_line_it_lacks() {
    let github = github();
    let event = github.comment(7, "alice", "/plan platform");
    github.job().token(COMMENTS_ONLY).on(event).ci(["run"]).exits(3);
    let said = answers(&github);
    assert!(matches!(&said[..], [one] if one.contains("statuses: write")), "{said:#?}");
    assert!(!ran(&github, "begun-platform"));
}

#[test]
fn a_journal_that_cannot_be_read_is_told() {
    let github = github();
    let event = github.comment(7, "alice", "/plan platform");
    github.fail_on("/statuses?", Fault::Exhausted(403, 3_000));
    let ran = github.job().on(event).ci(["run"]).exits(3);
    assert!(!self::ran(&github, "begun-platform"));
    let said = answers(&github);
    assert!(matches!(&said[..], [one] if one.contains("`forge`: rate limited until")), "{said:#?}\n{ran:#?}");
}

#[test]
fn work_that_was_done_is_not_called_undone() {
    let github = github();
    let event = github.comment(7, "alice", "/plan platform");
    let summary = github.folder().join("no-such-folder/summary.md").display().to_string();
    github.job().on(event).env("GITHUB_STEP_SUMMARY", &summary).ci(["run"]).exits(1);
    assert!(ran(&github, "begun-platform"));
    assert!(answers(&github).iter().all(|answer| !answer.contains("was not run")), "{:#?}", answers(&github));
}

#[test]
fn what_is_not_there_is_told_as_that() {
    let github = github();
    let unknown = "a".repeat(40);
    let update = |pull, sha: &[&str]| {
        let call = [&["update", "--pr", pull, "--stage", "lint", "--status", "success"], sha].concat();
        github.job().ci(call)
    };
    let told = update("7", &["--sha", &unknown]).exits(2).stderr;
    assert!(told.contains(&format!("the commit `{unknown}` is not known to `acme/infra`")), "{told}");
    assert!(told.contains("`--sha`") && !told.contains("well again"), "{told}");
    for ran in [update("99", &[]), github.job().ci(["show", "--pr", "99"]), github.job().ci(["plan", "--pr", "99"])] {
        let told = ran.exits(3).stderr;
        assert!(told.contains("help: is 99 a pull request"), "{told}");
    }
}

#[test]
fn a_gate_that_cannot_be_asked_in_an_outage_refuses_nobody() {
    let github = github();
    let event = github.comment(7, "alice", "/plan platform");
    github.fail_on("/permission", Fault::Exhausted(403, 3_000));
    let told = github.job().on(event).ci(["run", "--refused-ok"]).exits(3).stderr;
    assert!(
        told.contains("what it depends on could not be found out") && told.contains("rate limited until"),
        "{told}"
    );
    assert!(told.contains("ask again later"), "{told}");
    assert!(!told.contains("is refused") && !told.contains("ask somebody"), "{told}");
    let said = answers(&github);
    assert!(matches!(&said[..], [one] if one.contains("`forge`") && !one.contains("ask somebody")), "{said:#?}");
    assert!(!ran(&github, "begun-platform"));
    // What is known to be a no stays one.
    let event = github.comment(7, "alice", "/apply platform");
    github.fail_on("/reviews?", Fault::Exhausted(403, 3_000));
    let told = github.job().on(event).ci(["run"]).exits(4).stderr;
    assert!(told.contains("forge (platform): wants approvals (1), found nothing out: rate limited"), "{told}");
    assert!(told.contains("is refused") && told.contains("planned (platform):"), "{told}");
}

#[test]
fn an_event_whose_changes_cannot_be_asked_in_an_outage_is_not_refused() {
    let github = github();
    let event = github.pull_event(7, "opened");
    github.fail_on("/files?", Fault::Exhausted(403, 3_000));
    let told = github.job().on(event).ci(["run", "--refused-ok"]).exits(3).stderr;
    assert!(told.contains("ask again later") && !told.contains("is refused"), "{told}");
}

#[test]
fn an_event_of_which_nobody_can_tell_in_an_outage_whether_a_rule_matches_is_not_nothing_to_do() {
    let github = GitHub::start(&config("layers = \"changed\"", "paths = [\"platform/**\"]"));
    github.commit("work", "platform/wanted", "x\n");
    let event = github.pull_event(7, "opened");
    github.fail_on("/files?", Fault::Exhausted(403, 3_000));
    let told = github.job().on(event).ci(["run", "--refused-ok"]).exits(3).stderr;
    assert!(told.contains("wants paths (platform/**), found nothing out: rate limited"), "{told}");
    assert!(told.contains("ask again later") && !told.contains("nothing to do"), "{told}");
    assert!(!ran(&github, "begun-platform"));
}

#[test]
fn an_outage_before_anything_is_done_names_all_that_was_not_run_and_what_to_do() {
    for request in ["/pulls/7", "/statuses?"] {
        let github = github();
        let event = github.comment(7, "alice", "/plan platform\n\n/plan data-prod\n\n/e2e");
        github.fail_on(request, Fault::Exhausted(403, 3_000));
        let told = github.job().on(event).ci(["run"]).exits(3).stderr;
        for words in ["help: nothing was run; ask again once", "`/plan data-prod` was not run", "`/e2e` was not run"] {
            assert!(told.contains(words), "{request}: {words} in {told}");
        }
        assert!(!ran(&github, "begun-platform"));
        // Whoever does not read the log is told the same, at once.
        let said = answers(&github);
        assert_eq!(said.len(), 1, "{said:#?}");
        for words in ["`/plan platform` of alice was not run", "the call ended before `/plan data-prod`, `/e2e`"] {
            assert!(said[0].contains(words), "{request}: {words} in {}", said[0]);
        }
    }
}

/// The job run again would start the workflow again.
#[test]
fn what_an_outage_left_behind_work_that_was_done_is_to_be_asked_for_again() {
    let github = github();
    let event = github.comment(7, "alice", "/e2e\n\n/plan platform\n\n/plan data-prod");
    github.down_after("/dispatches");
    let told = github.job().on(event).env("CI_RETRY_BUDGET", "1").ci(["run"]).exits(3).stderr;
    for words in
        ["`/plan data-prod` was not run", "help: ask for it again; the job run again would do again what was done"]
    {
        assert!(told.contains(words), "{words} in {told}");
    }
}

#[test]
fn an_answer_says_which_ci_toml_cannot_be_used() {
    let github = github();
    github.commit("main", "ci.toml", &CONFIG.replace("[[rules]]\ncommand = \"plan\"", "[[rules]]\ncomand = \"plan\""));
    github.checkout();
    says(&github, "alice", "/plan platform").0.exits(2);
    let said = answers(&github);
    assert!(matches!(&said[..], [one] if one.contains("on the base branch `main`")), "{said:#?}");
}

/// Where nobody can tell who is meant, it is said in the log that the rules cannot be had.
#[test]
fn what_is_written_is_no_remark_where_a_broken_ci_toml_may_be_about_it() {
    let rule = "\n[[rules]]\non = \"issue_comment\"\nif = \"'deploy' in event.comment.body\"\nrun = \"help\"\n";
    for (config, text) in [
        (CONFIG.replace("pattern = '/help'", "pattern = '^ci help'"), "ci help"),
        (format!("{CONFIG}{rule}"), "please deploy"),
    ] {
        let github = GitHub::start(&config);
        github.commit("main", "ci.toml", &config.replacen("[stages.plan]", "[stages.plan", 1));
        github.checkout();
        says(&github, "alice", text).0.exits(2);
    }
}

#[test]
fn an_answer_is_edited_for_the_same_command_of_the_same_person_alone() {
    let github = github();
    github.state(|state| state.roles.insert("bob".to_owned(), "maintain".to_owned()));
    let asked = [
        ("alice", "/apply"),
        ("alice", "/apply  nope"),
        ("bob", "/apply"),
        ("alice", "/apply"),
        ("bob", "/plann"),
        ("bob", "/aply"),
        ("alice", "/plann"),
    ];
    for (login, text) in asked {
        says(&github, login, text).0.exits(4);
    }
    let said = answers(&github);
    let of =
        |login: &str, text: &str| said.iter().filter(|body| body.contains(&format!("`{text}` of {login}"))).count();
    assert_eq!(of("alice", "/apply"), 1, "{said:#?}");
    assert_eq!(of("alice", "/apply nope") + of("alice", "/apply  nope"), 1, "{said:#?}");
    assert_eq!(of("bob", "/apply"), 1, "{said:#?}");
    // Whatever the slips, one answer is enough for each.
    assert_eq!((of("bob", "/plann"), of("bob", "/aply"), of("alice", "/plann")), (0, 1, 1), "{said:#?}");
}

#[test]
fn one_comment_of_a_stranger_does_not_make_us_write_many() {
    let github = github();
    let text: String = (0..12).map(|n| format!("/plan platform{}\n\n", ",platform".repeat(n))).collect();
    says(&github, "mallory", &text).0.exits(4);
    let said = answers(&github);
    assert!(matches!(&said[..], [one] if one.contains("of mallory was not run")), "{said:#?}");
}

/// Somebody changes a comment of `alice` on pull request 7 to this.
fn edits(github: &GitHub, login: &str, text: &str) -> Ran {
    let mut edited = github.comment(7, "alice", text);
    edited.payload["action"] = "edited".into();
    edited.payload["changes"] = serde_json::json!({ "body": { "from": "nothing yet" } });
    edited.payload["sender"] = github.comment(7, login, "").payload["sender"].clone();
    github.job().on(edited).ci(["run"])
}

#[test]
fn who_changes_the_comment_of_somebody_else_is_who_is_answered() {
    let github = github();
    // Whether the author may write is of no account.
    edits(&github, "mallory", "/plan nope").exits(4);
    assert!(answers(&github).is_empty(), "{:#?}", answers(&github));
    for text in ["/plan platform", "/plan nope"] {
        edits(&github, "root", text).exits(4);
        let said = answers(&github);
        assert!(said.iter().any(|body| body.contains(&format!("`{text}` of root was not run"))), "{said:#?}");
        assert!(said.iter().all(|body| !body.contains("of alice")), "{said:#?}");
    }
    assert!(!ran(&github, "begun-platform"));
}

#[test]
fn a_comment_that_was_changed_shows_how_it_ended_last() {
    let github = github();
    let (ran, comment) = says(&github, "alice", "/plan nope");
    ran.exits(4);
    assert!(confused(&comment));
    let mut edited = github.comment(7, "alice", "/plan platform");
    edited.payload["action"] = "edited".into();
    edited.payload["changes"] = serde_json::json!({ "body": { "from": "/plan nope" } });
    edited.payload["comment"]["id"] = comment.id.into();
    let reactions = |github: &GitHub| -> Vec<String> {
        let reactions = github.state(|state| state.comments[&comment.id].reactions.clone());
        reactions.into_iter().map(|(_, reaction)| reaction).collect()
    };
    github.job().on(edited.clone()).ci(["run"]).exits(0);
    assert_eq!(reactions(&github), ["eyes", "rocket"]);
    edited.payload["comment"]["body"] = "/plan nope".into();
    edited.payload["changes"] = serde_json::json!({ "body": { "from": "/plan platform" } });
    github.job().on(edited).ci(["run"]).exits(4);
    assert_eq!(reactions(&github), ["eyes", "confused"]);
}

#[test]
fn a_reaction_that_was_never_given_is_not_given_to_be_taken_back() {
    let github = github();
    let mut edited = github.comment(7, "alice", "/help");
    edited.payload["action"] = "edited".into();
    edited.payload["changes"] = serde_json::json!({ "body": { "from": "nothing yet" } });
    let id = edited.payload["comment"]["id"].as_u64().unwrap();
    github.fail_on(&format!("DELETE /repos/acme/infra/issues/comments/{id}/reactions"), Fault::Exhausted(403, 3_000));
    github.job().on(edited).env("CI_RETRY_BUDGET", "1").ci(["run"]).exits(0);
    assert!(!confused(&github.state(|state| state.comments[&id].clone())));
}
