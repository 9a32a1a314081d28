//! What needs more than one entry to be seen: rows that collide, circles, rules that never match, names that an event
//! cannot have. Each topic is a file; none of them reads anything but what `resolve` made of the file.

mod commands;
pub(super) mod events;
pub(super) mod folders;
pub(super) mod names;
mod never;
mod order;
mod reach;
mod recorded;
mod said;
pub(super) mod secret;
mod shell;
mod syntax;
mod templates;

use std::collections::BTreeMap;

pub(super) use self::commands::beginning;
pub(super) use self::templates::unused as unused_templates;
use super::report::Report;
use super::resolve::Resolved;
use crate::model::span::Source;

/// Every check.
pub(super) fn all(resolved: &Resolved, templates: &BTreeMap<String, Source>, report: &mut Report) {
    order::rows(&resolved.rules, report);
    order::circles(&resolved.rules, report);
    commands::ambiguous(&resolved.rules, report);
    never::unreachable(&resolved.rules, report);
    for rule in &resolved.rules.rules {
        order::shared(rule, &resolved.rules, report);
        never::impossible(rule, report);
        never::behind_others(rule, &resolved.rules, report);
    }
    said::commands(resolved, report);
    reach::all(resolved, report);
    recorded::all(resolved, report);
    names::all(resolved, report);
    templates::replies(&resolved.rules, templates, report);
    shell::lines(&resolved.rules, report);
    secret::environment(&resolved.rules, report);
}
