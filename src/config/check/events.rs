//! The events that GitHub sends, and what each of them gives: whether there is a pull request, a comment, and something
//! to compare.
//! See <https://docs.github.com/en/webhooks/webhook-events-and-payloads> and
//! <https://docs.github.com/en/actions/reference/workflows-and-actions/events-that-trigger-workflows>.

use crate::config::report::hint;
use crate::model::nearest::nearest;

/// Events about a pull request.
const ABOUT_PULLS: [&str; 5] = [
    "pull_request",
    "pull_request_target",
    "pull_request_review",
    "pull_request_review_comment",
    "pull_request_review_thread",
];

/// Events that may be about a pull request, by their payload.
const MAYBE_ABOUT_PULLS: [&str; 5] = ["issue_comment", "workflow_run", "check_run", "check_suite", "merge_group"];

/// All others.
const OTHERS: [&str; 66] = [
    "branch_protection_configuration",
    "branch_protection_rule",
    "code_scanning_alert",
    "commit_comment",
    "create",
    "custom_property",
    "custom_property_values",
    "delete",
    "dependabot_alert",
    "deploy_key",
    "deployment",
    "deployment_protection_rule",
    "deployment_review",
    "deployment_status",
    "discussion",
    "discussion_comment",
    "fork",
    "github_app_authorization",
    "gollum",
    "image_version",
    "installation",
    "installation_repositories",
    "installation_target",
    "issue_dependencies",
    "issues",
    "label",
    "marketplace_purchase",
    "member",
    "membership",
    "meta",
    "milestone",
    "org_block",
    "organization",
    "package",
    "page_build",
    "personal_access_token_request",
    "ping",
    "project",
    "project_card",
    "project_column",
    "projects_v2",
    "projects_v2_item",
    "projects_v2_status_update",
    "public",
    "push",
    "registry_package",
    "release",
    "repository",
    "repository_advisory",
    "repository_dispatch",
    "repository_import",
    "repository_ruleset",
    "repository_vulnerability_alert",
    "schedule",
    "secret_scanning_alert",
    "secret_scanning_alert_location",
    "secret_scanning_scan",
    "security_advisory",
    "security_and_analysis",
    "sponsorship",
    "star",
    "status",
    "sub_issues",
    "team",
    "team_add",
    "watch",
];

/// Two more that workflows have.
const OF_WORKFLOWS: [&str; 4] = ["workflow_call", "workflow_dispatch", "workflow_job", "bulk_suggestion"];

/// The types (the payload's `action`) of the events that rules are about most.
const TYPES: [(&str, &[&str]); 8] = [
    ("pull_request", &PULL_TYPES),
    ("pull_request_target", &PULL_TYPES),
    ("pull_request_review", &["submitted", "edited", "dismissed"]),
    ("pull_request_review_comment", &["created", "edited", "deleted"]),
    ("issue_comment", &["created", "edited", "deleted", "pinned", "unpinned"]),
    ("workflow_run", &["requested", "in_progress", "completed"]),
    ("check_run", &["created", "rerequested", "completed", "requested_action"]),
    ("merge_group", &["checks_requested", "destroyed"]),
];

/// Events without types, of those that start workflows.
const WITHOUT_TYPES: [&str; 10] =
    ["create", "delete", "fork", "gollum", "page_build", "public", "push", "schedule", "status", "workflow_dispatch"];

const PULL_TYPES: [&str; 21] = [
    "assigned",
    "unassigned",
    "labeled",
    "unlabeled",
    "opened",
    "edited",
    "closed",
    "reopened",
    "synchronize",
    "converted_to_draft",
    "ready_for_review",
    "locked",
    "unlocked",
    "milestoned",
    "demilestoned",
    "review_requested",
    "review_request_removed",
    "auto_merge_enabled",
    "auto_merge_disabled",
    "enqueued",
    "dequeued",
];

/// What is wrong with the name of an event that GitHub does not send, and what to write.
pub(in crate::config) fn unknown(event: &str) -> Option<(String, String)> {
    if is_known(event) {
        return None;
    }
    let help = match nearest(event, names()) {
        Some(name) => format!("did you mean `{name}`?"),
        None => "see <https://docs.github.com/en/webhooks/webhook-events-and-payloads>".to_owned(),
    };
    Some((format!("GitHub sends no event `{event}`"), help))
}

/// What is wrong with a type that GitHub sends with none of these events, as far as is known, and what to write.
pub(in crate::config) fn unknown_type(events: &[&str], word: &str) -> Option<(String, String)> {
    let types = |event: &&str| TYPES.iter().find(|(name, _)| name == event).map(|(_, types)| *types);
    let known: Vec<&[&str]> = events.iter().map(types).collect::<Option<_>>()?;
    let known: Vec<&str> = known.into_iter().flatten().copied().collect();
    let problem = || format!("GitHub sends no `{}` of the type `{word}`", events.join("` or `"));
    // A word of GitHub's pages, such as "open", is often the beginning of the type.
    let begun = known.iter().find(|known| known.starts_with(word));
    let help = begun.map(|known| format!("did you mean `{known}`?"));
    (!known.contains(&word)).then(|| (problem(), help.unwrap_or_else(|| hint(word, "types", known))))
}

/// Every event.
pub(in crate::config) fn names() -> impl Iterator<Item = &'static str> + Clone {
    ABOUT_PULLS.into_iter().chain(MAYBE_ABOUT_PULLS).chain(OTHERS).chain(OF_WORKFLOWS)
}

/// Whether GitHub sends an event of that name.
pub(in crate::config) fn is_known(event: &str) -> bool {
    names().any(|name| name == event)
}

/// Whether `pr` can be there. Of an event that is not known, anything can.
pub(in crate::config) fn may_have_pull(event: &str) -> bool {
    ABOUT_PULLS.contains(&event) || MAYBE_ABOUT_PULLS.contains(&event) || !is_known(event)
}

/// Whether the payload can have an `action`.
pub(in crate::config) fn may_have_type(event: &str) -> bool {
    !WITHOUT_TYPES.contains(&event)
}

/// Whether a branch can be told.
pub(in crate::config) fn may_have_branch(event: &str) -> bool {
    event != "schedule"
}

/// Whether `comment` can be there.
pub(in crate::config) fn may_have_comment(event: &str) -> bool {
    matches!(event, "issue_comment" | "pull_request_review_comment" | "commit_comment") || !is_known(event)
}

/// Whether there can be changed files: those of a pull request, or of a push.
pub(in crate::config) fn may_have_changes(event: &str) -> bool {
    may_have_pull(event) || event == "push"
}
