//! The command to type: whose work it begins, and a line that, read back, begins that work for these layers and no other.
//! It does not know why something is to be typed.

use std::iter;

use super::{Invocation, Layers, read_line};
use crate::expr::{self, Scope};
use crate::model::rules::{Action, Arg, Command, Handler, Kind, Rule, Rules, Select, Unlock};
use crate::model::span::At;

impl Rules {
    /// The handlers that may do a stage's work: those that were asked for by that word or event, else the one of its name,
    /// else all of them that may be begun while a pull request is open. One that only reports does none.
    pub(crate) fn handlers_for(&self, stage: &str, asked: Option<&str>) -> Vec<&Handler> {
        let works = |handler: &&Handler| handler.works_for(stage);
        let is_asked = |rule: &&Rule| match self.command_of(rule) {
            Some(command) => asked.is_some_and(|asked| self.begins_with(command, asked)),
            None => rule.on.iter().any(|event| asked == Some(&event.value)),
        };
        let of_asked = self.rules.iter().filter(is_asked).flat_map(|rule| self.handlers_of(rule)).filter(works);
        let mut of_asked: Vec<&Handler> = of_asked.collect();
        // One event tells of a pull request that is opened and of one that is closed.
        if of_asked.iter().any(|handler| self.is_awaited(handler)) {
            of_asked.retain(|handler| self.is_awaited(handler));
        }
        match self.handlers.get(stage).filter(works) {
            _ if !of_asked.is_empty() => of_asked,
            Some(named) => vec![named],
            None => self.handlers.values().filter(works).filter(|handler| self.is_awaited(handler)).collect(),
        }
    }

    /// Whether a handler's work may begin otherwise than because a pull request was closed.
    fn is_awaited(&self, handler: &Handler) -> bool {
        let is_closing = |rule: &Rule| rule.types.as_ref().is_some_and(|types| types.value == ["closed"]);
        let begins = |rule: &&Rule| self.handlers_of(rule).any(|begun| begun.key == handler.key);
        let mut rules = self.rules.iter().filter(begins).peekable();
        rules.peek().is_none() || !rules.all(is_closing)
    }

    /// What to type so that work begins for layers, or without any for whichever there are; and for which of them that is:
    /// for all, else for as many of the first as one line takes. Nothing where it differs between the handlers that may be
    /// meant, as another may do the opposite.
    pub(crate) fn line_for<'l>(&self, meant: &[&Handler], layers: &'l [&'l str]) -> Option<(String, &'l [&'l str])> {
        let same = |layers: &'l [&'l str], most: Besides, how: How| {
            let mut lines = meant.iter().map(|handler| self.line_of(&Wanted { handler, layers }, most, how));
            let first = lines.next()??;
            lines.all(|line| line.as_ref() == Some(&first)).then_some((first, layers))
        };
        let parts = || iter::successors(Some(layers.len()), |count| (*count > 1).then_some(count / 2));
        let any = |most, how| parts().find_map(|count| same(&layers[..count], most, how));
        let by = |most| any(most, How::Line).or_else(|| any(most, How::Usage));
        [Besides::Nothing, Besides::Later, Besides::Earlier].into_iter().find_map(by)
    }

    /// What to type so that a stage's work is done, for one layer where it is about one.
    pub(crate) fn line_for_stage(&self, stage: &str, layer: Option<&str>) -> Option<String> {
        Some(self.line_for(&self.handlers_for(stage, None), layer.as_slice())?.0)
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
        unlocks.into_iter().find_map(|handler| Some(self.line_for(&[handler], &[layer])?.0))
    }

    /// A line that begins this work, of the rule that does the least besides and is for the fewest other layers; else the
    /// usage of its command, where what people fill in decides.
    fn line_of(&self, wanted: &Wanted<'_>, most: Besides, how: How) -> Option<String> {
        let way = |rule| Some((self.besides(rule, wanted).filter(|besides| *besides <= most)?, rule));
        let mut ways: Vec<(Besides, &Rule)> = self.rules.iter().filter_map(way).collect();
        ways.sort_by_key(|(besides, rule)| (*besides, self.is_wide(rule, wanted.layers), rule.condition.is_some()));
        let commands = ways.iter().filter_map(|(_, rule)| self.command_of(rule));
        match how {
            How::Line => commands.flat_map(|command| lines(command, wanted.layers)).find(|line| {
                let read = self.read(line).filter(|read| self.is_bare(line, read));
                read.is_some_and(|read| self.begins(&read, wanted, most))
            }),
            How::Usage => commands.map(|command| (command, &command.usage)).find_map(|(command, usage)| {
                // What people are to replace may be read as an argument, with which no rule takes it, or the wrong one.
                let is_meant = |read: &Invocation| {
                    self.is_bare(usage, read) || !(self.takers(read).is_empty() || is_to_be_filled_in(command, usage))
                };
                let begins = match self.read(usage).filter(is_meant) {
                    Some(read) => self.begins(&read, wanted, most),
                    None => self.is_filled_in(command, wanted, most),
                };
                begins.then(|| usage.clone())
            }),
        }
    }

    /// What else a rule does that does this work, for these layers.
    ///
    /// Other work is taken along only where, as far as ci.toml tells, it applies nothing: a plan and then a notice, an apply and
    /// then a check. Before what is wanted it has a row of its own, and that is the recording of what is to be applied only then:
    /// a lint and then a plan; or both only look. Whatever is known to change something is never begun by a line for something
    /// else, nor what follows a plan and may apply it, unless the command is named as the plan is.
    fn besides(&self, rule: &Rule, wanted: &Wanted<'_>) -> Option<Besides> {
        let handlers: Vec<&Handler> = self.handlers_of(rule).filter(|handler| works(handler)).collect();
        let own = wanted.handler;
        let at = handlers.iter().position(|handler| handler.key == own.key)?;
        let (before, after) = (&handlers[..at], &handlers[at + 1..]);
        let applies = |handler: &&Handler| self.changes(handler);
        let is_own = |stage: &At<String>| own.stage.as_ref().is_some_and(|own| own.value == stage.value);
        let is_another = |handler: &&Handler| handler.stage.as_ref().is_some_and(|stage| !is_own(stage));
        let is_named =
            || rule.command.as_ref().is_some_and(|command| command.value == own.key.value || is_own(command));
        let is_unreviewed = |later: &&Handler| self.may_apply(own, later) && !is_named();
        if !self.is_for(rule, wanted) || before.iter().chain(after).any(applies) || after.iter().any(is_unreviewed) {
            None
        } else if before.is_empty() {
            Some(if after.is_empty() { Besides::Nothing } else { Besides::Later })
        } else {
            let is_harmless = || self.looks(own) && before.iter().all(|handler| self.looks(handler));
            ((own.record.is_some() && before.iter().all(is_another)) || is_harmless()).then_some(Besides::Earlier)
        }
    }

    /// Whether what was planned may be applied by later work that, as far as ci.toml tells, does not only look.
    fn may_apply(&self, plan: &Handler, later: &Handler) -> bool {
        if !self.looks(plan) || self.looks(later) {
            return false;
        }
        let (Some(plan), Some(later)) = (&plan.stage, &later.stage) else { return false };
        // Where something is held to the plan, it is that which applies, with what else its stage does.
        let is_held_to = |held: &At<String>| held.value == plan.value;
        let is_held = |handler: &&Handler| !self.looks(handler) && handler.held_to().is_some_and(is_held_to);
        let mut applying =
            self.handlers.values().filter(is_held).filter_map(|handler| handler.stage.as_ref()).peekable();
        let is_harmless = applying.peek().is_some() && applying.all(|stage| stage.value != later.value);
        !is_harmless && self.comes_after(&later.value, &plan.value)
    }

    /// Whether a handler's work is known to only look.
    fn looks(&self, handler: &Handler) -> bool {
        handler.stage.as_ref().is_some_and(|stage| self.effect(&stage.value).is_read_only())
    }

    /// Whether a rule is for all of these layers, or for whichever there are.
    fn is_for(&self, rule: &Rule, wanted: &Wanted<'_>) -> bool {
        let Some(named) = self.named(rule, wanted.layers) else { return true };
        let has = |layer: &str| named.iter().any(|name| name == layer);
        match wanted.layers {
            [] => !wanted.handler.each || self.layers.keys().all(|layer| has(layer)),
            layers => layers.iter().all(|layer| has(layer)),
        }
    }

    /// The layers that a rule is for, where it names them and its command does not: what that says, or leaves out, counts.
    fn named<'r>(&self, rule: &'r Rule, layers: &[&str]) -> Option<&'r [String]> {
        let says = |arg: &Arg| arg.of_layers() && (arg.default.is_some() || !layers.is_empty());
        match rule.layers.as_ref().map(|layers| &layers.value) {
            _ if self.command_of(rule).is_some_and(|command| command.args.values().any(says)) => None,
            Some(Select::Named(named)) => Some(named),
            Some(Select::All | Select::Changed | Select::Planned) | None => None,
        }
    }

    /// Whether a rule may be for other layers than these.
    fn is_wide(&self, rule: &Rule, layers: &[&str]) -> bool {
        match self.named(rule, layers) {
            Some(named) => named.len() != layers.len(),
            None => !layers.is_empty() && !self.command_of(rule).is_some_and(Command::takes_layers),
        }
    }

    /// A line as a command.
    fn read(&self, line: &str) -> Option<Invocation> {
        read_line(self, line)?.ok()
    }

    /// Whether a line gives a command no arguments but layers.
    fn is_bare(&self, line: &str, read: &Invocation) -> bool {
        let Some(command) = self.commands.get(&read.command) else { return false };
        let groups = command.pattern.captures(line).unwrap_or_default();
        groups.iter().all(|(name, text)| {
            command.args.get(*name).is_some_and(Arg::of_layers) || text.is_none_or(|text| text.trim().is_empty())
        })
    }

    /// Whether a command begins this work, whichever rule takes it, for these layers.
    fn begins(&self, read: &Invocation, wanted: &Wanted<'_>, most: Besides) -> bool {
        let is_any = wanted.layers.is_empty();
        let is_named = |layer: &str| wanted.layers.contains(&layer);
        let is_for = match &read.layers {
            _ if is_any && !wanted.handler.each => true,
            Some(Layers::Named(named)) => {
                named.len() == wanted.layers.len() && named.iter().all(|one| one.at.is_none() && is_named(&one.layer))
            }
            Some(Layers::All | Layers::Planned) => is_any,
            None => is_any || !self.commands.get(&read.command).is_some_and(Command::takes_layers),
        };
        let takers = self.takers(read);
        let does = |rule: &&Rule| self.besides(rule, wanted).is_some_and(|besides| besides <= most);
        is_for && !takers.is_empty() && takers.iter().all(does)
    }

    /// The rules that may take a command: the first one that surely does, and those before it of which nobody knows here, less
    /// those that only answer then, such as that a draft is not to be applied.
    fn takers<'r>(&'r self, read: &'r Invocation) -> Vec<&'r Rule> {
        let mut takers = Vec::new();
        for rule in self.rules_of(&read.command) {
            let holds = holds(rule, read);
            takers.extend(holds.unwrap_or_else(|| self.is_work(rule)).then_some(rule));
            if holds == Some(true) {
                break;
            }
        }
        takers
    }

    /// Whether it is the arguments of a command that decide whether it begins this work.
    fn is_filled_in(&self, command: &Command, wanted: &Wanted<'_>, most: Besides) -> bool {
        let does = |rule: &Rule| self.besides(rule, wanted).is_some_and(|besides| besides <= most);
        self.rules_of(&command.key.value).all(|rule| is_by_args(rule) || !self.is_work(rule) || does(rule))
    }

    /// Whether a rule does any work, as far as is known here: what it says may be a command for anything.
    fn is_work(&self, rule: &Rule) -> bool {
        matches!(rule.action, Action::Say(_)) || self.handlers_of(rule).any(works)
    }

    fn rules_of<'r>(&'r self, command: &'r str) -> impl Iterator<Item = &'r Rule> {
        self.rules.iter().filter(move |rule| rule.command.as_ref().is_some_and(|own| own.value == command))
    }

    /// The command that a rule is for.
    fn command_of(&self, rule: &Rule) -> Option<&Command> {
        self.commands.get(&rule.command.as_ref()?.value)
    }

    /// The handlers that a rule runs.
    pub(crate) fn handlers_of(&self, rule: &Rule) -> impl Iterator<Item = &Handler> {
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

/// What a line is to begin: the work of a handler, for layers.
struct Wanted<'w> {
    handler: &'w Handler,
    layers: &'w [&'w str],
}

/// What a rule does besides what is wanted.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Besides {
    Nothing,
    /// Other work, later.
    Later,
    /// Other work before it.
    Earlier,
}

/// How a command is named.
#[derive(Clone, Copy)]
enum How {
    /// By a line that may be typed as it stands.
    Line,
    /// By its usage, where there is something to fill in.
    Usage,
}

/// Whether a handler does work: replies and reports are none.
fn works(handler: &Handler) -> bool {
    !matches!(handler.kind, Kind::Reply(_) | Kind::Report(_))
}

/// Whether something stands in the usage of a command, where it has an argument, that people are to replace.
fn is_to_be_filled_in(command: &Command, usage: &str) -> bool {
    let groups = command.pattern.captures(usage).unwrap_or_default();
    let of_args = groups.iter().filter(|(name, _)| command.args.get(*name).is_some_and(|arg| !arg.of_layers()));
    let mut texts = of_args.filter_map(|(_, text)| Some(text.as_ref()?.trim()));
    texts.any(|text| {
        let is_name = text.contains(char::is_uppercase) && !text.contains(char::is_lowercase);
        is_name || text.starts_with(['[', '<', '('])
    })
}

/// Whether a rule takes a command that is read so: nothing where something else decides than its arguments.
fn holds(rule: &Rule, read: &Invocation) -> Option<bool> {
    let mut scope = Scope::default();
    scope.set("args", &read.args);
    let told = rule.condition.as_ref().filter(|asked| expr::asks_only(asked, "args"));
    let fits = told.is_none_or(|asked| expr::holds(asked, &scope).unwrap_or(false));
    if fits { is_by_args(rule).then_some(true) } else { Some(false) }
}

/// Whether the arguments of a command alone decide whether a rule takes it.
fn is_by_args(rule: &Rule) -> bool {
    let Rule { branches, paths, labels, draft, fork, condition, .. } = rule;
    let asks_only = condition.as_ref().is_none_or(|condition| expr::asks_only(condition, "args"));
    asks_only && branches.is_none() && paths.is_none() && labels.is_none() && draft.is_none() && fork.is_none()
}

/// The lines that a command may take: what its usage begins with, and the layers where it has an argument for them.
fn lines(command: &Command, layers: &[&str]) -> Vec<String> {
    let words = command.usage.split_whitespace().take_while(|word| !word.starts_with(['[', '<', '(']));
    let words: Vec<&str> = words.collect();
    let layers = if command.takes_layers() { layers } else { &[] };
    // The last of the words may stand for what may be left out, and for the layers.
    (1..=words.len()).rev().map(|count| [&words[..count], layers].concat().join(" ")).collect()
}
