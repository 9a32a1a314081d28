//! What is never used, and what is used by too many: handlers, commands, gates, stages, and commands that everybody may
//! give.

use super::events;
use crate::config::report::Report;
use crate::config::resolve::{Of, Resolved};
use crate::diagnostic::Code;
use crate::model::rules::{Action, Handler, Kind, Rule, Rules, Select};
use crate::model::span::At;

pub(super) fn all(resolved: &Resolved, report: &mut Report) {
    unused(resolved, report);
    for rule in &resolved.rules.rules {
        ungated(rule, &resolved.rules, report);
        nothing_to_compare(rule, report);
        counts_for_all(rule, &resolved.rules, report);
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

/// What runs once, in one row, is done for all layers once it is done for some.
fn counts_for_all(rule: &Rule, rules: &Rules, report: &mut Report) {
    let (Some(key), Action::Run(run)) = (&rule.command, &rule.action) else { return };
    let Some(command) = rules.commands.get(&key.value).filter(|command| command.takes_layers()) else { return };
    // Beside what is done for each layer, a lint or a test may well be for all.
    if rules.layers.len() < 2 || rules.handlers_of(rule).any(|handler| handler.each) {
        return;
    }
    let is_one_row = |stage: &At<String>| rules.stages.get(&stage.value).is_some_and(|stage| !stage.each);
    let in_one_row = |handler: &&Handler| {
        handler.stage.as_ref().is_some_and(|stage| handler.works_for(&stage.value) && is_one_row(stage))
    };
    for key in run {
        if let Some(handler) = rules.handlers.get(&key.value).filter(in_one_row) {
            let message =
                format!("whichever layers `{}` names, the row of `{}` is done for all", command.usage, key.value);
            report
                .warning(Code::CountsForAll, &key.span, message)
                .related(&handler.key.span, "runs once")
                .help("add `each = \"layer\"` to the handler, or take the argument away");
        }
    }
}
