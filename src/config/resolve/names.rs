//! Which names there are, and which of them are used. A name that is nearly one of them counts as a use of that one, so
//! that a slip of the pen is one problem and not two.

use std::collections::HashSet;

use indexmap::IndexSet;

use super::Resolver;
use crate::config::report::{Report, hint, listed};
use crate::config::shape::{File, Given, Named};
use crate::diagnostic::Code;
use crate::model::nearest::nearest;
use crate::model::span::At;

/// What a name is the name of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(in crate::config) enum Of {
    Layer,
    Stage,
    Command,
    Gate,
    Handler,
}

impl Of {
    const ALL: [Self; 5] = [Self::Layer, Self::Stage, Self::Command, Self::Gate, Self::Handler];

    fn word(self) -> &'static str {
        match self {
            Self::Layer => "layer",
            Self::Stage => "stage",
            Self::Command => "command",
            Self::Gate => "gate",
            Self::Handler => "handler",
        }
    }

    fn plural(self) -> &'static str {
        match self {
            Self::Layer => "layers",
            Self::Stage => "stages",
            Self::Command => "commands",
            Self::Gate => "gates",
            Self::Handler => "handlers",
        }
    }

    fn unknown(self) -> Code {
        match self {
            Self::Layer => Code::UnknownLayer,
            Self::Stage => Code::UnknownStage,
            Self::Command => Code::UnknownCommand,
            Self::Gate => Code::UnknownGate,
            Self::Handler => Code::UnknownHandler,
        }
    }

    /// Names that mean something else already, and what.
    fn reserved(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Layer => &[
                ("all", "every layer"),
                ("changed", "the layers that are changed"),
                ("planned", "the layers that are planned"),
            ],
            Self::Stage => &[("dashboard", "the commit status that links to the dashboard")],
            Self::Command => &[],
            Self::Gate => &[("anyone", "that everybody may")],
            Self::Handler => &[("none", "in tests that no handler runs")],
        }
    }
}

/// The names of a file, with those of entries that are broken.
#[derive(Debug, Default)]
pub(in crate::config) struct Names {
    known: [IndexSet<String>; 5],
    /// Kinds of names whose table could not be read: any of them may be there.
    unread: HashSet<Of>,
    /// Kinds of names of which an entry is wrong.
    broken: HashSet<Of>,
    /// Rows of the dashboard.
    rows: IndexSet<String>,
    used: HashSet<(Of, String)>,
    /// Kinds of names of which a use may have been lost.
    unsure: HashSet<Of>,
    /// Whether it is not certain which rules run which handlers.
    vague: bool,
}

impl Names {
    pub(super) fn of(file: &File, report: &Report) -> Self {
        fn keys<T>(table: &Given<Named<T>>) -> IndexSet<String> {
            table.value().into_iter().flat_map(|table| &table.0).map(|(key, _)| key.value.clone()).collect()
        }
        let known =
            [keys(&file.layers), keys(&file.stages), keys(&file.commands), keys(&file.gates), keys(&file.handlers)];
        let mut names = Self { known, rows: rows(file), ..Self::default() };
        let unread = [
            (Of::Layer, matches!(file.layers, Given::Wrong)),
            (Of::Stage, matches!(file.stages, Given::Wrong)),
            (Of::Command, matches!(file.commands, Given::Wrong)),
            (Of::Gate, matches!(file.gates, Given::Wrong)),
            (Of::Handler, matches!(file.handlers, Given::Wrong)),
        ];
        let unknown = |(of, wrong): &(Of, bool)| *wrong || report.is_doubled(of.plural());
        names.unread = unread.into_iter().filter(unknown).map(|(of, _)| of).collect();
        // A table or a rule that could not be read may have used any name.
        let rules_are_whole = match &file.rules {
            Given::Absent => true,
            Given::Wrong => false,
            Given::Value(rules) => rules.iter().all(|rule| rule.value.value().is_some()),
        };
        if !rules_are_whole {
            names.unsure.extend([Of::Handler, Of::Command, Of::Gate]);
        }
        let handlers_are_whole = match &file.handlers {
            Given::Absent => true,
            Given::Wrong => false,
            Given::Value(handlers) => handlers.0.iter().all(|(_, handler)| handler.value.value().is_some()),
        };
        if !handlers_are_whole {
            names.unsure.insert(Of::Stage);
        }
        names
    }

    pub(in crate::config) fn all(&self, of: Of) -> &IndexSet<String> {
        &self.known[of as usize]
    }

    /// Notes that a name may have been used by something that could not be read.
    pub(super) fn lost(&mut self, of: Of) {
        self.unsure.insert(of);
    }

    /// Notes that a rule, or what it runs, is lost.
    pub(super) fn lost_rule(&mut self) {
        self.vague = true;
    }

    /// Whether it is certain which rules run which handlers.
    pub(in crate::config) fn knows_the_rules(&self) -> bool {
        !self.vague
    }

    /// Notes an entry that is wrong. Who is still at work on it may not have come to its use.
    pub(super) fn broken(&mut self, of: Of, name: &str) {
        self.broken.insert(of);
        self.used(of, name);
    }

    /// Whether every entry of a kind is there as it is meant.
    pub(in crate::config) fn are_whole(&self, of: Of) -> bool {
        !self.unread.contains(&of) && !self.broken.contains(&of)
    }

    /// Notes a use.
    pub(super) fn used(&mut self, of: Of, name: &str) {
        self.used.insert((of, name.to_owned()));
    }

    /// Whether nothing uses the name, for certain.
    pub(in crate::config) fn is_unused(&self, of: Of, name: &str) -> bool {
        !self.unsure.contains(&of) && !self.used.contains(&(of, name.to_owned()))
    }
}

impl Resolver<'_> {
    /// Looks up a name, and reports one that is not there.
    pub(super) fn known(&mut self, of: Of, name: &At<String>) -> Option<At<String>> {
        self.look_up(of, name).ok()
    }

    /// Looks up a name by something that makes it used.
    pub(super) fn use_of(&mut self, of: Of, name: &At<String>) -> Option<At<String>> {
        let (found, meant) = match self.look_up(of, name) {
            Ok(found) => (Some(found), Some(name.value.clone())),
            Err(meant) => (None, meant),
        };
        match meant {
            Some(meant) => self.names.used(of, &meant),
            None => self.names.lost(of),
        }
        found
    }

    /// The name, or after a report the one that was likely meant.
    fn look_up(&mut self, of: Of, name: &At<String>) -> Result<At<String>, Option<String>> {
        if self.names.all(of).contains(&name.value) || self.names.unread.contains(&of) {
            return Ok(name.clone());
        }
        let names = self.names.all(of).iter().map(String::as_str);
        let meant = if self.searches > 0 { nearest(&name.value, names.clone()) } else { None };
        let help = meant.map_or_else(|| listed(of.plural(), names), |meant| format!("did you mean `{meant}`?"));
        let meant = meant.map(str::to_owned);
        self.searches = self.searches.saturating_sub(1);
        self.report.error(of.unknown(), &name.span, format!("unknown {} `{}`", of.word(), name.value)).help(help);
        Err(meant)
    }

    /// Reports a row that is not on the dashboard.
    pub(super) fn row(&mut self, row: &At<String>) {
        let unread = self.names.unread.contains(&Of::Layer) || self.names.unread.contains(&Of::Stage);
        if unread || self.names.rows.contains(&row.value) {
            return;
        }
        let rows = self.names.rows.iter().map(String::as_str);
        let help = if self.searches > 0 { hint(&row.value, "rows", rows) } else { listed("rows", rows) };
        self.searches = self.searches.saturating_sub(1);
        self.report.error(Code::UnknownStage, &row.span, format!("unknown row `{}`", row.value)).help(help);
    }

    /// Reports names that cannot stand in outputs, refs and commit statuses, or that mean something else.
    pub(super) fn check_names(&mut self, file: &File) {
        fn keys<T>(table: &Given<Named<T>>) -> impl Iterator<Item = &At<String>> {
            table.value().into_iter().flat_map(|table| &table.0).map(|(key, _)| key)
        }
        for of in Of::ALL {
            match of {
                Of::Layer => keys(&file.layers).for_each(|key| self.check_name(of, key)),
                Of::Stage => keys(&file.stages).for_each(|key| self.check_name(of, key)),
                Of::Command => keys(&file.commands).for_each(|key| self.check_name(of, key)),
                Of::Gate => keys(&file.gates).for_each(|key| self.check_name(of, key)),
                Of::Handler => keys(&file.handlers).for_each(|key| self.check_name(of, key)),
            }
        }
    }

    fn check_name(&mut self, of: Of, key: &At<String>) {
        if let Some((_, meaning)) = of.reserved().iter().find(|(name, _)| *name == key.value) {
            self.report
                .error(Code::ReservedName, &key.span, format!("`{}` means {meaning}", key.value))
                .help(format!("give the {} another name", of.word()));
        }
        if !is_plain_name(&key.value) {
            self.report
                .error(Code::BadName, &key.span, format!("`{}` cannot name a {}", key.value, of.word()))
                .help("use letters, digits, `_`, `-` and `.`, a letter or a digit first, 64 at most");
        }
    }
}

/// The rows of the dashboard: a stage, or a stage and a layer.
fn rows(file: &File) -> IndexSet<String> {
    let layers = || file.layers.value().into_iter().flat_map(|layers| &layers.0).map(|(key, _)| &key.value);
    let mut rows = IndexSet::new();
    for (key, stage) in file.stages.value().into_iter().flat_map(|stages| &stages.0) {
        let each = stage.value.value().map(|stage| &stage.each);
        if each.is_none_or(|each| !each.is_absent()) {
            rows.extend(layers().map(|layer| format!("{}-{layer}", key.value)));
        }
        // One that could not be read may be either.
        if each.is_none_or(|each| each.value().is_none()) {
            rows.insert(key.value.clone());
        }
    }
    rows
}

/// Whether a name can stand anywhere that names are written to.
pub(super) fn is_plain_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    name.len() <= 64
        && name.bytes().all(plain)
        && name.bytes().next().is_some_and(|first| first.is_ascii_alphanumeric())
        && !name.contains("..")
        && !name.ends_with('.')
}
