//! Rules.

use super::values::condition;
use super::{Of, Resolver};
use crate::config::check::events;
use crate::config::shape::{Given, Rule as Shape, Texts};
use crate::diagnostic::Code;
use crate::model::nearest::nearest;
use crate::model::rules::{Action, Condition, GateRef, Rule, Select};
use crate::model::span::{At, Span};

/// A list of texts and its place, as it stands in the file.
type Words = Given<At<Vec<Given<At<String>>>>>;

impl Resolver<'_> {
    pub(super) fn rule(&mut self, shape: &Shape, span: &Span) -> Option<Rule> {
        let rule = self.rule_as_read(shape, span);
        if rule.is_none() {
            self.names.lost_rule();
        }
        rule
    }

    fn rule_as_read(&mut self, shape: &Shape, span: &Span) -> Option<Rule> {
        self.lost_uses(shape, span);
        let on = self.events(shape);
        let command = shape.command.value().and_then(|command| self.use_of(Of::Command, command));
        self.trigger(shape, span);
        let action = self.action(shape, span);
        let rule = Rule {
            span: span.clone(),
            on,
            command,
            types: strings(&shape.types, span),
            branches: standing(&shape.branches, span).map(|At { value, span }| At::new(self.globs(&value), span)),
            paths: standing(&shape.paths, span).map(|At { value, span }| At::new(self.path_globs(&value), span)),
            labels: strings(&shape.labels, span),
            draft: standing(&shape.draft, span),
            fork: standing(&shape.fork, span),
            condition: self.condition_of(shape, span),
            layers: shape.layers.value().and_then(|layers| self.select(layers)),
            gate: self.gate_of(&shape.gate, span),
            action: action?,
        };
        // A rule whose trigger is lost, or is two, matches nothing; nothing more can be said about it.
        (rule.on.is_empty() == rule.command.is_some()).then_some(rule)
    }

    /// What a rule could have used, had it been read whole.
    fn lost_uses(&mut self, shape: &Shape, span: &Span) {
        let dropped = self.report.dropped_within(span);
        if dropped || shape.command == Given::Wrong {
            self.names.lost(Of::Command);
        }
        if dropped || matches!(shape.run, Given::Wrong) || has_wrong(&shape.run) {
            self.names.lost(Of::Handler);
            self.names.lost_rule();
        }
        if dropped || shape.gate == Given::Wrong {
            self.names.lost(Of::Gate);
        }
    }

    /// Exactly one of `on` and `command`.
    fn trigger(&mut self, shape: &Shape, span: &Span) {
        if shape.on.is_absent() && shape.command.is_absent() {
            self.one_is_missing("on", "command", "when it is looked at", span);
        }
        if let (Given::Value(on), Given::Value(command)) = (&shape.on, &shape.command) {
            self.report
                .error(Code::TwoKinds, &command.span, "a rule is for events or for a command, not for both")
                .related(on.span(), "the events")
                .help("make two rules of it");
        }
    }

    /// Exactly one of `run` and `say`.
    fn action(&mut self, shape: &Shape, span: &Span) -> Option<Action> {
        if shape.run.is_absent() && shape.say.is_absent() {
            self.one_is_missing("run", "say", "what it does", span);
        }
        let handlers = shape.run.value().map(|run| self.handlers(run));
        if let (Given::Value(run), Given::Value(say)) = (&shape.run, &shape.say) {
            self.report
                .error(Code::TwoKinds, &say.span, "a rule runs handlers or says a command, not both")
                .related(run.span(), "the handlers")
                .help("take one of them away");
        }
        if let (None, Some(say)) = (&handlers, shape.say.value()) {
            self.beside_say(shape);
            return self.say(say);
        }
        handlers.map(Action::Run)
    }

    fn one_is_missing(&mut self, one: &str, other: &str, what: &str, span: &Span) {
        if !self.report.dropped_within(span) {
            let head = self.report.head(span);
            self.report
                .error(Code::MissingKey, &head, format!("the rule does not say {what}"))
                .help(format!("add `{one} = …` or `{other} = …`"));
        }
    }

    fn handlers(&mut self, run: &Texts) -> Vec<At<String>> {
        if matches!(run, Texts::List(list, _) if list.is_empty()) {
            self.report.error(Code::MissingKey, run.span(), "the list of handlers is empty").help("name a handler");
        }
        let handlers: Vec<_> = run.iter().filter_map(|handler| self.use_of(Of::Handler, handler)).collect();
        if handlers.len() < run.iter().count() {
            self.names.lost_rule();
        }
        handlers
    }

    fn say(&mut self, say: &At<String>) -> Option<Action> {
        if say.value.trim().is_empty() || say.value.trim().contains('\n') {
            self.report
                .error(Code::BadSay, &say.span, "`say` is one line with a command")
                .help("write one command, such as `/plan {{ inputs.layers }}`");
            return None;
        }
        Some(Action::Say(super::values::template(say)))
    }

    /// The command that is said has rules of its own for these.
    fn beside_say(&mut self, shape: &Shape) {
        let why = "the rules of the command that is said decide it";
        if let Some(layers) = shape.layers.value() {
            self.misplaced("layers", layers.span(), why);
        }
        if let Some(gate) = shape.gate.value() {
            self.misplaced("gate", &gate.span, why);
            self.names.lost(Of::Gate);
        }
    }

    fn events(&mut self, shape: &Shape) -> Vec<At<String>> {
        let Some(on) = shape.on.value() else { return Vec::new() };
        if matches!(on, Texts::List(list, _) if list.is_empty()) {
            self.report.error(Code::MissingKey, on.span(), "the list of events is empty").help("name an event");
        }
        on.iter().for_each(|event| self.event(event));
        self.types(on, &shape.types);
        on.iter().cloned().collect()
    }

    /// Warns of a type that GitHub sends with none of the events; a newer GitHub may.
    fn types(&mut self, on: &Texts, types: &Words) {
        let events: Vec<&str> = on.iter().map(|event| event.value.as_str()).collect();
        for word in types.value().into_iter().flat_map(|types| &types.value).filter_map(Given::value) {
            if let Some((problem, help)) = events::unknown_type(&events, &word.value) {
                self.report.warning(Code::UnknownEvent, &word.span, problem).help(help);
            }
        }
    }

    /// Warns of an event that GitHub does not send; a newer GitHub may.
    pub(super) fn event(&mut self, event: &At<String>) {
        if let Some((problem, help)) = events::unknown(&event.value) {
            self.report.warning(Code::UnknownEvent, &event.span, problem).help(help);
        }
    }

    /// A condition that could not be read stays one: the rule does not take all that comes.
    fn condition_of(&self, shape: &Shape, span: &Span) -> Option<Condition> {
        let lost = shape.condition == Given::Wrong || self.report.dropped_within(span);
        let standing = || lost.then(|| Condition { source: "true".to_owned(), span: span.clone() });
        condition(&shape.condition).or_else(standing)
    }

    fn select(&mut self, layers: &Texts) -> Option<At<Select>> {
        let select = match layers {
            Texts::One(word) => match &*word.value {
                "all" => Select::All,
                "changed" => Select::Changed,
                "planned" => Select::Planned,
                name => {
                    let known = self.names.all(Of::Layer).contains(name);
                    let help = match nearest(name, ["all", "changed", "planned"]) {
                        _ if known => format!("write a list: `[\"{name}\"]`"),
                        Some(meant) => format!("did you mean `{meant}`?"),
                        None => "write `all`, `changed`, `planned`, or a list of layers".to_owned(),
                    };
                    self.report.error(Code::UnknownValue, &word.span, format!("unknown value `{name}`")).help(help);
                    return None;
                }
            },
            Texts::List(..) => Select::Named(
                layers.iter().filter_map(|name| self.known(Of::Layer, name)).map(|name| name.value).collect(),
            ),
        };
        Some(At::new(select, layers.span().clone()))
    }

    fn gate_of(&mut self, gate: &Given<At<String>>, rule: &Span) -> Option<At<GateRef>> {
        let gate = match gate {
            Given::Absent => return None,
            // It was reported, and is not to be reported again as a rule without a gate.
            Given::Wrong => return Some(At::new(GateRef::Anyone, rule.clone())),
            Given::Value(gate) => gate,
        };
        if gate.value == "anyone" {
            return Some(At::new(GateRef::Anyone, gate.span.clone()));
        }
        // An unknown gate is an error already; it still says that the rule is meant to be held to one.
        self.use_of(Of::Gate, gate);
        Some(At::new(GateRef::Named(gate.value.clone()), gate.span.clone()))
    }
}

fn has_wrong(texts: &Given<Texts>) -> bool {
    match texts.value() {
        Some(Texts::List(list, _)) => list.iter().any(|text| text.value().is_none()),
        Some(Texts::One(_)) | None => false,
    }
}

/// A value, or an empty one where it was reported: a condition that could not be read stays one.
fn standing<T: Clone + Default>(given: &Given<At<T>>, rule: &Span) -> Option<At<T>> {
    match given {
        Given::Absent => None,
        Given::Wrong => Some(At::new(T::default(), rule.clone())),
        Given::Value(value) => Some(value.clone()),
    }
}

fn strings(list: &Words, rule: &Span) -> Option<At<Vec<String>>> {
    let At { value, span } = standing(list, rule)?;
    let texts = value.iter().filter_map(Given::value).map(|text| text.value.clone()).collect();
    Some(At::new(texts, span))
}
