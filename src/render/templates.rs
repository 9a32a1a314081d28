//! The templates of comments: built in, and overridden by file name. A wrong override is reported with its place; one
//! that fails all the same when it is drawn gives way to the built-in one, with a line that says so.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use minijinja::syntax::SyntaxConfig;
use minijinja::{Environment, UndefinedBehavior, Value};

use super::escape;
use super::sample::sample;
use crate::diagnostic::{Code, Diagnostic};
use crate::model::nearest::nearest;
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
        roots: &["command", "by", "partly", "reasons"],
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
    /// Made when something is drawn for the first time; it keeps what it parsed.
    environment: OnceLock<Environment<'static>>,
}

impl Templates {
    /// Takes overrides by file name, or says everything that is wrong with them. A name that is not built in is a reply of
    /// the repository's own, or, with `_` before it, a part that others include.
    pub(crate) fn new(overrides: BTreeMap<String, Source>) -> Result<Self, Vec<Diagnostic>> {
        let templates = Self { overrides, environment: OnceLock::new() };
        let problems: Vec<Diagnostic> =
            templates.overrides.iter().flat_map(|(name, source)| templates.check(name, source)).collect();
        if problems.is_empty() { Ok(templates) } else { Err(problems) }
    }

    /// Draws a template.
    pub(super) fn render(&self, name: &str, values: &Value) -> Result<String, Error> {
        let drawn = self.environment().get_template(name).and_then(|template| template.render(values.clone()));
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

    /// What is wrong with an override: that it does not parse, that it asks for what it cannot see, or that it cannot be
    /// drawn with a sample.
    fn check(&self, name: &str, source: &Source) -> Vec<Diagnostic> {
        let mut environment = self.environment().clone();
        let builtin = BUILTIN.iter().find(|builtin| builtin.name == name);
        let roots = builtin.map_or(&REPLY[..], |builtin| builtin.roots);
        // What an event holds is not known before it comes: replies may ask it for anything.
        if roots == REPLY {
            environment.set_undefined_behavior(UndefinedBehavior::Chainable);
        }
        let template = match environment.get_template(name) {
            Ok(template) => template,
            Err(error) => return vec![broken(Code::TemplateSyntax, source, &error)],
        };
        if builtin.is_none() && name.starts_with('_') {
            return Vec::new();
        }
        let mut unknown: Vec<String> =
            template.undeclared_variables(false).into_iter().filter(|root| !roots.contains(&root.as_str())).collect();
        unknown.sort();
        if unknown.is_empty() {
            // An error of an included template is reported where that one is checked.
            let drawn = template.render(sample()).err().filter(|error| error.name() == Some(name));
            return drawn.map(|error| broken(Code::TemplateError, source, &error)).into_iter().collect();
        }
        unknown.into_iter().map(|root| unknown_name(name, source, &root, roots)).collect()
    }

    fn environment(&self) -> &Environment<'static> {
        self.environment.get_or_init(|| {
            let own = self.overrides.clone();
            let mut environment = bare();
            environment.set_loader(move |name| {
                let builtin =
                    || BUILTIN.iter().find(|builtin| builtin.name == name).map(|builtin| builtin.source.to_owned());
                Ok(own.get(name).map(|source| source.text.to_string()).or_else(builtin))
            });
            environment
        })
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

fn broken(code: Code, source: &Source, error: &minijinja::Error) -> Diagnostic {
    let line = || line_span(source, error.line().unwrap_or(1));
    let span = error.range().filter(|range| range.end <= source.text.len()).unwrap_or_else(line);
    Diagnostic::error(code, source, span, reason(error))
}

fn unknown_name(name: &str, source: &Source, root: &str, roots: &[&str]) -> Diagnostic {
    let start = find_word(&source.text, root).unwrap_or_default();
    let span = start..start + root.len().min(source.text.len() - start);
    let message = format!("unknown variable `{root}` in template `{name}`");
    let help = match nearest(root, roots.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("known here: {}", roots.join(", ")),
    };
    Diagnostic::error(Code::UnknownVariable, source, span, message).label("not known here").help(help)
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use minijinja::Value;

    use super::{Templates, builtin_names};
    use crate::model::span::Source;

    fn with(name: &str, text: &str) -> Result<Templates, Vec<(usize, String, Option<String>)>> {
        let source = Source::new(format!("templates/{name}"), text);
        Templates::new(BTreeMap::from([(name.to_owned(), source)])).map_err(|problems| {
            let place = |problem: &crate::diagnostic::Diagnostic| problem.source.line(problem.span.start);
            problems.into_iter().map(|problem| (place(&problem), problem.message.clone(), problem.help)).collect()
        })
    }

    #[test]
    fn every_builtin_template_passes_as_an_override() {
        for builtin in super::BUILTIN {
            assert!(with(builtin.name, builtin.source).is_ok(), "{}", builtin.name);
        }
        assert_eq!(builtin_names().count(), super::BUILTIN.len());
    }

    #[test]
    fn a_wrong_override_is_reported_with_its_line() {
        let problems = with("dashboard.md.j2", "rows\n\n{{ titel }}\n").unwrap_err();
        assert_eq!(
            problems,
            [(
                3,
                "unknown variable `titel` in template `dashboard.md.j2`".into(),
                Some("did you mean `title`?".into())
            )]
        );
        assert_eq!(with("dashboard.md.j2", "a\n{% if %}").unwrap_err()[0].0, 2);
        let problems = with("dashboard.md.j2", "{% for row in rows %}\n{{ row.titel }}\n{% endfor %}").unwrap_err();
        assert_eq!((problems[0].0, problems[0].1.as_str()), (2, "undefined value: `row.titel` is undefined"));
        assert!(with("welcome.md.j2", "{{ actor }} {{ event.action }}").is_ok());
    }

    #[test]
    fn an_override_that_fails_when_drawn_gives_way_and_is_named() {
        let text = "\n{% if next.kind == 'ready' %}{{ next.nowhere }}{% endif %}";
        let templates = with("next.md.j2", text).unwrap();
        let empty = ["title", "link", "more", "note", "advice", "joint", "command"].map(|key| (key, ""));
        let next = Value::from_pairs([("kind", "ready"), ("icon", "✅")].into_iter().chain(empty));
        let drawn = templates.render_surely("next.md.j2", &Value::from_pairs([("next", next)]));
        assert!(drawn.starts_with("✅ **Ready to merge**"), "{drawn}");
        assert!(drawn.contains("template `next.md.j2`, line 2: undefined value"), "{drawn}");
    }

    #[test]
    fn a_template_cannot_switch_escaping_off() {
        assert!(with("welcome.md.j2", "{{ actor | safe }}").is_err());
        let templates = with("welcome.md.j2", "{% autoescape false %}{{ actor }}{% endautoescape %}").unwrap();
        let drawn = templates.render("welcome.md.j2", &Value::from_pairs([("actor", "<b>")])).unwrap();
        assert_eq!(drawn, "&lt;b&gt;");
    }
}
