//! The dashboard of a pull request's head: is it there, does it say what the journal says, and who else writes what
//! looks like ours.

use std::collections::{BTreeMap, BTreeSet};

use super::Finding;
use crate::cli::board::Dashboard;
use crate::cli::session::Session;
use crate::cli::stop::Stop;
use crate::cli::{ended, sync};
use crate::forge::{self, PostedComment};
use crate::model::ids::PullNumber;
use crate::render;

/// Everything about the dashboard of one pull request.
pub(super) fn dashboard(session: &Session, number: PullNumber) -> Result<Vec<Finding>, Stop> {
    let pull = session.known_pull(number)?;
    let dashboard = session.dashboard(pull.head_sha, Some(number))?;
    let comments = dashboard.forge.comments(number, None)?;
    let account = dashboard.forge.account()?;
    let mut findings = vec![comment(&dashboard, &comments)?];
    findings.extend(doubles(&dashboard, number)?);
    findings.extend(stale_rows(&dashboard, number)?);
    findings.extend(lookalikes(&dashboard, &comments, &account));
    findings.extend(forged_statuses(&dashboard, &account)?);
    Ok(findings)
}

/// The comment that the journal points at, held against what it should say.
fn comment(dashboard: &Dashboard<'_>, comments: &[PostedComment]) -> forge::Result<Finding> {
    let sha = dashboard.sha.short();
    let mend = |command: &str| {
        let number = dashboard.pull.map_or_else(String::new, |number| number.to_string());
        format!("`ci {command} --pr {number}` writes it")
    };
    let (pointed, recorded) = (dashboard.comment()?, dashboard.read()?);
    let Some(id) = pointed else {
        let message = format!("the journal of {sha} points at no comment");
        return Ok(match recorded.len() {
            0 => Finding::warning("dashboard", message, mend("init")),
            _ => Finding::problem("dashboard", message, mend("sync")),
        });
    };
    let Some(comment) = comments.iter().find(|comment| comment.id == id) else {
        return Ok(Finding::problem("dashboard", format!("the comment {id} of {sha} is gone"), mend("sync")));
    };
    let problem = |message: String| Finding::problem("dashboard", message, mend("sync"));
    Ok(if !dashboard.reads_right(&comment.body, &recorded) {
        problem(format!("{} does not say what the journal says", comment.url))
    } else if !dashboard.is_told(id, &recorded) {
        problem(format!(
            "the check `{}/dashboard` of {sha} does not say what the rows say",
            dashboard.rules.dashboard.context
        ))
    } else {
        Finding::good("dashboard", format!("{} says what the {} entries say", comment.url, recorded.len()))
    })
}

fn doubles(dashboard: &Dashboard<'_>, number: PullNumber) -> Result<Option<Finding>, Stop> {
    let doubles = sync::doubles(dashboard, number)?;
    let message = format!("{} more comments of ours read as this commit's dashboard", doubles.len());
    Ok((!doubles.is_empty())
        .then(|| Finding::problem("dashboard", message, format!("`ci sync --pr {number}` deletes them"))))
}

/// Rows that still run although their run has ended.
fn stale_rows(dashboard: &Dashboard<'_>, number: PullNumber) -> forge::Result<Vec<Finding>> {
    let ended = ended::outcomes(dashboard)?;
    let finding = |row: &str| {
        let message = format!("`{row}` still runs or waits, although its run has ended");
        Finding::problem("rows", message, format!("`ci sync --pr {number}` says how it ended"))
    };
    Ok(ended.iter().map(|entry| finding(&entry.row)).collect())
}

/// Comments of others that carry our marker. They count for nothing; people may be deceived.
fn lookalikes(dashboard: &Dashboard<'_>, comments: &[PostedComment], account: &str) -> Vec<Finding> {
    let others = comments.iter().filter(|comment| {
        !dashboard.is_ours(&comment.author, account) && render::claimed(&comment.body, dashboard.rules)
    });
    let finding = |comment: &PostedComment| {
        let message = format!("{} of `{}` carries our marker; it counts for nothing", comment.url, comment.author);
        let remedy = "delete it, or, if that account is ours, add it to `authors` of `[dashboard]`";
        Finding::warning("impostors", message, remedy)
    };
    others.map(finding).collect()
}

/// Statuses of others under our context. They count for nothing here, but branch protection goes by the newest one.
fn forged_statuses(dashboard: &Dashboard<'_>, account: &str) -> forge::Result<Vec<Finding>> {
    let context = format!("{}/", dashboard.rules.dashboard.context);
    let mut others: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for record in dashboard.forge.statuses(&dashboard.sha)? {
        if record.status.context.starts_with(&context) && !dashboard.is_ours(&record.creator, account) {
            others.entry(record.creator).or_default().insert(record.status.context);
        }
    }
    let finding = |(creator, contexts): (String, BTreeSet<String>)| {
        let contexts: Vec<String> = contexts.into_iter().map(|context| format!("`{context}`")).collect();
        let message = format!(
            "`{creator}` wrote statuses under {}: no row heeds them, but a branch that requires them does",
            contexts.join(", ")
        );
        let remedy =
            "take the right to write statuses from it, or, if it is ours, add it to `authors` of `[dashboard]`";
        Finding::problem("impostors", message, remedy)
    };
    Ok(others.into_iter().map(finding).collect())
}
