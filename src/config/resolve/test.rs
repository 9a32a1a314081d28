//! Tests of the rules.

use super::values::{List, pairs, plain, text};
use super::{Of, Resolver};
use crate::config::shape::test::{Expect as ExpectShape, Persona as PersonaShape};
use crate::config::shape::{Given, Test as Shape};
use crate::diagnostic::Code;
use crate::model::rules::{Expect, Persona, Test, TestInput};
use crate::model::span::{At, Span};

impl Resolver<'_> {
    pub(super) fn test(&mut self, shape: &Shape, span: &Span) -> Option<Test> {
        let name = self.required(&shape.name, "name", span, span).map(|name| name.value.clone());
        let input = self.test_input(shape, span);
        let expect = self.required(&shape.expect, "expect", span, span).map(|expect| self.expect(expect));
        if let (Some(inputs), Given::Value(comment)) = (shape.inputs.value(), &shape.comment) {
            let first = inputs.0.first().map_or(comment.span.clone(), |(key, _)| key.span.clone());
            self.misplaced("inputs", &first, "a comment has none");
        }
        Some(Test {
            span: span.clone(),
            name: name?,
            input: input?,
            persona: shape.persona.value().map(persona).unwrap_or_default(),
            branch: text(&shape.branch),
            inputs: pairs(&shape.inputs),
            changed: plain(&shape.changed),
            expect: expect?,
        })
    }

    fn test_input(&mut self, shape: &Shape, span: &Span) -> Option<TestInput> {
        match (&shape.comment, &shape.event) {
            (Given::Value(comment), Given::Value(event)) => {
                self.report
                    .error(Code::TwoKinds, &event.span, "a test is of a comment or of another event, not of both")
                    .related(&comment.span, "the comment")
                    .help("take one of them away");
                None
            }
            (Given::Value(comment), Given::Absent | Given::Wrong) => Some(TestInput::Comment(comment.value.clone())),
            (Given::Absent | Given::Wrong, Given::Value(event)) => {
                // A payload file is looked for by who reads files.
                if !event.value.ends_with(".json") {
                    let name = event.value.split_once('.').map_or(&*event.value, |(name, _)| name);
                    self.event(&At::new(name.to_owned(), event.span.clone()));
                }
                Some(TestInput::Event(event.clone()))
            }
            (Given::Absent, Given::Absent) => {
                if !self.report.dropped_within(span) {
                    let head = self.report.head(span);
                    self.report
                        .error(Code::MissingKey, &head, "the test does not say what happens")
                        .help("add `comment = …` or `event = …`");
                }
                None
            }
            (Given::Absent | Given::Wrong, Given::Absent | Given::Wrong) => None,
        }
    }

    fn expect(&mut self, shape: &ExpectShape) -> Expect {
        let handler = shape.handler.value().and_then(|handler| match &*handler.value {
            "none" => Some(handler.clone()),
            _ => self.known(Of::Handler, handler),
        });
        let layers = shape.layers.value();
        for layer in layers.into_iter().flatten().filter_map(Given::value) {
            self.known(Of::Layer, layer);
        }
        for row in shape.stages.value().into_iter().flatten().filter_map(Given::value) {
            self.row(row);
        }
        let list = |list: &List| list.value().map(|_| plain(list));
        Expect { handler, layers: list(&shape.layers), stages: list(&shape.stages), denied: text(&shape.denied) }
    }
}

fn persona(shape: &PersonaShape) -> Persona {
    Persona {
        login: text(&shape.login),
        permission: shape.permission.value().copied(),
        teams: shape.teams.value().map(|_| plain(&shape.teams)),
        approvals: shape.approvals.value().copied(),
        checks: shape.checks.value().copied(),
        mergeable: shape.mergeable.value().copied(),
        up_to_date: shape.up_to_date.value().copied(),
        planned: shape.planned.value().copied(),
        fork: shape.fork.value().copied(),
    }
}
