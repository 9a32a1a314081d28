//! What is planned and recorded, and what is held to it.

use std::collections::{HashMap, HashSet};

use crate::config::report::Report;
use crate::config::resolve::{Of, Resolved};
use crate::diagnostic::Code;
use crate::model::rules::{
    Action, ArgKind, Effect, GateRef, Handler, Kind, PLAN, Rule, Rules, Select, Stage, Step, held_to,
};
use crate::model::span::At;

pub(super) fn all(resolved: &Resolved, report: &mut Report) {
    let rules = &resolved.rules;
    for rule in &rules.rules {
        nothing_planned(rule, rules, report);
        waits_for_itself(rule, rules, report);
        earlier_record(rule, rules, report);
    }
    nothing_recorded(resolved, report);
    for handler in rules.handlers.values() {
        two_matches(handler, report);
        late_matches(handler, rules, report);
    }
    unknown_effects(rules, report);
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

/// Whatever does a stage's work waits for that work.
fn waits_for_itself(rule: &Rule, rules: &Rules, report: &mut Report) {
    let planned = |rule: &Rule| match &rule.gate.as_ref()?.value {
        GateRef::Named(key) => Some(&rules.gates.get(key)?.planned.as_ref()?.value),
        GateRef::Anyone => None,
    };
    let Some((stage, gate)) = planned(rule).zip(rule.gate.as_ref()) else { return };
    let does_it = |rule: &&Rule| rules.handlers_of(rule).any(|handler| handler.works_for(stage));
    let mut doing = rules.rules.iter().filter(does_it);
    if does_it(&rule) && doing.all(|rule| planned(rule) == Some(stage)) {
        let message = format!("this waits for the stage `{stage}`, and nothing does that but what waits for it");
        let help = "name in the gate's `planned` the stage that comes before";
        report.warning(Code::WaitsForItself, &gate.span, message).help(help);
    }
}

/// What a rule records is for those who look at it, and for what is begun after that.
fn earlier_record(rule: &Rule, rules: &Rules, report: &mut Report) {
    let Action::Run(run) = &rule.action else { return };
    let mut recorded: HashMap<&str, &At<String>> = HashMap::new();
    for key in run {
        let Some(handler) = rules.handlers.get(&key.value) else { continue };
        if let Some((held, first)) = handler.held_to().and_then(|held| Some((held, recorded.get(&*held.value)?))) {
            let message =
                format!("`{}` is compared with what `{}` recorded before this rule's run", key.value, held.value);
            report
                .warning(Code::EarlierRecord, &key.span, message)
                .related(&first.span, "records anew")
                .help("give it a rule of its own, to be begun once the record was looked at");
        }
        if let (Some(stage), Some(_)) = (&handler.stage, &handler.record) {
            recorded.insert(&stage.value, key);
        }
    }
}

/// The first comparison that finds nothing to do ends the steps, whatever another stage found.
fn two_matches(handler: &Handler, report: &mut Report) {
    let Some(first) = handler.held_to() else { return };
    if let Some(other) = handler.matched().find(|other| other.value != first.value) {
        let message = format!("the handler is held to `{}` already, and to one stage alone", first.value);
        report
            .error(Code::TwoMatches, &other.span, message)
            .related(&first.span, "the first")
            .help("make a handler of what is held to the other");
    }
}

/// What does not hold ends the steps, so that a comparison is worth what comes after it.
fn late_matches(handler: &Handler, rules: &Rules, report: &mut Report) {
    let Kind::Steps(steps) = &handler.kind else { return };
    let Some((Step { matches: Some(stage), .. }, [_, ..])) = steps.split_last() else { return };
    if rules.changes(handler) {
        let message = format!("what is compared with `{}` in the last step holds nothing back", stage.value);
        report.warning(Code::LateMatches, &stage.span, message).help(
            "compare before the step that changes something; if none does, write `read-only = true` for the stage",
        );
    }
}

/// A `matches` needs a stage for which a digest is kept, and one for all layers where it runs once for all.
fn nothing_recorded(resolved: &Resolved, report: &mut Report) {
    let handlers = &resolved.rules.handlers;
    let lost = resolved.names.all(Of::Handler).len() > handlers.len();
    if lost || handlers.values().any(|handler| handler.record.is_some() && handler.stage.is_none()) {
        return;
    }
    let recording = handlers.values().filter(|handler| handler.record.is_some());
    let recording = || recording.clone().filter_map(|handler| Some((handler, &*handler.stage.as_ref()?.value)));
    let recorded: HashSet<&str> = recording().map(|(_, stage)| stage).collect();
    let is_each = |stage: &str| resolved.rules.stages.get(stage).is_some_and(|stage| stage.each);
    let once = recording().filter(|(handler, stage)| !handler.each && !is_each(stage));
    let for_all: HashSet<&str> = once.map(|(_, stage)| stage).collect();
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

/// What only looks is told from what changes something by its handlers, and where they do not tell, by `read-only`. It counts
/// where a gate waits for a stage, and where one stands behind a plan and before others: it may be the apply, or a check.
fn unknown_effects(rules: &Rules, report: &mut Report) {
    let followed: HashSet<&str> = rules.stages.values().flat_map(|stage| &stage.after).map(|key| &*key.value).collect();
    let is_between = |stage: &Stage| followed.contains(&*stage.key.value) && rules.follows_a_plan(&stage.key.value);
    for stage in rules.stages.values() {
        let key = &stage.key;
        let mut asked = rules.gates.values().filter_map(|gate| gate.planned.as_ref());
        let waited_for = asked.find(|asked| asked.value == key.value).map(|asked| &asked.span);
        let Some(span) = waited_for.or_else(|| is_between(stage).then_some(&key.span)) else { continue };
        let is_done_here = rules.working_for(&key.value).next().is_some();
        let is_unknown = rules.effect(&key.value) == Effect::Unknown || may_be_a_check(stage, rules);
        if is_done_here && is_unknown {
            let message = format!("nothing says whether the stage `{}` only looks, or changes something", key.value);
            let help = format!(
                "write `read-only = true` under `[stages.{}]` if it only looks, as a test does, else `read-only = false`",
                key.value
            );
            report.warning(Code::UnknownEffect, span, message).help(help);
        }
    }
}

/// Whether a stage is known to change something by a comparison alone, with a plan to which what comes after it is held too.
fn may_be_a_check(stage: &Stage, rules: &Rules) -> bool {
    let key = &stage.key.value;
    let held: HashSet<&str> = rules.working_for(key).flat_map(Handler::matched).map(|held| &*held.value).collect();
    let is_held = |other: &Stage| {
        other.after.iter().any(|before| before.value == *key)
            && rules
                .working_for(&other.key.value)
                .flat_map(Handler::matched)
                .any(|matched| held.contains(&*matched.value))
    };
    stage.read_only.is_none()
        && rules.working_for(key).all(|handler| !handler.lock)
        && rules.stages.values().any(is_held)
}
