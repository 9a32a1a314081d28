//! What is planned and recorded, and what is held to it.

use std::collections::{HashMap, HashSet};

use crate::config::report::Report;
use crate::config::resolve::{Of, Resolved};
use crate::diagnostic::Code;
use crate::model::rules::{Action, ArgKind, Effect, Gate, GateRef, Handler, PLAN, Rule, Rules, Select, held_to};
use crate::model::span::At;

pub(super) fn all(resolved: &Resolved, report: &mut Report) {
    let rules = &resolved.rules;
    for rule in &rules.rules {
        nothing_planned(rule, rules, report);
        shared_record(rule, rules, report);
    }
    nothing_recorded(resolved, report);
    for gate in rules.gates.values() {
        unknown_effect(gate, rules, report);
    }
}

/// Which layers are planned a stage says: the one that the work is held to, or the gate asks for, or `plan`.
fn nothing_planned(rule: &Rule, rules: &Rules, report: &mut Report) {
    let Action::Run(run) = &rule.action else { return };
    let handlers: Vec<&Handler> = run.iter().filter_map(|key| rules.handlers.get(&key.value)).collect();
    let says = |gate: &GateRef| match gate {
        GateRef::Anyone => false,
        GateRef::Named(key) => rules.gates.get(key).is_none_or(|gate| gate.planned.is_some()),
    };
    let said = held_to(&handlers).is_some() || rule.gate.as_ref().is_some_and(|gate| says(&gate.value));
    if said || handlers.len() < run.len() || rules.stages.contains_key(PLAN) {
        return;
    }
    let of_rule = rule.layers.as_ref().filter(|layers| layers.value == Select::Planned).map(|layers| &layers.span);
    let of_command = rule.command.as_ref().filter(|key| {
        let args = rules.commands.get(&key.value).into_iter().flat_map(|command| command.args.values());
        args.into_iter().any(|arg| arg.kind == ArgKind::Layers && arg.default.as_deref() == Some("planned"))
    });
    if let Some(span) = of_rule.or(of_command.map(|key| &key.span)) {
        report
            .error(Code::NothingPlanned, span, "nothing says which stage plans the layers that this is for")
            .help("name it in the `planned` of the gate, or in the `matches` of a step; else it is the stage `plan`");
    }
}

/// A `matches` needs a stage for which a digest is kept, and one for all layers where it runs once for all.
fn nothing_recorded(resolved: &Resolved, report: &mut Report) {
    let handlers = &resolved.rules.handlers;
    let lost = resolved.names.all(Of::Handler).len() > handlers.len();
    if lost || handlers.values().any(|handler| handler.record.is_some() && handler.stage.is_none()) {
        return;
    }
    let recording = || handlers.values().filter(|handler| handler.record.is_some());
    let stages = |recording: &Handler| recording.stage.as_ref().map(|stage| stage.value.clone());
    let recorded: HashSet<String> = recording().filter_map(stages).collect();
    let is_each = |stage: &str| resolved.rules.stages.get(stage).is_some_and(|stage| stage.each);
    let for_all: HashSet<String> =
        recording().filter(|handler| !handler.each).filter_map(stages).filter(|stage| !is_each(stage)).collect();
    for handler in handlers.values() {
        for stage in handler.matched() {
            if !recorded.contains(&*stage.value) {
                let message = format!("no handler records changes for the stage `{}`", stage.value);
                report
                    .error(Code::NothingRecorded, &stage.span, message)
                    .help("add `record = { changes = \"CAPTURE\" }` to the handler that plans");
            } else if !handler.each && !for_all.contains(&*stage.value) {
                let message = format!("`{}` is recorded for each layer, and this runs once for all", stage.value);
                report
                    .error(Code::NothingRecorded, &stage.span, message)
                    .related(&handler.key.span, "the handler")
                    .help("add `each = \"layer\"` to the handler");
            }
        }
    }
}

/// A row keeps one record: of two that a command makes, what is held to the first never finds it again.
fn shared_record(rule: &Rule, rules: &Rules, report: &mut Report) {
    let Action::Run(run) = &rule.action else { return };
    let is_compared =
        |stage: &str| rules.handlers.values().any(|handler| handler.matched().any(|one| one.value == stage));
    let recorded = |handler: &Handler| {
        let stage = handler.stage.as_ref().filter(|_| handler.record.is_some())?;
        Some(stage.value.clone()).filter(|stage| is_compared(stage))
    };
    let mut first: HashMap<String, &At<String>> = HashMap::new();
    for key in run {
        let Some(stage) = rules.handlers.get(&key.value).and_then(recorded) else { continue };
        let Some(other) = first.get(&stage).filter(|other| other.value != key.value) else {
            first.insert(stage, key);
            continue;
        };
        let message =
            format!("`{}` takes the place of what `{}` records for the stage `{stage}`", key.value, other.value);
        report
            .error(Code::SharedRecord, &key.span, message)
            .related(&other.span, "recorded first")
            .help("give one of the handlers a stage of its own, and hold to that what comes after it");
    }
}

/// A gate waits for what only looks, or for what changes something: which of both counts once it was done again.
fn unknown_effect(gate: &Gate, rules: &Rules, report: &mut Report) {
    let Some(stage) = &gate.planned else { return };
    let is_done_here = rules.handlers.values().any(|handler| handler.works_for(&stage.value));
    if !is_done_here || rules.effect(&stage.value) != Effect::Unknown {
        return;
    }
    let message = format!("nothing says whether the stage `{}` only looks, or changes something", stage.value);
    let help =
        format!("write `read-only = true` under `[stages.{}]` if it only looks, else `read-only = false`", stage.value);
    report.warning(Code::UnknownEffect, &stage.span, message).help(help);
}
