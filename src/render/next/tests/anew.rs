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
