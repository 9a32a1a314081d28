//! A plan as a markdown table, what is lost first. It names what changes and never shows a value: a derived attribute may
//! hold a secret that its mask does not know. Names may hold any character, so each is escaped for a cell.

use std::collections::BTreeSet;
use std::fmt::Write;

use serde_json::Value;

use super::plan::{Action, Change, Plan, Resource};

/// What is done, in the order of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Verb {
    Destroy,
    Replace,
    Forget,
    Change,
    Add,
    Import,
    Move,
    Refresh,
    Run,
}

impl Verb {
    fn word(self) -> &'static str {
        match self {
            Self::Destroy => "**destroy**",
            Self::Replace => "**replace**",
            Self::Forget => "**forget**",
            Self::Change => "change",
            Self::Add => "add",
            Self::Import => "import",
            Self::Move => "move",
            Self::Refresh => "refresh",
            Self::Run => "run",
        }
    }
}

struct Row {
    verb: Verb,
    name: String,
    details: Vec<String>,
}

pub(super) fn markdown(plan: &Plan<'_>) -> String {
    let mut rows: Vec<Row> = plan.resources.iter().map(resource).collect();
    rows.extend(plan.refreshed.iter().map(|drifted| Row { verb: Verb::Refresh, ..resource(drifted) }));
    rows.extend(plan.invocations.iter().map(invocation));
    rows.sort_by_key(|row| row.verb);
    let mut outputs: Vec<Row> = plan.outputs.iter().map(|(name, change)| output(name, change)).collect();
    outputs.sort_by_key(|row| row.verb);
    rows.extend(outputs);
    if rows.is_empty() {
        return if plan.has_changes() { "Changes that cannot be listed." } else { "No changes." }.to_owned();
    }
    let mut table = "| Action | Address | What changes |\n|:--|:--|:--|\n".to_owned();
    for Row { verb, name, details } in rows {
        // Writing to a string cannot fail.
        let _ = writeln!(table, "| {} | {} | {} |", verb.word(), code(&name), details.join(", "));
    }
    table
}

fn resource(resource: &Resource<'_>) -> Row {
    let change = &resource.change;
    let mut details = Vec::new();
    details.extend(resource.previous_address.map(|from| format!("moved from {}", code(from))));
    details.extend(change.importing.map(imported));
    details.extend(resource.deposed.map(|key| format!("deposed object {}", code(key))));
    details.extend(attributes(change));
    let verb = verb(change.action, change.importing.is_some());
    Row { verb, name: resource.address.to_owned(), details }
}

fn output(name: &str, change: &Change<'_>) -> Row {
    let hidden = is_marked(change.before_sensitive) || is_marked(change.after_sensitive);
    let details = hidden.then(|| "(sensitive)".to_owned()).into_iter().collect();
    Row { verb: verb(change.action, false), name: format!("output.{name}"), details }
}

fn invocation(invocation: &Value) -> Row {
    let name = invocation["address"].as_str().unwrap_or("action").to_owned();
    Row { verb: Verb::Run, name, details: Vec::new() }
}

fn verb(action: Action, importing: bool) -> Verb {
    match action {
        Action::Delete => Verb::Destroy,
        Action::Replace => Verb::Replace,
        Action::Forget => Verb::Forget,
        Action::Update => Verb::Change,
        Action::Create => Verb::Add,
        Action::NoOp | Action::Read if importing => Verb::Import,
        Action::NoOp | Action::Read => Verb::Move,
    }
}

fn imported(importing: &Value) -> String {
    importing["id"].as_str().map_or("imported".to_owned(), |id| format!("imported from {}", code(id)))
}

/// The attributes that differ. What is added or goes away does so with all of them.
fn attributes(change: &Change<'_>) -> Vec<String> {
    if !matches!(change.action, Action::Update | Action::Replace) {
        return Vec::new();
    }
    let objects = [change.before, change.after, change.after_unknown];
    let names: BTreeSet<&str> =
        objects.into_iter().filter_map(Value::as_object).flatten().map(|(name, _)| &**name).collect();
    names.into_iter().filter(|name| differs(change, name)).map(|name| attribute(change, name)).collect()
}

fn differs(change: &Change<'_>, name: &str) -> bool {
    change.before[name] != change.after[name]
        || is_marked(&change.after_unknown[name])
        || is_marked(mask(change.before_sensitive, name)) != is_marked(mask(change.after_sensitive, name))
}

fn attribute(change: &Change<'_>, name: &str) -> String {
    let sensitive = is_marked(mask(change.before_sensitive, name)) || is_marked(mask(change.after_sensitive, name));
    let forces = change.replace_paths.iter().any(|path| path[0] == *name);
    match (sensitive, forces) {
        (false, false) => code(name),
        (true, false) => format!("{} (sensitive)", code(name)),
        (false, true) => format!("{} (forces replacement)", code(name)),
        (true, true) => format!("{} (sensitive, forces replacement)", code(name)),
    }
}

/// The part of a mask for one attribute; a mask that is `true` is so for all of them.
fn mask<'a>(mask: &'a Value, name: &str) -> &'a Value {
    if mask.is_object() { &mask[name] } else { mask }
}

/// Whether a mask marks anything.
fn is_marked(mask: &Value) -> bool {
    match mask {
        Value::Bool(marked) => *marked,
        Value::Array(items) => items.iter().any(is_marked),
        Value::Object(fields) => fields.values().any(is_marked),
        Value::Null | Value::Number(_) | Value::String(_) => false,
    }
}

/// Code in a table's cell. Renderers disagree on backslashes and pipes inside backticks, so a name that holds one is
/// written as HTML whose marks are entities.
fn code(name: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "._-[]\"/: ".contains(c);
    if name.chars().all(plain) && !name.trim().is_empty() {
        return format!("`{name}`");
    }
    let mut html = "<code>".to_owned();
    for c in name.chars() {
        if c.is_control() || reorders(c) {
            html.extend(c.escape_default().map(entity));
        } else {
            html.push_str(&entity(c));
        }
    }
    html + "</code>"
}

/// Invisible marks that make text read other than it is written.
fn reorders(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn entity(c: char) -> String {
    if c.is_alphanumeric() || " .\"-".contains(c) { c.to_string() } else { format!("&#{};", u32::from(c)) }
}
