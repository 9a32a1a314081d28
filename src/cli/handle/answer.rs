//! What people are told: refusals with their remedies, lines that are no commands, reactions.

use super::{Asked, Options, Prepared, not_reached};
use crate::cli::args::Global;
use crate::cli::session::Session;
use crate::cli::stop::Stop;
use crate::cli::work::post_once;
use crate::cli::{ExitStatus, console, environment, project};
use crate::command::Misfit;
use crate::decide::{self, Decided};
use crate::forge::Reaction;
use crate::gate::{self, Trouble};
use crate::model::decision::Part;
use crate::model::event::{Event, Pull};
use crate::model::rules::Permission;
use crate::render::{self, Reason, Refusal};

/// How it is told that something could not be found out, which is no refusal.
const UNDECIDED: &str = "was not run: what it depends on could not be found out";

/// Says what the gates refused, and why; how that ends.
pub(super) fn refuse(
    session: &Session,
    asked: &Asked,
    options: &Options,
    prepared: &Prepared,
    decided: &Decided,
    refused: &[&Part],
) -> Result<ExitStatus, Stop> {
    let (status, reasons) = say_refused(decided, refused);
    if let (Some(pull), true, false) = (&prepared.pull, decided.invocation.is_some(), options.dry_run) {
        let by_line = may_write(session, asked)?;
        let refusal =
            Refusal { command: decided.subject(), by: &asked.actor, partly: false, by_line, reasons: &reasons };
        post(session, pull, &refusal)?;
    }
    Ok(status)
}

/// The same in the log alone; the reasons, each once.
pub(in crate::cli) fn say_refused(decided: &Decided, refused: &[&Part]) -> (ExitStatus, Vec<Reason>) {
    let trouble = gate::undecided(refused.iter().copied());
    let (how, status) = match trouble {
        Some(Trouble::Outage) => (UNDECIDED, ExitStatus::Forge),
        Some(Trouble::Here) => (UNDECIDED, ExitStatus::Usage),
        None => ("is refused", ExitStatus::Refused),
    };
    console::error(&format!("`{}` {how}", decided.subject()));
    let mut reasons: Vec<Reason> = Vec::new();
    for part in refused {
        let reason = Reason {
            code: part.code.to_owned(),
            message: format!("wants {}, found {}", part.wanted, part.found),
            remedy: part.remedy.clone(),
            layer: part.layer.clone(),
        };
        if !reasons.contains(&reason) {
            let layer = part.layer.as_ref().map_or_else(String::new, |layer| format!(" ({layer})"));
            console::note(format!("  {}{layer}: {}", reason.code, reason.message));
            console::help(&reason.remedy);
            reasons.push(reason);
        }
    }
    (status, reasons)
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
    if let (Some(pull), false, true) = (&prepared.pull, options.dry_run, may_write(session, asked)?) {
        let reason = Reason {
            code: misfit.code.to_owned(),
            message: misfit.problem.clone(),
            remedy: misfit.remedy.clone(),
            layer: None,
        };
        answer(session, asked, pull, &misfit.line, &[reason])?;
    }
    Ok(ExitStatus::Refused)
}

/// Says on the pull request why nothing was done of a command and of those behind it, where the log alone would say it. It
/// never fails the call.
pub(super) fn stopped(session: &Session, asked: &Asked, commands: &[&str], stop: &Stop) {
    let say = || -> Result<(), Stop> {
        let (Some(number), Some(_), [command, behind @ ..]) = (asked.pull_number(), asked.comment, commands) else {
            return Ok(());
        };
        if may_write(session, asked)? {
            let reasons: Vec<Reason> = [stop.reason()].into_iter().chain(not_got_to(behind)).collect();
            answer(session, asked, &session.pull(number, Some(&asked.event))?, command, &reasons)?;
        }
        Ok(())
    };
    let _decoration = say();
}

/// What people hear of commands behind one that ended the call.
fn not_got_to(behind: &[&str]) -> Option<Reason> {
    let lines: Vec<String> = behind.iter().map(|line| format!("`{line}`")).collect();
    (!lines.is_empty()).then(|| Reason {
        code: "not-reached".to_owned(),
        message: format!("the call ended before {}", lines.join(", ")),
        remedy: "comment again what is still wanted".to_owned(),
        layer: None,
    })
}

/// The same where the rules that count cannot be had, to whoever wrote a command of theirs as far as that can be told: by its
/// name in a ci.toml that cannot be used, else by the one that is checked out. All other lines may be meant for somebody
/// else. On the local forge whoever asks reads the log, and on a closed pull request commands are ignored without a word.
pub(in crate::cli) fn tell_without_rules(global: &Global, event: &Event, stop: &Stop) {
    if event.is_on_closed() {
        return;
    }
    let Ok(session) = Session::without_rules(global) else { return };
    let mut lines = decide::lines(&session.project.rules, event);
    lines.retain(|line| stop.concerns(line));
    if let (true, Some(checked_out)) = (lines.is_empty(), project::open_quietly(global)) {
        let readings = decide::readings(&checked_out.rules, event);
        lines.extend(readings.into_iter().flatten().map(|invocation| invocation.line));
    }
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let ([_, later @ ..], Some(_)) = (&lines[..], session.github()) else { return };
    not_reached(later);
    let asked = Asked::of_event(&session, event.clone());
    stopped(&session, &asked, &lines, stop);
    conclude(&session, &asked, false);
}

/// Whether who asks may write, as far as that can be told. Strangers get a sign alone for what is no command or met trouble,
/// and one answer for each command that they are refused, so that nobody can make the tool talk.
pub(super) fn may_write(session: &Session, asked: &Asked) -> Result<bool, Stop> {
    let has = || Ok(session.forge()?.permission(&asked.actor).is_ok_and(|has| has >= Permission::Write));
    if asked.persona.is_some() { Ok(true) } else { has() }
}

/// Posts why a command of somebody who may write was not run.
fn answer(session: &Session, asked: &Asked, pull: &Pull, command: &str, reasons: &[Reason]) -> Result<(), Stop> {
    post(session, pull, &Refusal { command, by: &asked.actor, partly: false, by_line: true, reasons })
}

/// Posts what was not run of a command, or nothing of it. Error texts may hold secrets: where these cannot be hidden, it
/// says nothing.
pub(super) fn post(session: &Session, pull: &Pull, refusal: &Refusal<'_>) -> Result<(), Stop> {
    let rules = &session.project.rules;
    let Ok((redactor, _)) = environment::redactor(rules) else { return Ok(()) };
    let hidden = |reason: &Reason| Reason {
        message: redactor.redact(&reason.message),
        remedy: redactor.redact(&reason.remedy),
        ..reason.clone()
    };
    let reasons: Vec<Reason> = refusal.reasons.iter().map(hidden).collect();
    let dashboard = session.dashboard(pull.head_sha.clone(), Some(pull.number))?;
    let refusal = Refusal { reasons: &reasons, ..*refusal };
    post_once(&dashboard, &render::refusal(&session.project.templates, rules, &refusal))?;
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
        conclude(session, asked, status == ExitStatus::Done);
    }
}

/// Reacts to how all of it ended. Of a comment that was changed nothing is left of how it ended before.
fn conclude(session: &Session, asked: &Asked, well: bool) {
    let (now, before) = match well {
        true => (Reaction::Rocket, Reaction::Confused),
        false => (Reaction::Confused, Reaction::Rocket),
    };
    react(session, asked, now);
    if let (Some("edited"), Some(comment), Ok(forge)) = (asked.event.action(), asked.comment, session.forge()) {
        let _decoration = forge.take_back(comment, before);
    }
}
