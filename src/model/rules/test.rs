//! The rules' own cases: what happens, who acts, and what is expected.

use super::{Permission, Table};
use crate::model::span::{At, Span};

/// `[[tests]]`: a case of the rules' own.
#[derive(Debug, Clone)]
pub(crate) struct Test {
    pub(crate) span: Span,
    pub(crate) name: String,
    pub(crate) input: TestInput,
    pub(crate) persona: Persona,
    /// The event's branch; `main` where none is given.
    pub(crate) branch: Option<String>,
    /// The inputs of a `workflow_dispatch`.
    pub(crate) inputs: Table<String>,
    /// Paths of changed files.
    pub(crate) changed: Vec<String>,
    pub(crate) expect: Expect,
}

/// What happens in a test.
#[derive(Debug, Clone)]
pub(crate) enum TestInput {
    /// Somebody comments.
    Comment(String),
    /// An event: `NAME`, `NAME.ACTION`, or the path of a payload file whose name begins with the event's.
    Event(At<String>),
}

/// Who acts in a test, and what the gates find. What is not named holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Persona {
    pub(crate) login: Option<String>,
    pub(crate) permission: Option<Permission>,
    pub(crate) teams: Option<Vec<String>>,
    pub(crate) approvals: Option<u32>,
    pub(crate) checks: Option<bool>,
    pub(crate) mergeable: Option<bool>,
    pub(crate) up_to_date: Option<bool>,
    pub(crate) planned: Option<bool>,
    pub(crate) fork: Option<bool>,
}

/// What a test expects; what is not named is not compared.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Expect {
    /// A handler's key, or `none`.
    pub(crate) handler: Option<At<String>>,
    pub(crate) layers: Option<Vec<String>>,
    /// Rows that the run would report to.
    pub(crate) stages: Option<Vec<String>>,
    /// The reason code of the refusal.
    pub(crate) denied: Option<String>,
}
