//! What needs more than one entry to be seen: rows that collide, circles, rules that never match, names that an event
//! cannot have. Each topic is a file; none knows the text of the file but by spans.

pub(super) mod events;
pub(super) mod secret;

use std::collections::BTreeMap;

use super::report::Report;
use super::resolve::Resolved;
use crate::model::span::Source;

/// Every check.
pub(super) fn all(_resolved: &Resolved, _templates: &BTreeMap<String, Source>, _report: &mut Report) {}
