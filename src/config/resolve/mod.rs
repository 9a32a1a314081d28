//! From what stands in the file to what it means: defaults filled in, names looked up, patterns compiled. What is wrong
//! is reported and left out, so that all the rest is still looked at. What needs more than one entry is in `check`.

mod groups;
mod handler;
mod names;
mod rule;
mod tables;
mod test;
mod values;

use std::collections::{HashMap, HashSet};

use super::report::Report;
use super::shape::{File, Given, Named};
use crate::diagnostic::Code;
use crate::model::rules::{Rules, Table, Template};
use crate::model::span::{At, Span};
pub(super) use names::{Names, Of};

/// What a file means, as far as it could be understood.
pub(super) struct Resolved {
    pub(super) rules: Rules,
    pub(super) names: Names,
    /// The templates in the `body` of each handler, which [`Rules`] holds as JSON without places.
    pub(super) bodies: HashMap<String, Vec<Template>>,
    /// Handlers of whose captures some could not be read.
    pub(super) vague: HashSet<String>,
}

/// What the steps of the resolution share.
struct Resolver<'r> {
    report: &'r mut Report,
    names: Names,
    bodies: HashMap<String, Vec<Template>>,
    vague: HashSet<String>,
    /// How many more names are looked for that an unknown one was meant to be. Each search goes through all names: a file
    /// with thousands of unknown ones would take their square.
    searches: usize,
}

/// Gives a file its meaning.
pub(super) fn file(file: &File, report: &mut Report) -> Resolved {
    let names = Names::of(file, report);
    let mut resolver = Resolver { report, names, bodies: HashMap::new(), vague: HashSet::new(), searches: 200 };
    if file.version.is_absent() {
        let help = "write `version = 1` at the beginning of the file";
        resolver.report.error(Code::MissingKey, &(0..0), "the file does not say its version").help(help);
    }
    resolver.check_names(file);
    if let Some(folder) = file.templates.value() {
        resolver.check_inside(folder);
    }
    let source = resolver.report.source.clone();
    let rules = Rules {
        source,
        dashboard: resolver.dashboard(file.dashboard.value()),
        redact: resolver.redact(&file.redact),
        layers: resolver.table((Of::Layer, &file.layers), Resolver::layer),
        stages: resolver.table((Of::Stage, &file.stages), Resolver::stage),
        commands: resolver.table((Of::Command, &file.commands), Resolver::command),
        gates: resolver.table((Of::Gate, &file.gates), Resolver::gate),
        rules: resolver.entries(&file.rules, Resolver::rule),
        handlers: resolver.table((Of::Handler, &file.handlers), Resolver::handler),
        tests: resolver.entries(&file.tests, Resolver::test),
    };
    Resolved { rules, names: resolver.names, bodies: resolver.bodies, vague: resolver.vague }
}

impl Resolver<'_> {
    /// Every entry of a table that could be understood.
    fn table<S, M>(
        &mut self,
        (of, table): (Of, &Given<Named<S>>),
        one: fn(&mut Self, &Entry<'_, S>) -> Option<M>,
    ) -> Table<M> {
        let mut all = Table::new();
        for (key, value) in table.value().into_iter().flat_map(|table| &table.0) {
            let span = key.span.start..value.span.end.max(key.span.end);
            if let Given::Value(shape) = &value.value
                && let Some(meaning) = one(self, &Entry { key, span: span.clone(), shape })
            {
                all.insert(key.value.clone(), meaning);
            }
            if self.report.is_wrong_within(&span) {
                self.names.broken(of, &key.value);
            }
        }
        all
    }

    /// Every entry of a list of tables that could be understood.
    fn entries<S, M>(&mut self, list: &Given<Vec<At<Given<S>>>>, one: fn(&mut Self, &S, &Span) -> Option<M>) -> Vec<M> {
        let entries = list.value().into_iter().flatten();
        entries.filter_map(|entry| one(self, entry.value.value()?, &entry.span)).collect()
    }

    /// A key that must be there. `at` is what lacks it, `within` the whole entry.
    fn required<'v, T>(&mut self, given: &'v Given<T>, key: &str, at: &Span, within: &Span) -> Option<&'v T> {
        if given.is_absent() && !self.report.dropped_within(within) {
            let at = self.report.head(at);
            self.report.error(Code::MissingKey, &at, format!("`{key}` is missing")).help(format!("add `{key} = …`"));
        }
        given.value()
    }
}

/// An entry of a table: its name, and what stands below it.
struct Entry<'f, S> {
    key: &'f At<String>,
    /// From the name to the end of the last value.
    span: Span,
    shape: &'f S,
}
