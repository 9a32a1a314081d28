//! What is to be recorded anew before work can do any good, and when it was.

use super::{by_rules, held, rules};
use crate::config;
use crate::model::board::Status;
use crate::model::rules::Rules;

/// An apply that is held to a plan, beside a lint: of a layer or of the whole, with what the apply comes after.
fn linted(layer: Option<&str>, lint_of_layer: bool, after: &str) -> Rules {
    let each = |is: bool| if is { "each = 'layer'" } else { "" };
    let (of_layer, lint) = (each(layer.is_some()), each(lint_of_layer));
    let layers = layer.map_or_else(String::new, |layer| format!("[layers.{layer}]\ndir = '{layer}'\n"));
    rules(&format!(
        "version = 1\n{layers}[stages.lint]\n{lint}\n[stages.plan]\n{of_layer}\n[stages.apply]\nafter = [{after}]\n\
         [commands.plan]\npattern = '/plan'\n[commands.apply]\npattern = '/apply'\n\
         [[rules]]\non = 'push'\nrun = 'lint'\n\
         [[rules]]\ncommand = 'plan'\ngate = 'anyone'\nrun = 'plan'\n\
         [[rules]]\ncommand = 'apply'\ngate = 'anyone'\nrun = 'apply'\n\
         [handlers.lint]\nstage = 'lint'\n{lint}\nsteps = [{{ run = ['true'] }}]\n\
         [handlers.plan]\nstage = 'plan'\n{of_layer}\nrecord = {{ changes = 'plan' }}\n\
         steps = [{{ run = ['true'], capture = 'plan' }}]\n\
         [handlers.apply]\nstage = 'apply'\n{of_layer}\n\
         steps = [{{ run = ['true'], capture = 'plan', matches = 'plan' }}, {{ run = ['true'] }}]\n"
    ))
}

#[test]
fn only_what_the_steps_are_held_to_is_recorded_anew() {
    let net = Some("net");
    for (layer, lint_of_layer) in [(None, false), (net, false), (net, true)] {
        for after in ["", "'lint'", "'plan'", "'plan', 'lint'"] {
            let rules = linted(layer, lint_of_layer, after);
            let lint = (if lint_of_layer { "lint-net" } else { "lint" }, layer.filter(|_| lint_of_layer));
            let lint = (lint.0, lint.1, Status::Success, "");
            let plan = (if layer.is_some() { "plan-net" } else { "plan" }, layer, Status::Success, "");
            let apply = |note| ("apply", layer, Status::Failure, note);
            for (note, before) in [("exit 1", "type /plan"), ("plan-stale: write `/plan`", ": write `/plan`")] {
                let said = by_rules(&rules, &[plan, lint, apply(note)]);
                assert!(said.ends_with(before), "{layer:?} after {after}: {said}");
                let said = by_rules(&rules, &[plan, lint, apply(note), plan]);
                assert!(said.ends_with("type /apply"), "{layer:?} after {after}: {said}");
            }
        }
    }
}

#[test]
fn what_had_nothing_to_do_is_not_to_be_recorded_anew() {
    let (rules, layer) = (rules(config::DEFAULT), Some("platform"));
    let planned = ("plan-platform", layer, Status::Success, "");
    let idle = ["plan-bootstrap", "plan-data-staging", "plan-data-prod"];
    let idle = idle.map(|row| (row, None, Status::Skipped, "no changes"));
    // Of the whole, as `ci update` reports it from outside.
    let failed = ("apply", None, Status::Failure, "nobody said why");
    let said = |again: &[_]| by_rules(&rules, &[&idle[..], &[planned, failed], again].concat());
    assert!(said(&[]).ends_with("type /plan"), "{}", said(&[]));
    assert!(said(&[planned]).ends_with("type /apply"), "{}", said(&[planned]));
    // What is stale all the same was not idle.
    let stale = ("apply", Some("bootstrap"), Status::Failure, "plan-stale: write `/plan bootstrap`");
    let said = by_rules(&held(), &[("plan-bootstrap", None, Status::Skipped, ""), stale]);
    assert!(said.ends_with("write `/plan bootstrap`"), "{said}");
}

/// What is stale beside what failed is not part of the command, so that nobody waits for it to be planned anew.
#[test]
fn what_is_stale_beside_what_failed_does_not_ask_for_a_plan_that_is_there() {
    let (low, high) = (Some("bootstrap"), Some("platform"));
    let planned = [("plan-bootstrap", low, Status::Success, ""), ("plan-platform", high, Status::Success, "")];
    let stale = ("apply", low, Status::Failure, "plan-stale: write `/plan bootstrap`");
    let failed = ("apply", high, Status::Failure, "exit 1");
    let said = |again: &[_]| by_rules(&held(), &[&planned[..], &[stale, failed], again].concat());
    assert!(said(&[]).ends_with("type /plan platform"), "{}", said(&[]));
    assert!(said(&[planned[1]]).ends_with("type /apply platform"), "{}", said(&[planned[1]]));
}

/// The whole failed, and a layer fell out since: what is to be planned anew is what the command plans.
#[test]
fn what_is_to_be_planned_anew_is_what_the_command_plans() {
    let (low, high) = (Some("bootstrap"), Some("platform"));
    let planned = [("plan-bootstrap", low, Status::Success, ""), ("plan-platform", high, Status::Success, "")];
    let whole = ("apply", None, Status::Failure, "exit 1");
    let fell_out = ("apply", high, Status::Dropped, "after bootstrap failed");
    let mut journal = [&planned[..], &[whole, fell_out]].concat();
    // Whatever is typed, it leads on.
    let mut said = Vec::new();
    for _ in 0..3 {
        said.push(by_rules(&held(), &journal));
        match said.last().unwrap().rsplit_once("type ").unwrap().1 {
            "/plan" => journal.extend(planned),
            "/plan platform" => journal.push(planned[1]),
            _ => return,
        }
    }
    panic!("{said:#?}");
}

/// One command for each layer: what is typed leads from one to the next, and to the end.
#[test]
fn what_is_planned_and_applied_layer_by_layer_comes_to_an_end() {
    let planned = |layer| ("plan", Some(layer), Status::Success, "");
    let failed = |layer| ("apply", Some(layer), Status::Failure, "exit 1");
    let one_by_one = |plans: &str, applies: &str| {
        rules(&format!(
            "version = 1\n[layers.a]\ndir = 'a'\n[layers.b]\ndir = 'b'\n[stages.plan]\n[stages.apply]\nafter = ['plan']\n\
             [commands.plan]\npattern = '/plan\\s+(?<of>.+)'\nargs.of = {{ type = '{plans}' }}\n\
             [commands.apply]\npattern = '/apply\\s+(?<of>.+)'\nargs.of = {{ type = '{applies}' }}\n\
             [[rules]]\ncommand = 'plan'\ngate = 'anyone'\nrun = 'plan'\n\
             [[rules]]\ncommand = 'apply'\ngate = 'anyone'\nrun = 'apply'\n\
             [handlers.plan]\neach = 'layer'\nstage = 'plan'\nrecord = {{ changes = 'plan' }}\n\
             steps = [{{ run = ['true'], capture = 'plan' }}]\n\
             [handlers.apply]\neach = 'layer'\nstage = 'apply'\n\
             steps = [{{ run = ['true'], capture = 'plan', matches = 'plan' }}, {{ run = ['true'] }}]\n"
        ))
    };
    for (plans, applies, typed) in [
        ("layer", "layer", &["/plan a", "/apply a", "/plan b", "/apply b"][..]),
        ("layers", "layer", &["/plan a", "/apply a", "/plan b", "/apply b"]),
        ("layer", "layers", &["/plan a", "/plan b", "/apply a b"]),
        ("layers", "layers", &["/plan a b", "/apply a b"]),
    ] {
        let rules = one_by_one(plans, applies);
        let mut journal = vec![planned("a"), planned("b"), failed("a"), failed("b")];
        for line in typed {
            let said = by_rules(&rules, &journal);
            assert!(said.ends_with(&format!("type {line}")), "{plans} {applies}: {said}");
            let (command, of) = line.split_once(' ').unwrap();
            let done =
                |layer| if command == "/plan" { planned(layer) } else { ("apply", Some(layer), Status::Success, "") };
            journal.extend(of.split(' ').map(done));
        }
    }
}

/// Each was told what to write for itself: what is said is that of one that waits for it.
#[test]
fn what_was_recorded_anew_is_not_asked_for_while_another_is_stale() {
    let (low, high) = (Some("bootstrap"), Some("platform"));
    let planned = [("plan-bootstrap", low, Status::Success, ""), ("plan-platform", high, Status::Success, "")];
    let stale = [
        ("apply", low, Status::Failure, "plan-stale: write `/plan bootstrap`"),
        ("apply", high, Status::Failure, "plan-stale: write `/plan platform`"),
    ];
    let said = |again: &[_]| by_rules(&held(), &[&planned[..], &stale, again].concat());
    assert_eq!(said(&[]), "Apply is not done: bootstrap: plan-stale: write `/plan bootstrap`");
    assert_eq!(said(&planned[..1]), "Apply is not done: platform: plan-stale: write `/plan platform`");
    assert_eq!(said(&planned[1..]), said(&[]));
    assert_eq!(said(&planned), "Next: Apply; type /apply bootstrap platform");
}

/// A layer that waited for another, and whose plan fell out since, is planned before it is applied: a gate refuses it, again
/// and again, and the step would stay the same.
#[test]
fn what_is_not_planned_any_more_is_planned_before_it_is_applied() {
    let (low, high) = (Some("bootstrap"), Some("platform"));
    let planned = [("plan-bootstrap", low, Status::Success, ""), ("plan-platform", high, Status::Success, "")];
    let applied =
        [("apply", low, Status::Failure, "exit 1"), ("apply", high, Status::Dropped, "after bootstrap failed")];
    let again = [planned[0], ("plan-platform", high, Status::Dropped, "cancelled while it ran")];
    let said = by_rules(&held(), &[planned, applied, again].concat());
    assert!(said.ends_with("type /plan platform"), "{said}");
}

/// Nothing was planned, and the plan is a row that holds nobody back, or is not shown before it is there: what is held to it
/// is refused, again and again.
#[test]
fn what_was_never_recorded_is_recorded_before_the_whole_is_applied() {
    for more in ["optional = true", "show = 'when-reported'"] {
        let text = config::DEFAULT.replacen("[stages.plan]\n", &format!("[stages.plan]\n{more}\n"), 1);
        assert!(text.contains(more));
        let said = by_rules(&rules(&text), &[]);
        assert!(said.ends_with("type /plan"), "{more}: {said}");
    }
}
