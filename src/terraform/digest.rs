//! One hash for all that a plan would change. What differs between two plans of the same code and state stays out: the
//! time, versions, the order of lists that Terraform sorts by itself, and reasons. Sensitive values stay out too, so
//! that nobody can guess them from the hash.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::Digest;
use super::plan::{Change, Plan, Resource};

/// What stands for a sensitive value.
const SENSITIVE: &str = "(sensitive)";

pub(super) fn of_plan(plan: &Plan<'_>) -> Digest {
    let resources = |list: &[Resource<'_>]| list.iter().map(resource).collect::<Vec<Value>>();
    let outputs = plan.outputs.iter().map(|(name, change)| json!({ "name": name, "change": self::change(change) }));
    let document = json!({
        "resources": resources(&plan.resources),
        "refreshed": resources(&plan.refreshed),
        "outputs": outputs.collect::<Vec<Value>>(),
        "invocations": plan.invocations.iter().map(invocation).collect::<Vec<Value>>(),
        "unexplained": plan.unexplained,
        "errored": plan.errored,
    });
    Digest { hex: hash(&document), changes: plan.has_changes() }
}

pub(super) fn of_anything(capture: &Value) -> Digest {
    let changes = capture.as_str().is_none_or(|text| !text.trim().is_empty());
    Digest { hex: hash(capture), changes }
}

fn resource(resource: &Resource<'_>) -> Value {
    json!({
        "address": resource.address,
        "previous_address": resource.previous_address,
        "deposed": resource.deposed,
        "change": change(&resource.change),
    })
}

fn change(change: &Change<'_>) -> Value {
    json!({
        "actions": change.actions,
        "before": masked(change.before, change.before_sensitive),
        "after": masked(change.after, change.after_sensitive),
        "after_unknown": change.after_unknown,
        "importing": change.importing,
    })
}

fn invocation(invocation: &Value) -> Value {
    let mut invocation = invocation.clone();
    if let Some(fields) = invocation.as_object_mut() {
        let mask = fields.remove("config_sensitive").unwrap_or_default();
        if let Some(values) = fields.get_mut("config_values") {
            *values = masked(values, &mask);
        }
    }
    invocation
}

/// The value without what `mask` marks: the mask has the value's shape, and `true` where it is sensitive.
fn masked(value: &Value, mask: &Value) -> Value {
    match (value, mask) {
        (_, Value::Bool(true)) => SENSITIVE.into(),
        (Value::Object(fields), Value::Object(masks)) => fields
            .iter()
            .map(|(key, field)| (key.clone(), masked(field, masks.get(key).unwrap_or(&Value::Null))))
            .collect(),
        (Value::Array(items), Value::Array(masks)) => {
            let masks = masks.iter().chain(std::iter::repeat(&Value::Null));
            items.iter().zip(masks).map(|(item, mask)| masked(item, mask)).collect()
        }
        (value, _) => value.clone(),
    }
}

fn hash(value: &Value) -> String {
    let mut hasher = Sha256::new();
    feed(&mut hasher, value);
    hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Feeds the JSON text of a value, with the keys of every object sorted.
fn feed(hasher: &mut Sha256, value: &Value) {
    match value {
        Value::Object(fields) => {
            hasher.update("{");
            for (key, field) in fields.iter().collect::<BTreeMap<_, _>>() {
                feed(hasher, &Value::from(&**key));
                hasher.update(":");
                feed(hasher, field);
                hasher.update(",");
            }
            hasher.update("}");
        }
        Value::Array(items) => {
            hasher.update("[");
            for item in items {
                feed(hasher, item);
                hasher.update(",");
            }
            hasher.update("]");
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => hasher.update(value.to_string()),
    }
}
