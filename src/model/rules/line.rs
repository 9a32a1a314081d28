//! The command to type: whose work it begins, and the line that its pattern takes. It does not know why something is to be
//! typed.

use std::iter;

use super::{Action, ArgKind, Command, Handler, Kind, Rule, Rules, Select, Unlock};

impl Rules {
    /// The handlers that may do a stage's work: those that were asked for by that word or event, else the one of its name,
    /// else all of them. One that only reports does none.
    pub(crate) fn handlers_for(&self, stage: &str, asked: Option<&str>) -> Vec<&Handler> {
        let works = |handler: &&Handler| stage_key(handler) == Some(stage) && !matches!(handler.kind, Kind::Report(_));
        let is_asked = |rule: &&Rule| match self.command_of(rule) {
            Some(command) => asked.is_some_and(|asked| self.begins_with(command, asked)),
            None => rule.on.iter().any(|event| asked == Some(&event.value)),
        };
        let of_asked = self.rules.iter().filter(is_asked).flat_map(|rule| self.handlers_of(rule)).filter(works);
        let of_asked: Vec<&Handler> = of_asked.collect();
        match self.handlers.get(stage).filter(works) {
            _ if !of_asked.is_empty() => of_asked,
            Some(named) => vec![named],
            None => self.handlers.values().filter(works).collect(),
        }
    }

    /// What to type so that work begins for layers, or without any for whichever there are: nothing where that differs
    /// between the handlers that may be meant, as another may do the opposite.
    pub(crate) fn line_for(&self, wanted: &[&Handler], layers: &[&str]) -> Option<String> {
        let mut lines = wanted.iter().map(|wanted| self.line_of(wanted, layers));
        let first = lines.next()??;
        lines.all(|line| line.as_ref() == Some(&first)).then_some(first)
    }

    /// What to type so that a stage's work is done, for one layer where it is about one.
    pub(crate) fn line_for_stage(&self, stage: &str, layer: Option<&str>) -> Option<String> {
        self.line_for(&self.handlers_for(stage, None), layer.as_slice())
    }

    /// What to type to release the lock of a layer.
    pub(crate) fn line_to_unlock(&self, layer: &str) -> Option<String> {
        // The fewer others it releases, the better: that layer alone, those that are asked for, a fixed list.
        let releases = |handler: &&Handler| match &handler.kind {
            Kind::Unlock(Unlock::Layers(of)) if of.iter().any(|known| known == layer) => {
                Some(2 * usize::from(of.len() > 1))
            }
            Kind::Unlock(Unlock::All) => Some(1),
            Kind::Unlock(Unlock::Layers(_)) | Kind::Steps(_) | Kind::Dispatch { .. } | Kind::Report(_) => None,
            Kind::Delegate(_) | Kind::Reply(_) | Kind::Api { .. } => None,
        };
        let mut unlocks: Vec<&Handler> = self.handlers.values().filter(|handler| releases(handler).is_some()).collect();
        unlocks.sort_by_key(releases);
        unlocks.into_iter().find_map(|handler| self.line_of(handler, &[layer]))
    }

    /// A line of the first command whose rule runs that handler and is for all of these layers, else for the first of them.
    fn line_of(&self, wanted: &Handler, layers: &[&str]) -> Option<String> {
        let runs = |rule: &&Rule| self.handlers_of(rule).any(|handler| handler.key == wanted.key);
        let mut running: Vec<&Rule> = self.rules.iter().filter(|rule| rule.command.is_some()).filter(runs).collect();
        // What is for some layers alone may be the wrong one where none is named, as may one with a condition: they come last.
        running.sort_by_key(|rule| (layers.is_empty() && named(rule).is_some(), rule.condition.is_some()));
        let is_for = |rule: &Rule, layers: &[&str]| {
            named(rule).is_none_or(|named| layers.iter().all(|layer| named.iter().any(|name| name == layer)))
        };
        let first = layers.get(..1).unwrap_or_default();
        let (rule, layers) = [layers, first]
            .into_iter()
            .find_map(|layers| Some((running.iter().find(|rule| is_for(rule, layers))?, layers)))?;
        // A line that lacks what a condition asks for may be for another rule, whose work is of another stage.
        let is_other = |other: &Rule| {
            command_key(other) == command_key(rule)
                && self
                    .handlers_of(other)
                    .any(|handler| handler.stage.is_some() && stage_key(handler) != stage_key(wanted))
                && !runs(&other)
        };
        let command = self.command_of(rule)?;
        let may_miss = rule.condition.is_some() && self.rules.iter().any(is_other);
        Some(if may_miss { command.usage.clone() } else { line(command, layers) })
    }

    /// The command that a rule is for.
    fn command_of(&self, rule: &Rule) -> Option<&Command> {
        self.commands.get(command_key(rule)?)
    }

    /// The handlers that a rule runs.
    fn handlers_of(&self, rule: &Rule) -> impl Iterator<Item = &Handler> {
        let keys: &[_] = match &rule.action {
            Action::Run(keys) => keys,
            Action::Say(_) => &[],
        };
        keys.iter().filter_map(|key| self.handlers.get(&key.value))
    }

    /// Whether a line that begins with this word is that command: alone, or with a layer behind it.
    fn begins_with(&self, command: &Command, word: &str) -> bool {
        let of_layers = self.layers.keys().map(|layer| format!("{word} {layer}"));
        command.usage.split_whitespace().next() == Some(word)
            || iter::once(word.to_owned()).chain(of_layers).any(|line| command.pattern.captures(&line).is_some())
    }
}

fn command_key(rule: &Rule) -> Option<&str> {
    rule.command.as_ref().map(|command| command.value.as_str())
}

fn stage_key(handler: &Handler) -> Option<&str> {
    handler.stage.as_ref().map(|stage| stage.value.as_str())
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
