//! The command to type: which one leads on, and the line that its pattern takes. It does not know why something is to be
//! typed.

use crate::model::rules::{Action, ArgKind, Command, Rule, Rules, Select};

/// What to type so that a stage's work begins: the usage of the first command whose rule runs a handler of that stage.
pub(super) fn command_for(rules: &Rules, stage: &str, layers: &[&str]) -> Option<String> {
    let reports = |handler: &str| {
        let stage_of = rules.handlers.get(handler).and_then(|handler| handler.stage.as_ref());
        stage_of.is_some_and(|known| known.value == stage)
    };
    let runs = |rule: &&Rule| match &rule.action {
        Action::Run(handlers) => handlers.iter().any(|handler| reports(handler)),
        Action::Say(_) => false,
    };
    let about = |rule: &&Rule| match rule.layers.as_ref().map(|layers| &layers.value) {
        Some(Select::Named(named)) => layers.iter().all(|layer| named.iter().any(|name| name == layer)),
        Some(Select::All | Select::Changed | Select::Planned) | None => true,
    };
    let fitting = || rules.rules.iter().filter(runs).filter(about).filter(|rule| rule.command.is_some());
    // A rule with a condition may be the wrong one: it comes last.
    let rule = fitting().find(|rule| rule.condition.is_none()).or_else(|| fitting().next())?;
    let command = rules.commands.get(rule.command.as_deref()?)?;
    Some(line(command, layers))
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
