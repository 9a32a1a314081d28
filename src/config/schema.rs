//! The JSON schema of ci.toml and its reference, both made from the shape types, so that neither can say anything else
//! than what is read.

use std::fmt::Write as _;

use serde_json::Value;

use super::check::names::{OUR_FILTERS, ROOTS};
use super::report::lower_first;
use super::shape::File;
use crate::diagnostic::Code;

/// The JSON schema of ci.toml.
pub(crate) fn schema() -> Value {
    let mut schema = schemars::schema_for!(File).to_value();
    tidy(&mut schema);
    schema["title"] = "ci.toml".into();
    schema
}

/// Makes lines of doc comments one text, and takes away formats that are only Rust's.
fn tidy(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            if object.get("format").is_some_and(Value::is_string) {
                object.shift_remove("format");
            }
            if let Some(Value::String(text)) = object.get_mut("description") {
                *text = text.replace('\n', " ");
            }
            object.values_mut().for_each(tidy);
        }
        Value::Array(array) => array.iter_mut().for_each(tidy),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Where each part of the schema stands in the file, in the order of the reference.
const SECTIONS: [(&str, &str); 13] = [
    ("Dashboard", "`[dashboard]`"),
    ("Layer", "`[layers.NAME]`"),
    ("Stage", "`[stages.NAME]`"),
    ("Command", "`[commands.NAME]`"),
    ("Arg", "`args.NAME` of a command"),
    ("Gate", "`[gates.NAME]`"),
    ("Rule", "`[[rules]]`"),
    ("Handler", "`[handlers.NAME]`"),
    ("Step", "A step of a handler"),
    ("Record", "`record` of a handler"),
    ("Test", "`[[tests]]`"),
    ("Persona", "`as` of a test"),
    ("Expect", "`expect` of a test"),
];

/// Every table and key of ci.toml, as markdown.
pub(crate) fn reference() -> String {
    let schema = schema();
    let mut page = String::from(
        "<!-- made from the doc comments in src/config/shape, by the tests in src/config/tests/schema.rs -->\n\n",
    );
    page += "# ci.toml: every key\n\n";
    section(&mut page, &schema, &schema);
    for (name, heading) in SECTIONS {
        page += &format!("\n## {heading}\n\n");
        section(&mut page, &schema["$defs"][name], &schema);
    }
    page += "\n## Names in templates and conditions\n\n";
    page += "`{{ … }}` is a [minijinja](https://docs.rs/minijinja/latest/minijinja/syntax) expression over these names. In steps after\n";
    page += "theirs, and in `note`, there are captures too. In an `if`, what is missing below `event` is false.\n\n";
    table(
        &mut page,
        ["name", "what it is"],
        ROOTS.iter().map(|(name, meaning)| [format!("`{name}`"), meaning.to_string()]),
    );
    page += "\nFilters beside [minijinja's](https://docs.rs/minijinja/latest/minijinja/filters):\n\n";
    table(
        &mut page,
        ["filter", "what it makes"],
        OUR_FILTERS.iter().map(|(name, meaning)| [format!("`{name}`"), meaning.to_string()]),
    );
    page += "\n## What `ci check-config` reports\n\n";
    table(
        &mut page,
        ["code", "what it means"],
        Code::ALL.iter().map(|code| [format!("`{}`", code.as_str()), code.meaning().to_owned()]),
    );
    page
}

/// A part of the schema: what it is, its keys, and the words that they take.
fn section(page: &mut String, part: &Value, schema: &Value) {
    let _ = writeln!(page, "{}\n", text(part, "description"));
    let required: Vec<&str> = part["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let keys = part["properties"].as_object().into_iter().flatten();
    let rows = keys.map(|(key, value)| {
        let must = if required.contains(&key.as_str()) { ", required" } else { "" };
        let meaning = format!("{}{}", text(value, "description"), words(value, schema));
        [format!("`{key}`"), format!("{}{must}", kind(value, schema)), meaning]
    });
    table(page, ["key", "type", "meaning"], rows);
}

fn table<const N: usize>(page: &mut String, head: [&str; N], rows: impl Iterator<Item = [String; N]>) {
    let _ = writeln!(page, "| {} |\n|{}", head.join(" | "), "---|".repeat(N));
    for row in rows {
        let _ = writeln!(page, "| {} |", row.map(|cell| cell.replace('|', "\\|")).join(" | "));
    }
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap_or_default()
}

/// The part of the schema that a `$ref` names, or the value itself.
fn resolved<'v>(value: &'v Value, schema: &'v Value) -> (&'v str, &'v Value) {
    let name = value["$ref"].as_str().and_then(|path| path.strip_prefix("#/$defs/"));
    name.map_or(("", value), |name| (name, &schema["$defs"][name]))
}

/// What a key takes, in a few words.
fn kind(value: &Value, schema: &Value) -> String {
    let (name, value) = resolved(value, schema);
    if let Some(choices) = value["anyOf"].as_array() {
        return choices.iter().map(|choice| kind(choice, schema)).collect::<Vec<_>>().join(" or ");
    }
    if let Some(words) = value["enum"].as_array() {
        return words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ");
    }
    match text(value, "type") {
        "string" => "text".to_owned(),
        "boolean" => "`true` or `false`".to_owned(),
        "integer" => "number".to_owned(),
        "array" => format!("list of {}", plural(&kind(&value["items"], schema))),
        "object" => match SECTIONS.iter().find(|(section, _)| *section == name) {
            Some((_, heading)) => format!("table: {heading}"),
            None => format!("table of {}", plural(&kind(&value["additionalProperties"], schema))),
        },
        _ if value["oneOf"].is_array() => "word".to_owned(),
        _ => "any value".to_owned(),
    }
}

fn plural(kind: &str) -> String {
    match kind.strip_prefix("table: ") {
        Some(heading) => format!("tables: {heading}"),
        None => format!("{kind}s"),
    }
}

/// The words that a key takes, each with its meaning.
fn words(value: &Value, schema: &Value) -> String {
    let (_, value) = resolved(value, schema);
    let choices = value["oneOf"].as_array().into_iter().flatten();
    let meanings = choices.filter_map(|choice| {
        let meaning = text(choice, "description").trim_end_matches('.');
        choice["const"].as_str().map(|word| format!("`\"{word}\"`: {}", lower_first(meaning)))
    });
    let meanings: Vec<String> = meanings.collect();
    if meanings.is_empty() { String::new() } else { format!(" {}.", meanings.join("; ")) }
}
