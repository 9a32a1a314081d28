//! Rules and event to a match, with a reason for every rule and condition. The first rule whose conditions all hold
//! is taken; the others are judged all the same, so that `ci explain` can show them. Where it cannot be found out whether
//! a rule matches, none is taken, since the next might be the wrong one. It does not know what rules do.

use crate::command::Invocation;
use crate::expr::{self, Scope};
use crate::gate::{self, Facts, Unknown};
use crate::model::decision::{Considered, Matching, Part, Tried, Verdict};
use crate::model::event::{Event, Pull};
use crate::model::pattern::Wildcard;
use crate::model::rules::{Condition, Rule, Rules};
use crate::model::span::{At, Span};

/// All that conditions may look at.
pub(crate) struct Situation<'a> {
    pub(crate) event: &'a Event,
    /// The pull request that the event is about, where there is one.
    pub(crate) pull: Option<&'a Pull>,
    /// What expressions see.
    pub(crate) scope: &'a Scope,
    /// What has to be asked for.
    pub(crate) facts: &'a dyn Facts,
}

/// Matches the event against the rules without `command`.
pub(crate) fn match_event(rules: &Rules, situation: &Situation<'_>) -> Matching {
    let subject = match situation.event.action() {
        Some(action) => format!("{}.{action}", situation.event.name),
        None => situation.event.name.clone(),
    };
    matching(
        rules,
        subject,
        situation,
        |rule| rule.command.is_none(),
        |rule, tried| {
            let found = situation.event.name.clone();
            let wanted = rule.on.iter().map(|name| name.value.clone()).collect::<Vec<_>>();
            let holds = wanted.contains(&found);
            if let Some(first) = rule.on.first() {
                tried.add("on", &first.span, wanted.join(" | "), found, holds);
            }
            tried.list("types", rule.types.as_ref(), situation.event.action());
        },
    )
}

/// Matches one command against the rules with `command`.
pub(crate) fn match_command(rules: &Rules, invocation: &Invocation, situation: &Situation<'_>) -> Matching {
    matching(
        rules,
        invocation.line.clone(),
        situation,
        |rule| rule.command.is_some(),
        |rule, tried| {
            if let Some(command) = &rule.command {
                let holds = command.value == invocation.command;
                tried.add("command", &command.span, command.value.clone(), invocation.command.clone(), holds);
            }
        },
    )
}

fn matching(
    rules: &Rules,
    subject: String,
    situation: &Situation<'_>,
    concerns: impl Fn(&Rule) -> bool,
    head: impl Fn(&Rule, &mut Trial<'_>),
) -> Matching {
    let mut found = Matching { subject, considered: Vec::new(), rule: None, unknown: None };
    for (index, rule) in rules.rules.iter().enumerate().filter(|(_, rule)| concerns(rule)) {
        let mut trial = Trial { rules, tried: Vec::new(), unknown: None };
        head(rule, &mut trial);
        let reached = found.rule.is_none() && found.unknown.is_none();
        trial.conditions(rule, situation, reached);
        let holds = trial.tried.iter().all(|tried| tried.holds == Some(true));
        let verdict = match (reached, holds) {
            (false, _) => Verdict::NotReached,
            (true, true) => Verdict::Matched,
            (true, false) if trial.unknown.is_some() => Verdict::Unknown,
            (true, false) => Verdict::Rejected,
        };
        if verdict == Verdict::Matched {
            found.rule = Some(index);
        }
        found.unknown = found.unknown.or(trial.unknown);
        let line = rules.source.line(rule.span.start);
        found.considered.push(Considered { line, verdict, conditions: trial.tried });
    }
    found
}

/// The conditions of one rule, as they are tried.
struct Trial<'a> {
    rules: &'a Rules,
    tried: Vec<Tried>,
    /// What could not be found out of it.
    unknown: Option<Part>,
}

impl Trial<'_> {
    fn conditions(&mut self, rule: &Rule, situation: &Situation<'_>, reached: bool) {
        let pull = situation.pull;
        let branch = situation.event.branch().or_else(|| pull.map(|pull| pull.base_ref.as_str()));
        if let Some(globs) = &rule.branches {
            let holds = branch.is_some_and(|branch| globs.iter().any(|glob| glob.matches(branch)));
            self.add("branches", &globs.span, listed(globs), branch.unwrap_or("no branch").to_owned(), holds);
        }
        if let Some(labels) = &rule.labels {
            let found = pull.map(|pull| pull.labels.as_slice()).unwrap_or_default();
            let holds = labels.iter().any(|label| found.contains(label));
            let shown = if found.is_empty() { "no label".to_owned() } else { found.join(" | ") };
            self.add("labels", &labels.span, labels.join(" | "), shown, holds);
        }
        self.flag("draft", rule.draft.as_ref(), pull.map(|pull| pull.draft));
        self.flag("fork", rule.fork.as_ref(), pull.map(|pull| pull.fork));
        if let Some(condition) = &rule.condition {
            self.expression(condition, situation.scope);
        }
        if let Some(globs) = &rule.paths {
            // The only condition that may cost a request: it is asked last, and only where it decides.
            let asked = reached && self.tried.iter().all(|tried| tried.holds == Some(true));
            let (found, holds) = match asked.then(|| situation.facts.changed(&globs.value)) {
                Some(Ok(Some(path))) => (path, Some(true)),
                Some(Ok(None)) => ("no changed file matches".to_owned(), Some(false)),
                Some(Err(unknown)) => self.unknown(globs, unknown),
                None => ("not asked".to_owned(), None),
            };
            let line = self.rules.source.line(globs.span.start);
            self.tried.push(Tried { key: "paths", line, wanted: listed(globs), found, holds });
        }
    }

    /// Where something is out of order the files may match as well as not.
    fn unknown(&mut self, globs: &[Wildcard], unknown: Unknown) -> (String, Option<bool>) {
        let (found, undecided) = (unknown.to_string(), unknown.trouble.is_some());
        if undecided {
            let asked = ("paths", listed(globs), String::new());
            self.unknown = Some(gate::part("", None, asked, Err(unknown)));
        }
        (found, if undecided { None } else { Some(false) })
    }

    fn add(&mut self, key: &'static str, span: &Span, wanted: String, found: String, holds: bool) {
        let line = self.rules.source.line(span.start);
        self.tried.push(Tried { key, line, wanted, found, holds: Some(holds) });
    }

    fn list(&mut self, key: &'static str, wanted: Option<&At<Vec<String>>>, found: Option<&str>) {
        if let Some(wanted) = wanted {
            let holds = found.is_some_and(|found| wanted.iter().any(|known| known == found));
            let found = found.map_or_else(|| format!("no {key}"), str::to_owned);
            self.add(key, &wanted.span, wanted.join(" | "), found, holds);
        }
    }

    fn flag(&mut self, key: &'static str, wanted: Option<&At<bool>>, found: Option<bool>) {
        if let Some(wanted) = wanted {
            let shown = found.map_or_else(|| "no pull request".to_owned(), |found| found.to_string());
            self.add(key, &wanted.span, wanted.value.to_string(), shown, found == Some(wanted.value));
        }
    }

    fn expression(&mut self, condition: &Condition, scope: &Scope) {
        let (found, holds) = match expr::holds(condition, scope) {
            Ok(holds) => (holds.to_string(), holds),
            Err(error) => (error.to_string(), false),
        };
        self.add("if", &condition.span, condition.source.clone(), found, holds);
    }
}

fn listed(globs: &[Wildcard]) -> String {
    globs.iter().map(Wildcard::as_str).collect::<Vec<_>>().join(" | ")
}
