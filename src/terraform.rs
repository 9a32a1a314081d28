//! Terraform's plans as data: the JSON of `terraform show -json` to a summary, a table of changes and a digest. The
//! log is never read for what a plan does. It does not run Terraform.

mod diff;
mod digest;
mod plan;
mod summary;
mod table;
#[cfg(test)]
mod tests;

use minijinja::{Environment, Error, ErrorKind, Value};

use plan::Plan;

/// Adds the filters `terraform_summary`, `terraform_changes` and `diff`.
pub(crate) fn add_filters(environment: &mut Environment<'_>) {
    environment.add_filter("terraform_summary", summary_filter);
    environment.add_filter("terraform_changes", changes_filter);
    environment.add_filter("diff", diff_filter);
}

/// What a plan would change, in a form that two plans can be compared by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Digest {
    /// SHA-256 over the changes, 64 hexadecimal digits.
    pub(crate) hex: String,
    /// Whether there is anything to change. JSON that is no Terraform plan always counts as a change; text does
    /// unless it is blank.
    pub(crate) changes: bool,
}

/// The digest of a capture: of a plan's changes; of other JSON, the whole with its keys sorted; of text, the text.
/// Plans of the same code and state have the same digest whenever, and by whichever version, they were made.
pub(crate) fn digest(capture: &serde_json::Value) -> Digest {
    match Plan::read(capture) {
        Ok(plan) => digest::of_plan(&plan),
        Err(_) => digest::of_anything(capture),
    }
}

/// What a reviewer should know of a plan besides its changes: checks that failed, and that it is not the whole plan.
/// Nothing for a capture that is no plan.
pub(crate) fn warnings(capture: &serde_json::Value) -> Vec<String> {
    Plan::read(capture).map(|plan| plan.warnings()).unwrap_or_default()
}

/// The plan's changes as a markdown table that is safe as it stands. Nothing for a capture that is no plan, or that
/// changes nothing.
pub(crate) fn changes_table(capture: &serde_json::Value) -> Option<String> {
    Plan::read(capture).ok().filter(Plan::has_changes).map(|plan| table::markdown(&plan))
}

/// The text of a plan, so that a fence for `diff` colours it.
pub(crate) fn diff_text(text: &str) -> String {
    diff::colourable(text)
}

fn summary_filter(capture: &Value) -> Result<String, Error> {
    let capture = json("terraform_summary", capture)?;
    let plan = Plan::read(&capture).map_err(|error| refused("terraform_summary", &error.to_string()))?;
    Ok(summary::line(&plan))
}

/// The cells are escaped here, because only here is known what is markup: the table is safe as it stands.
fn changes_filter(capture: &Value) -> Result<Value, Error> {
    let capture = json("terraform_changes", capture)?;
    let plan = Plan::read(&capture).map_err(|error| refused("terraform_changes", &error.to_string()))?;
    Ok(Value::from_safe_string(table::markdown(&plan)))
}

fn diff_filter(text: &Value) -> Result<String, Error> {
    match text.as_str() {
        Some(text) => Ok(diff::colourable(text)),
        None => Err(refused("diff", &format!("it needs the text of a plan, not {}", text.kind()))),
    }
}

fn json(filter: &str, value: &Value) -> Result<serde_json::Value, Error> {
    if value.is_undefined() {
        return Err(Error::new(ErrorKind::UndefinedError, format!("`{filter}` has no value to read")));
    }
    serde_json::to_value(value).map_err(|error| refused(filter, &error.to_string()))
}

fn refused(filter: &str, reason: &str) -> Error {
    Error::new(ErrorKind::InvalidOperation, format!("`{filter}`: {reason}"))
}
