//! Commands that are typed: what they say where no pull request is named, and what they began.

use crate::place::{Local, Place, on_both};
use crate::project::Project;

const CONFIG: &str = r#"
version = 1

[stages.note]
name = "Note"
[stages.lint]
name = "Lint"

[commands.note]
pattern = "/note"
[commands.lint]
pattern = "/lint"
[commands.review]
pattern = "/review"
[commands.e2e]
pattern = "/e2e"
[commands.unlock]
pattern = "/unlock"
[commands.number]
pattern = "/number"
[commands.maybe]
pattern = "/maybe"
[commands.fallback]
pattern = "/fallback"
[commands.status]
pattern = "/status"
[commands.smoke]
pattern = "/smoke"

[[rules]]
command = "note"
run     = "note"
gate    = "anyone"
[[rules]]
command = "lint"
run     = "lint"
gate    = "anyone"
[[rules]]
command = "review"
run     = "review"
gate    = "anyone"
[[rules]]
command = "e2e"
run     = "e2e"
gate    = "anyone"
[[rules]]
command = "unlock"
run     = "unlock"
gate    = "anyone"
[[rules]]
command = "number"
run     = "number"
gate    = "anyone"
[[rules]]
command = "maybe"
run     = "maybe"
gate    = "anyone"
[[rules]]
command = "fallback"
run     = "fallback"
gate    = "anyone"
[[rules]]
command = "status"
run     = "status"
gate    = "anyone"
[[rules]]
command = "smoke"
run     = "smoke"
gate    = "anyone"

[handlers.note]
stage = "note"
steps = [{ run = ["true"] }]
[handlers.lint]
stage    = "lint"
delegate = "linter"
[handlers.review]
api  = "POST /repos/{owner}/{repo}/pulls/{pr}/requested_reviewers"
body = { reviewers = ["bob"] }
[handlers.e2e]
dispatch = "e2e.yml"
ref      = "{{ pr.head.ref }}"
[handlers.unlock]
unlock = "all"
[handlers.number]
stage = "note"
steps = [{ run = ["touch", "STORE/begun"] }, { run = ["echo", "{{ pr.number }}"] }]
[handlers.maybe]
stage = "note"
steps = [{ run = ["true"] }, { if = "pr is defined", run = ["echo", "{{ pr.number }}"] }]
[handlers.fallback]
stage = "note"
note  = "{{ pr | default('none') }}"
steps = [{ run = ["echo", "{{ pr|d('none') }}"] }]
[handlers.status]
api  = "POST /repos/{owner}/{repo}/statuses/x"
body = { of = '{{ pr["head"]["ref"] }}' }
[handlers.smoke]
dispatch = "e2e.yml"
ref      = "main"
inputs   = { pr = "{{ pr.number if pr is defined else '' }}" }
"#;

fn what_is_about_a_pull_request_wants_one_named<P: Place>() {
    let place = P::with(CONFIG);
    for word in ["lint", "review", "e2e", "number", "status"] {
        let told = place.ci(&[word]).exits(2).stderr;
        assert!(told.contains(&format!("`/{word}` is about a pull request, and none is named")), "{told}");
        assert!(told.contains(&format!("add `--pr N`, as in `ci {word} --pr 7`")), "{told}");
    }
    assert!(place.stored("begun").is_none(), "a step ran");
    for word in ["maybe", "fallback", "smoke"] {
        place.ci(&[word]).exits(0);
    }
    let told = place.ci(&["note"]).exits(0).stderr;
    assert_eq!(told.matches("no dashboard is kept: no pull request is named, as `--pr N` does").count(), 1, "{told}");
    assert!(!place.ci(&["note", "--pr", "7"]).exits(0).stderr.contains("no dashboard"));
}

/// Nobody can comment where there is no pull request.
fn what_is_missing_without_a_pull_request_is_told_as_what_to_type<P: Place>() {
    let place = P::with(CONFIG_WITH_A_PLAN);
    for (typed, line) in [(&["apply", "web"][..], "ci plan web"), (&["apply"], "ci plan")] {
        let told = place.ci(typed).exits(4).stderr;
        assert!(told.contains(&format!("help: type `{line}` first, for the same commit\n")), "{told}");
        assert!(!told.contains("comment `"), "{told}");
        assert_eq!(told.matches("  planned").count(), 1, "{told}");
    }
    let named = place.ci(&["apply", "web", "--pr", "7"]).exits(4).stderr;
    assert!(named.contains("help: comment `/plan web`\n"), "{named}");
    place.ci(&["plan", "web"]).exits(0);
    place.ci(&["apply", "web"]).exits(0);
    place.ci(&["apply"]).exits(0);
}

#[test]
fn what_is_not_committed_is_said_to_run_too() {
    let place: Local = Place::with(CONFIG);
    let words = "changes that are not committed are run too";
    let run = || place.ci(&["note", "--pr", "7"]).exits(0).stderr;
    assert!(!run().contains(words));
    place.edit("ci.toml", &format!("{CONFIG}\n# not committed"));
    let told = run();
    assert_eq!(told.matches(words).count(), 1, "{told}");
}

fn what_goes_on_elsewhere_is_told<P: Place>() {
    let place = P::with(CONFIG);
    let begun = [
        ("lint", "lint: left to linter"),
        ("review", "review: sent POST /repos/{owner}/{repo}/pulls/{pr}/requested_reviewers"),
        ("e2e", "e2e: asked for e2e.yml"),
    ];
    for (word, told) in begun {
        assert!(place.ci(&[word, "--pr", "7"]).exits(0).stderr.contains(told), "{word}");
    }
}

fn the_locks_of_a_pull_request_that_is_not_there_are_not_released<P: Place>() {
    let place = P::with(CONFIG);
    let told = place.ci(&["unlock", "--pr", "55"]).exits(3).stderr;
    assert!(told.contains("not found") && told.contains("55") && !told.contains("nothing was released"), "{told}");
    place.ci(&["unlock", "--pr", "7"]).exits(0);
}

#[test]
fn how_a_command_is_written_is_told() {
    let project = Project::with(CONFIG_WITH_LAYERS);
    let told = project.ci(["plan", "--help"]).exits(0).stdout;
    assert_eq!(told, "ci plan [layer…] [--pr N]\n  Show what would change\n");
    assert!(project.ci(["paln", "-h"]).exits(2).stderr.contains("did you mean `ci plan`?"));
    for (word, help) in [
        ("palnned", "did you mean `planned`?"),
        ("wbe", "did you mean `web`?"),
        ("nowhere", "the layers are `web`; `all` and `planned` are taken too"),
    ] {
        let told = project.ci(["plan", word]).exits(4).stderr;
        assert!(told.contains(help), "{told}");
    }
}

const CONFIG_WITH_LAYERS: &str = r#"
version = 1
[layers.web]
dir = "web"
[commands.plan]
pattern     = '/plan(\s+(?<layers>.+))?'
usage       = "/plan [layer…]"
help        = "Show what would change"
args.layers = { type = "layers", default = "all" }
[[rules]]
command = "plan"
run     = "plan"
gate    = "anyone"
[handlers.plan]
steps = [{ run = ["true"] }]
"#;

const CONFIG_WITH_A_PLAN: &str = r#"
version = 1
[layers.web]
dir = "."
[layers.api]
dir = "."
[stages.plan]
name = "Plan"
each = "layer"
[gates.planned]
planned = "plan"
[commands.plan]
pattern     = '/plan(\s+(?<layers>.+))?'
args.layers = { type = "layers", default = "all" }
[commands.apply]
pattern     = '/apply(\s+(?<layers>.+))?'
args.layers = { type = "layers", default = "planned" }
[[rules]]
command = "plan"
run     = "plan"
gate    = "anyone"
[[rules]]
command = "apply"
run     = "apply"
gate    = "planned"
[handlers.plan]
each  = "layer"
stage = "plan"
steps = [{ run = ["true"] }]
[handlers.apply]
each  = "layer"
steps = [{ run = ["true"] }]
"#;

on_both!(
    what_is_missing_without_a_pull_request_is_told_as_what_to_type,
    what_is_about_a_pull_request_wants_one_named,
    what_goes_on_elsewhere_is_told,
    the_locks_of_a_pull_request_that_is_not_there_are_not_released,
);
