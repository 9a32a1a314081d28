//! Handlers and their steps.

use std::time::Duration;

use super::values::{condition, plain, template, template_of, templates};
use super::{Entry, Of, Resolver};
use crate::config::report::hint;
use crate::config::shape::{Given, Handler as Shape, Node, Step as StepShape, Texts, Tree};
use crate::diagnostic::Code;
use crate::model::rules::{Checkout, Handler, Kind, Step, Template, Unlock};
use crate::model::span::{At, Span};

/// What a run may take where nothing is said.
const TIMEOUT: Duration = Duration::from_secs(3600);

/// The word that makes a handler's kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Word {
    Steps,
    Dispatch,
    Report,
    Delegate,
    Reply,
    Api,
    Unlock,
}

impl Word {
    fn as_str(self) -> &'static str {
        match self {
            Self::Steps => "steps",
            Self::Dispatch => "dispatch",
            Self::Report => "report",
            Self::Delegate => "delegate",
            Self::Reply => "reply",
            Self::Api => "api",
            Self::Unlock => "unlock",
        }
    }
}

impl Resolver<'_> {
    pub(super) fn handler(&mut self, entry: &Entry<'_, Shape>) -> Option<Handler> {
        let Entry { key, shape, span } = entry;
        self.note_what_is_lost(entry);
        let stage = shape.stage.value().and_then(|stage| self.use_of(Of::Stage, stage));
        let timeout = self.duration(&shape.timeout).unwrap_or(TIMEOUT);
        let record = self.record(shape, self.vague.contains(&key.value));
        if let Some(dir) = shape.dir.value() {
            self.check_inside(dir);
        }
        let word = self.word(entry);
        if let Some(word) = word {
            self.beside(word, shape);
        }
        // A record is kept in the row.
        if word == Some(Word::Report) || record.is_some() {
            self.required(&shape.stage, "stage", &key.span, span);
        }
        let kind = self.kind(word?, entry)?;
        Some(Handler {
            key: (*key).clone(),
            kind,
            stage,
            // A word that is not taken is meant to be `layer` all the same.
            each: !shape.each.is_absent(),
            dir: template_of(&shape.dir).unwrap_or_else(|| Template { source: ".".to_owned(), span: key.span.clone() }),
            env: self.environment(shape.env.value()),
            require_env: plain(&shape.require_env),
            timeout,
            lock: shape.lock.value().is_some_and(|lock| lock.value),
            note: template_of(&shape.note),
            link: template_of(&shape.link),
            sha: template_of(&shape.sha),
            record,
            issue: template_of(&shape.issue),
            fail_on_changed: shape.fail_on_changed.value().is_some_and(|fail| fail.value),
            checkout: shape.checkout.value().map_or(Checkout::default(), |checkout| checkout.value),
            mode: self.plain_word("mode", &shape.mode),
        })
    }

    /// What a handler could have used or captured, had it been read whole.
    fn note_what_is_lost(&mut self, entry: &Entry<'_, Shape>) {
        let dropped = self.report.dropped_within(&entry.span);
        if dropped || entry.shape.stage == Given::Wrong {
            self.names.lost(Of::Stage);
        }
        if dropped || !captures_are_whole(entry.shape) {
            self.vague.insert(entry.key.value.clone());
        }
    }

    /// The one kind of the handler.
    fn word(&mut self, entry: &Entry<'_, Shape>) -> Option<Word> {
        let Entry { key, shape, span } = entry;
        let kinds = kinds(shape, &key.span);
        if let [(_, first), rest @ ..] = &*kinds {
            for (word, at) in rest {
                let message = format!("the handler `{}` has a second kind, `{}`", key.value, word.as_str());
                self.report
                    .error(Code::TwoKinds, at, message)
                    .related(first, "the first")
                    .help("make two handlers of it, and name both in the rule's `run`");
            }
        }
        if kinds.is_empty() && !self.report.dropped_within(span) {
            self.report
                .error(
                    Code::NoKind,
                    &key.span,
                    format!("the handler `{}` does not say how its work is done", key.value),
                )
                .help("add one of `steps`, `dispatch`, `report`, `delegate`, `reply`, `api`, `unlock`");
        }
        kinds.first().map(|(word, _)| *word)
    }

    fn kind(&mut self, word: Word, entry: &Entry<'_, Shape>) -> Option<Kind> {
        let shape = entry.shape;
        Some(match word {
            Word::Steps => Kind::Steps(self.steps(entry)),
            Word::Dispatch => Kind::Dispatch {
                workflow: self.plain_word("dispatch", &shape.dispatch)?,
                reference: template_of(&shape.reference),
                inputs: templates(shape.inputs.value().map(|inputs| &inputs.value)),
            },
            Word::Report => Kind::Report(template_of(&shape.report)?),
            Word::Delegate => Kind::Delegate(self.plain_word("delegate", &shape.delegate)?),
            Word::Reply => Kind::Reply(shape.reply.value()?.clone()),
            Word::Api => self.api(entry)?,
            Word::Unlock => Kind::Unlock(self.unlock(shape.unlock.value()?)?),
        })
    }

    fn unlock(&mut self, unlock: &Texts) -> Option<Unlock> {
        match unlock {
            Texts::One(word) if word.value == "all" => Some(Unlock::All),
            Texts::One(word) => {
                self.report
                    .error(Code::UnknownValue, &word.span, format!("unknown value `{}`", word.value))
                    .help("write `all`, or a list of layers");
                None
            }
            Texts::List(..) => {
                let layers = unlock.iter().filter_map(|layer| self.known(Of::Layer, layer));
                Some(Unlock::Layers(layers.map(|layer| layer.value).collect()))
            }
        }
    }

    fn api(&mut self, entry: &Entry<'_, Shape>) -> Option<Kind> {
        let api = entry.shape.api.value()?;
        let (method, path) = self.call(api)?;
        let mut texts = Vec::new();
        let body = entry.shape.body.value().map(|body| json(body, &mut texts));
        self.bodies.insert(entry.key.value.clone(), texts);
        let path = Template { source: path.to_owned(), span: api.span.clone() };
        Some(Kind::Api { method: method.to_owned(), path, body })
    }

    /// `METHOD PATH`, the path below this repository.
    fn call<'t>(&mut self, api: &'t At<String>) -> Option<(&'t str, &'t str)> {
        const METHODS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];
        let split = api.value.split_once(' ').map(|(method, path)| (method, path.trim()));
        let Some((method, path)) = split.filter(|(method, _)| METHODS.contains(method)) else {
            self.report.error(Code::UnsafePath, &api.span, format!("`{}` is no call", api.value)).help(format!(
                "write one of {} and a path, such as `POST /repos/{{owner}}/{{repo}}/labels`",
                METHODS.join(", ")
            ));
            return None;
        };
        let inside = path.starts_with("/repos/{owner}/{repo}/");
        let up = path.split(['/', '?']).any(|part| part == ".." || part.to_ascii_lowercase().contains("%2e"));
        if !inside || up {
            self.report
                .error(Code::UnsafePath, &api.span, format!("`{path}` leads out of this repository"))
                .help("begin the path with `/repos/{owner}/{repo}/`, literally: `ci` fills them in");
            return None;
        }
        if let Some(name) = strange_placeholder(path) {
            let known = PLACEHOLDERS.map(|name| format!("`{{{name}}}`")).join(", ");
            self.report.error(Code::UnsafePath, &api.span, format!("nothing fills in `{{{name}}}`")).help(format!(
                "`ci` fills in {known} alone; a name of templates stands in two braces, as in `{{{{ event.number }}}}`"
            ));
            return None;
        }
        Some((method, path))
    }

    /// Keys that only another kind has.
    fn beside(&mut self, word: Word, shape: &Shape) {
        let kinds = kinds(shape, &(0..0));
        let text = |given: &Given<At<String>>| given.value().map(|text| text.span.clone());
        let lock = shape.lock.value().filter(|lock| lock.value).map(|lock| lock.span.clone());
        let named = |name: &'static str, span: Option<Span>, only: &'static [Word]| (name, span, only);
        let keys = [
            named("ref", text(&shape.reference), &[Word::Dispatch]),
            named("inputs", shape.inputs.value().map(|inputs| inputs.span.clone()), &[Word::Dispatch]),
            named("body", shape.body.value().map(|body| body.span.clone()), &[Word::Api]),
            named("dir", text(&shape.dir), &[Word::Steps]),
            named("checkout", shape.checkout.value().map(|checkout| checkout.span.clone()), &[Word::Steps]),
            named("fail-on-changed", shape.fail_on_changed.value().map(|fail| fail.span.clone()), &[Word::Steps]),
            named("record", shape.record.value().map(|record| record.span.clone()), &[Word::Steps]),
            named("issue", text(&shape.issue), &[Word::Steps]),
            named("lock", lock.clone(), &[Word::Steps]),
        ];
        for (name, span, only) in keys {
            // Beside two kinds it may belong to the second one, which is a problem of its own.
            let belongs = only.contains(&word) || kinds.iter().any(|(kind, _)| only.contains(kind));
            let Some(span) = span.filter(|_| !belongs) else { continue };
            let only: Vec<_> = only.iter().map(|word| format!("`{}`", word.as_str())).collect();
            self.misplaced(name, &span, &format!("it belongs to handlers with {}", only.join(" or ")));
        }
        if let (Word::Steps, Some(lock), true) = (word, lock, shape.each.is_absent()) {
            self.report
                .error(Code::MisplacedKey, &lock, "`lock` means nothing here: a handler without `each` has no layer")
                .help("add `each = \"layer\"`, so that it runs once for each layer and takes that one");
        }
    }

    fn record(&mut self, shape: &Shape, vague: bool) -> Option<String> {
        let record = match &shape.record {
            Given::Absent => return None,
            // It was reported, and is not to be reported again as a stage for which nothing is recorded.
            Given::Wrong => return Some(String::new()),
            Given::Value(record) => record,
        };
        let Some(capture) = self.required(&record.changes, "changes", &record.span, &record.span) else {
            return Some(String::new());
        };
        let steps = shape.steps.value().into_iter().flatten().filter_map(|step| step.value.value());
        let captures: Vec<&str> = steps.filter_map(|step| step.capture.value()).map(|name| &*name.value).collect();
        if !vague && shape.steps.value().is_some() && !captures.contains(&&*capture.value) {
            let help = match captures.is_empty() {
                true => format!("add `capture = \"{}\"` to the step whose output is meant", capture.value),
                false => hint(&capture.value, "captures", captures),
            };
            let message = format!("no step of the handler captures `{}`", capture.value);
            self.report.error(Code::UnknownCapture, &capture.span, message).help(help);
        }
        Some(capture.value.clone())
    }

    fn steps(&mut self, entry: &Entry<'_, Shape>) -> Vec<Step> {
        let steps = entry.shape.steps.value().map_or(&[][..], Vec::as_slice);
        if entry.shape.steps.value().is_some() && steps.is_empty() {
            let message = format!("the handler `{}` has no steps", entry.key.value);
            self.report.error(Code::MissingKey, &entry.key.span, message).help("add one: `{ run = [\"PROGRAM\", …] }`");
        }
        steps.iter().filter_map(|step| self.step(step.value.value()?, &step.span)).collect()
    }

    fn step(&mut self, shape: &StepShape, span: &Span) -> Option<Step> {
        let run = self.required(&shape.run, "run", span, span);
        if let Some(run) = run.filter(|run| run.value.is_empty()) {
            self.report.error(Code::MissingKey, &run.span, "`run` names no program").help("write `[\"PROGRAM\", …]`");
        }
        if let Some(dir) = shape.dir.value() {
            self.check_inside(dir);
        }
        let timeout = self.duration(&shape.timeout);
        let matches = shape.matches.value().and_then(|stage| self.known(Of::Stage, stage));
        if let (Some(matches), true) = (&matches, shape.capture.is_absent()) {
            self.report
                .error(
                    Code::MissingKey,
                    &matches.span,
                    "`matches` compares what the step captures, and it captures nothing",
                )
                .help("add `capture = \"plan\"`");
        }
        let ok = self.exit_codes(&shape.ok);
        Some(Step {
            run: run?.iter().filter_map(Given::value).map(template).collect(),
            dir: template_of(&shape.dir),
            env: self.environment(shape.env.value()),
            ok: if ok.is_empty() { vec![0] } else { ok },
            changed: self.exit_codes(&shape.changed),
            output: shape.output.value().copied().unwrap_or_default(),
            capture: self.capture(&shape.capture),
            quiet: shape.quiet.value().copied().unwrap_or_default(),
            timeout,
            condition: condition(&shape.condition),
            matches,
            token: shape.token.value().copied().unwrap_or_default(),
            oidc: shape.oidc.value().copied().unwrap_or_default(),
        })
    }

    fn exit_codes(&mut self, codes: &Given<Vec<Given<At<i32>>>>) -> Vec<i32> {
        let codes = codes.value().into_iter().flatten().filter_map(Given::value);
        for code in codes.clone().filter(|code| !(0..=255).contains(&code.value)) {
            self.report
                .error(Code::WrongType, &code.span, format!("`{}` is no exit code", code.value))
                .help("exit codes are 0 to 255");
        }
        codes.map(|code| code.value).collect()
    }
}

/// Whether every step could be read, with the name of its capture.
fn captures_are_whole(shape: &Shape) -> bool {
    let whole = |step: &At<Given<StepShape>>| step.value.value().is_some_and(|step| step.capture != Given::Wrong);
    !matches!(shape.steps, Given::Wrong) && shape.steps.value().is_none_or(|steps| steps.iter().all(whole))
}

/// The kinds that a handler has, wrong ones too, in the order of the file.
fn kinds(shape: &Shape, at: &Span) -> Vec<(Word, Span)> {
    fn place<T>(given: &Given<T>, span: impl Fn(&T) -> Span, at: &Span) -> Option<Span> {
        match given {
            Given::Absent => None,
            Given::Wrong => Some(at.clone()),
            Given::Value(value) => Some(span(value)),
        }
    }
    let text = |given| place(given, |text: &At<String>| text.span.clone(), at);
    let steps = |steps: &Vec<At<Given<StepShape>>>| steps.first().map_or(at.clone(), |first| first.span.clone());
    let all = [
        (Word::Steps, place(&shape.steps, steps, at)),
        (Word::Dispatch, text(&shape.dispatch)),
        (Word::Report, text(&shape.report)),
        (Word::Delegate, text(&shape.delegate)),
        (Word::Reply, text(&shape.reply)),
        (Word::Api, text(&shape.api)),
        (Word::Unlock, place(&shape.unlock, |unlock: &Texts| unlock.span().clone(), at)),
    ];
    let mut kinds: Vec<_> = all.into_iter().filter_map(|(word, span)| Some((word, span?))).collect();
    kinds.sort_by_key(|(_, span)| span.start);
    kinds
}

/// What is filled in where a path names it in single braces.
const PLACEHOLDERS: [&str; 3] = ["owner", "repo", "pr"];

/// A word in single braces that is none of ours. No path has braces of its own, but templates have.
fn strange_placeholder(path: &str) -> Option<&str> {
    let mut rest = path;
    loop {
        rest = &rest[rest.find('{')?..];
        let end = match rest.get(..2) {
            Some("{{") => rest.find("}}")? + 2,
            Some("{%") => rest.find("%}")? + 2,
            Some("{#") => rest.find("#}")? + 2,
            _ => rest.find('}')? + 1,
        };
        let name = rest[..end].trim_matches(['{', '}']);
        let is_word =
            !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
        if is_word && !rest.starts_with("{{") && !PLACEHOLDERS.contains(&name) {
            return Some(name);
        }
        rest = &rest[end..];
    }
}

/// A value as JSON; its texts, with their places, are added to `texts`.
fn json(node: &Node, texts: &mut Vec<Template>) -> serde_json::Value {
    match &node.value {
        Tree::Text(text) => {
            texts.push(Template { source: text.clone(), span: node.span.clone() });
            text.clone().into()
        }
        Tree::Plain(value) => value.clone(),
        Tree::List(list) => list.iter().map(|node| json(node, texts)).collect(),
        Tree::Table(table) => table.iter().map(|(key, node)| (key.clone(), json(node, texts))).collect(),
    }
}
