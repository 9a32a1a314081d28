//! The workflow to copy, executed by `act` against the GitHub of the stories: what its jobs leave on the dashboard.

use std::path::Path;
use std::process::Command;

use crate::github::{Event, GitHub, REPOSITORY, TOKEN};
use crate::project::{Ran, binary, clean, installed, repository};

/// What `actions/checkout` does with a commit that is named, in the empty folder that act gives to the job. Without one act
/// copies the folder in which it was called.
const CHECKOUT: &str = r#"
name: checkout
inputs:
  ref: { required: true }
  persist-credentials: { required: false }
runs:
  using: composite
  steps:
    - shell: bash
      run: |
        login=$(printf 'x-access-token:%s' "$TOKEN" | base64 --wrap=0)
        git init --quiet
        git -c "http.extraheader=Authorization: Basic $login" fetch --quiet "$URL" "$REF"
        git checkout --quiet FETCH_HEAD
      env:
        REF: ${{ inputs.ref }}
        TOKEN: ${{ github.token }}
        URL: ${{ github.server_url }}/${{ github.repository }}.git
"#;

/// A GitHub with the example's rules, and its lowest layer in pull request 7.
fn example() -> GitHub {
    let folder = repository().join("examples/terraform");
    let github = GitHub::start(&std::fs::read_to_string(folder.join("ci.toml")).unwrap());
    for entry in std::fs::read_dir(folder.join("bootstrap")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "tf") {
            let name = format!("bootstrap/{}", path.file_name().unwrap().to_str().unwrap());
            github.commit("work", &name, &std::fs::read_to_string(path).unwrap());
        }
    }
    github
}

fn comment(github: &GitHub, text: &str) -> Ran {
    act(github, &github.comment(7, "alice", text))
}

/// Something happens, and act runs the workflow.
fn act(github: &GitHub, event: &Event) -> Ran {
    let folder = github.folder();
    let workflow = repository().join("examples/terraform/.github/workflows/ci.yml");
    let workflow = std::fs::read_to_string(workflow).unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    // act heeds no concurrency, and knows this key of it not yet.
    let file = write("workflow/ci.yml", &workflow.replace("  queue: max\n", ""));
    let action = write("checkout/action.yml", CHECKOUT);
    let checkout = Path::new(&action).parent().unwrap().display().to_string();
    let mut act = Command::new("act");
    clean(&mut act);
    let path = format!("{}:{}", Path::new(binary()).parent().unwrap().display(), std::env::var("PATH").unwrap());
    let url = github.url();
    let environment = [
        ("PATH", path),
        ("GITHUB_API_URL", url.clone()),
        ("GITHUB_GRAPHQL_URL", format!("{url}/graphql")),
        ("GITHUB_SERVER_URL", url),
        ("GITHUB_REPOSITORY", REPOSITORY.to_owned()),
        ("CHECKPOINT_DISABLE", "1".to_owned()),
    ];
    act.current_dir(github.workspace()).env("HOME", folder).arg(event.name).arg("--no-cache-server");
    act.args(["-W", &file, "-P", "ubuntu-latest=-self-hosted"]);
    act.args(["-e", &write("event.json", &event.payload.to_string()), "-s", &format!("GITHUB_TOKEN={TOKEN}")]);
    act.args(["--local-repository", &format!("actions/checkout@{}={checkout}", pinned(&workflow))]);
    for (name, value) in environment {
        act.args(["--env", &format!("{name}={value}")]);
    }
    Ran::of(act.output().unwrap())
}

/// The commit at which the workflow takes `actions/checkout`.
fn pinned(workflow: &str) -> String {
    let (_, after) = workflow.split_once("actions/checkout@").unwrap();
    after.split_whitespace().next().unwrap().to_owned()
}

#[test]
fn the_workflow_to_copy_keeps_the_dashboard() {
    if !installed("act") || !installed("terraform") {
        return;
    }
    let github = example();
    let planned = comment(&github, "/plan bootstrap").exits(0);
    let row = github.row(7, "plan-bootstrap");
    assert!(row.starts_with("success: ") && row.contains("to add"), "{row}\n{planned:#?}");
    assert!(!planned.stdout.contains("[ci/format]"), "no other job runs: {planned:#?}");

    let formatted = comment(&github, "/format").exits(0);
    assert!(github.row(7, "format").starts_with("success: "), "{formatted:#?}");

    // Two lines of one comment are for two jobs.
    github.commit("work", "bootstrap/neat.tf", "locals {\n  neat = 1\n}\n");
    let both = comment(&github, "/plan bootstrap\n/format").exits(0);
    for row in ["plan-bootstrap", "format"] {
        assert!(github.row(7, row).starts_with("success: "), "{both:#?}");
    }

    github.commit("work", "bootstrap/crooked.tf", "locals {\n      crooked   = 1\n}\n");
    let crooked = comment(&github, "/format").exits(1);
    assert!(github.row(7, "format").starts_with("failure: "), "{crooked:#?}");
    assert!(github.dashboard(7).body.contains("| Format | [❌]("), "{}", github.dashboard(7).body);
}

#[test]
fn a_pull_request_that_breaks_ci_toml_is_told_before_it_is_merged() {
    if !installed("act") || !installed("terraform") {
        return;
    }
    let github = example();
    let config = std::fs::read_to_string(repository().join("examples/terraform/ci.toml")).unwrap();
    github.commit("work", "ci.toml", &config.replace("[stages.format]", "[stage.format]"));
    let broken = act(&github, &github.pull_event(7, "synchronize")).exits(1);
    assert!(broken.stdout.contains("::error file=ci.toml,line="), "{broken:#?}");
    // By the rules in force its layers are planned all the same.
    assert!(github.row(7, "plan-bootstrap").starts_with("success: "), "{broken:#?}");

    github.commit("work", "ci.toml", &config);
    let mended = act(&github, &github.pull_event(7, "synchronize")).exits(0);
    assert!(mended.stdout.contains("[ci/config]"), "{mended:#?}");
}
