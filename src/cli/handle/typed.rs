//! What is peculiar to commands that are typed, not commented: nothing names their pull request but `--pr`, and whoever
//! types looks at the terminal, not at a dashboard.

use crate::cli::console;
use crate::cli::stop::Stop;
use crate::command::Invocation;
use crate::decide::Decided;
use crate::expr;
use crate::model::decision::Agenda;
use crate::model::rules::{Handler, Kind, Rules, Template};

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
    let asks = |template: &Template| expr::mentions(template, "pr");
    match &handler.kind {
        // Another job does it, which finds it by the pull request.
        Kind::Delegate(_) => true,
        Kind::Api { path, body, .. } => {
            let in_body = body.as_ref().map(|body| Template { source: body.to_string(), span: 0..0 });
            path.source.contains("{pr}") || asks(path) || in_body.is_some_and(|body| asks(&body))
        }
        Kind::Dispatch { reference, inputs, workflow: _ } => reference.iter().chain(inputs.values()).any(asks),
        // Work without a pull request holds locks too.
        Kind::Unlock(_) | Kind::Steps(_) | Kind::Report(_) | Kind::Reply(_) => false,
    }
}

/// Says what was begun that goes on elsewhere: nothing else would tell that anything was done.
pub(in crate::cli) fn say_begun(rules: &Rules, decided: &[Decided]) {
    for job in decided.iter().filter_map(|decided| decided.agenda.as_ref()).flat_map(|agenda| &agenda.jobs) {
        match rules.handlers.get(&job.handler).map(|handler| &handler.kind) {
            Some(Kind::Dispatch { workflow, .. }) => console::note(format!("{}: started {workflow}", job.name())),
            Some(Kind::Delegate(name)) => console::note(format!("{}: left to {name}", job.name())),
            Some(Kind::Api { method, path, .. }) => {
                console::note(format!("{}: sent {method} {}", job.name(), path.source))
            }
            Some(Kind::Steps(_) | Kind::Report(_) | Kind::Reply(_) | Kind::Unlock(_)) | None => {}
        }
    }
}
