//! What people are told: refusals with their remedies, lines that are no commands, reactions.

use super::{Asked, Options, Prepared};
use crate::cli::session::Session;
use crate::cli::stop::Stop;
use crate::cli::work::post_once;
use crate::cli::{ExitStatus, console};
use crate::command::Misfit;
use crate::decide::Decided;
use crate::forge::Reaction;
use crate::model::decision::Part;
use crate::model::rules::Permission;
use crate::render::{self, Reason};

/// Says what the gates refused, and why.
pub(super) fn refuse(
    session: &Session,
    asked: &Asked,
    options: &Options,
    prepared: &Prepared,
    decided: &Decided,
    refused: &[&Part],
) -> Result<(), Stop> {
    let what = decided.matching.as_ref().map(|matching| matching.subject.clone()).unwrap_or_default();
    console::error(&format!("`{what}` is refused"));
    let mut reasons: Vec<Reason> = Vec::new();
    for part in refused {
        let reason = Reason {
            code: part.code.to_owned(),
            message: format!("wants {}, found {}", part.wanted, part.found),
            remedy: part.remedy.clone(),
            layer: part.layer.clone(),
        };
        let layer = part.layer.as_ref().map_or_else(String::new, |layer| format!(" ({layer})"));
        console::note(format!("  {}{layer}: {}", reason.code, reason.message));
        console::help(&reason.remedy);
        if !reasons.contains(&reason) {
            reasons.push(reason);
        }
    }
    if decided.invocation.is_some() && !options.dry_run {
        answer(session, asked, prepared, &what, &reasons)?;
    }
    Ok(())
}

/// Says what is wrong with a line that was meant as a command.
pub(super) fn misfitting(
    session: &Session,
    asked: &Asked,
    options: &Options,
    prepared: &Prepared,
    misfit: &Misfit,
) -> Result<ExitStatus, Stop> {
    let line = format!("`{}`", misfit.line);
    let place = if misfit.problem.contains(&line) { String::new() } else { format!(" in {line}") };
    console::error(&format!("{}{place}", misfit.problem));
    console::help(&misfit.remedy);
    // Strangers get a sign and no answer, so that nobody can make the tool talk.
    let known =
        asked.persona.is_some() || session.forge()?.permission(&asked.actor).is_ok_and(|has| has >= Permission::Write);
    if known && !options.dry_run {
        let reason = Reason {
            code: misfit.code.to_owned(),
            message: misfit.problem.clone(),
            remedy: misfit.remedy.clone(),
            layer: None,
        };
        answer(session, asked, prepared, &misfit.line, &[reason])?;
    }
    Ok(ExitStatus::Refused)
}

/// Posts a refusal where there is a pull request to post it on.
pub(super) fn answer(
    session: &Session,
    asked: &Asked,
    prepared: &Prepared,
    command: &str,
    why: &[Reason],
) -> Result<(), Stop> {
    let (Some(pull), Some(sha)) = (&prepared.pull, &prepared.sha) else { return Ok(()) };
    let dashboard = session.dashboard(sha.clone(), Some(pull.number))?;
    let body = render::refusal(&session.project.templates, &session.project.rules, command, &asked.actor, why);
    post_once(&dashboard, &body)?;
    Ok(())
}

/// Reacts to the comment. A decoration: it never fails the call.
pub(super) fn react(session: &Session, asked: &Asked, reaction: Reaction) {
    if let (Some(comment), Ok(forge)) = (asked.comment, session.forge()) {
        let _decoration = forge.react(comment, reaction);
    }
}

/// Tells the person who asked how all of it ended.
pub(super) fn tell_end(session: &Session, asked: &Asked, status: ExitStatus) {
    if !asked.readings.is_empty() {
        react(session, asked, if status == ExitStatus::Done { Reaction::Rocket } else { Reaction::Confused });
    }
}
