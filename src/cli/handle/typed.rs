//! What is peculiar to commands that are typed, not commented: nothing names their pull request but `--pr`, and whoever
//! types looks at the terminal, not at a dashboard.

use std::iter;

use serde_json::Value;

use crate::cli::console;
use crate::cli::stop::Stop;
use crate::command::Invocation;
use crate::decide::Decided;
use crate::expr::{self, Scope};
use crate::model::decision::Agenda;
use crate::model::rules::{Handler, Kind, Rules, Step, Template};

/// Whether the work can be done although no pull request is named. What is lost by that is said.
pub(super) fn without_pull(rules: &Rules, invocation: &Invocation, agenda: &Agenda) -> Result<(), Stop> {
    let line = &invocation.line;
    let mut handlers = agenda.jobs.iter().filter_map(|job| rules.handlers.get(&job.handler));
    if handlers.any(needs_pull) {
        let typed = line.trim_start_matches('/');
        return Err(Stop::usage(format!("`{line}` is about a pull request, and none is named"))
            .help(format!("add `--pr N`, as in `ci {typed} --pr 7`")));
    }
    if agenda.jobs.iter().any(|job| !job.rows.is_empty()) {
        console::note("no dashboard is kept: no pull request is named, as `--pr N` does");
    }
    Ok(())
}

fn needs_pull(handler: &Handler) -> bool {
    let Handler { dir, env, note, link, sha, issue, .. } = handler;
    let mut of_all = iter::once(dir).chain(env.values()).chain([note, link, sha, issue].into_iter().flatten());
    let by_kind = match &handler.kind {
        // Another job does it, which finds it by the pull request.
        Kind::Delegate(_) => true,
        Kind::Api { path, body, .. } => {
            path.source.contains("{pr}") || asks(path) || body.as_ref().is_some_and(asks_anywhere)
        }
        Kind::Dispatch { reference, inputs, workflow: _ } => reference.iter().chain(inputs.values()).any(asks),
        Kind::Steps(steps) => steps.iter().any(step_needs_pull),
        Kind::Report(status) => asks(status),
        // Work without a pull request holds locks too.
        Kind::Unlock(_) | Kind::Reply(_) => false,
    };
    by_kind || of_all.any(asks)
}

/// Whether a step asks for a pull request, and runs although there is none.
fn step_needs_pull(step: &Step) -> bool {
    let Step { run, dir, env, .. } = step;
    // What its condition asks beside the pull request is not known yet.
    let runs = step.condition.as_ref().is_none_or(|condition| {
        let asks = expr::mentions(&format!("{{{{ {} }}}}", condition.source), "pr");
        !asks || expr::holds(condition, &Scope::default()).unwrap_or(true)
    });
    runs && run.iter().chain(dir).chain(env.values()).any(asks)
}

fn asks(template: &Template) -> bool {
    expr::needs(&template.source, "pr")
}

/// The same of a JSON value whose texts are templates.
fn asks_anywhere(value: &Value) -> bool {
    match value {
        Value::String(source) => expr::needs(source, "pr"),
        Value::Array(items) => items.iter().any(asks_anywhere),
        Value::Object(fields) => fields.values().any(asks_anywhere),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// Says what was begun that goes on elsewhere: nothing else would tell that anything was done.
pub(in crate::cli) fn say_begun(rules: &Rules, decided: &[Decided]) {
    for job in decided.iter().filter_map(|decided| decided.agenda.as_ref()).flat_map(|agenda| &agenda.jobs) {
        match rules.handlers.get(&job.handler).map(|handler| &handler.kind) {
            Some(Kind::Dispatch { workflow, .. }) => console::note(format!("{}: asked for {workflow}", job.name())),
            Some(Kind::Delegate(name)) => console::note(format!("{}: left to {name}", job.name())),
            Some(Kind::Api { method, path, .. }) => {
                console::note(format!("{}: sent {method} {}", job.name(), path.source))
            }
            Some(Kind::Steps(_) | Kind::Report(_) | Kind::Reply(_) | Kind::Unlock(_)) | None => {}
        }
    }
}
