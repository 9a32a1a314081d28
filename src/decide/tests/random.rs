//! No payload breaks a decision, or the dashboard that is drawn of it: real ones with values exchanged, and any JSON.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use proptest::prelude::*;
use serde_json::{Map, Value};

use super::super::{Case, decide, readings};
use crate::config;
use crate::gate::PersonaFacts;
use crate::model::board::{Entry, Recorded, Status, fold};
use crate::model::event::Event;
use crate::model::ids::Sha;
use crate::model::rules::Rules;
use crate::model::span::Source;
use crate::render::{self, Page, Templates};
use crate::schedule;

/// Samples of every event.
static PAYLOADS: LazyLock<Map<String, Value>> =
    LazyLock::new(|| serde_json::from_str(include_str!("../../../tests/webhooks.json")).unwrap());

/// The default pipeline, and behind its rules one for every other event.
static RULES: LazyLock<Rules> = LazyLock::new(|| {
    let mut text = include_str!("../../../ci.toml").to_owned();
    for event in PAYLOADS.keys().filter(|event| !text.contains(&format!("\"{event}\""))).cloned().collect::<Vec<_>>() {
        text.push_str(&format!("\n[[rules]]\non = \"{event}\"\nif = \"event.sender.login != 'x'\"\nrun = \"help\"\n"));
    }
    config::load(Source::new("ci.toml", text), &BTreeMap::new()).rules.unwrap()
});

/// The built-in templates.
static TEMPLATES: LazyLock<Templates> = LazyLock::new(Templates::default);

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        "(/[a-z]{1,8} ?){0,3}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 5, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            proptest::collection::hash_map("[a-z_]{1,12}", inner, 0..5)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

/// Puts `new` in the place of the value that a walk of these steps leads to; `None` takes the value away.
fn exchange(value: &mut Value, steps: &[usize], new: Option<&Value>) {
    let Some((step, rest)) = steps.split_first() else {
        return *value = new.cloned().unwrap_or(Value::Null);
    };
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            let key = fields.keys().nth(step % fields.len()).cloned().unwrap();
            if rest.is_empty() && new.is_none() {
                fields.shift_remove(&key);
            } else {
                exchange(fields.get_mut(&key).unwrap(), rest, new);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            let at = step % items.len();
            exchange(&mut items[at], rest, new);
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => {
            *value = new.cloned().unwrap_or(Value::Null);
        }
    }
}

/// The steps to every value.
fn paths(value: &Value, here: &[usize], found: &mut Vec<Vec<usize>>) {
    found.push(here.to_vec());
    let below: Vec<&Value> = match value {
        Value::Object(fields) => fields.values().collect(),
        Value::Array(items) => items.iter().collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    };
    for (at, value) in below.into_iter().enumerate() {
        paths(value, &[here, &[at]].concat(), found);
    }
}

/// Every value of the payloads that much is read of is exchanged for one of another type.
#[test]
fn no_value_of_another_type_breaks_a_decision() {
    let others = [Value::Null, Value::from(-1), Value::from("x"), Value::Object(Map::new())];
    for name in ["issue_comment", "pull_request", "pull_request_review", "push", "workflow_run", "workflow_dispatch"] {
        for sample in PAYLOADS[name].as_array().unwrap() {
            let mut all = Vec::new();
            paths(sample, &[], &mut all);
            for (steps, other) in all.iter().flat_map(|steps| others.iter().map(move |other| (steps, other))) {
                let mut payload = sample.clone();
                exchange(&mut payload, steps, Some(other));
                all_the_way(name, payload);
            }
        }
    }
}

/// Decides, and draws what the decision would set running.
fn all_the_way(name: &str, payload: Value) {
    let rules = &*RULES;
    let event = Event::new(name, payload);
    let (pull, readings) = (event.pull(), readings(rules, &event));
    let facts = PersonaFacts::default();
    let decided = decide(&Case {
        rules,
        event: &event,
        pull: pull.as_ref(),
        readings: &readings,
        actor: event.sender().unwrap_or_default(),
        repository: event.repository().unwrap_or_default(),
        run: None,
        facts: &facts,
    });
    let rows = decided.iter().filter_map(|decided| decided.agenda.as_ref()).flat_map(|agenda| agenda.rows());
    let entry = |row: String| Entry {
        id: row.clone(),
        row,
        status: Status::Running,
        note: event.action().unwrap_or_default().to_owned(),
        pr: event.pull_number(),
        run: event.workflow_run().map(|run| run.id),
        url: String::new(),
        link: event.comment().map(|comment| comment.url),
        layer: None,
        by: event.sender().map(str::to_owned),
        action: event.comment().map(|comment| comment.body),
        digest: None,
        changes: None,
        began: true,
        work: None,
        until: None,
    };
    let at = jiff::Timestamp::UNIX_EPOCH;
    let recorded: Vec<Recorded> = (1..).zip(rows).map(|(seq, row)| Recorded { seq, at, entry: entry(row) }).collect();
    let sha = event.sha().or_else(|| Sha::parse(&"a".repeat(40))).unwrap();
    let board = fold(&schedule::layout(rules), &recorded);
    let page = Page { rules, board: &board, recorded: &recorded, sha: &sha, pr: event.pull_number() };
    let body = render::dashboard(&TEMPLATES, &page);
    assert!(body.starts_with(&format!("<!-- infra-dashboard:{sha} -->\n")), "{body}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_payload_breaks_a_decision(
        which in any::<usize>(),
        steps in proptest::collection::vec(any::<usize>(), 1..5),
        new in proptest::option::of(any_json()),
        whole in any_json(),
    ) {
        let (name, samples) = PAYLOADS.iter().nth(which % PAYLOADS.len()).unwrap();
        for sample in samples.as_array().unwrap() {
            let mut payload = sample.clone();
            exchange(&mut payload, &steps, new.as_ref());
            all_the_way(name, payload);
        }
        all_the_way(name, whole);
    }
}
