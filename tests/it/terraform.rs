//! Stories with the real terraform: plan, review, apply what was planned, and what must not be applied.

use std::process::Command;

use crate::project::{Project, Ran, clean, installed};

/// The example, where terraform is installed.
pub(crate) fn example() -> Option<Project> {
    installed("terraform").then(|| Project::example("terraform"))
}

fn comment(project: &Project, text: &str) -> Ran {
    let mut command = project.command();
    command.env("TF_VAR_password", "hunter2-secret").args(["try", text]);
    Ran::of(command.output().unwrap())
}

#[test]
fn what_was_planned_is_applied() {
    let Some(project) = example() else { return };
    comment(&project, "/plan").exits(0);
    for layer in ["bootstrap", "platform", "data-staging", "data-prod"] {
        let row = project.row(1, &format!("plan-{layer}"));
        assert!(row.starts_with("success: ") && row.contains("to add"), "{row}");
    }
    let applied = comment(&project, "/apply").exits(0);
    assert!(applied.stdout.contains("Ready to merge"), "{}", applied.stdout);
    assert_eq!(project.row(1, "apply"), "success: 4 of 4 layers");
    comment(&project, "/plan").exits(0);
    assert_eq!(project.row(1, "plan-platform"), "success: no changes");
}

#[test]
fn code_that_changed_since_the_plan_is_refused() {
    let Some(project) = example() else { return };
    comment(&project, "/plan bootstrap").exits(0);
    project.write("bootstrap/more.tf", "resource \"terraform_data\" \"more\" {\n  input = \"unseen\"\n}\n");
    let applied = comment(&project, "/apply bootstrap");
    assert_ne!(applied.code, 0, "{applied:#?}");
    assert!(!project.path().join("bootstrap/terraform.tfstate").exists());
}

#[test]
fn a_failing_layer_holds_back_those_above_it() {
    let Some(project) = example() else { return };
    let mut command = project.command();
    command.env("TF_VAR_zones", "1").env("TF_VAR_password", "hunter2-secret").args(["try", "/plan"]);
    Ran::of(command.output().unwrap()).exits(1);
    assert!(project.row(1, "plan-bootstrap").starts_with("success: "));
    assert!(project.row(1, "plan-platform").starts_with("failure: "));
    assert_eq!(project.row(1, "plan-data-staging"), "dropped: after platform failed");
    assert_eq!(project.row(1, "plan-data-prod"), "dropped: after platform failed");
}

#[test]
fn drift_is_found() {
    let Some(project) = example() else { return };
    comment(&project, "/plan bootstrap").exits(0);
    comment(&project, "/apply bootstrap").exits(0);
    let state = project.path().join("bootstrap/terraform.tfstate");
    let mut text = Command::new("terraform");
    clean(&mut text);
    let listed = Ran::of(text.current_dir(project.path().join("bootstrap")).args(["state", "list"]).output().unwrap());
    let address = listed.stdout.lines().next().unwrap().to_owned();
    let mut remove = Command::new("terraform");
    clean(&mut remove);
    let removed = remove.current_dir(state.parent().unwrap()).args(["state", "rm", &address]).output().unwrap();
    Ran::of(removed).exits(0);
    comment(&project, "/verify").exits(1);
    assert!(project.row(1, "drift-bootstrap").starts_with("failure: "), "{}", project.row(1, "drift-bootstrap"));
}

#[test]
fn a_secret_shows_nowhere() {
    let Some(project) = example() else { return };
    let planned = comment(&project, "/plan").exits(0);
    let applied = comment(&project, "/apply").exits(0);
    for text in [&planned.stdout, &planned.stderr, &applied.stdout, &applied.stderr] {
        assert!(!text.contains("hunter2-secret"), "{text}");
    }
    for entry in std::fs::read_dir(project.path().join(".ci/forge/comments")).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        assert!(!text.contains("hunter2-secret"), "{text}");
    }
}
