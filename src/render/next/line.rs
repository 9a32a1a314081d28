//! The command to type: which one leads on, and the line that its pattern takes. It does not know why something is to be
//! typed.

use crate::model::rules::{Action, ArgKind, Command, Handler, Rule, Rules, Select};

/// The handler that does a stage's work: of several the one that was asked for by that word, else that of its name, else the
/// first. Another may do the opposite.
pub(super) fn handler_for<'r>(rules: &'r Rules, stage: &str, asked: Option<&str>) -> Option<&'r Handler> {
    let reports = |handler: &&Handler| handler.stage.as_ref().is_some_and(|known| known.value == stage);
    let is_asked = |rule: &&Rule| {
        let command = rule.command.as_ref().and_then(|command| rules.commands.get(&command.value));
        command.is_some_and(|command| command.usage.split_whitespace().next() == asked)
    };
    let mut of_asked = rules.rules.iter().filter(is_asked).flat_map(|rule| handlers(rules, rule)).filter(reports);
    let of_name = || rules.handlers.get(stage).filter(reports);
    of_asked.next().or_else(of_name).or_else(|| rules.handlers.values().find(reports))
}

/// What to type so that a stage's work begins for layers, or without any for whichever there are: a line of the first
/// command whose rule runs that handler, or another of that stage, and is for all of them, else for the first of them.
pub(super) fn command_for(rules: &Rules, stage: &str, wanted: Option<&Handler>, layers: &[&str]) -> Option<String> {
    let runs = |rule: &Rule, wanted: &dyn Fn(&Handler) -> bool| handlers(rules, rule).any(wanted);
    let of_stage = |handler: &Handler| handler.stage.as_ref().is_some_and(|known| known.value == stage);
    let mut running: Vec<&Rule> =
        rules.rules.iter().filter(|rule| rule.command.is_some() && runs(rule, &of_stage)).collect();
    // What is for some layers alone may be the wrong one where none is named, as may one with a condition: they come last.
    running.sort_by_key(|rule| {
        let is_other = wanted.is_some_and(|wanted| !runs(rule, &|handler| handler.key == wanted.key));
        (is_other, layers.is_empty() && named(rule).is_some(), rule.condition.is_some())
    });
    let is_for = |rule: &Rule, layers: &[&str]| {
        named(rule).is_none_or(|named| layers.iter().all(|layer| named.iter().any(|name| name == layer)))
    };
    let first = layers.get(..1).unwrap_or_default();
    let (rule, layers) = [layers, first]
        .into_iter()
        .find_map(|layers| Some((running.iter().find(|rule| is_for(rule, layers))?, layers)))?;
    Some(line(rules.commands.get(rule.command.as_deref()?)?, layers))
}

/// The handlers that a rule runs.
fn handlers<'r>(rules: &'r Rules, rule: &'r Rule) -> impl Iterator<Item = &'r Handler> {
    let keys: &[_] = match &rule.action {
        Action::Run(keys) => keys,
        Action::Say(_) => &[],
    };
    keys.iter().filter_map(|key| rules.handlers.get(&key.value))
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
