//! What is said to be done next, of boards in all states.

mod anew;
mod besides;
mod layers;
mod line;
mod usage;

use std::collections::BTreeMap;

use super::advice::{Advice, FIX, LOOK, WAIT};
use super::{NextKind, NextStep, next_step};
use crate::config;
use crate::model::board::{Entry, Status, fold};
use crate::model::rules::{Rule, Rules, Select};
use crate::model::span::{At, Source};
use crate::render::dashboard::next_value;
use crate::render::{Templates, fixture};
use crate::schedule::layout;

fn sentence(statuses: &[(&str, Status, &str)]) -> String {
    let rules = fixture::rules();
    next_step(&rules, &fixture::board(statuses)).description()
}

#[test]
fn the_first_failure_comes_first_with_the_line_to_type() {
    let said = sentence(&[
        ("plan-bootstrap", Status::Running, ""),
        ("plan-platform", Status::Failure, "`terraform plan` exited with 1"),
    ]);
    assert_eq!(said, "Plan: platform failed: `terraform plan` exited with 1; fix it and push, or type /plan platform");
}

#[test]
fn what_waits_is_named_with_one_command_for_all_layers() {
    assert_eq!(sentence(&[]), "Next: Plan: bootstrap and 1 more; type /plan");
    assert_eq!(sentence(&[("plan-bootstrap", Status::Success, "")]), "Next: Plan: platform; type /plan platform");
    let planned = [("plan-bootstrap", Status::Success, ""), ("plan-platform", Status::Skipped, "")];
    assert_eq!(sentence(&planned), "Next: Apply; type /apply");
}

#[test]
fn what_runs_and_what_was_cancelled_are_said() {
    assert_eq!(sentence(&[("plan-platform", Status::Running, "")]), "Plan: platform is running");
    assert_eq!(
        sentence(&[("plan-bootstrap", Status::Success, ""), ("plan-platform", Status::Dropped, "cancelled")]),
        "Plan: platform is not done: cancelled; type /plan platform"
    );
}

#[test]
fn a_real_failure_beside_a_stale_plan_is_still_one() {
    let said = sentence(&[
        ("plan-bootstrap", Status::Failure, "plan-stale: comment `/plan`"),
        ("e2e", Status::Failure, "`make` exited with 1"),
    ]);
    assert!(said.contains("`make` exited with 1; fix it and push"), "{said}");
}

/// What is said where layers report to one row, once all are planned.
fn of_layers(reports: &[(&str, Option<&str>, Status, &str)]) -> String {
    planned_by(&fixture::rules(), reports)
}

/// The same where the apply is held to the plan.
fn of_held_layers(reports: &[(&str, Option<&str>, Status, &str)]) -> String {
    planned_by(&held(), reports)
}

fn planned_by(rules: &Rules, reports: &[(&str, Option<&str>, Status, &str)]) -> String {
    let planned = [("plan-bootstrap", "bootstrap"), ("plan-platform", "platform")];
    let planned = planned.map(|(row, layer)| (row, Some(layer), Status::Success, ""));
    by_rules(rules, &[&planned, reports].concat())
}

/// The rules of the fixture with the apply of the default pipeline, which is held to the plan.
fn held() -> Rules {
    let mut held = fixture::rules();
    let apply = rules(config::DEFAULT).handlers.swap_remove("apply").unwrap();
    held.handlers.insert("apply".to_owned(), apply);
    held
}

/// What is said of the rows that these rules make.
fn by_rules(rules: &Rules, reports: &[(&str, Option<&str>, Status, &str)]) -> String {
    let entries = (1..).zip(reports).map(|(id, (row, layer, status, note))| Entry {
        layer: layer.map(str::to_owned),
        ..fixture::entry(id, row, *status, note)
    });
    let board = fold(&layout(rules), &fixture::recorded(entries.collect()));
    next_step(rules, &board).description()
}

#[test]
fn a_dashboard_says_all_of_it() {
    let drawn = |kind: NextKind, advice: Option<Advice>, command: Option<&str>| {
        let next = NextStep {
            kind,
            title: "Apply".to_owned(),
            note: "<b>".to_owned(),
            link: None,
            more: 1,
            advice,
            command: command.map(str::to_owned),
        };
        let next = minijinja::context! { next => next_value(&next) };
        Templates::default().render("next.md.j2", &next).unwrap()
    };
    let apply = Some("/apply");
    let drawn = [
        drawn(NextKind::Failed, Some(FIX), apply),
        drawn(NextKind::Failed, Some(FIX), None),
        drawn(NextKind::Running, None, None),
        drawn(NextKind::Dropped, None, apply),
        drawn(NextKind::Dropped, Some(WAIT), apply),
        drawn(NextKind::Dropped, None, None),
        drawn(NextKind::Waiting, None, apply),
        drawn(NextKind::Waiting, Some(LOOK), apply),
        drawn(NextKind::Waiting, None, None),
    ];
    insta::assert_snapshot!(drawn.concat(), @r"
    ❌ **Apply** and 1 more failed: &lt;b&gt;. Fix it and push, or comment `/apply`.
    ❌ **Apply** and 1 more failed: &lt;b&gt;. Fix it and push.
    🔄 **Apply** and 1 more are running.
    ⏭️ **Apply** and 1 more are not done: &lt;b&gt;. Comment `/apply` to run it.
    ⏭️ **Apply** and 1 more are not done: &lt;b&gt;. Try again once that is released\: comment `/apply`.
    ⏭️ **Apply** and 1 more are not done: &lt;b&gt;.
    ⏳ Next: **Apply** and 1 more. Comment `/apply`.
    ⏳ Next: **Apply** and 1 more. Look at what its run did, then comment `/apply`.
    ⏳ Next: **Apply** and 1 more.
    ");
}

#[test]
fn what_is_done_is_not_asked_for_again() {
    let (low, high) = (Some("bootstrap"), Some("platform"));
    assert_eq!(of_layers(&[("apply", low, Status::Success, "")]), "Next: Apply; type /apply platform");
    let beside = [("apply", low, Status::Running, ""), ("apply", high, Status::Failure, "exit 1")];
    assert!(of_layers(&beside).ends_with("or type /apply platform"), "{}", of_layers(&beside));
    let broken = [("apply", low, Status::Failure, "exit 1"), ("apply", high, Status::Dropped, "did not begin")];
    assert!(of_layers(&broken).ends_with("fix it and push, or type /apply bootstrap platform"), "{broken:?}");
}

#[test]
fn what_is_stale_is_done_again_once_it_was_recorded_anew() {
    let stale = ("apply", Some("platform"), Status::Failure, "plan-stale: write `/plan platform`");
    assert!(of_held_layers(&[stale]).ends_with("plan-stale: write `/plan platform`"), "{}", of_held_layers(&[stale]));
    let again = ("plan-platform", Some("platform"), Status::Success, "");
    assert_eq!(of_held_layers(&[stale, again]), "Next: Apply; type /apply platform");
    // What was held back by it is not what is stale.
    let held = ("apply", Some("bootstrap"), Status::Dropped, "after platform failed");
    assert_eq!(of_held_layers(&[stale, held, again]), "Next: Apply; type /apply bootstrap platform");
    let real = ("apply", Some("bootstrap"), Status::Failure, "exit 1");
    assert!(of_held_layers(&[stale, real]).starts_with("Apply failed: "), "{}", of_held_layers(&[stale, real]));
}

#[test]
fn what_is_stale_is_not_to_be_recorded_anew_while_that_runs() {
    let stale = ("apply", Some("platform"), Status::Failure, "plan-stale: write `/plan platform`");
    let again = ("plan-platform", Some("platform"), Status::Running, "");
    assert_eq!(of_held_layers(&[stale, again]), "Plan: platform is running");
}

#[test]
fn each_layer_is_renewed_by_its_own_time() {
    let stale = |layer| ("apply", Some(layer), Status::Failure, "plan-stale: write `/plan`");
    let low = ("plan-bootstrap", Some("bootstrap"), Status::Success, "");
    let high = ("plan-platform", Some("platform"), Status::Success, "");
    let said = of_held_layers(&[stale("platform"), high, stale("bootstrap"), low]);
    assert_eq!(said, "Next: Apply; type /apply bootstrap platform");
    // Planned again, applied again, and stale again: the same command would end the same.
    let said = of_held_layers(&[stale("bootstrap"), stale("platform"), low, high, stale("platform")]);
    assert!(said.starts_with("Apply is not done: ") && !said.contains("/apply"), "{said}");
}

#[test]
fn what_is_stale_is_done_again_once_it_was_recorded_anew_in_a_row_for_all_layers() {
    let mut rules = held();
    rules.stages.get_mut("plan").unwrap().each = false;
    let (low, high) = (Some("bootstrap"), Some("platform"));
    let stale = ("apply", high, Status::Failure, "plan-stale: write `/plan platform`");
    let begun = [("plan", low, Status::Success, ""), ("plan", high, Status::Success, ""), stale];
    let then = |report| by_rules(&rules, &[&begun[..], &[report]].concat());
    assert_eq!(then(("plan", high, Status::Success, "")), "Next: Apply; type /apply platform");
    assert_eq!(then(("plan", None, Status::Success, "")), "Next: Apply; type /apply platform");
    let of_another = then(("plan", low, Status::Success, ""));
    assert!(of_another.ends_with("write `/plan platform`"), "{of_another}");
}

#[test]
fn what_was_recorded_anew_waits_for_the_rest_that_it_comes_after() {
    let mut rules = held();
    // The apply comes after the tests too.
    rules.stages.get_mut("e2e").unwrap().after.clear();
    let e2e = rules.stages["e2e"].key.clone();
    rules.stages.get_mut("apply").unwrap().after.push(e2e);
    let planned = |layer, row| (row, Some(layer), Status::Success, "");
    let (low, high) = (planned("bootstrap", "plan-bootstrap"), planned("platform", "plan-platform"));
    let stale = ("apply", Some("platform"), Status::Failure, "plan-stale: write `/plan platform`");
    assert_eq!(by_rules(&rules, &[low, high, stale, high]), "Next: E2E Tests; type /e2e");
    let tested = ("e2e", None, Status::Success, "");
    assert_eq!(by_rules(&rules, &[low, high, tested, stale, high]), "Next: Apply; type /apply platform");
}

#[test]
fn what_cannot_be_fixed_is_not_asked_to_be() {
    let (layer, lost) = (Some("platform"), "ended without reporting");
    let said = of_layers(&[("apply", layer, Status::Failure, lost)]);
    assert!(said.ends_with("; look at what its run did, then type /apply platform"), "{said}");
    let said = of_layers(&[("apply", layer, Status::Dropped, lost)]);
    assert!(said.ends_with("; look at what its run did, then type /apply platform"), "{said}");
    let said = of_layers(&[("apply", layer, Status::Dropped, "cancelled while it ran")]);
    assert!(said.ends_with("; look at what its run did, then type /apply platform"), "{said}");
    let said = of_layers(&[("apply", layer, Status::Dropped, "its run is gone")]);
    assert!(said.ends_with("; look at what it did, then type /apply platform"), "{said}");
    let said = of_layers(&[("apply", layer, Status::Dropped, "locked by pull request 8 (bob)")]);
    assert!(said.ends_with("; try again once that is released: type /apply platform"), "{said}");
}

#[test]
fn drift_is_not_mended_by_looking_once_more() {
    let rules = rules(config::DEFAULT);
    let drift = |note| by_rules(&rules, &[("drift-platform", Some("platform"), Status::Failure, note)]);
    assert_eq!(
        drift("changes found: 1 to replace"),
        "Drift: platform failed: changes found: 1 to replace; apply what is declared, or declare what is there, then type \
         /verify"
    );
    assert_eq!(drift("exit 1"), "Drift: platform failed: exit 1; fix it and push, or type /verify");
}

#[test]
fn what_was_cut_short_is_looked_at_whatever_the_command_is_for_besides() {
    let (low, high) = (Some("bootstrap"), Some("platform"));
    let stale = ("apply", high, Status::Failure, "plan-stale: write `/plan platform`");
    let again = ("plan-platform", high, Status::Success, "");
    let failed = ("apply", high, Status::Failure, "exit 1");
    let cut = ("apply", low, Status::Dropped, "cancelled while it ran");
    let lost = ("apply", low, Status::Failure, "ended without reporting");
    // What was planned anew already is not once more.
    let all = [(&[stale, again, cut][..], "bootstrap"), (&[failed, cut], "bootstrap platform")];
    for (besides, anew) in all.into_iter().chain([(&[failed, lost][..], "bootstrap platform")]) {
        let said = of_held_layers(besides);
        assert!(said.ends_with(&format!("; look at what its run did, then type /plan {anew}")), "{said}");
    }
    let mut rules = held();
    rules.stages.get_mut("apply").unwrap().each = true;
    let planned = [("plan-bootstrap", low, Status::Success, ""), ("plan-platform", high, Status::Success, "")];
    let held = ("apply-bootstrap", low, Status::Dropped, "locked by pull request 8 (bob)");
    let cut = ("apply-platform", high, Status::Dropped, "cancelled while it ran");
    let said = by_rules(&rules, &[&planned[..], &[held, cut]].concat());
    assert!(said.ends_with("; look at what its run did, then type /plan"), "{said}");
}

#[test]
fn optional_rows_do_not_hold_back() {
    let rules = fixture::rules();
    let done = ["plan-bootstrap", "plan-platform", "apply", "e2e"].map(|row| (row, Status::Success, ""));
    let board = fixture::board(&done);
    assert_eq!(next_step(&rules, &board).kind, NextKind::Ready);
    assert_eq!(next_step(&rules, &board).sentence(), "Ready to merge");
}

#[test]
fn a_description_fits_a_commit_status() {
    let long = "x".repeat(1000);
    let said = sentence(&[("plan-platform", Status::Failure, &long)]);
    assert!(said.chars().count() <= 140 && said.ends_with("/plan platform"), "{said}");
}

#[test]
fn what_to_type_stands_in_a_description() {
    let held = NextStep {
        kind: NextKind::Dropped,
        title: "Apply: data-staging".to_owned(),
        note: "locked by pull request 118 (alice) since 2026-11-23 14:00 UTC".to_owned(),
        link: None,
        more: 2,
        advice: Some(WAIT),
        command: Some("/apply".to_owned()),
    };
    let cut = NextStep {
        title: "x".repeat(100),
        note: "data-staging: cancelled while it ran\n; took over the lock of pull request 8".to_owned(),
        more: 0,
        advice: Some(LOOK),
        command: Some("/apply bootstrap platform data-staging data".to_owned()),
        ..held.clone()
    };
    for next in [held, cut] {
        let said = next.description();
        assert!(said.chars().count() <= 140 && said.ends_with(&next.command.unwrap()), "{said}");
    }
    // Where the note says it, nothing else does.
    let note = "plan-stale: what would change now is not what `plan` recorded for this commit: write `/plan platform`, \
                have it reviewed, then do this again";
    let said = of_layers(&[("apply", Some("platform"), Status::Failure, note)]);
    assert!(said.contains("/plan platform"), "{said}");
}

#[test]
fn a_command_is_named_whose_rule_is_for_the_layers() {
    let only = |layer: &str| Some(At::new(Select::Named(vec![layer.to_owned()]), 0..0));
    let mut rules = fixture::rules();
    // A rule for one layer is none for several rows, though it stands first.
    let bootstrap = Rule { condition: None, layers: only("bootstrap"), ..rules.rules.remove(2) };
    rules.rules.insert(0, bootstrap);
    assert_eq!(by_rules(&rules, &[]), "Next: Plan: bootstrap and 1 more; type /plan");
    // Where there is one for each layer, and none takes layers, the first one's is named.
    let mut rules = fixture::rules();
    rules.commands.get_mut("apply").unwrap().args.clear();
    (rules.rules[1].layers, rules.rules[3].layers) = (only("platform"), only("bootstrap"));
    let failed = |layer| ("apply", Some(layer), Status::Failure, "exit 1");
    let said = by_rules(&rules, &[failed("platform"), failed("bootstrap")]);
    assert!(said.ends_with("or type /bootstrap plan|apply"), "{said}");
    let said = by_rules(&rules, &[failed("platform")]);
    assert!(said.ends_with("or type /apply"), "{said}");
}

/// The note that a row shows is the telling one, so what is stale beside it is not asked for: it would end the same.
#[test]
fn a_real_failure_is_told_before_a_stale_plan() {
    let stale = ("apply", Some("bootstrap"), Status::Failure, "plan-stale: write `/plan bootstrap`");
    for (real, said) in [
        (
            ("apply", Some("platform"), Status::Failure, "exit 1"),
            "Apply failed: platform: exit 1; fix it and push, or type /apply platform",
        ),
        (("apply", None, Status::Failure, "exit 1"), "Apply failed: exit 1; fix it and push, or type /apply"),
    ] {
        assert_eq!(of_layers(&[real, stale]), said);
    }
}

/// The rules of this text.
fn rules(text: &str) -> Rules {
    config::load(Source::new("ci.toml", text), &BTreeMap::new()).rules.unwrap()
}

#[test]
fn what_may_have_been_applied_in_part_is_planned_anew_first() {
    let (rules, layer) = (rules(config::DEFAULT), Some("platform"));
    let planned = ("plan-platform", layer, Status::Success, "");
    let idle = ["plan-bootstrap", "plan-data-staging", "plan-data-prod"].map(|row| (row, None, Status::Skipped, ""));
    for (status, note, advice) in [
        (Status::Failure, "exit 1", "fix it and push, or"),
        (Status::Failure, "ended without reporting", "look at what its run did, then"),
        (Status::Dropped, "cancelled while it ran", "look at what its run did, then"),
    ] {
        let said =
            |again: &[_]| by_rules(&rules, &[&idle[..], &[planned, ("apply", layer, status, note)], again].concat());
        assert!(said(&[]).ends_with(&format!("; {advice} type /plan platform")), "{}", said(&[]));
        assert!(said(&[planned]).ends_with(&format!("; {advice} type /apply platform")), "{}", said(&[planned]));
    }
    let held = ("apply", layer, Status::Dropped, "locked by pull request 8 (bob)");
    assert!(by_rules(&rules, &[&idle[..], &[planned, held]].concat()).ends_with("type /apply platform"));
}
