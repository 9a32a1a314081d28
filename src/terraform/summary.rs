//! A plan in one line: `2 to add, 1 to change`. What is zero is left out.

use super::plan::{Action, Plan};

pub(super) fn line(plan: &Plan<'_>) -> String {
    let mut parts = resources(plan);
    parts.extend(some(plan.invocations.len(), "action to run", "actions to run"));
    if parts.is_empty() {
        // As in Terraform's own line, outputs are named only where nothing else is.
        parts.extend(some(plan.outputs.len(), "output to change", "outputs to change"));
    }
    if plan.unexplained {
        parts.push("changes of a kind that is not known here".to_owned());
    }
    if plan.errored {
        parts.push("plan failed".to_owned());
    }
    if parts.is_empty() {
        parts.push("no changes".to_owned());
    }
    parts.extend(some(plan.failed_checks(), "check failed", "checks failed"));
    parts.join(", ")
}

/// A resource that is moved or imported, and changed as well, counts as both.
fn resources(plan: &Plan<'_>) -> Vec<String> {
    let count = |action| plan.resources.iter().filter(|resource| resource.change.action == action).count();
    let imported = plan.resources.iter().filter(|resource| resource.change.importing.is_some()).count();
    let moved = plan.resources.iter().filter(|resource| resource.previous_address.is_some()).count();
    [
        (imported, "to import"),
        (count(Action::Create), "to add"),
        (count(Action::Update), "to change"),
        (count(Action::Replace), "to replace"),
        (count(Action::Delete), "to destroy"),
        (moved, "to move"),
        (count(Action::Forget), "to forget"),
        (plan.refreshed.len(), "to refresh"),
    ]
    .into_iter()
    .filter_map(|(number, what)| some(number, what, what))
    .collect()
}

fn some(number: usize, one: &str, many: &str) -> Option<String> {
    match number {
        0 => None,
        1 => Some(format!("1 {one}")),
        _ => Some(format!("{number} {many}")),
    }
}
