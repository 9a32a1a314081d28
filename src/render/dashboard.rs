//! The dashboard of one commit as markdown, and the job summary with the same table. Marker and state stand first; rows,
//! commands and history share what is left of a comment. It does not know where the comment is kept.

use std::collections::BTreeMap;

use minijinja::Value;
use minijinja::value::Serde;
use serde::Serialize;

use super::fit::{COMMENT, SUMMARY, fit};
use super::marker::{marker, state};
use super::needs::{CommandHelp, commands};
use super::next::{NextStep, next_step};
use super::replies::{Section, sections};
use super::templates::Templates;
use super::{Page, escape, time};
use crate::model::board::{Happening, Row, Status};
use crate::model::journal::cut;

/// The most bytes that the state takes of a comment.
const STATE: usize = COMMENT / 3;

/// The most characters of a title or a note that a cell shows, and of an address that is linked.
const TITLE: usize = 200;
const NOTE: usize = 400;
const ADDRESS: usize = 1_000;

/// The bytes of markup around the texts of a row, of a line of history, of a command.
const MARKUP: usize = 40;

/// A row of the table, as templates see it.
#[derive(Debug, Clone, Serialize)]
pub(super) struct RowView {
    id: String,
    title: String,
    status: &'static str,
    icon: &'static str,
    /// The page of the run, behind the status.
    run_page: Option<String>,
    note: String,
    /// The note, or a word to hang the link on.
    output: String,
    link: Option<String>,
    time: String,
}

/// A line of the history, as templates see it.
#[derive(Debug, Clone, Serialize)]
struct HappeningView {
    action: String,
    by: String,
    icon: &'static str,
    title: String,
    note: String,
    link: Option<String>,
    time: String,
}

/// The sign of a status.
pub(super) fn icon(status: Status) -> &'static str {
    match status {
        Status::Pending => "⏳",
        Status::Running => "🔄",
        Status::Success => "✅",
        Status::Failure => "❌",
        Status::Skipped | Status::Dropped => "⏭️",
    }
}

/// The comment: at most [`COMMENT`] bytes, whatever the board holds.
pub(crate) fn dashboard(templates: &Templates, page: &Page<'_>) -> String {
    let head = format!("{}\n{}\n", marker(page.rules, page.sha), state(page, STATE));
    let room = COMMENT.saturating_sub(head.len());
    let body = templates.render_surely("dashboard.md.j2", &values(page, room, &[]));
    head + &fit(&body, room, None)
}

/// The job summary: the table and the next step, then what the work printed; at most [`SUMMARY`] bytes.
pub(crate) fn summary(templates: &Templates, page: &Page<'_>, printed: &[Section<'_>]) -> String {
    let body = templates.render_surely("summary.md.j2", &values(page, SUMMARY, printed));
    fit(&body, SUMMARY, None)
}

/// What the templates of a page see. Commands take at most a quarter of `room`, rows a half, the history the rest.
pub(super) fn values(page: &Page<'_>, room: usize, printed: &[Section<'_>]) -> Value {
    let room = room.saturating_sub(4_000);
    let commands: Vec<CommandHelp> = within(commands(page.rules, Some(page.board)), room / 4, command_size).0;
    let (rows, rows_left_out) = rows(&page.board.rows, room / 2);
    let spent: usize = rows.iter().map(row_size).sum::<usize>() + commands.iter().map(command_size).sum::<usize>();
    let lines: Vec<HappeningView> =
        page.board.history.iter().take(page.rules.dashboard.history).map(HappeningView::from).collect();
    let (history, _) = within(lines, room.saturating_sub(spent), happening_size);
    let history_left_out = page.board.history.len() - history.len();
    let values: [(&str, Value); 11] = [
        ("title", Value::from(cut(&page.rules.dashboard.title, TITLE))),
        ("sha", Value::from(page.sha.as_str())),
        ("short_sha", Value::from(page.sha.short())),
        ("pr", page.pr.map_or(Value::from(()), |pr| Value::from(pr.0))),
        ("rows", Value::from(Serde(rows))),
        ("rows_left_out", Value::from(rows_left_out)),
        ("next", next_value(&next_step(page.rules, page.board))),
        ("history", Value::from(Serde(history))),
        ("history_left_out", Value::from(history_left_out)),
        ("commands", Value::from(Serde(commands))),
        ("sections", sections(printed, SUMMARY * 3 / 4)),
    ];
    Value::from_pairs(values)
}

/// What replies see of a board.
pub(super) fn reply_rows(rows: &[Row]) -> Value {
    Value::from(Serde(rows_view(rows).collect::<Vec<_>>()))
}

/// The next step as templates see it.
pub(super) fn next_value(next: &NextStep) -> Value {
    Value::from(Serde(BTreeMap::from([
        ("kind", serde_json::json!(next.kind)),
        ("icon", next.kind.icon().into()),
        ("title", cut(&next.title, TITLE).into()),
        ("note", cut(&next.note, NOTE).into()),
        ("link", serde_json::json!(address(next.link.as_ref()))),
        ("more", next.more.into()),
        ("command", next.command.clone().unwrap_or_default().into()),
        ("advice", next.advice.map_or("", |advice| advice.what).into()),
        ("joint", next.advice.map_or("", |advice| advice.joint).into()),
    ])))
}

/// The first values whose sizes fit into `room`, and how many do not.
fn within<T>(mut values: Vec<T>, room: usize, size: fn(&T) -> usize) -> (Vec<T>, usize) {
    let mut left = room;
    let fitting = values.iter().take_while(|value| {
        let rest = left.checked_sub(size(value));
        left = rest.unwrap_or(left);
        rest.is_some()
    });
    let kept = fitting.count();
    let left_out = values.len() - kept;
    values.truncate(kept);
    (values, left_out)
}

fn rows_view(rows: &[Row]) -> impl Iterator<Item = RowView> {
    rows.iter().filter(|row| row.shown).map(RowView::from)
}

/// The rows that are shown, in order. Where there is no room for all, those that failed, run or wait stay first.
fn rows(rows: &[Row], room: usize) -> (Vec<RowView>, usize) {
    let shown: Vec<&Row> = rows.iter().filter(|row| row.shown).collect();
    let mut by_urgency: Vec<usize> = (0..shown.len()).collect();
    by_urgency.sort_by_key(|at| urgency(shown[*at].status));
    let views = by_urgency.into_iter().map(|at| (at, RowView::from(shown[at])));
    let mut left = room;
    let mut kept: Vec<(usize, RowView)> = views
        .take_while(|(_, row)| {
            let rest = left.checked_sub(row_size(row));
            left = rest.unwrap_or(left);
            rest.is_some()
        })
        .collect();
    kept.sort_by_key(|(at, _)| *at);
    let left_out = shown.len() - kept.len();
    (kept.into_iter().map(|(_, row)| row).collect(), left_out)
}

fn urgency(status: Status) -> u8 {
    match status {
        Status::Failure => 0,
        Status::Running => 1,
        Status::Dropped => 2,
        Status::Pending => 3,
        Status::Success => 4,
        Status::Skipped => 5,
    }
}

impl From<&Row> for RowView {
    fn from(row: &Row) -> Self {
        let link = address(row.link.as_ref());
        let note = cut(&escape::one_line(&row.note), NOTE);
        let output = match (note.is_empty(), &link) {
            (false, _) => note.clone(),
            (true, Some(_)) => "run".to_owned(),
            (true, None) => String::new(),
        };
        Self {
            id: row.id.clone(),
            title: title(&row.title, &row.id),
            status: row.status.word(),
            icon: icon(row.status),
            run_page: address(row.run_page.as_ref()).or_else(|| link.clone()),
            note,
            output,
            link,
            time: time::of_row(row.at, row.seconds),
        }
    }
}

impl From<&Happening> for HappeningView {
    fn from(line: &Happening) -> Self {
        let short = |text: &Option<String>| cut(&escape::one_line(text.as_deref().unwrap_or_default()), TITLE);
        Self {
            action: short(&line.action),
            by: short(&line.by),
            icon: icon(line.status),
            title: title(&line.title, line.status.word()),
            note: cut(&escape::one_line(&line.note), NOTE),
            link: address(line.link.as_ref()),
            time: time::date_and_time(line.at),
        }
    }
}

/// A title that shows something.
fn title(title: &str, otherwise: &str) -> String {
    let line = escape::one_line(title);
    cut(if line.is_empty() { otherwise } else { &line }, TITLE)
}

fn address(address: Option<&String>) -> Option<String> {
    address.filter(|address| address.len() <= ADDRESS).cloned()
}

fn row_size(row: &RowView) -> usize {
    let status = escape::link(row.icon, row.run_page.as_deref());
    let output = escape::link(&row.output, row.link.as_deref());
    escape::text(&row.title).len() + status.len() + output.len() + row.time.len() + MARKUP
}

fn happening_size(line: &HappeningView) -> usize {
    let outcome = escape::link(&format!("{}: {}", line.title, line.note), line.link.as_deref());
    escape::code(&line.action).len() + escape::text(&line.by).len() + outcome.len() + line.time.len() + MARKUP
}

fn command_size(command: &CommandHelp) -> usize {
    let needs = command.needs.iter().map(|needs| {
        let parts = needs.parts.iter().map(|part| escape::text(&part.text).len() + 8).sum::<usize>();
        escape::code(&needs.when).len() + parts + MARKUP
    });
    escape::code(&command.usage).len() + escape::text(&command.help).len() + needs.sum::<usize>() + MARKUP
}
