//! What names a place in the file can have: by the events that lead there, by the commands, by `each`.

use std::collections::{BTreeSet, HashMap};

use crate::config::check::events;
use crate::config::check::syntax::Use;
use crate::config::resolve::Resolved;
use crate::model::rules::{Action, Handler, Kind, Rule, Rules, Stage};

/// Every name that some place has, and what it is.
pub(in crate::config) const ROOTS: [(&str, &str); 9] = [
    ("event", "the payload, as GitHub sends it"),
    ("repo", "the repository, `OWNER/NAME`"),
    ("run", "the run of the workflow: `.id`, `.attempt`, `.url`"),
    ("actor", "the login of who caused the event"),
    (
        "pr",
        "the pull request, where there is one: `.number`, `.head.sha`, `.head.ref`, `.base.ref`, `.author`, `.draft`, `.fork`",
    ),
    ("comment", "the comment, where there is one"),
    ("args", "the arguments of the command, by the names of the groups; an absent one is the empty text"),
    ("inputs", "the inputs of a `workflow_dispatch`; an absent one is the empty text"),
    ("layer", "the layer, under `each`: prints its key; `.key`, `.name`, `.dir`, `.engine`, `.vars`"),
];

/// The names of one place.
#[derive(Debug, Clone, Default)]
pub(super) struct Scope<'r> {
    /// Whether there is an event at all: titles of rows are drawn without one.
    event: bool,
    pull: bool,
    comment: bool,
    args: Args<'r>,
    layer: bool,
    /// Whether some captures may not be known.
    pub(super) vague: bool,
    /// Whether steps may stand before, whose captures are names.
    pub(super) captures_may_be: bool,
    /// What the steps before captured.
    pub(super) captures: Vec<&'r str>,
    /// What leads here, for messages.
    from: String,
}

/// The arguments that a place can have.
#[derive(Debug, Clone, Default)]
enum Args<'r> {
    /// No command leads here.
    #[default]
    None,
    /// The groups of the commands that lead here.
    These(BTreeSet<&'r str>),
    /// A command leads here whose pattern could not be read.
    Any,
}

impl<'r> Args<'r> {
    fn or(self, other: &Self) -> Self {
        match (self, other) {
            (Self::Any, _) | (_, Self::Any) => Self::Any,
            (Self::None, other) => other.clone(),
            (this, Self::None) => this,
            (Self::These(mut these), Self::These(those)) => {
                these.extend(those);
                Self::These(these)
            }
        }
    }
}

/// Why a name is not there, and what to do.
pub(super) struct Lack {
    pub(super) reason: String,
    pub(super) remedy: &'static str,
}

impl<'r> Scope<'r> {
    pub(super) fn of_stage(stage: &Stage) -> Self {
        Self { layer: stage.each, ..Self::default() }
    }

    /// A place to which anything may lead.
    fn open() -> Self {
        Self { event: true, pull: true, comment: true, ..Self::default() }
    }

    /// What a rule's own expressions can have.
    fn of_rule(rule: &'r Rule, rules: &'r Rules) -> Self {
        if let Some(name) = &rule.command {
            let args = match rules.commands.get(&name.value) {
                Some(command) => Args::These(command.args.keys().map(String::as_str).collect()),
                None => Args::Any,
            };
            let from = format!("the command `{}`", name.value);
            return Self { args, from, ..Self::open() };
        }
        let any = |has: fn(&str) -> bool| rule.on.iter().any(|event| has(&event.value));
        let names: Vec<_> = rule.on.iter().map(|event| format!("`{}`", event.value)).collect();
        let (pull, comment) = (any(events::may_have_pull), any(events::may_have_comment));
        Self { pull, comment, from: names.join(", "), ..Self::open() }
    }

    /// What either can have.
    fn or(&mut self, other: &Self) {
        self.pull |= other.pull;
        self.comment |= other.comment;
        self.args = std::mem::take(&mut self.args).or(&other.args);
        // A message need not name hundreds.
        if self.from.len() < 120 {
            self.from = format!("{}, {}", self.from, other.from);
        }
    }

    /// Why `root` is not there, if so.
    pub(super) fn lacks(&self, root: &str) -> Option<Lack> {
        let lack = |reason: String, remedy| Some(Lack { reason, remedy });
        if !self.event && root != "layer" {
            return lack(
                "titles of rows are the same for every event".to_owned(),
                "use `layer` alone, with `each = \"layer\"`",
            );
        }
        let from = &self.from;
        match root {
            "pr" if !self.pull => {
                lack(format!("{from} is not about a pull request"), "use `event`, the payload, or `run`")
            }
            "comment" if !self.comment => lack(format!("{from} comes without a comment"), "use `event`, the payload"),
            "args" if matches!(self.args, Args::None) => lack(
                format!("only commands have arguments, and {from} is none"),
                "use `inputs` or `event`, the payload",
            ),
            "layer" if !self.layer => lack(
                "it is there for each layer alone".to_owned(),
                "add `each = \"layer\"` to the handler or the stage",
            ),
            _ => None,
        }
    }

    /// The part of a path that its owner does not have, and what it has instead.
    pub(super) fn wrong_field<'s>(&'s self, one: &Use, rules: &'s Rules) -> Option<(String, Vec<&'s str>)> {
        let first = &**one.path.first()?;
        let second = one.path.get(1).map(String::as_str);
        let fields: Vec<&str> = match &*one.root {
            "layer" => vec!["key", "name", "dir", "engine", "vars"],
            "run" => vec!["id", "attempt", "url"],
            "pr" => vec!["number", "head", "base", "author", "draft", "fork"],
            "args" => match &self.args {
                Args::These(these) => these.iter().copied().collect(),
                Args::None | Args::Any => return None,
            },
            _ => return None,
        };
        if !fields.contains(&first) {
            return Some((first.to_owned(), fields));
        }
        let below: Vec<&str> = match (&*one.root, first) {
            ("pr", "head") => vec!["sha", "ref"],
            ("pr", "base") => vec!["ref"],
            ("layer", "vars") => {
                rules.layers.values().flat_map(|layer| layer.vars.keys().map(String::as_str)).collect()
            }
            _ => return None,
        };
        second.filter(|second| !below.contains(second)).map(|second| (second.to_owned(), below))
    }
}

/// The scopes of all rules and handlers.
pub(super) struct Scopes<'r> {
    resolved: &'r Resolved,
    handlers: HashMap<&'r str, Scope<'r>>,
}

impl<'r> Scopes<'r> {
    pub(super) fn of(resolved: &'r Resolved) -> Self {
        let rules = &resolved.rules;
        let mut handlers: HashMap<&str, Scope<'_>> = HashMap::new();
        for rule in &rules.rules {
            let Action::Run(run) = &rule.action else { continue };
            let scope = Scope::of_rule(rule, rules);
            for handler in run {
                handlers.entry(&handler.value).and_modify(|all| all.or(&scope)).or_insert_with(|| scope.clone());
            }
        }
        Self { resolved, handlers }
    }

    pub(super) fn of_rule(&self, rule: &'r Rule) -> Scope<'r> {
        Scope::of_rule(rule, &self.resolved.rules)
    }

    /// What a handler's templates can have.
    pub(super) fn of_handler(&self, handler: &Handler) -> Scope<'r> {
        let rules_are_known = self.resolved.names.knows_the_rules();
        let scope = self.handlers.get(&*handler.key.value).filter(|_| rules_are_known).cloned();
        let vague = self.resolved.vague.contains(&handler.key.value);
        // What no rule runs is told as such; nothing more is known of it.
        let unused = || Scope { args: Args::Any, ..Scope::open() };
        let captures_may_be = matches!(handler.kind, Kind::Steps(_));
        Scope { layer: handler.each, vague, captures_may_be, ..scope.unwrap_or_else(unused) }
    }
}
