//! Terraform's plans as data: the JSON of `terraform show -json` to a summary, a table of changes and a digest. The
//! log is never read. It does not run Terraform.

use minijinja::Environment;

/// Adds the filters `terraform_summary`, `terraform_changes` and `diff`.
pub(crate) fn add_filters(_environment: &mut Environment<'_>) {}

/// What a plan would change, in a form that two plans can be compared by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Digest {
    /// SHA-256 over the changes, 64 hexadecimal digits.
    pub(crate) hex: String,
    /// Whether there is anything to change. JSON that is no Terraform plan always counts as a change.
    pub(crate) changes: bool,
}

/// The digest of a capture.
pub(crate) fn digest(_capture: &serde_json::Value) -> Digest {
    todo!()
}
