//! Stories with the real terraform: plan, review, apply what was planned, and what must not be applied.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use crate::place::{Local, Place, example, on_both, ran};
use crate::project::{Project, Ran, clean, installed};

const LAYERS: [(&str, &str); 4] = [
    ("bootstrap", "bootstrap"),
    ("platform", "platform"),
    ("data-staging", "envs/staging/data"),
    ("data-prod", "envs/prod/data"),
];
const SECRET: &str = "hunter2-secret";

/// The example in a folder, where terraform is installed.
pub(crate) fn in_a_folder() -> Option<Project> {
    installed("terraform").then(|| Project::example("terraform"))
}

/// The example, where terraform is installed: each layer's state lasts, as it does where people work together.
fn terraform<P: Place>() -> Option<P> {
    if !installed("terraform") {
        return None;
    }
    let mut files = example("terraform");
    for (layer, dir) in LAYERS {
        let backend = format!("terraform {{\n  backend \"local\" {{ path = \"STORE/{layer}.tfstate\" }}\n}}\n");
        files.insert(format!("{dir}/backend.tf"), backend);
    }
    let place = P::start(&files);
    std::fs::create_dir_all(place.store()).unwrap();
    Some(place)
}

/// A maintainer comments.
fn comment(place: &impl Place, text: &str) -> Ran {
    let mut command = place.comment(7, "bob", text);
    command.env("TF_VAR_password", SECRET);
    place.run(command)
}

fn what_was_planned_is_applied<P: Place>() {
    let Some(place) = terraform::<P>() else { return };
    comment(&place, "/plan").exits(0);
    for (layer, _) in LAYERS {
        let row = place.row(&format!("plan-{layer}"));
        assert!(row.starts_with("success: ") && row.contains("to add"), "{row}");
    }
    let unseen = comment(&place, "/apply").exits(4);
    assert!(unseen.stderr.contains("approvals"), "{unseen:#?}");
    place.approve(7, "root");
    comment(&place, "/apply").exits(0);
    assert!(place.dashboard().contains("Ready to merge"), "{}", place.dashboard());
    assert_eq!(place.row("apply"), "success: 4 of 4 layers");
    comment(&place, "/plan platform").exits(0);
    assert_eq!(place.row("plan-platform"), "success: no changes");
    assert!(place.dashboard().contains("Ready to merge"), "{}", place.dashboard());
    // What is planned since is not done because something was done before.
    let mut again = place.comment(7, "bob", "/plan platform");
    again.env("TF_VAR_zones", "3");
    place.run(again).exits(0);
    assert_eq!(place.row("apply"), "pending: 3 of 4 layers");
    assert!(place.dashboard().contains("Comment `/apply platform`"), "{}", place.dashboard());
}

fn code_that_changed_since_the_plan_is_refused<P: Place>() {
    let Some(place) = terraform::<P>() else { return };
    comment(&place, "/plan bootstrap").exits(0);
    place.push(7, "bootstrap/more.tf", "resource \"terraform_data\" \"more\" {\n  input = \"unseen\"\n}\n");
    place.approve(7, "root");
    let refused = comment(&place, "/apply bootstrap").exits(4);
    assert!(refused.stderr.contains("planned"), "{refused:#?}");
    assert_eq!(place.stored("bootstrap.tfstate"), None);
}

fn what_would_be_done_now_is_not_what_was_planned<P: Place>() {
    let Some(place) = terraform::<P>() else { return };
    comment(&place, "/plan platform").exits(0);
    place.approve(7, "root");
    let mut other = place.comment(7, "bob", "/apply platform");
    other.env("TF_VAR_zones", "3");
    let stale = place.run(other).exits(1);
    assert!(place.row("apply").contains("plan-stale"), "{}: {stale:#?}", place.row("apply"));
    assert_eq!(place.stored("platform.tfstate"), None);
}

fn a_failing_layer_holds_back_those_above_it<P: Place>() {
    let Some(place) = terraform::<P>() else { return };
    let mut command = place.comment(7, "bob", "/plan");
    command.env("TF_VAR_zones", "1");
    place.run(command).exits(1);
    assert!(place.row("plan-bootstrap").starts_with("success: "));
    assert!(place.row("plan-platform").starts_with("failure: "));
    assert_eq!(place.row("plan-data-staging"), "dropped: after platform failed");
    assert_eq!(place.row("plan-data-prod"), "dropped: after platform failed");
}

fn a_failed_init_says_which_line_is_wrong<P: Place>() {
    let Some(place) = terraform::<P>() else { return };
    place.push(7, "bootstrap/broken.tf", &format!("locals {{}}\n\nresource \"x\" \"{SECRET}\" {{\n"));
    let failed = comment(&place, "/plan bootstrap").exits(1);
    let note = "`terraform init` exited with 1: Error: Unclosed configuration block, broken.tf line 3";
    assert_eq!(place.row("plan-bootstrap"), format!("failure: {note}"));
    let printed = |text: &String| text.contains("There is no closing brace for this block");
    assert!(place.comments(7).iter().any(printed), "{failed:#?}");
    let told = place.told();
    assert!(told.iter().filter(|text| printed(text)).count() > 1, "the comment and the summary: {failed:#?}");
    assert!(!told.iter().any(|text| text.contains(SECRET)), "{failed:#?}");
}

/// What terraform prints about the state of the lowest layer.
fn state(place: &impl Place, word: &str, address: Option<&str>) -> String {
    let mut terraform = Command::new("terraform");
    clean(&mut terraform);
    terraform.current_dir(place.store()).args(["state", word, "-state=bootstrap.tfstate"]).args(address);
    ran(terraform).exits(0).stdout
}

/// Looks for drift in the lowest layer alone.
fn verify(place: &impl Place) -> Ran {
    let mut command = place.comment(7, "bob", "/verify");
    command.args(["--only", "verify/bootstrap"]);
    place.run(command)
}

/// What was never applied has drifted altogether, in every layer.
fn drift_of_one_layer_does_not_hide_that_of_those_above<P: Place>() {
    let Some(place) = terraform::<P>() else { return };
    comment(&place, "/verify").exits(1);
    for (layer, _) in LAYERS {
        let row = place.row(&format!("drift-{layer}"));
        assert!(row.starts_with("failure: changes found"), "{layer}: {row}");
    }
}

fn drift_is_found<P: Place>() {
    let Some(place) = terraform::<P>() else { return };
    comment(&place, "/plan bootstrap").exits(0);
    place.approve(7, "root");
    comment(&place, "/apply bootstrap").exits(0);
    verify(&place).exits(0);
    assert_eq!(place.row("drift-bootstrap"), "success: no changes");
    let listed = state(&place, "list", None);
    state(&place, "rm", listed.lines().next());
    verify(&place).exits(1);
    assert!(place.row("drift-bootstrap").starts_with("failure: "), "{}", place.row("drift-bootstrap"));
}

/// `ci` is killed alone, which no runner does: what it started goes on to its end, though nobody reads what it prints.
#[test]
fn a_killed_job_loses_nothing_of_what_was_applied() {
    let Some(place) = terraform::<Local>() else { return };
    // The second is made by a Terraform that has printed a few lines after `ci` was killed.
    let waits = "resource \"terraform_data\" \"first\" {\n  provisioner \"local-exec\" {\n    \
                 command = \"echo begun; until [ -e STORE/go ]; do sleep 0.05; done; echo made\"\n  }\n}\n\
                 resource \"terraform_data\" \"second\" {\n  depends_on = [terraform_data.first]\n}\n";
    place.push(7, "bootstrap/waits.tf", waits);
    comment(&place, "/plan bootstrap").exits(0);
    place.approve(7, "root");
    let mut command = place.comment(7, "bob", "/apply bootstrap");
    let mut job = command.env("TF_VAR_password", SECRET).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(job.stderr.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().ends_with(": begun")), "the work did not begin");
    place.kill(&mut job);
    place.put("go", "");
    place.settles();
    assert!(place.told().iter().any(|page| page.contains("goes on, or it was killed")), "its page says nothing");
    let listed = state(&place, "list", None);
    assert!(listed.contains("terraform_data.first") && listed.contains("terraform_data.second"), "{listed}");
    comment(&place, "/plan bootstrap").exits(0);
    assert_eq!(place.row("plan-bootstrap"), "success: no changes");
}

fn a_secret_shows_nowhere<P: Place>() {
    let Some(place) = terraform::<P>() else { return };
    let planned = comment(&place, "/plan data-prod").exits(0);
    place.approve(7, "root");
    let applied = comment(&place, "/apply data-prod").exits(0);
    assert!(place.stored("data-prod.tfstate").unwrap().contains(SECRET));
    let mut told = place.told();
    told.extend([planned.stdout, planned.stderr, applied.stdout, applied.stderr]);
    for text in told {
        assert!(!text.contains(SECRET), "{text}");
    }
}

on_both!(
    what_was_planned_is_applied,
    code_that_changed_since_the_plan_is_refused,
    what_would_be_done_now_is_not_what_was_planned,
    a_failing_layer_holds_back_those_above_it,
    a_failed_init_says_which_line_is_wrong,
    drift_is_found,
    drift_of_one_layer_does_not_hide_that_of_those_above,
    a_secret_shows_nowhere,
);
