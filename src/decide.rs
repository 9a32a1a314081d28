//! An event to everything that follows from it: the rules that match, the commands that were given, and for each what
//! would be done or why not. `ci run`, `ci parse`, `ci explain` and `[[tests]]` all decide here, so they cannot differ.
//! It starts nothing and asks only through [`Facts`].

use serde_json::json;

use crate::command::{self, Invocation, Misfit, Reading};
use crate::expr::{self, Scope};
use crate::gate::Facts;
use crate::matcher::{self, Situation};
use crate::model::decision::{Agenda, Matching, Part};
use crate::model::event::{Event, Pull};
use crate::model::ids::RunId;
use crate::model::rules::{Action, Kind, Rule, Rules};
use crate::schedule::{self, Order};

/// All that a decision is made from.
#[derive(Clone, Copy)]
pub(crate) struct Case<'a> {
    pub(crate) rules: &'a Rules,
    pub(crate) event: &'a Event,
    /// The pull request that the event is about.
    pub(crate) pull: Option<&'a Pull>,
    /// The commands that were given with it.
    pub(crate) readings: &'a [Reading],
    /// Who asks.
    pub(crate) actor: &'a str,
    /// `owner/name`.
    pub(crate) repository: &'a str,
    pub(crate) run: Option<(RunId, &'a str)>,
    pub(crate) facts: &'a dyn Facts,
}

/// What was decided about the event, or about one command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Decided {
    /// What the rules said; nothing for a line that is no command.
    pub(crate) matching: Option<Matching>,
    pub(crate) invocation: Option<Invocation>,
    /// The line that was meant as a command and is none.
    pub(crate) misfit: Option<Misfit>,
    /// Nothing where no rule matched.
    pub(crate) agenda: Option<Agenda>,
    /// Why nothing is done although a rule matched, where that is no refusal.
    pub(crate) ignored: Option<String>,
}

impl Decided {
    fn of(matching: Matching) -> Self {
        Self { matching: Some(matching), invocation: None, misfit: None, agenda: None, ignored: None }
    }

    /// What keeps it from being told which rule matches, as something that does not hold.
    fn undecided(&self) -> Option<Agenda> {
        let part = self.matching.as_ref()?.unknown.clone()?;
        Some(Agenda { parts: vec![part], ..Agenda::default() })
    }

    /// What it is about, as people write it.
    pub(crate) fn subject(&self) -> &str {
        self.matching.as_ref().map(|matching| matching.subject.as_str()).unwrap_or_default()
    }

    /// The command as it was written.
    pub(crate) fn line(&self) -> Option<&str> {
        Some(&*self.invocation.as_ref()?.line)
    }

    /// The index of the rule that matched.
    pub(crate) fn rule(&self) -> Option<usize> {
        self.matching.as_ref().and_then(|matching| matching.rule)
    }
}

/// The lines of an event's comment that can be commands: none where it is a bot's, our own, deleted, or on no pull request.
pub(crate) fn lines(rules: &Rules, event: &Event) -> Vec<String> {
    let Some(comment) = event.comment() else { return Vec::new() };
    let own = rules.dashboard.authors.iter().any(|author| author.eq_ignore_ascii_case(&comment.author));
    if comment.bot || own {
        return Vec::new();
    }
    match (event.action(), &comment.before) {
        (Some("created"), _) => command::lines(&comment.body),
        (Some("edited"), Some(before)) => command::new_lines(before, &comment.body),
        (Some(_) | None, _) => Vec::new(),
    }
}

/// The commands in the comment of an event.
pub(crate) fn readings(rules: &Rules, event: &Event) -> Vec<Reading> {
    command::read(rules, &lines(rules, event))
}

/// Who speaks by the comment of an event: its author, but whoever changed or deleted that of somebody else.
pub(crate) fn speaker(event: &Event) -> Option<String> {
    let author = event.comment()?.author;
    Some(impostor(event).and_then(|_| event.sender()).map_or(author, str::to_owned))
}

/// Whether an event can match no rule, so that nothing need be asked about it.
pub(crate) fn concerns_nobody(rules: &Rules, event: &Event, readings: &[Reading]) -> bool {
    readings.is_empty() && !rules.rules.iter().any(|rule| rule.on.iter().any(|name| name.value == event.name))
}

/// Decides: the event first, then what a rule says, then each command in order.
pub(crate) fn decide(case: &Case<'_>) -> Vec<Decided> {
    let scope = scope(case, None);
    let situation = Situation { event: case.event, pull: case.pull, scope: &scope, facts: case.facts };
    let matching = matcher::match_event(case.rules, &situation);
    let mut decided = Vec::new();
    let mut about_event = Decided::of(matching);
    let rule = about_event.rule().and_then(|index| case.rules.rules.get(index));
    let mut said = None;
    match rule.map(|rule| &rule.action) {
        Some(Action::Say(line)) => match expr::render(line, &scope) {
            Ok(line) => match command::read_line(case.rules, &line) {
                Some(reading) => said = Some(reading),
                None => about_event.ignored = Some(format!("`{}` is no command", line.trim())),
            },
            Err(error) => about_event.ignored = Some(error.to_string()),
        },
        Some(Action::Run(_)) => about_event.agenda = agenda(case, rule, None),
        None => about_event.agenda = about_event.undecided(),
    }
    decided.push(about_event);
    for reading in said.iter().chain(case.readings) {
        decided.push(match reading {
            Ok(invocation) => command(case, invocation),
            // Nobody is answered on a closed pull request: whatever was meant would not run.
            Err(_) if case.pull.is_some_and(|pull| pull.closed) => continue,
            Err(misfit) => {
                Decided { matching: None, invocation: None, misfit: Some(misfit.clone()), agenda: None, ignored: None }
            }
        });
    }
    decided
}

fn command(case: &Case<'_>, invocation: &Invocation) -> Decided {
    let scope = scope(case, Some(invocation));
    let situation = Situation { event: case.event, pull: case.pull, scope: &scope, facts: case.facts };
    let mut decided = Decided::of(matcher::match_command(case.rules, invocation, &situation));
    let rule = decided.rule().and_then(|index| case.rules.rules.get(index));
    decided.invocation = Some(invocation.clone());
    let is_closed = case.pull.is_some_and(|pull| pull.closed);
    let undecided = decided.undecided();
    let works = match rule {
        Some(rule) => unlocks(case.rules, rule),
        None => undecided.is_none() || works_when_closed(case.rules, &invocation.command),
    };
    if is_closed && !works {
        decided.ignored = Some("the pull request is closed".to_owned());
    } else {
        decided.agenda = undecided.or_else(|| agenda(case, rule, Some(invocation)));
    }
    decided
}

/// Whether a command does something on a closed pull request too.
pub(crate) fn works_when_closed(rules: &Rules, command: &str) -> bool {
    let of_it = |rule: &&Rule| rule.command.as_ref().is_some_and(|key| key.value == command);
    rules.rules.iter().filter(of_it).any(|rule| unlocks(rules, rule))
}

fn unlocks(rules: &Rules, rule: &Rule) -> bool {
    let unlocks = |key: &str| rules.handlers.get(key).is_some_and(|handler| matches!(handler.kind, Kind::Unlock(_)));
    match &rule.action {
        Action::Run(handlers) => handlers.iter().all(|key| unlocks(&key.value)),
        Action::Say(_) => false,
    }
}

fn agenda(case: &Case<'_>, rule: Option<&Rule>, invocation: Option<&Invocation>) -> Option<Agenda> {
    let Case { event, pull, actor, facts, .. } = *case;
    let commented = pull.is_some() || event.pull_number().is_some();
    let order = Order { rule: rule?, invocation, actor, pull, commented, facts };
    if let Some(part) = invocation.and_then(|_| impostor(case.event)) {
        return Some(Agenda { parts: vec![part], ..Agenda::default() });
    }
    Some(schedule::agenda(case.rules, &order))
}

/// Who wrote the comment is who asks; where somebody else edited it, nobody can tell who means it.
fn impostor(event: &Event) -> Option<Part> {
    let id = |pointer: &str| event.at(pointer).and_then(serde_json::Value::as_u64);
    let (author, sender) = (id("/comment/user/id")?, id("/sender/id")?);
    (author != sender).then(|| Part {
        code: "sender",
        gate: String::new(),
        layer: None,
        holds: false,
        wanted: format!("the comment's author, {}", event.text("/comment/user/login").unwrap_or_default()),
        found: event.sender().unwrap_or_default().to_owned(),
        remedy: "write a comment of your own".to_owned(),
    })
}

/// What expressions see.
pub(crate) fn scope(case: &Case<'_>, invocation: Option<&Invocation>) -> Scope {
    let mut scope = Scope::default();
    scope.set("event", &case.event.payload);
    scope.set("repo", case.repository);
    scope.set("actor", case.actor);
    let (id, attempt, url) = case.run.map_or((0, 0, ""), |(run, url)| (run.id, run.attempt, url));
    scope.set("run", json!({ "id": id, "attempt": attempt, "url": url }));
    scope.set_inputs(case.event.inputs());
    if let Some(pull) = case.pull {
        scope.set("pr", pull_value(pull));
    }
    if let Some(comment) = case.event.at("/comment") {
        scope.set("comment", comment);
    }
    if let Some(invocation) = invocation {
        scope.set("args", &invocation.args);
    }
    scope
}

fn pull_value(pull: &Pull) -> serde_json::Value {
    json!({
        "number": pull.number,
        "head": { "sha": pull.head_sha, "ref": pull.head_ref },
        "base": { "ref": pull.base_ref },
        "author": pull.author,
        "draft": pull.draft,
        "fork": pull.fork,
    })
}

#[cfg(test)]
mod tests;
