//! The shape of a plan's JSON, read as far as it is needed:
//! <https://developer.hashicorp.com/terraform/internals/json-format#plan-representation>. A shape that is not understood
//! is an error that names the field, never a plan without changes.

use std::fmt::Display;

use serde_json::{Map, Value};

/// Why a value is no plan that can be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error("this is no plan; give it what `terraform show -json PLANFILE` prints")]
    NoPlan,
    #[error("the plan's format is {0}, and only formats 0 and 1 are known; a newer `ci` may know it")]
    Format(String),
    #[error("the plan's `{field}` is not {expected}")]
    Shape { field: String, expected: &'static str },
}

/// What a plan would do.
#[derive(Debug)]
pub(super) struct Plan<'a> {
    /// Resources that something is done with, by address.
    pub(super) resources: Vec<Resource<'a>>,
    /// What a refresh-only plan would write to the state, by address.
    pub(super) refreshed: Vec<Resource<'a>>,
    /// Outputs that change, by name.
    pub(super) outputs: Vec<(&'a str, Change<'a>)>,
    /// Provider actions that would be invoked, in Terraform's order.
    pub(super) invocations: &'a [Value],
    /// Terraform says that there is something to apply, and it is none of the above.
    pub(super) unexplained: bool,
    /// Planning failed half-way.
    pub(super) errored: bool,
    /// Applying this plan will leave something to be planned again.
    partial: bool,
    failed_checks: Vec<FailedCheck<'a>>,
}

/// What is done with one resource instance.
#[derive(Debug)]
pub(super) struct Resource<'a> {
    pub(super) address: &'a str,
    pub(super) previous_address: Option<&'a str>,
    /// Names an old object that a failed replacement left behind.
    pub(super) deposed: Option<&'a str>,
    pub(super) change: Change<'a>,
}

/// Before and after of one thing.
#[derive(Debug)]
pub(super) struct Change<'a> {
    pub(super) action: Action,
    /// As Terraform wrote it: the order of a replacement is in it.
    pub(super) actions: &'a Value,
    pub(super) before: &'a Value,
    pub(super) after: &'a Value,
    pub(super) after_unknown: &'a Value,
    pub(super) before_sensitive: &'a Value,
    pub(super) after_sensitive: &'a Value,
    pub(super) importing: Option<&'a Value>,
    pub(super) replace_paths: &'a [Value],
}

/// What Terraform does with a thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    NoOp,
    Read,
    Create,
    Update,
    Replace,
    Delete,
    Forget,
}

#[derive(Debug)]
struct FailedCheck<'a> {
    address: &'a str,
    messages: Vec<&'a str>,
}

impl<'a> Plan<'a> {
    pub(super) fn read(capture: &'a Value) -> Result<Self, Error> {
        let plan = capture.as_object().ok_or(Error::NoPlan)?;
        let format = plan.get("format_version").and_then(Value::as_str).ok_or(Error::NoPlan)?;
        // The JSON of a state has a format too.
        if !["planned_values", "resource_changes", "output_changes"].iter().any(|key| plan.contains_key(*key)) {
            return Err(Error::NoPlan);
        }
        if !matches!(format.split('.').next(), Some("0" | "1")) {
            return Err(Error::Format(format.to_owned()));
        }
        read_parts(plan)
    }

    /// Whether applying it would do anything. A plan that failed is never one without changes.
    pub(super) fn has_changes(&self) -> bool {
        self.unexplained || self.errored || self.names_changes()
    }

    fn names_changes(&self) -> bool {
        !(self.resources.is_empty()
            && self.refreshed.is_empty()
            && self.outputs.is_empty()
            && self.invocations.is_empty())
    }

    pub(super) fn failed_checks(&self) -> usize {
        self.failed_checks.len()
    }

    pub(super) fn warnings(&self) -> Vec<String> {
        let checks = self.failed_checks.iter().map(|check| match check.messages[..] {
            [] => format!("check `{}` failed", check.address),
            _ => format!("check `{}` failed: {}", check.address, check.messages.join("; ")),
        });
        let partial = self.partial.then(|| "the plan is partial: after it, another one is needed".to_owned());
        checks.chain(partial).collect()
    }
}

fn read_parts(plan: &Map<String, Value>) -> Result<Plan<'_>, Error> {
    let all = resources(plan, "resource_changes")?;
    let drift = resources(plan, "resource_drift")?;
    let errored = flag(plan, "errored")?.unwrap_or(false);
    let applyable = flag(plan, "applyable")?.unwrap_or(false);
    // A refresh-only plan lists no resource at all; in any other, drift is why, not what.
    let refreshed = if applyable && all.is_empty() { drift } else { Vec::new() };
    let reads = all.iter().any(|resource| resource.change.action == Action::Read);
    let mut read = Plan {
        resources: all.into_iter().filter(Resource::is_changed).collect(),
        refreshed,
        outputs: outputs(plan)?,
        invocations: array(get(plan, "action_invocations"), &"action_invocations")?,
        unexplained: false,
        errored,
        partial: !errored && flag(plan, "complete")? == Some(false),
        failed_checks: failed_checks(plan)?,
    };
    read.unexplained = applyable && !reads && !read.names_changes();
    Ok(read)
}

impl Resource<'_> {
    /// Terraform applies a mere move or import too: it writes the state.
    fn is_changed(&self) -> bool {
        self.change.is_changed() || self.previous_address.is_some() || self.change.importing.is_some()
    }
}

impl Change<'_> {
    fn is_changed(&self) -> bool {
        !matches!(self.action, Action::NoOp | Action::Read)
    }
}

fn resources<'a>(plan: &'a Map<String, Value>, key: &str) -> Result<Vec<Resource<'a>>, Error> {
    let mut resources = Vec::new();
    for (index, value) in array(get(plan, key), &key)?.iter().enumerate() {
        let field = format!("{key}[{index}]");
        let fields = object(value, &field)?;
        resources.push(Resource {
            address: text(get(fields, "address"), &format!("{field}.address"))?.unwrap_or_default(),
            previous_address: text(get(fields, "previous_address"), &format!("{field}.previous_address"))?,
            deposed: text(get(fields, "deposed"), &format!("{field}.deposed"))?,
            change: change(get(fields, "change"), &format!("{field}.change"))?,
        });
    }
    resources.sort_by_key(|resource| (resource.address, resource.deposed));
    Ok(resources)
}

fn outputs(plan: &Map<String, Value>) -> Result<Vec<(&str, Change<'_>)>, Error> {
    let mut outputs = Vec::new();
    if let Some(value) = plan.get("output_changes").filter(|value| !value.is_null()) {
        for (name, value) in object(value, &"output_changes")? {
            let change = change(value, &format!("output_changes.{name}"))?;
            if change.is_changed() {
                outputs.push((&**name, change));
            }
        }
    }
    outputs.sort_by_key(|(name, _)| *name);
    Ok(outputs)
}

fn change<'a>(value: &'a Value, field: &str) -> Result<Change<'a>, Error> {
    let fields = object(value, &field)?;
    let actions = get(fields, "actions");
    Ok(Change {
        action: action(actions, field)?,
        actions,
        before: get(fields, "before"),
        after: get(fields, "after"),
        after_unknown: get(fields, "after_unknown"),
        before_sensitive: get(fields, "before_sensitive"),
        after_sensitive: get(fields, "after_sensitive"),
        importing: fields.get("importing").filter(|importing| !importing.is_null()),
        replace_paths: array(get(fields, "replace_paths"), &format_args!("{field}.replace_paths"))?,
    })
}

fn action(actions: &Value, field: &str) -> Result<Action, Error> {
    let unknown = || Error::Shape { field: format!("{field}.actions"), expected: "a list of actions that is known" };
    let words: Option<Vec<&str>> = actions.as_array().map(|words| words.iter().filter_map(Value::as_str).collect());
    match words.ok_or_else(unknown)?[..] {
        ["no-op"] => Ok(Action::NoOp),
        ["read"] => Ok(Action::Read),
        ["create"] => Ok(Action::Create),
        ["update"] => Ok(Action::Update),
        ["delete", "create"] | ["create", "delete"] | ["create", "forget"] | ["forget", "create"] => {
            Ok(Action::Replace)
        }
        ["delete"] => Ok(Action::Delete),
        ["forget"] => Ok(Action::Forget),
        _ => Err(unknown()),
    }
}

fn failed_checks(plan: &Map<String, Value>) -> Result<Vec<FailedCheck<'_>>, Error> {
    let mut failed = Vec::new();
    for (index, value) in array(get(plan, "checks"), &"checks")?.iter().enumerate() {
        let check = object(value, &format_args!("checks[{index}]"))?;
        if !matches!(get(check, "status").as_str(), Some("fail" | "error")) {
            continue;
        }
        let address = value.pointer("/address/to_display").and_then(Value::as_str).unwrap_or("unnamed");
        let instances = get(check, "instances").as_array().into_iter().flatten();
        let problems = instances.flat_map(|instance| instance["problems"].as_array().into_iter().flatten());
        let messages = problems.filter_map(|problem| problem["message"].as_str()).collect();
        failed.push(FailedCheck { address, messages });
    }
    Ok(failed)
}

fn get<'a>(fields: &'a Map<String, Value>, key: &str) -> &'a Value {
    fields.get(key).unwrap_or(&Value::Null)
}

fn object<'a>(value: &'a Value, field: &dyn Display) -> Result<&'a Map<String, Value>, Error> {
    value.as_object().ok_or_else(|| Error::Shape { field: field.to_string(), expected: "an object" })
}

/// Terraform leaves empty lists out.
fn array<'a>(value: &'a Value, field: &dyn Display) -> Result<&'a [Value], Error> {
    match (value, value.as_array()) {
        (Value::Null, _) => Ok(&[]),
        (_, Some(items)) => Ok(items),
        (_, None) => Err(Error::Shape { field: field.to_string(), expected: "a list" }),
    }
}

fn text<'a>(value: &'a Value, field: &dyn Display) -> Result<Option<&'a str>, Error> {
    match (value, value.as_str()) {
        (Value::Null, _) => Ok(None),
        (_, Some(text)) => Ok(Some(text)),
        (_, None) => Err(Error::Shape { field: field.to_string(), expected: "a text" }),
    }
}

fn flag(plan: &Map<String, Value>, key: &str) -> Result<Option<bool>, Error> {
    match (get(plan, key), get(plan, key).as_bool()) {
        (Value::Null, _) => Ok(None),
        (_, Some(flag)) => Ok(Some(flag)),
        (_, None) => Err(Error::Shape { field: key.to_owned(), expected: "true or false" }),
    }
}
