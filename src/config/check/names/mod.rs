//! The names in the templates and conditions of ci.toml: that they exist, and that the place where they stand can have
//! them. A handler can have what any of the rules that run it can.

mod scope;

use super::syntax::{self, Place, Use, Uses};
use crate::config::report::{Report, hint};
use crate::config::resolve::Resolved;
use crate::diagnostic::Code;
use crate::model::nearest::nearest;
use crate::model::rules::{Action, Condition, Handler, Kind, Rules, Step, Template};
use crate::model::span::{Source, Span};
pub(in crate::config) use scope::ROOTS;
use scope::{Scope, Scopes};

/// The longest template that is read, in bytes: what is nested deeper than this allows could exhaust the stack.
const LONGEST: usize = 4096;

/// Where it is told how templates and expressions are written.
const SYNTAX: &str = "see <https://docs.rs/minijinja/latest/minijinja/syntax>";

/// How a template or an expression is read.
type Read = fn(&str) -> Result<Uses, syntax::Wrong>;

/// Checks every template and condition of the file.
pub(super) fn all(resolved: &Resolved, report: &mut Report) {
    let Resolved { rules, bodies, .. } = resolved;
    let scopes = Scopes::of(resolved);
    let mut checker = Checker { rules, known: Known::new(), report };
    for stage in rules.stages.values() {
        checker.template(&stage.name, &Scope::of_stage(stage));
    }
    for rule in &rules.rules {
        let scope = scopes.of_rule(rule);
        rule.condition.iter().for_each(|condition| checker.condition(condition, &scope));
        match &rule.action {
            Action::Say(line) => checker.template(line, &scope),
            Action::Run(_) => {}
        }
    }
    for handler in rules.handlers.values() {
        let scope = scopes.of_handler(handler);
        let body = bodies.get(&handler.key.value);
        checker.handler(handler, scope.clone());
        body.into_iter().flatten().for_each(|text| checker.template(text, &scope));
    }
}

/// Whether a text is more than it says.
pub(super) fn is_template(text: &str) -> bool {
    ["{{", "{%", "{#"].iter().any(|mark| text.contains(mark))
}

struct Checker<'c> {
    rules: &'c Rules,
    known: Known,
    report: &'c mut Report,
}

impl Checker<'_> {
    fn handler<'h>(&mut self, handler: &'h Handler, mut scope: Scope<'h>) {
        let before = [Some(&handler.dir), handler.sha.as_ref(), handler.link.as_ref(), handler.issue.as_ref()];
        for template in before.into_iter().flatten().chain(handler.env.values()) {
            self.template(template, &scope);
        }
        match &handler.kind {
            Kind::Steps(steps) => {
                for step in steps {
                    self.step(step, &scope);
                    scope.captures.extend(step.capture.as_deref());
                }
            }
            Kind::Dispatch { reference, inputs, workflow: _ } => {
                reference.iter().chain(inputs.values()).for_each(|template| self.template(template, &scope));
            }
            Kind::Report(template) => self.template(template, &scope),
            // `{owner}` and the like are filled in by us, and are no templates.
            Kind::Api { path, .. } => self.template(path, &scope),
            Kind::Delegate(_) | Kind::Reply(_) | Kind::Unlock(_) => {}
        }
        handler.note.iter().for_each(|note| self.template(note, &scope));
    }

    fn step(&mut self, step: &Step, scope: &Scope<'_>) {
        for template in step.run.iter().chain(&step.dir).chain(step.env.values()) {
            self.template(template, scope);
        }
        step.condition.iter().for_each(|condition| self.condition(condition, scope));
    }

    fn template(&mut self, template: &Template, scope: &Scope<'_>) {
        if is_template(&template.source) {
            self.check(&template.source, &template.span, (syntax::template, SYNTAX), scope);
        }
    }

    fn condition(&mut self, condition: &Condition, scope: &Scope<'_>) {
        let remedy = match condition.source.trim_start().starts_with("{{") {
            true => "write the expression alone, without `{{ }}`",
            false => SYNTAX,
        };
        self.check(&condition.source, &condition.span, (syntax::expression, remedy), scope);
    }

    /// Checks what `read` makes of the source; `remedy` is what to do where it can make nothing of it.
    fn check(&mut self, source: &str, span: &Span, (read, remedy): (Read, &str), scope: &Scope<'_>) {
        let literal = Literal::new(&self.report.source, span, source);
        if source.len() > LONGEST {
            let message = format!("the template is longer than {LONGEST} bytes");
            self.report
                .error(Code::TemplateSyntax, span, message)
                .help("make it shorter, or make it a file of `templates`");
            return;
        }
        match read(source) {
            Ok(uses) => self.uses(&uses, &literal, scope),
            Err(wrong) => {
                let at = wrong.place.map_or(span.clone(), |place| literal.at(&place));
                self.report.error(Code::TemplateSyntax, &at, wrong.reason).help(remedy);
            }
        }
    }

    fn uses(&mut self, uses: &Uses, literal: &Literal, scope: &Scope<'_>) {
        for one in &uses.variables {
            self.variable(one, literal, scope);
        }
        for place in &uses.compared {
            self.report
                .error(Code::LayerAsText, &literal.at(place), "`layer` is an object, and equals no text")
                .help("write `layer.key`");
        }
        let filters: Vec<&str> = OUR_FILTERS.iter().map(|(name, _)| *name).chain(FILTERS).collect();
        for (name, place) in uses.filters.iter().filter(|(name, _)| !self.known.has_filter(name)) {
            Self::unknown(self.report, Code::UnknownFilter, name, &filters, &literal.at(place));
        }
        for (name, place) in uses.tests.iter().filter(|(name, _)| !self.known.has_test(name)) {
            Self::unknown(self.report, Code::UnknownTest, name, &TESTS, &literal.at(place));
        }
        for (name, place) in uses.functions.iter().filter(|(name, _)| !self.known.has_function(name)) {
            Self::unknown(self.report, Code::UnknownFunction, name, &FUNCTIONS, &literal.at(place));
        }
    }

    fn unknown(report: &mut Report, code: Code, name: &str, suggested: &[&str], at: &Span) {
        let what = code.as_str().trim_start_matches("unknown-");
        let help = match nearest(name, suggested.iter().copied()) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => format!("see <https://docs.rs/minijinja/latest/minijinja/{what}s>"),
        };
        report.error(code, at, format!("unknown {what} `{name}`")).help(help);
    }

    fn variable(&mut self, one: &Use, literal: &Literal, scope: &Scope<'_>) {
        if scope.captures.contains(&&*one.root) || self.known.has_function(&one.root) {
            return;
        }
        let at = literal.at(&one.place);
        let roots = ROOTS.map(|(root, _)| root);
        if !roots.contains(&&*one.root) {
            if scope.vague {
                return;
            }
            let names: Vec<&str> = roots.into_iter().chain(scope.captures.iter().copied()).collect();
            let mut help = hint(&one.root, "names", names.iter().copied());
            if scope.captures_may_be && nearest(&one.root, names).is_none() {
                help += &format!("; a step before makes another with `capture = \"{}\"`", one.root);
            }
            self.report.error(Code::UnknownVariable, &at, format!("unknown name `{}`", one.root)).help(help);
            return;
        }
        if let Some(why) = scope.lacks(&one.root) {
            let message = format!("`{}` is not there: {}", one.root, why.reason);
            self.report.error(Code::UnavailableVariable, &at, message).help(why.remedy);
            return;
        }
        if let Some((name, fields)) = scope.wrong_field(one, self.rules) {
            let owner =
                one.path.iter().take_while(|part| **part != name).fold(one.root.clone(), |all, part| all + "." + part);
            let help = match (&*one.root, &fields[..]) {
                ("args", []) => {
                    format!("no argument is there: a group of the command's pattern is one, `(?<{name}>…)`")
                }
                _ => hint(&name, "names", fields),
            };
            self.report.error(Code::UnknownVariable, &at, format!("`{owner}` has no `{name}`")).help(help);
        }
    }
}

/// Where a template stands in the file, and how its bytes lie there.
struct Literal {
    span: Span,
    /// The offset in the file of the template's first byte, if it stands there as it is, without escapes.
    start: Option<usize>,
}

impl Literal {
    fn new(source: &Source, span: &Span, value: &str) -> Self {
        let raw = source.text.get(span.clone()).unwrap_or_default();
        let start = ["\"\"\"\r\n", "\"\"\"\n", "'''\r\n", "'''\n", "\"\"\"", "'''", "\"", "'"]
            .iter()
            .find_map(|quote| raw.strip_prefix(quote).map(|inside| (quote.len(), inside)))
            .filter(|(_, inside)| {
                inside.strip_prefix(value).is_some_and(|end| matches!(end, "\"" | "'" | "\"\"\"" | "'''"))
            })
            .map(|(quote, _)| span.start + quote);
        Self { span: span.clone(), start }
    }

    /// The place in the file of a place in the template.
    fn at(&self, place: &Place) -> Span {
        match self.start {
            Some(start) if place.start <= place.end => start + place.start..start + place.end,
            Some(_) | None => self.span.clone(),
        }
    }
}

/// Filters of ours, and what they make.
pub(in crate::config) const OUR_FILTERS: [(&str, &str); 3] = [
    ("terraform_summary", "the JSON of a plan as a line: `2 to add, 1 to change`"),
    ("terraform_changes", "the JSON of a plan as a table of addresses by action"),
    ("diff", "the text of a plan so that a `diff` block colours it"),
];

/// Filters of minijinja that are suggested.
const FILTERS: [&str; 21] = [
    "abs", "batch", "bool", "default", "first", "int", "items", "join", "last", "length", "lines", "lower", "map",
    "replace", "reverse", "sort", "split", "title", "tojson", "trim", "upper",
];

/// Tests that are suggested.
const TESTS: [&str; 12] = [
    "defined",
    "undefined",
    "none",
    "true",
    "false",
    "string",
    "number",
    "sequence",
    "mapping",
    "startingwith",
    "endingwith",
    "containing",
];

/// Functions that are suggested.
const FUNCTIONS: [&str; 3] = ["range", "dict", "namespace"];

/// What the environment of expressions has.
struct Known {
    environment: minijinja::Environment<'static>,
}

impl Known {
    fn new() -> Self {
        Self { environment: crate::expr::environment(minijinja::UndefinedBehavior::Strict) }
    }

    fn has_filter(&self, name: &str) -> bool {
        let result = self.environment.empty_state().apply_filter(name, &[]);
        !result.is_err_and(|error| error.kind() == minijinja::ErrorKind::UnknownFilter)
            || OUR_FILTERS.iter().any(|(ours, _)| *ours == name)
    }

    fn has_test(&self, name: &str) -> bool {
        let result = self.environment.empty_state().perform_test(name, &[]);
        !result.is_err_and(|error| error.kind() == minijinja::ErrorKind::UnknownTest)
    }

    fn has_function(&self, name: &str) -> bool {
        self.environment.globals().any(|(global, _)| global == name)
    }
}
