//! The command to type: which one leads on, and the line that its pattern takes. It does not know why something is to be
//! typed.

use crate::model::rules::{Action, ArgKind, Command, Rule, Rules, Select};

/// What to type so that a stage's work begins for layers, or without any for whichever there are: a line of the first
/// command whose rule runs a handler of that stage and is for all of them, else for the first of them.
pub(super) fn command_for(rules: &Rules, stage: &str, layers: &[&str]) -> Option<String> {
    let mut running: Vec<&Rule> =
        rules.rules.iter().filter(|rule| rule.command.is_some() && runs(rules, rule, stage)).collect();
    // What is for some layers alone may be the wrong one where none is named, as may one with a condition: they come last.
    running.sort_by_key(|rule| (layers.is_empty() && named(rule).is_some(), rule.condition.is_some()));
    let is_for = |rule: &Rule, layers: &[&str]| {
        named(rule).is_none_or(|named| layers.iter().all(|layer| named.iter().any(|name| name == layer)))
    };
    let first = layers.get(..1).unwrap_or_default();
    let (rule, layers) = [layers, first]
        .into_iter()
        .find_map(|layers| Some((running.iter().find(|rule| is_for(rule, layers))?, layers)))?;
    Some(line(rules.commands.get(rule.command.as_deref()?)?, layers))
}

/// Whether a rule runs a handler of the stage.
fn runs(rules: &Rules, rule: &Rule, stage: &str) -> bool {
    let reports = |handler: &str| {
        let stage_of = rules.handlers.get(handler).and_then(|handler| handler.stage.as_ref());
        stage_of.is_some_and(|known| known.value == stage)
    };
    match &rule.action {
        Action::Run(handlers) => handlers.iter().any(|handler| reports(handler)),
        Action::Say(_) => false,
    }
}

/// The layers that a rule is for, where it names them.
fn named(rule: &Rule) -> Option<&[String]> {
    match rule.layers.as_ref().map(|layers| &layers.value) {
        Some(Select::Named(named)) => Some(named),
        Some(Select::All | Select::Changed | Select::Planned) | None => None,
    }
}

/// A line that the command's pattern takes, with the layers where it has an argument for them, with the first of them where
/// it takes but one; else its usage.
fn line(command: &Command, layers: &[&str]) -> String {
    let words: Vec<&str> =
        command.usage.split_whitespace().take_while(|word| !word.starts_with(['[', '<', '('])).collect();
    let bare = words.join(" ");
    let takes = |kind: fn(&ArgKind) -> bool| command.args.values().any(|arg| kind(&arg.kind));
    let named = match layers {
        [first, ..] if takes(|kind| matches!(kind, ArgKind::Layer)) => vec![*first],
        _ if takes(|kind| matches!(kind, ArgKind::Layers)) => layers.to_vec(),
        _ => Vec::new(),
    };
    let full = (!named.is_empty()).then(|| format!("{bare} {}", named.join(" ")));
    [full, Some(bare)]
        .into_iter()
        .flatten()
        .find(|line| command.pattern.captures(line).is_some())
        .unwrap_or_else(|| command.usage.clone())
}
