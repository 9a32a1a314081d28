//! What is decided, seen from outside: prose, strangers, unknown names, outputs for workflows.

use crate::place::{Place, example, on_both};
use crate::project::{Project, Ran, repository};

fn default() -> Project {
    Project::with(&std::fs::read_to_string(repository().join("ci.toml")).unwrap())
}

#[test]
fn the_default_pipeline_holds_its_own_tests() {
    let project = default();
    let checked = project.ci(["check-config"]).exits(0);
    assert_eq!(checked.stdout, "no problems in ci.toml\n", "{}", checked.stderr);
    project.ci(["test"]).exits(0);
}

#[test]
fn prose_does_not_touch_the_forge() {
    let project = default();
    project.write(
        "issue_comment.json",
        r#"{"action":"created","issue":{"number":3,"pull_request":{}},"comment":{"id":1,"body":"please do not /bootstrap until we apply","user":{"login":"bob","type":"User"}}}"#,
    );
    let ran = project.ci(["run", "--event", "issue_comment.json"]).exits(0);
    assert!(ran.stderr.contains("nothing to do"), "{}", ran.stderr);
    assert!(!project.path().join(".ci").exists());
}

#[test]
fn no_comment_breaks_the_outputs_or_speaks_to_the_runner() {
    let project = default();
    let body = "/plan \u{7f}x\u{85} ##[set-output name=should_run]true";
    let user = serde_json::json!({ "login": "bob", "id": 2, "type": "User" });
    let payload = serde_json::json!({
        "action": "created",
        "issue": { "number": 3, "pull_request": {} },
        "comment": { "id": 1, "body": body, "user": user },
        "sender": user,
    });
    project.write("issue_comment.json", &payload.to_string());
    for arguments in [["parse", "--event", "issue_comment.json"], ["run", "--event", "issue_comment.json"]] {
        let mut command = project.command();
        command.env("GITHUB_OUTPUT", project.path().join("outputs")).args(arguments);
        let ran = Ran::of(command.output().unwrap());
        assert_eq!(ran.code, if arguments[0] == "parse" { 0 } else { 4 }, "{ran:#?}");
        assert!(!ran.stdout.contains("##[") && !ran.stderr.contains("##["), "{ran:#?}");
        let outputs = project.read("outputs");
        assert!(outputs.contains("unknown-layer") && !outputs.contains('\u{7f}'), "{outputs}");
    }
}

fn an_unknown_stage_or_status_writes_nothing<P: Place>() {
    let place = P::with(&std::fs::read_to_string(repository().join("ci.toml")).unwrap());
    let wrong = place.ci(&["update", "--pr", "7", "--stage", "plan-platfrom", "--status", "success"]).exits(2);
    assert!(wrong.stderr.contains("did you mean `plan-platform`?"), "{}", wrong.stderr);
    let wrong = place.ci(&["update", "--pr", "7", "--stage", "e2e", "--status", "succes"]).exits(2);
    assert!(wrong.stderr.contains("did you mean `success`?"), "{}", wrong.stderr);
    assert!(place.comments(7).is_empty() && place.board(7)["history"].as_array().unwrap().is_empty());
}

#[test]
fn a_test_may_expect_that_an_unknown_layer_is_refused() {
    let project = Project::example("quickstart");
    let config = project.read("ci.toml");
    let test = "\n[[tests]]\nname = \"slips\"\ncomment = \"/plan wep\"\nexpect = { denied = \"unknown-layer\" }\n";
    project.write("ci.toml", &format!("{config}{test}"));
    project.ci(["test", "slips"]).exits(0);
    project.write("ci.toml", &format!("{config}{}", test.replace("wep", "web")));
    project.ci(["test", "slips"]).exits(1);
}

#[test]
fn without_a_config_new_is_named() {
    let project = Project::empty();
    let missing = project.ci(["show", "--pr", "1"]).exits(2);
    assert!(missing.stderr.contains("ci new"), "{}", missing.stderr);
    project.ci(["new"]).exits(0);
    project.ci(["check-config"]).exits(0);
    project.ci(["new"]).exits(2);
}

/// What a team adds to ci.toml, and nothing else: a layer, a stage of any program, a command, a gate.
const ADDED: &str = r#"
[layers.cdn]
dir   = "cdn"
after = ["web"]

[stages.lint]
name = "Lint: {{ layer }}"
each = "layer"

[commands.lint]
pattern     = '/lint(\s+(?<layers>.+))?'
args.layers = { type = "layers", default = "all" }

[gates.triage]
permission = "triage"

[[rules]]
command = "lint"
gate    = "triage"
run     = "lint"

[handlers.lint]
each  = "layer"
stage = "lint"
dir   = "{{ layer.dir }}"
steps = [{ run = ["test", "-d", "desired"] }]
"#;

fn a_layer_a_stage_a_command_and_a_gate_are_an_edit_of_ci_toml<P: Place>() {
    let mut files = example("quickstart");
    files.insert("cdn/desired/robots.txt".to_owned(), "none\n".to_owned());
    files.get_mut("ci.toml").unwrap().push_str(ADDED);
    let place = P::start(&files);
    let checked = place.ci(&["check-config"]).exits(0);
    assert_eq!(checked.stdout, "no problems in ci.toml\n");
    place.run(place.comment(7, "mallory", "/lint")).exits(4);
    place.grant("carol", "triage");
    place.run(place.comment(7, "carol", "/lint")).exits(0);
    for layer in ["dns", "db", "web", "cdn"] {
        assert_eq!(place.row(&format!("lint-{layer}")), "success: ");
    }
    assert_eq!(place.row("plan-cdn"), "pending: ");
}

fn a_report_of_an_older_run_says_what_stays<P: Place>() {
    let place = P::with(&std::fs::read_to_string(repository().join("ci.toml")).unwrap());
    let head = place.head(7);
    let report = |status: &str, run: &str| {
        let row = ["update", "--pr", "7", "--sha", &head, "--stage", "e2e", "--status", status, "--run", run];
        place.ci(&row).exits(0).stdout
    };
    let short = &head[..7];
    assert_eq!(report("running", "97/1"), format!("e2e of {short}: running\n"));
    let stays = "stays running: run 97/1 is newer than run 4/1, and the failure stands in the history alone";
    assert_eq!(report("failure", "4/1"), format!("e2e of {short} {stays}\n"));
    assert_eq!(place.row("e2e"), "running: ");
    assert_eq!(report("success", "97/1"), format!("e2e of {short}: success\n"));
}

fn a_report_for_some_layers_says_what_the_row_comes_to<P: Place>() {
    let place = P::with(&std::fs::read_to_string(repository().join("ci.toml")).unwrap());
    let head = place.head(7);
    let report = |run: &str, status: &str, layer: &[&str]| {
        let row = ["update", "--pr", "7", "--sha", &head, "--stage", "apply", "--status", status, "--run", run];
        place.ci(&[&row, layer].concat()).exits(0).stdout.replace(&head[..7], "HEAD")
    };
    let (bootstrap, platform) = (["--layer", "bootstrap"], ["--layer", "platform"]);
    assert_eq!(report("2", "running", &platform), "apply (platform) of HEAD: running\n");
    report("3", "running", &bootstrap);
    // It is of those too that said nothing.
    let of_all = "apply of HEAD: running (data-prod: success, data-staging: success, platform: success)\n";
    assert_eq!(report("2", "success", &[]), of_all);
    report("4", "failure", &platform);
    assert_eq!(report("3", "success", &bootstrap), "apply of HEAD: failure (bootstrap: success)\n");
    assert!(report("1", "success", &[]).starts_with("apply of HEAD stays failure: "));
    assert_eq!(report("4", "success", &platform), "apply (platform) of HEAD: success\n");
}

on_both!(
    an_unknown_stage_or_status_writes_nothing,
    a_layer_a_stage_a_command_and_a_gate_are_an_edit_of_ci_toml,
    a_report_of_an_older_run_says_what_stays,
    a_report_for_some_layers_says_what_the_row_comes_to,
);

#[test]
fn a_folder_that_is_not_there_is_asked_about() {
    let project = Project::example("quickstart");
    let config = project.read("ci.toml");
    assert!(config.contains("\"web\"\n"), "{config}");
    project.write("ci.toml", &config.replace("\"web\"\n", "\"wep\"\n"));
    let checked = project.ci(["check-config", "--format", "short"]).exits(0);
    let at = config.lines().position(|line| line.ends_with("\"web\"")).unwrap() + 1;
    let warning = format!("ci.toml:{at}:");
    assert!(checked.stdout.starts_with(&warning), "{}", checked.stdout);
    assert!(checked.stdout.contains("warning[missing-dir]: there is no folder `wep`"), "{}", checked.stdout);
    let shown = project.ci(["check-config"]).exits(0).stdout;
    assert!(shown.contains("did you mean `web`?"), "{shown}");
}

#[test]
fn a_test_that_is_refused_says_why() {
    let project = Project::example("quickstart");
    let test = "\n[[tests]]\nname = \"slips\"\ncomment = \"/plan wep\"\nexpect = { stages = [\"plan-web\"] }\n";
    project.write("ci.toml", &format!("{}{test}", project.read("ci.toml")));
    let failed = project.ci(["test", "slips"]).exits(1);
    assert!(failed.stdout.contains("it is refused: there is no layer `wep`"), "{}", failed.stdout);
}
