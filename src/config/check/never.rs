//! What can never be: rules of which another takes all, or whose conditions hold for none of their events, and handlers
//! behind work that `ci run` does not see the end of.

use std::collections::HashMap;

use super::events;
use crate::config::report::Report;
use crate::diagnostic::Code;
use crate::model::pattern::Wildcard;
use crate::model::rules::{Action, Kind, Rule, Rules};
use crate::model::span::{At, Span};

/// An event or a command, and which of them.
type Trigger<'r> = (&'r At<String>, bool);

/// What a rule takes, a later one never gets.
pub(super) fn unreachable(rules: &Rules, report: &mut Report) {
    let mut before: HashMap<(&str, bool), Vec<&Rule>> = HashMap::new();
    for rule in &rules.rules {
        let takers: Option<Vec<&Rule>> = parts(rule)
            .map(|((name, kind), word)| {
                let earlier = before.get(&(&*name.value, kind))?;
                earlier.iter().copied().find(|earlier| takes(earlier, rule, word))
            })
            .collect();
        if let Some([first, ..]) = takers.as_deref() {
            tell(rule, first, report);
        }
        for (name, kind) in triggers(rule) {
            before.entry((&name.value, kind)).or_default().push(rule);
        }
    }
}

fn tell(rule: &Rule, first: &Rule, report: &mut Report) {
    let names: Vec<_> = triggers(rule).map(|(name, _)| format!("`{}`", name.value)).collect();
    let (which, how) = match conditions(first).next() {
        None => ("", "this one, without conditions"),
        Some(_) => (" that it is for", "this one"),
    };
    let head = |rule: &Rule| triggers(rule).next().map_or(&rule.span, |(name, _)| &name.span).clone();
    let at = report.head(&head(rule));
    report
        .error(Code::UnreachableRule, &at, format!("a rule before this one takes every {}{which}", names.join(", ")))
        .related(&head(first), how)
        .help("move the rule up, or take it away: the first that matches wins");
}

fn triggers(rule: &Rule) -> impl Iterator<Item = Trigger<'_>> {
    let events = rule.on.iter().map(|event| (event, false));
    rule.command.iter().map(|command| (command, true)).chain(events)
}

/// What a rule is for, event by event and type by type.
fn parts(rule: &Rule) -> impl Iterator<Item = (Trigger<'_>, Option<&str>)> {
    let words: Vec<Option<&str>> = match &rule.types {
        Some(types) if rule.command.is_none() && !types.value.is_empty() => {
            types.value.iter().map(|word| Some(&**word)).collect()
        }
        Some(_) | None => vec![None],
    };
    triggers(rule).flat_map(move |trigger| words.clone().into_iter().map(move |word| (trigger, word)))
}

/// Whether `earlier` takes all of one type that `later` could, which is for the same event or command.
fn takes(earlier: &Rule, later: &Rule, word: Option<&str>) -> bool {
    // What could not be read may be anything.
    if [earlier, later].iter().any(|rule| conditions(rule).any(|(_, span)| *span == rule.span)) {
        return false;
    }
    let of_type = match &earlier.types {
        Some(types) if earlier.command.is_none() => word.is_some_and(|word| types.value.iter().any(|one| one == word)),
        Some(_) | None => true,
    };
    let source = |rule: &Rule| rule.condition.as_ref().map(|condition| condition.source.trim().to_owned());
    of_type
        && holds(&globs(&earlier.branches), &globs(&later.branches))
        && holds(&globs(&earlier.paths), &globs(&later.paths))
        && holds(&labels(earlier), &labels(later))
        && is_asked(earlier.draft.as_ref().map(|draft| draft.value), later.draft.as_ref().map(|draft| draft.value))
        && is_asked(earlier.fork.as_ref().map(|fork| fork.value), later.fork.as_ref().map(|fork| fork.value))
        && is_asked(source(earlier), source(later))
}

/// Whether what the earlier rule asks for, if anything, is what the later one asks for.
fn is_asked<T: PartialEq>(earlier: Option<T>, later: Option<T>) -> bool {
    earlier.is_none() || earlier == later
}

/// The same of words of which one must hold.
fn holds(earlier: &Option<Vec<&str>>, later: &Option<Vec<&str>>) -> bool {
    match (earlier, later) {
        (None, _) => true,
        (Some(earlier), Some(later)) => !later.is_empty() && later.iter().all(|word| earlier.contains(word)),
        (Some(_), None) => false,
    }
}

fn globs(globs: &Option<At<Vec<Wildcard>>>) -> Option<Vec<&str>> {
    globs.as_ref().map(|globs| globs.value.iter().map(Wildcard::as_str).collect())
}

fn labels(rule: &Rule) -> Option<Vec<&str>> {
    rule.labels.as_ref().map(|labels| labels.value.iter().map(String::as_str).collect())
}

/// The conditions of a rule, with their places.
fn conditions(rule: &Rule) -> impl Iterator<Item = (&'static str, &Span)> {
    let spans = [
        ("types", rule.types.as_ref().map(|types| &types.span)),
        ("branches", rule.branches.as_ref().map(|branches| &branches.span)),
        ("paths", rule.paths.as_ref().map(|paths| &paths.span)),
        ("labels", rule.labels.as_ref().map(|labels| &labels.span)),
        ("draft", rule.draft.as_ref().map(|draft| &draft.span)),
        ("fork", rule.fork.as_ref().map(|fork| &fork.span)),
        ("if", rule.condition.as_ref().map(|condition| &condition.span)),
    ];
    spans.into_iter().filter_map(|(key, span)| Some((key, span?)))
}

/// A condition may hold for one of the rule's events at least. What an `if` names is looked at where all names are.
pub(super) fn impossible(rule: &Rule, report: &mut Report) {
    if rule.on.is_empty() {
        return;
    }
    for (key, span) in conditions(rule).filter(|(_, span)| **span != rule.span) {
        let (may, lack): (fn(&str) -> bool, _) = match key {
            "types" => (events::may_have_type, "comes without a type"),
            "branches" => (events::may_have_branch, "is about no branch"),
            "labels" | "draft" | "fork" => (events::may_have_pull, "is not about a pull request"),
            _ => continue,
        };
        if !rule.on.iter().any(|event| may(&event.value)) {
            let names: Vec<_> = rule.on.iter().map(|event| format!("`{}`", event.value)).collect();
            report
                .error(Code::MisplacedKey, span, format!("`{key}` can never hold: {} {lack}", names.join(", ")))
                .help(format!("take `{key}` away, or make it a rule for another event"));
        }
    }
}

/// A handler waits for the one before it to succeed, which no run lives to see of work that goes on elsewhere. A job of a
/// workflow that is told to do it alone does not wait.
pub(super) fn behind_others(rule: &Rule, rules: &Rules, report: &mut Report) {
    let Action::Run(run) = &rule.action else { return };
    let goes_on = |key: &At<String>| match rules.handlers.get(&key.value)?.kind {
        Kind::Delegate(_) => Some("is left to another job"),
        Kind::Dispatch { .. } => Some("is left to another workflow"),
        Kind::Steps(_) | Kind::Report(_) | Kind::Reply(_) | Kind::Api { .. } | Kind::Unlock(_) => None,
    };
    let pairs = run.iter().zip(run.iter().skip(1));
    if let Some((before, after, why)) = pairs.filter_map(|(one, next)| Some((one, next, goes_on(one)?))).next() {
        let message =
            format!("`ci run` never gets to `{}`: it comes after `{}`, which {why}", after.value, before.value);
        report
            .warning(Code::UnreachableHandler, &after.span, message)
            .related(&before.span, "this has only begun when the run ends")
            .help(format!("put `{}` last", before.value));
    }
}
