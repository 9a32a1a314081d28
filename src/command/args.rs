//! The arguments of a command: what each type takes, and what a `layers` argument asks for.

use indexmap::IndexMap;

use super::{Invocation, Misfit};
use crate::model::nearest::nearest;
use crate::model::rules::{ArgKind, Command, Rules};

/// What a `layers` or `layer` argument asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Layers {
    /// `all`.
    All,
    /// `planned`: those whose plan succeeded for this commit.
    Planned,
    /// Those named.
    Named(Vec<Named>),
}

/// A layer that a command names, `platform` or `platform@abc1234`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Named {
    pub(crate) layer: String,
    /// The beginning of the commit that is meant, where it is said.
    pub(crate) at: Option<String>,
}

type Groups<'a> = [(&'a str, Option<&'a str>)];

/// Checks every group against its type and fills in the defaults.
pub(super) fn typed(rules: &Rules, command: &Command, line: &str, groups: &Groups<'_>) -> Result<Invocation, Misfit> {
    let mut args = IndexMap::new();
    let mut layers = None;
    for (name, found) in groups {
        let arg = command.args.get(*name).cloned().unwrap_or_default();
        let given = found.map(str::trim).filter(|text| !text.is_empty());
        let text = given.map(str::to_owned).or(arg.default).unwrap_or_default();
        let checked = match arg.kind {
            _ if text.is_empty() => Ok(None),
            ArgKind::Word => word(&text).map(|()| None),
            ArgKind::Number => number(&text).map(|()| None),
            ArgKind::Layer => several(rules, &text, &[]).and_then(|layers| match &layers {
                Layers::Named(named) if named.len() == 1 => Ok(Some(layers)),
                Layers::All | Layers::Planned | Layers::Named(_) => {
                    Err(("argument", format!("`{text}` is not one layer"), String::new()))
                }
            }),
            ArgKind::Layers => several(rules, &text, &["all", "planned"]).map(Some),
        };
        let asked = checked.map_err(|(code, problem, remedy)| Misfit {
            line: line.to_owned(),
            command: command.key.value.clone(),
            problem,
            remedy: if remedy.is_empty() { format!("write `{}`", command.usage) } else { remedy },
            code,
        })?;
        layers = layers.or(asked);
        args.insert((*name).to_owned(), text);
    }
    Ok(Invocation { command: command.key.value.clone(), line: line.to_owned(), args, layers })
}

type Wrong = (&'static str, String, String);

fn word(text: &str) -> Result<(), Wrong> {
    if text.starts_with('-') {
        // It would be an option to whatever program takes it.
        return Err(("argument", format!("`{text}` begins with `-`"), String::new()));
    }
    let fits = |c: char| c.is_ascii_alphanumeric() || "._/@-".contains(c);
    match text.chars().find(|c| !fits(*c)) {
        None => Ok(()),
        Some(c) => Err(("argument", format!("`{}` may not stand in `{text}`", c.escape_debug()), String::new())),
    }
}

fn number(text: &str) -> Result<(), Wrong> {
    match text.parse::<u64>() {
        Ok(_) => Ok(()),
        Err(_) => Err(("argument", format!("`{text}` is not a number"), String::new())),
    }
}

/// `besides` are the words that may stand there instead of layers.
fn several(rules: &Rules, text: &str, besides: &[&str]) -> Result<Layers, Wrong> {
    let items: Vec<&str> =
        text.split(|c: char| c == ',' || c.is_whitespace()).filter(|item| !item.is_empty()).collect();
    let mut named: Vec<Named> = Vec::new();
    let mut words = Vec::new();
    for item in &items {
        match *item {
            _ if rules.layers.contains_key(*item) => named.push(one(rules, item, besides)?),
            "all" => words.push((item, Layers::All)),
            "planned" => words.push((item, Layers::Planned)),
            _ => named.push(one(rules, item, besides)?),
        }
    }
    match words.pop() {
        Some((_, layers)) if items.len() == 1 => return Ok(layers),
        Some((word, _)) => return Err(("argument", format!("`{word}` stands alone, without layers"), String::new())),
        None => {}
    }
    let mut seen = std::collections::HashSet::new();
    named.retain(|item| seen.insert((item.layer.clone(), item.at.clone())));
    Ok(Layers::Named(named))
}

fn one(rules: &Rules, item: &str, besides: &[&str]) -> Result<Named, Wrong> {
    let (layer, at) = match item.split_once('@') {
        Some((layer, at)) if !rules.layers.contains_key(item) => (layer, Some(at)),
        Some(_) | None => (item, None),
    };
    if !rules.layers.contains_key(layer) {
        return Err(("unknown-layer", format!("there is no layer `{layer}`"), meant(rules, layer, besides)));
    }
    let hex = |at: &str| (7..=64).contains(&at.len()) && at.bytes().all(|b| b.is_ascii_hexdigit());
    match at {
        Some(at) if !hex(at) => Err(("argument", format!("`{at}` is not a commit sha"), String::new())),
        Some(at) => Ok(Named { layer: layer.to_owned(), at: Some(at.to_ascii_lowercase()) }),
        None => Ok(Named { layer: layer.to_owned(), at: None }),
    }
}

fn meant(rules: &Rules, name: &str, besides: &[&str]) -> String {
    let known = || rules.layers.keys().map(String::as_str);
    let all = || known().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ");
    let besides_all = match besides {
        [] => String::new(),
        words => format!("; `{}` are taken too", words.join("` and `")),
    };
    match nearest(name, known().chain(besides.iter().copied())) {
        Some(near) => format!("did you mean `{near}`?"),
        None if rules.layers.is_empty() => "ci.toml declares no layers".to_owned(),
        None => format!("the layers are {}{besides_all}", all()),
    }
}
