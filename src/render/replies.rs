//! The comments beside the dashboard: what a run printed, why a command was refused, and replies such as the help. It
//! does not know who is to be answered, nor whether an earlier answer is edited.

use minijinja::Value;
use minijinja::value::Serde;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::dashboard::{next_value, reply_rows};
use super::fit::{COMMENT, fit};
use super::needs::commands;
use super::next::next_step;
use super::templates::{Error, SUFFIX, Templates};
use super::{dashboard, escape, marker};
use crate::expr::Scope;
use crate::model::board::{Board, Status};
use crate::model::ids::Sha;
use crate::model::journal::cut;
use crate::model::rules::Rules;

/// The most characters of a title or a note.
const TITLE: usize = 200;
const NOTE: usize = 1_000;

/// What one run of a handler printed, as one comment.
#[derive(Debug, Clone)]
pub(crate) struct Output<'a> {
    pub(crate) rules: &'a Rules,
    /// Tells this comment from others of ours: the run and the handler.
    pub(crate) key: &'a str,
    /// What ran, e.g. the name of the stage or the handler.
    pub(crate) title: &'a str,
    pub(crate) sha: &'a Sha,
    /// What was asked, and who asked.
    pub(crate) action: Option<&'a str>,
    pub(crate) by: Option<&'a str>,
    /// The page of the run, where the whole text can be read.
    pub(crate) run_page: Option<&'a str>,
    /// The page of the dashboard.
    pub(crate) dashboard: Option<&'a str>,
    /// One for each layer, or one alone.
    pub(crate) sections: Vec<Section<'a>>,
}

/// What one job printed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Section<'a> {
    /// The title of its row or its layer.
    pub(crate) title: &'a str,
    pub(crate) status: Status,
    pub(crate) note: &'a str,
    /// Plain text; may be empty.
    pub(crate) text: &'a str,
    /// The language that colours it, such as `diff`; may be empty.
    pub(crate) language: &'a str,
    /// Markdown of our own making that stands before the text, such as the table of a plan's changes; may be empty.
    pub(crate) details: &'a str,
    /// Where the whole text can be read.
    pub(crate) whole: Option<&'a str>,
}

/// The comment with what a run printed: at most [`COMMENT`] bytes.
pub(crate) fn output(templates: &Templates, output: &Output<'_>) -> String {
    let head = format!("{}\n", marker::tag(output.rules, "output", output.key));
    let room = COMMENT.saturating_sub(head.len());
    let text = |text: Option<&str>| Value::from(cut(text.unwrap_or_default(), TITLE));
    let address = |address: Option<&str>| Value::from(address.filter(|address| address.len() <= 1_000));
    let values: [(&str, Value); 8] = [
        ("title", text(Some(output.title))),
        ("sha", Value::from(output.sha.as_str())),
        ("short_sha", Value::from(output.sha.short())),
        ("action", text(output.action)),
        ("by", text(output.by)),
        ("run_page", address(output.run_page)),
        ("dashboard", address(output.dashboard)),
        ("sections", sections(&output.sections, room.saturating_sub(4_000))),
    ];
    let body = templates.render_surely("output.md.j2", &Value::from_pairs(values));
    head + &fit(&body, room, output.run_page)
}

/// Sections as templates see them. They share `room`: who needs less than an equal share leaves the rest to the others.
pub(super) fn sections(sections: &[Section<'_>], room: usize) -> Value {
    let mut by_size: Vec<usize> = (0..sections.len()).collect();
    by_size.sort_by_key(|at| sections[*at].text.len() + sections[*at].details.len());
    let mut bodies = vec![String::new(); sections.len()];
    let mut left = room;
    for (done, at) in by_size.into_iter().enumerate() {
        let share = left / (sections.len() - done);
        bodies[at] = body(&sections[at], share.saturating_sub(500));
        left = left.saturating_sub(bodies[at].len() + 500);
    }
    Value::from_iter(sections.iter().zip(bodies).map(|(section, body)| {
        let values: [(&str, Value); 6] = [
            ("title", Value::from(cut(section.title, TITLE))),
            ("icon", Value::from(dashboard::icon(section.status))),
            ("status", Value::from(section.status.word())),
            ("failed", Value::from(section.status == Status::Failure)),
            ("note", Value::from(cut(section.note, NOTE))),
            ("body", Value::from_safe_string(body.trim_end().to_owned())),
        ];
        Value::from_pairs(values)
    }))
}

/// Details and text of a section in at most `room` bytes; the text is in a fence.
fn body(section: &Section<'_>, room: usize) -> String {
    let details = fit(section.details.trim(), room / 2, section.whole);
    if section.text.trim().is_empty() {
        return details;
    }
    let text = fit(&escape::fence(section.text, section.language), room - details.len(), section.whole);
    if details.is_empty() { text } else { format!("{details}\n\n{text}") }
}

/// One thing that a gate asks and that does not hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Reason {
    /// The stable code, such as `permission`.
    pub(crate) code: String,
    /// What does not hold.
    pub(crate) message: String,
    /// What to do; may be empty.
    pub(crate) remedy: String,
    /// The layer that is held back, where it is not all of them.
    pub(crate) layer: Option<String>,
}

/// A command that is not carried out.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Refusal<'a> {
    pub(crate) command: &'a str,
    /// Who asked.
    pub(crate) by: &'a str,
    /// Whether some of it is carried out all the same.
    pub(crate) partly: bool,
    /// Whether each line gets an answer of its own: whoever may not write could make us write as many as he likes.
    pub(crate) by_line: bool,
    pub(crate) reasons: &'a [Reason],
}

/// The comment that says why a command is not carried out: at most [`COMMENT`] bytes. Its first line is the same whenever
/// the same person writes the same command, to the letter where answers are by line, so that this earlier answer, and nobody
/// else's, can be found and edited.
pub(crate) fn refusal(templates: &Templates, rules: &Rules, refusal: &Refusal<'_>) -> String {
    let Refusal { command, by, partly, by_line, reasons } = *refusal;
    let values: [(&str, Value); 4] = [
        ("command", Value::from(cut(command, TITLE))),
        ("by", Value::from(cut(by, TITLE))),
        ("partly", Value::from(partly)),
        ("reasons", Value::from(Serde(reasons))),
    ];
    let word = command.split_whitespace().next().unwrap_or_default();
    // Whatever the slips, one answer is enough.
    let slip = reasons.iter().any(|reason| reason.code == "unknown-command");
    let word = if slip { "nearly" } else { word };
    let line = if slip || !by_line { "" } else { command };
    let by_whom = by.to_lowercase();
    let told_apart = digest([by_whom.as_str()].into_iter().chain(line.split_whitespace()));
    let key = format!("{}.{told_apart}", cut(word, TITLE));
    let head = format!("{}\n", marker::tag(rules, "reply", &key));
    let body = templates.render_surely("refusal.md.j2", &Value::from_pairs(values));
    let room = COMMENT.saturating_sub(head.len());
    head + &fit(&body, room, None)
}

/// Words as a few letters that tell them from others.
fn digest<'a>(words: impl Iterator<Item = &'a str>) -> String {
    let mut hash = Sha256::new();
    for word in words {
        hash.update(word);
        hash.update([0]);
    }
    hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// The text of an issue about drift: what was found, what was printed, and the run that found it.
pub(crate) fn drift(note: &str, output: Option<&str>, run_page: &str) -> String {
    let said = if note.is_empty() { "Changes were found that no commit made." } else { note };
    let run = escape::link("the run", Some(run_page));
    let text = output.map_or_else(String::new, |output| escape::fence(output, "diff"));
    fit(&format!("{}\n\nFound by {run}.\n\n{text}", escape::text(said)), COMMENT, Some(run_page))
}

/// A text of somebody else's as a line of markdown.
pub(crate) fn escaped(untrusted: &str) -> String {
    escape::text(untrusted)
}

/// A reply from the template `name` (`help` is `help.md.j2`), over what the event gives and what the board says: at most
/// [`COMMENT`] bytes.
pub(crate) fn reply(
    templates: &Templates,
    name: &str,
    rules: &Rules,
    board: Option<&Board>,
    scope: &Scope,
) -> Result<String, Error> {
    let nothing = Board::default();
    let known = board.unwrap_or(&nothing);
    let own: [(&str, Value); 4] = [
        ("title", Value::from(rules.dashboard.title.as_str())),
        ("commands", Value::from(Serde(commands(rules, board)))),
        ("rows", reply_rows(&known.rows)),
        ("next", next_value(&next_step(rules, known))),
    ];
    let mut scope = scope.clone();
    for (name, value) in own {
        scope.set_value(name, value);
    }
    let file = if name.ends_with(SUFFIX) { name.to_owned() } else { format!("{name}{SUFFIX}") };
    let body = templates.render(&file, &scope.value())?;
    let head = format!("{}\n", marker::tag(rules, "reply", name));
    let room = COMMENT.saturating_sub(head.len());
    Ok(head + &fit(&body, room, None))
}
