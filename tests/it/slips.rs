//! What people get wrong at the command line, and what they are told: the thing, and what to type instead.

use crate::project::{Project, Ran};

const LINT: &str = r#"
version = 1

[stages.lint]

[commands.lint]
pattern = '/lint'

[gates.approved]
approvals = 1

[[rules]]
command = "lint"
gate    = "approved"
run     = "lint"

[handlers.lint]
stage = "lint"
dir   = "src"
steps = [{ run = ["true"] }]

[[tests]]
name    = "it lints"
comment = "/lint"
expect  = { handler = "lint" }
"#;

#[test]
fn each_slip_is_answered_with_what_to_type() {
    let project = Project::with(LINT);
    let slips: [(&[&str], i32, &str); 15] = [
        (&["frobnicate"], 2, "those of ci.toml are `ci lint`"),
        (&["help"], 2, "those of ci.toml are `ci lint`"),
        (&["lint", "--dry-run"], 2, "`ci try` has more"),
        (&["lint"], 4, "no pull request is named, as `--pr N` does"),
        (&["lnit"], 4, "error: there is no command `/lnit`\n  help: write `/lint`"),
        (&["lint", "now", "--pr", "1"], 4, "`now` does not fit after `/lint`"),
        (&["try", "/lnit"], 4, "error: there is no command `/lnit`\n  help: write `/lint`"),
        (&["update", "--pr", "1", "--stage", "x*", "--status", "success"], 2, "there are lint\n"),
        (&["test", "nosuch"], 2, "no test's name holds `nosuch`"),
        (&["explain"], 2, "write `--comment"),
        (&["explain", "--comment", "hello"], 0, "no line of `hello` is a command"),
        (&["explain", "--event", "pul_request"], 0, "did you mean `pull_request`?"),
        (&["explain", "--event", "pull_request.opend"], 0, "did you mean `opened`?"),
        (&["-C", "ci.toml", "test"], 2, "`ci.toml` is not a folder"),
        (&["try", "/lint"], 1, "there is no folder `src`"),
    ];
    for (arguments, code, told) in slips {
        let ran = project.ci(arguments);
        assert_eq!(ran.code, code, "{arguments:?}: {ran:#?}");
        assert!(ran.stderr.contains(told), "{arguments:?}: {}", ran.stderr);
    }
}

#[test]
fn a_pull_request_that_the_local_forge_does_not_know_is_refused_by_all_alike() {
    let project = Project::with(LINT);
    let sha = "a".repeat(40);
    let update = ["update", "--pr", "99", "--stage", "lint", "--status", "success"];
    let update_of = [&update[..], &["--sha", &sha]].concat();
    let calls: [&[&str]; 6] = [
        &update,
        &update_of,
        &["init", "--pr", "99"],
        &["show", "--pr", "99"],
        &["sync", "--pr", "99"],
        &["lint", "--pr", "99"],
    ];
    for call in calls {
        let told = project.ci(call).exits(3).stderr;
        assert!(
            told.contains("error: not found: pull request 99\n  help: `ci try COMMENT --pr 99` makes it"),
            "{told}"
        );
    }
    let left = ["pulls", "statuses", "comments"].map(|name| project.path().join(".ci/forge").join(name).exists());
    assert_eq!(left, [false; 3]);
}

#[test]
fn what_nobody_named_is_explained_as_enough() {
    let project = Project::with(LINT);
    let explained = project.ci(["explain", "--comment", "/lint"]).exits(0);
    assert!(explained.stdout.contains("approvals: wants 1, found enough"), "{}", explained.stdout);
}

#[test]
fn a_reply_is_read_where_it_was_asked_for() {
    let project = Project::example("quickstart");
    let helped = project.ci(["try", "/help"]).exits(0);
    assert!(helped.stderr.contains("Apply exactly what was shown"), "{helped:#?}");
}

#[test]
fn the_help_of_a_command_tells_its_own_options_first() {
    let project = Project::empty();
    let commands = ["run", "parse", "init", "update", "show", "sync", "test", "check-config", "explain", "try"];
    for command in commands.into_iter().chain(["schema", "new", "completions"]) {
        let help = project.ci([command, "--help"]).exits(0).stdout;
        let (own, shared) = help.split_once("Options of every command:").unwrap_or_else(|| panic!("{help}"));
        assert!(!own.contains("--forge") && shared.contains("--forge"), "{command}: {help}");
        assert!(shared.contains("Example"), "{command}: {help}");
    }
}

#[test]
fn a_layer_that_is_not_there_is_refused_typed_as_commented() {
    let project = Project::example("quickstart");
    for call in [&["plan", "wep", "--pr", "1"][..], &["try", "/plan wep"]] {
        let refused = project.ci(call).exits(4);
        assert!(refused.stderr.contains("there is no layer `wep`") && refused.stderr.contains("`web`"), "{refused:#?}");
    }
}

/// Where a token is there and GitHub cannot be reached.
fn cut_off(project: &Project, arguments: &[&str]) -> Ran {
    let mut command = project.command();
    command.env("GITHUB_TOKEN", "x").env("GITHUB_API_URL", "http://127.0.0.1:9").env("CI_RETRY_BUDGET", "0");
    Ran::of(command.args(arguments).output().unwrap())
}

#[test]
fn an_outage_is_told_with_its_cause_and_with_what_to_do() {
    let project = Project::example("quickstart");
    let comment = r#"{"action":"created","issue":{"number":3,"pull_request":{}},
        "comment":{"id":1,"body":"/plan","user":{"login":"bob","type":"User"}},"repository":{"full_name":"acme/infra"}}"#;
    project.write("issue_comment.json", comment);
    for command in ["run", "parse"] {
        let ran = cut_off(&project, &[command, "--event", "issue_comment.json"]).exits(3);
        assert_eq!(ran.stderr.matches("using `acme/infra` at `http://127.0.0.1:9`").count(), 1, "{ran:#?}");
        assert!(ran.stderr.contains("Connection refused") && ran.stderr.contains("help: "), "{ran:#?}");
    }
    let update: &[&str] = &["update", "--stage", "plan", "--status", "success"];
    for command in [&["show"], &["sync"], &["init"], update] {
        let ran = cut_off(&project, &[command, &["--pr", "3", "--repository", "acme/infra"]].concat()).exits(3);
        assert!(ran.stderr.contains("help: call it again once the forge is well again"), "{ran:#?}");
    }
    cut_off(&project, &["doctor", "--repository", "acme/infra"]).exits(3);
}
