//! The dashboard, layers, stages, commands and gates.

use super::values::{List, pairs, plain, template, text, texts};
use super::{Entry, Of, Resolver, groups::unnamed_groups};
use crate::config::check::beginning;
use crate::config::report::hint;
use crate::config::shape::{self, Given, Named, Texts};
use crate::diagnostic::Code;
use crate::model::pattern::{Pattern, Wildcard};
use crate::model::rules::{Arg, ArgKind, Checks, Command, Dashboard, Gate, Layer, Stage, Table, Template};
use crate::model::span::{At, Span};

impl Resolver<'_> {
    pub(super) fn dashboard(&mut self, shape: Option<&shape::Dashboard>) -> Dashboard {
        let default = shape::Dashboard::default();
        let shape = shape.unwrap_or(&default);
        let authors = match &shape.authors {
            Given::Value(_) => plain(&shape.authors),
            Given::Absent | Given::Wrong => vec!["github-actions[bot]".to_owned()],
        };
        Dashboard {
            marker: self.plain_word("marker", &shape.marker).unwrap_or_else(|| "infra-dashboard".to_owned()),
            title: text(&shape.title).unwrap_or_else(|| "⚙️ Commit Dashboard".to_owned()),
            context: self.plain_word("context", &shape.context).unwrap_or_else(|| "ci".to_owned()),
            authors,
            old_commits: shape.old_commits.value().copied().unwrap_or_default(),
            history: shape.history.value().map_or(50, |lines| usize::try_from(*lines).unwrap_or(usize::MAX)),
        }
    }

    pub(super) fn layer(&mut self, entry: &Entry<'_, shape::Layer>) -> Option<Layer> {
        let Entry { key, span, shape } = entry;
        let after = texts(&shape.after).filter_map(|layer| self.known(Of::Layer, layer)).collect();
        let gates = self.layer_gates(&shape.gates);
        let dir = self.required(&shape.dir, "dir", &key.span, span);
        let dir = dir.and_then(|dir| Some(At::new(self.folder(dir)?, dir.span.clone())));
        let dir = dir.unwrap_or_else(|| At::new(".".to_owned(), key.span.clone()));
        let paths = match &shape.paths {
            Given::Value(paths) => self.path_globs(paths),
            Given::Absent | Given::Wrong => Wildcard::below(&dir.value).into_iter().collect(),
        };
        Some(Layer {
            key: (*key).clone(),
            name: text(&shape.name).unwrap_or_else(|| key.value.clone()),
            dir,
            engine: text(&shape.engine).unwrap_or_default(),
            paths,
            after,
            gates,
            vars: pairs(&shape.vars),
        })
    }

    fn layer_gates(&mut self, gates: &Given<Named<At<String>>>) -> Table<At<String>> {
        let mut all = Table::new();
        let entries = gates.value().map_or(&[][..], |gates| &gates.0);
        if matches!(gates, Given::Wrong) || entries.iter().any(|(_, gate)| gate.value.value().is_none()) {
            self.names.lost(Of::Gate);
        }
        for (handler, gate) in gates.value().into_iter().flat_map(Named::values) {
            let handler = self.known(Of::Handler, handler);
            let gate = self.use_of(Of::Gate, gate);
            if let (Some(handler), Some(gate)) = (handler, gate) {
                all.insert(handler.value, gate);
            }
        }
        all
    }

    pub(super) fn stage(&mut self, entry: &Entry<'_, shape::Stage>) -> Option<Stage> {
        let Entry { key, shape, .. } = entry;
        let after = texts(&shape.after).filter_map(|stage| self.known(Of::Stage, stage)).collect();
        // A word that is not taken is meant to be `layer` all the same.
        let each = !shape.each.is_absent();
        let default = if each { format!("{}: {{{{ layer }}}}", key.value) } else { key.value.clone() };
        let name = match shape.name.value() {
            Some(name) => template(name),
            None => Template { source: default, span: key.span.clone() },
        };
        Some(Stage {
            key: (*key).clone(),
            name,
            each,
            after,
            optional: shape.optional.value().copied().unwrap_or_default(),
            show: shape.show.value().copied().unwrap_or_default(),
            read_only: shape.read_only.value().copied(),
        })
    }

    pub(super) fn command(&mut self, entry: &Entry<'_, shape::Command>) -> Option<Command> {
        let Entry { key, span, shape } = entry;
        let written = self.required(&shape.pattern, "pattern", &key.span, span)?;
        let pattern = self.pattern(written)?;
        let args = self.arguments(&pattern, &shape.args);
        self.plain_layers(&pattern, &shape.args, &written.span);
        let usage = text(&shape.usage).unwrap_or_else(|| default_usage(&key.value, &pattern));
        self.usage(&pattern, &usage, shape.usage.value().map_or(&key.span, |usage| &usage.span));
        Some(Command { key: (*key).clone(), pattern, help: text(&shape.help).unwrap_or_default(), usage, args })
    }

    /// People are told to type the usage, so it begins as the pattern does.
    fn usage(&mut self, pattern: &Pattern, usage: &str, span: &Span) {
        let begins = beginning(pattern.as_str()).split_whitespace().next().unwrap_or_default();
        if !usage.starts_with(begins) {
            let message = format!("the usage is `{usage}`, but the pattern takes what begins with `{begins}`");
            let help = match usage.starts_with('/') && begins.starts_with(char::is_alphanumeric) {
                true => format!("begin the pattern with `/`: `pattern = '/{}'`", pattern.as_str()),
                false => format!("write `usage = \"{begins} …\"`, as people are to type it"),
            };
            self.report.warning(Code::MisleadingUsage, span, message).help(help);
        }
    }

    fn pattern(&mut self, text: &At<String>) -> Option<Pattern> {
        let pattern = match Pattern::new(&text.value) {
            Ok(pattern) => pattern,
            Err(error) => {
                self.bad_regex(text, &error.to_string());
                return None;
            }
        };
        for group in unnamed_groups(&text.value) {
            let shown = text.value.get(group).unwrap_or_default();
            self.report
                .warning(Code::GroupWithoutArgument, &text.span, format!("what `{shown}` matches reaches no argument"))
                .help("name the group, `(?<name>…)`, or write `(?:…)` where its text does not matter");
        }
        if pattern.captures("").is_some() {
            self.report
                .error(Code::MatchesEmpty, &text.span, format!("`{}` matches the empty line", text.value))
                .help("begin the pattern with the word that people write, such as `/plan`");
        }
        Some(pattern)
    }

    /// The `regex` crate draws its errors over several lines; the last one says what is wrong.
    fn bad_regex(&mut self, text: &At<String>, error: &str) {
        let reason = error.lines().last().unwrap_or_default().trim_start_matches("error: ");
        let message = format!("the pattern is no regular expression: {reason}");
        self.report
            .error(Code::BadRegex, &text.span, message)
            .help("in single quotes a backslash stands for itself: `pattern = '/plan(\\s+(?<layers>.+))?'`");
    }

    fn arguments(&mut self, pattern: &Pattern, args: &Given<Named<shape::Arg>>) -> Table<Arg> {
        let mut all: Table<Arg> = pattern.groups().map(|group| (group.to_owned(), Arg::default())).collect();
        for (name, arg) in args.value().into_iter().flat_map(|args| &args.0) {
            let shape = arg.value.value();
            let Some(slot) = all.get_mut(&name.value) else {
                let help = match hint(&name.value, "groups", pattern.groups().collect::<Vec<_>>()) {
                    help if help.starts_with("did") => help,
                    _ => format!("write `(?<{}>…)` in the pattern", name.value),
                };
                let message = format!("no group of the pattern is named `{}`", name.value);
                self.report.error(Code::ArgumentWithoutGroup, &name.span, message).help(help);
                continue;
            };
            let Some(shape) = shape else { continue };
            slot.kind = shape.kind.value().copied().unwrap_or_default();
            slot.default = text(&shape.default);
            if let (Some(default), false) = (shape.default.value(), matches!(shape.kind, Given::Wrong)) {
                self.default_of(slot.kind, default);
            }
        }
        all
    }

    /// Whoever names layers means these alone, and a plain word is for nobody.
    fn plain_layers(&mut self, pattern: &Pattern, args: &Given<Named<shape::Arg>>, span: &Span) {
        let entries = args.value().map_or(&[][..], |args| &args.0);
        let is_typed = |group: &str| {
            let mut own = entries.iter().filter(|(name, _)| name.value == group);
            own.any(|(_, arg)| arg.value.value().is_none_or(|arg| !arg.kind.is_absent()))
        };
        // Of an argument without a group it is said already, which this one may be meant to be.
        let is_said = entries.iter().any(|(name, _)| pattern.groups().all(|group| group != name.value));
        let has_layers = !self.names.all(Of::Layer).is_empty() && !matches!(args, Given::Wrong) && !is_said;
        let plain = |group: &&str| matches!(*group, "layer" | "layers") && !is_typed(group);
        for group in pattern.groups().filter(|_| has_layers).filter(plain) {
            let message =
                format!("the argument `{group}` is a plain word: the command is for every layer, whatever it names");
            let help = format!(
                "write `args.{group} = {{ type = \"{group}\" }}`, or `type = \"word\"` where no layer is meant"
            );
            self.report.error(Code::PlainLayers, span, message).help(help);
        }
    }

    /// A default is held to what the line itself is held to.
    fn default_of(&mut self, kind: ArgKind, default: &At<String>) {
        let text = &*default.value;
        match kind {
            ArgKind::Word => {
                let plain = |character: char| character.is_alphanumeric() || "._/@-".contains(character);
                self.bad_default(text.chars().all(plain), "a word", default);
            }
            ArgKind::Number => self.bad_default(text.parse::<u64>().is_ok(), "a whole number", default),
            ArgKind::Layer => drop(self.known(Of::Layer, default)),
            ArgKind::Layers => {
                let names = text.split([' ', ',']).filter(|name| !name.is_empty());
                for name in names.filter(|name| !matches!(*name, "all" | "planned")) {
                    self.known(Of::Layer, &At::new(name.to_owned(), default.span.clone()));
                }
            }
        }
    }

    fn bad_default(&mut self, is_right: bool, what: &str, default: &At<String>) {
        if !is_right {
            self.report
                .error(Code::UnknownValue, &default.span, format!("`{}` is not {what}", default.value))
                .help("change the default, or the `type` of the argument");
        }
    }

    pub(super) fn gate(&mut self, entry: &Entry<'_, shape::Gate>) -> Option<Gate> {
        let Entry { key, span, shape } = entry;
        let gate = Gate {
            key: (*key).clone(),
            permission: shape.permission.value().copied(),
            users: plain(&shape.users),
            teams: self.teams(&shape.teams),
            approvals: shape.approvals.value().copied().unwrap_or_default(),
            checks: shape.checks.value().and_then(|checks| self.checks(checks)),
            mergeable: shape.mergeable.value().copied().unwrap_or_default(),
            up_to_date: shape.up_to_date.value().copied().unwrap_or_default(),
            planned: shape.planned.value().and_then(|stage| self.known(Of::Stage, stage)),
            forks: shape.forks.value().copied().unwrap_or_default(),
        };
        if asks_nothing(shape) && !self.report.dropped_within(span) {
            self.report
                .error(Code::OpenGate, &key.span, format!("the gate `{}` asks for nothing", key.value))
                .help("say who may, such as `permission = \"write\"`; where everybody may, write `gate = \"anyone\"` in the rule");
        }
        Some(gate)
    }

    fn teams(&mut self, teams: &List) -> Vec<String> {
        for team in texts(teams).filter(|team| team.value.split('/').filter(|part| !part.is_empty()).count() != 2) {
            self.report
                .error(Code::UnknownValue, &team.span, format!("`{}` is no team", team.value))
                .help("write it as `ORG/TEAM`");
        }
        plain(teams)
    }

    fn checks(&mut self, checks: &Texts) -> Option<Checks> {
        match checks {
            Texts::One(word) if word.value == "green" => Some(Checks::Green),
            Texts::One(word) => {
                self.report
                    .error(Code::UnknownValue, &word.span, format!("unknown value `{}`", word.value))
                    .help(format!("write `green`, or a list of names: `[\"{}\"]`", word.value));
                None
            }
            Texts::List(..) => Some(Checks::Named(checks.iter().map(|name| name.value.clone()).collect())),
        }
    }
}

/// Whether no key of a gate, not even a wrong one, asks for anything.
fn asks_nothing(gate: &shape::Gate) -> bool {
    let none = |list: &List| match list {
        Given::Absent => true,
        Given::Wrong => false,
        Given::Value(list) => list.is_empty(),
    };
    let off = |flag: &Given<bool>| matches!(flag, Given::Absent | Given::Value(false));
    gate.permission.is_absent()
        && none(&gate.users)
        && none(&gate.teams)
        && matches!(gate.approvals, Given::Absent | Given::Value(0))
        && gate.checks.is_absent()
        && off(&gate.mergeable)
        && off(&gate.up_to_date)
        && gate.planned.is_absent()
}

/// The command's name, and what it takes where it takes something in any case.
fn default_usage(name: &str, pattern: &Pattern) -> String {
    let bare = format!("/{name}");
    if pattern.captures(&bare).is_some() {
        return bare;
    }
    pattern.groups().fold(bare, |usage, group| format!("{usage} <{group}>"))
}
