//! What is never used, and what is used by too many: handlers, commands, gates, stages, and commands that everybody may
//! give.

use std::collections::HashSet;

use super::events;
use crate::config::report::Report;
use crate::config::resolve::{Of, Resolved};
use crate::diagnostic::Code;
use crate::model::rules::{Action, ArgKind, GateRef, Handler, Kind, PLAN, Rule, Rules, Select, held_to};
use crate::model::span::At;

pub(super) fn all(resolved: &Resolved, report: &mut Report) {
    unused(resolved, report);
    nothing_recorded(resolved, report);
    for rule in &resolved.rules.rules {
        ungated(rule, &resolved.rules, report);
        nothing_to_compare(rule, report);
        nothing_planned(rule, &resolved.rules, report);
    }
}

fn unused(resolved: &Resolved, report: &mut Report) {
    let Resolved { rules, names, .. } = resolved;
    let mut warn = |code, of, key: &At<String>, message: &str, help: &str| {
        if names.is_unused(of, &key.value) {
            report.warning(code, &key.span, message.replace("{}", &key.value)).help(help);
        }
    };
    for handler in rules.handlers.values() {
        let message = "no rule runs the handler `{}`";
        warn(
            Code::UnusedHandler,
            Of::Handler,
            &handler.key,
            message,
            "name it in the `run` of a rule, or take it away",
        );
    }
    for command in rules.commands.values() {
        let message = "no rule answers the command `{}`";
        warn(Code::UnusedCommand, Of::Command, &command.key, message, "add a rule with `command`, or take it away");
    }
    for gate in rules.gates.values() {
        let message = "nothing is held to the gate `{}`";
        warn(Code::UnusedGate, Of::Gate, &gate.key, message, "name it in the `gate` of a rule, or take it away");
    }
    for stage in rules.stages.values() {
        let message = "no handler reports to the stage `{}`: it stays pending unless `ci update` does";
        warn(
            Code::UnreportedStage,
            Of::Stage,
            &stage.key,
            message,
            "name it in the `stage` of a handler, or take it away",
        );
    }
}

/// A command that does something says who may give it.
fn ungated(rule: &Rule, rules: &Rules, report: &mut Report) {
    let (Some(command), None, Action::Run(run)) = (&rule.command, &rule.gate, &rule.action) else { return };
    let acting = run.iter().filter_map(|name| rules.handlers.get(&name.value));
    let Some((handler, what)) = acting.filter_map(|handler| Some((handler, acts(handler)?))).next() else { return };
    let message = format!("everybody may give the command `{}`, and it {what}", command.value);
    report
        .error(Code::Ungated, &command.span, message)
        .related(&handler.key.span, format!("what `{}` does", handler.key.value))
        .help("add `gate = \"…\"` to the rule; `gate = \"anyone\"` says that it is on purpose");
}

/// What a handler does in the world, if anything.
fn acts(handler: &Handler) -> Option<&'static str> {
    match handler.kind {
        Kind::Steps(_) => Some("runs programs"),
        Kind::Dispatch { .. } => Some("starts a workflow"),
        Kind::Delegate(_) => Some("starts the work of another job"),
        Kind::Api { .. } => Some("calls GitHub's API"),
        Kind::Unlock(_) => Some("releases locks"),
        Kind::Report(_) | Kind::Reply(_) => None,
    }
}

/// Changed files are those of a pull request or of a push.
fn nothing_to_compare(rule: &Rule, report: &mut Report) {
    let Some(event) = rule.on.iter().find(|event| !events::may_have_changes(&event.value)) else { return };
    let changed = rule.layers.as_ref().filter(|layers| layers.value == Select::Changed).map(|layers| &layers.span);
    for span in changed.into_iter().chain(rule.paths.as_ref().map(|paths| &paths.span)) {
        report
            .error(Code::NothingToCompare, span, format!("`{}` comes without changed files", event.value))
            .related(&event.span, "the event")
            .help("name the layers, or write `layers = \"all\"`; only pull requests and pushes have changed files");
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
        let Kind::Steps(steps) = &handler.kind else { continue };
        for stage in steps.iter().filter_map(|step| step.matches.as_ref()) {
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
