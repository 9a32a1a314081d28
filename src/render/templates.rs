//! The templates of comments: built in, and overridden by file name. A wrong override is reported with its place; one
//! that fails all the same when it is drawn gives way to the built-in one, with a line that says so.

use std::collections::BTreeMap;

use minijinja::syntax::SyntaxConfig;
use minijinja::{Environment, UndefinedBehavior, Value};

use super::escape;
use crate::diagnostic::{Diagnostic, Severity};
use crate::model::span::Source;
use crate::terraform;

/// Steps of minijinja's machine that one page may take.
const FUEL: u64 = 2_000_000;

/// The end of every template's file name.
pub(super) const SUFFIX: &str = ".md.j2";

/// A template that is built in.
struct Builtin {
    name: &'static str,
    source: &'static str,
    /// The names that it can see.
    roots: &'static [&'static str],
}

/// What a reply sees beside the names of the event.
const REPLY: [&str; 13] =
    ["title", "sha", "commands", "next", "rows", "event", "repo", "run", "actor", "pr", "comment", "args", "inputs"];

const BUILTIN: [Builtin; 7] = [
    Builtin { name: "commands.md.j2", source: include_str!("../../templates/commands.md.j2"), roots: &["commands"] },
    Builtin { name: "next.md.j2", source: include_str!("../../templates/next.md.j2"), roots: &["next"] },
    Builtin {
        name: "dashboard.md.j2",
        source: include_str!("../../templates/dashboard.md.j2"),
        roots: &[
            "title",
            "sha",
            "short_sha",
            "pr",
            "rows",
            "rows_left_out",
            "next",
            "history",
            "history_left_out",
            "commands",
        ],
    },
    Builtin { name: "help.md.j2", source: include_str!("../../templates/help.md.j2"), roots: &REPLY },
    Builtin {
        name: "output.md.j2",
        source: include_str!("../../templates/output.md.j2"),
        roots: &["title", "short_sha", "sha", "action", "by", "run_page", "dashboard", "sections"],
    },
    Builtin {
        name: "refusal.md.j2",
        source: include_str!("../../templates/refusal.md.j2"),
        roots: &["command", "by", "kind", "reasons", "word", "nearest", "usage"],
    },
    Builtin {
        name: "summary.md.j2",
        source: include_str!("../../templates/summary.md.j2"),
        roots: &["title", "sha", "short_sha", "pr", "rows", "rows_left_out", "next", "sections"],
    },
];

/// The file names of the built-in templates.
pub(crate) fn builtin_names() -> impl Iterator<Item = &'static str> {
    BUILTIN.iter().map(|template| template.name)
}

/// Why a template could not be drawn.
#[derive(Debug, Clone, thiserror::Error)]
#[error("template `{name}`, line {line}: {reason}")]
pub(crate) struct Error {
    pub(crate) name: String,
    /// From 1; 0 where it is not known.
    pub(crate) line: usize,
    pub(crate) reason: String,
}

/// The templates of one repository.
#[derive(Debug, Clone, Default)]
pub(crate) struct Templates {
    overrides: BTreeMap<String, Source>,
}

impl Templates {
    /// Takes overrides by file name, or says everything that is wrong with them. A name that is not built in is a reply of
    /// the repository's own.
    pub(crate) fn new(overrides: BTreeMap<String, Source>) -> Result<Self, Vec<Diagnostic>> {
        let problems: Vec<Diagnostic> = overrides.iter().flat_map(|(name, source)| check(name, source)).collect();
        if problems.is_empty() { Ok(Self { overrides }) } else { Err(problems) }
    }

    /// Whether there is a template of this file name.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.overrides.contains_key(name) || builtin_names().any(|known| known == name)
    }

    /// Draws a template.
    pub(super) fn render(&self, name: &str, values: &Value) -> Result<String, Error> {
        let environment = self.environment();
        let drawn = environment.get_template(name).and_then(|template| template.render(values.clone()));
        drawn.map_err(|error| failed(name, &error))
    }

    /// Draws a template that is built in; where an override fails, the built-in one and a line about it.
    pub(super) fn render_surely(&self, name: &str, values: &Value) -> String {
        let own = self.render(name, values);
        let error = match own {
            Ok(text) => return text,
            Err(error) => error,
        };
        let builtin = Self::default().render(name, values).unwrap_or_default();
        format!("{builtin}\n\n> {}\n", escape::text(&error.to_string()))
    }

    fn environment(&self) -> Environment<'_> {
        let mut environment = bare();
        let own = self.overrides.iter().map(|(name, source)| (name.as_str(), &*source.text));
        for (name, source) in BUILTIN.iter().map(|builtin| (builtin.name, builtin.source)).chain(own) {
            // What does not parse was reported by `new`; drawing it then says that it is not there.
            let _ = environment.add_template(name, source);
        }
        environment
    }
}

fn bare() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(FUEL));
    let mut syntax = SyntaxConfig::builder();
    syntax.trim_blocks(true).lstrip_blocks(true);
    if let Ok(syntax) = syntax.build() {
        environment.set_syntax(syntax);
    }
    terraform::add_filters(&mut environment);
    escape::install(&mut environment);
    environment
}

fn failed(name: &str, error: &minijinja::Error) -> Error {
    let mut innermost = error;
    // What fails within an included template is said by the cause.
    while let Some(cause) = std::error::Error::source(innermost).and_then(|cause| cause.downcast_ref()) {
        innermost = cause;
    }
    let name = innermost.name().unwrap_or(name).to_owned();
    Error { name, line: innermost.line().unwrap_or_default(), reason: reason(innermost) }
}

fn reason(error: &minijinja::Error) -> String {
    match error.detail() {
        Some(detail) => format!("{}: {detail}", error.kind()),
        None => error.kind().to_string(),
    }
}

/// What is wrong with an override: that it does not parse, or that it asks for what it cannot see.
fn check(name: &str, source: &Source) -> Vec<Diagnostic> {
    let mut environment = bare();
    if let Err(error) = environment.add_template("checked", &source.text) {
        return vec![syntax(source, &error)];
    }
    let Ok(template) = environment.get_template("checked") else { return Vec::new() };
    let roots = BUILTIN.iter().find(|builtin| builtin.name == name).map_or(&REPLY[..], |builtin| builtin.roots);
    let mut unknown: Vec<String> =
        template.undeclared_variables(false).into_iter().filter(|root| !roots.contains(&root.as_str())).collect();
    unknown.sort();
    unknown.into_iter().map(|root| unknown_name(name, source, &root, roots)).collect()
}

fn syntax(source: &Source, error: &minijinja::Error) -> Diagnostic {
    let line = || line_span(source, error.line().unwrap_or(1));
    Diagnostic {
        code: "template-syntax",
        severity: Severity::Error,
        source: source.clone(),
        span: error.range().filter(|range| range.end <= source.text.len()).unwrap_or_else(line),
        message: reason(error),
        label: None,
        help: None,
        related: Vec::new(),
    }
}

fn unknown_name(name: &str, source: &Source, root: &str, roots: &[&str]) -> Diagnostic {
    let start = find_word(&source.text, root).unwrap_or_default();
    let near = roots.iter().copied().max_by(|a, b| strsim::jaro(a, root).total_cmp(&strsim::jaro(b, root)));
    let near = near.filter(|near| strsim::jaro(near, root) > 0.75);
    Diagnostic {
        code: "unknown-variable",
        severity: Severity::Error,
        source: source.clone(),
        span: start..start + root.len().min(source.text.len() - start),
        message: format!("unknown variable `{root}` in template `{name}`"),
        label: Some("not known here".to_owned()),
        help: Some(match near {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("known here: {}", roots.join(", ")),
        }),
        related: Vec::new(),
    }
}

/// The place of a name within the first tag that holds it as a whole word.
fn find_word(text: &str, word: &str) -> Option<usize> {
    let part = |c: char| c.is_alphanumeric() || c == '_' || c == '.';
    let mut found = text.match_indices(word).map(|(at, _)| at).filter(|at| {
        let (before, after) = (&text[..*at], &text[at + word.len()..]);
        let opened = before.rfind("{{").max(before.rfind("{%"));
        let closed = before.rfind("}}").max(before.rfind("%}"));
        let whole = !before.ends_with(part) && !after.starts_with(|c: char| c.is_alphanumeric() || c == '_');
        opened.is_some() && opened > closed && whole
    });
    found.next()
}

fn line_span(source: &Source, line: usize) -> std::ops::Range<usize> {
    let start = source.text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum::<usize>();
    let start = start.min(source.text.len());
    start..start + source.line_text(line).len().min(source.text.len() - start)
}
