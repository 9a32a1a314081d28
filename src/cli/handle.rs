//! From an event to a dashboard: decide, answer what is refused, carry out what is not. `ci run`, `ci try` and typed
//! commands all come through here.

use super::board::Dashboard;
use super::facts::{Answers, Live, Rehearsal};
use super::session::Session;
use super::stop::Stop;
use super::work::{self, Work, post_once};
use super::{ExitStatus, console, environment};
use crate::command::{Invocation, Misfit, Reading};
use crate::decide::{self, Case, Decided};
use crate::expr;
use crate::forge::{self, Reaction};
use crate::gate::PersonaFacts;
use crate::model::board::Recorded;
use crate::model::decision::{Agenda, Part};
use crate::model::event::{Event, Pull};
use crate::model::ids::{PullNumber, Sha};
use crate::model::rules::{Kind, Permission};
use crate::render::{self, Reason, Refusal};

/// What somebody or something asks for.
pub(super) struct Asked {
    pub(super) event: Event,
    pub(super) readings: Vec<Reading>,
    pub(super) actor: String,
    /// The pull request, where the event does not name it.
    pub(super) pull: Option<PullNumber>,
    /// Facts that hold unless a flag says otherwise: for a person on his own machine.
    pub(super) persona: Option<PersonaFacts>,
    /// The comment that reactions go to.
    pub(super) comment: Option<u64>,
}

impl Asked {
    /// What an event asks for.
    pub(super) fn of_event(session: &Session, event: Event) -> Self {
        let readings = decide::readings(&session.project.rules, &event);
        let comment = event.comment();
        let author = comment.as_ref().map(|comment| comment.author.clone());
        let actor =
            author.or_else(|| event.sender().map(str::to_owned)).or_else(environment::actor).unwrap_or_default();
        Self { readings, actor, pull: None, persona: None, comment: comment.map(|comment| comment.id), event }
    }

    /// Whether nothing can follow from it, so that the forge need not be asked.
    pub(super) fn concerns_nobody(&self, session: &Session) -> bool {
        decide::concerns_nobody(&session.project.rules, &self.event, &self.readings)
    }
}

/// What was found and decided, before anything is done.
pub(super) struct Prepared {
    pub(super) pull: Option<Pull>,
    pub(super) sha: Option<Sha>,
    pub(super) recorded: Vec<Recorded>,
    pub(super) decided: Vec<Decided>,
}

/// How to go about it.
#[derive(Debug, Clone)]
pub(super) struct Options {
    pub(super) parallel: usize,
    /// The one job to run, as `HANDLER` or `HANDLER/LAYER`.
    pub(super) only: Option<String>,
    /// Decide and say, but do nothing.
    pub(super) dry_run: bool,
}

/// What came of it.
pub(super) struct Handled {
    pub(super) status: ExitStatus,
    pub(super) prepared: Prepared,
    /// What the journal of the pull request's commit holds now.
    pub(super) recorded: Vec<Recorded>,
}

/// Finds out what the event is about and decides.
pub(super) fn prepare(session: &Session, asked: &Asked, acknowledge: bool) -> Result<Prepared, Stop> {
    let rules = &session.project.rules;
    let mut prepared = Prepared { pull: None, sha: None, recorded: Vec::new(), decided: Vec::new() };
    let nothing = asked.concerns_nobody(session);
    if !nothing {
        if let Some(number) = asked.pull.or_else(|| asked.event.pull_number()) {
            prepared.pull = Some(session.pull(number, Some(&asked.event))?);
        }
        let told = prepared.pull.as_ref().map(|pull| pull.head_sha.clone());
        prepared.sha = told.or_else(|| asked.event.sha()).or_else(environment::sha);
        if prepared.sha.is_none() {
            prepared.sha = Some(session.workspace_pull(PullNumber(0), "main")?.head_sha);
        }
    }
    let forge = if nothing { None } else { Some(session.forge()?) };
    let dashboard = match (&forge, &prepared.sha) {
        (Some(forge), Some(sha)) => Some(dashboard(session, *forge, sha, prepared.pull.as_ref())),
        _ => None,
    };
    let repository = forge.map(|forge| forge.repository()).unwrap_or_default();
    let offline = PersonaFacts::default();
    let case = Case {
        rules,
        event: &asked.event,
        pull: prepared.pull.as_ref(),
        readings: &asked.readings,
        actor: &asked.actor,
        repository: &repository,
        run: None,
        facts: &offline,
    };
    let (Some(forge), Some(dashboard)) = (forge, dashboard) else {
        prepared.decided = decide::decide(&case);
        return Ok(prepared);
    };
    let answers = Answers::new(forge, prepared.pull.as_ref());
    let ask = || {
        // Where all facts hold, all that the decision can ask is asked: offline first, then of the forge side by side.
        let rehearsal = Rehearsal::default();
        if asked.persona.is_none() {
            decide::decide(&Case { facts: &rehearsal, ..case });
        }
        answers.ask(&rehearsal.questions());
    };
    let seen = || {
        if acknowledge {
            react(session, asked, Reaction::Eyes)
        }
    };
    let (((), ()), recorded) = forge::both(|| forge::both(seen, ask), || dashboard.read());
    let recorded = recorded?;
    let board = dashboard.board(&recorded);
    let live = Live { answers: &answers, rules, board: &board, recorded: &recorded, persona: asked.persona.clone() };
    let decided = decide::decide(&Case { facts: &live, ..case });
    Ok(Prepared { decided, recorded, ..prepared })
}

fn dashboard<'s>(
    session: &'s Session,
    forge: &'s dyn crate::forge::Forge,
    sha: &Sha,
    pull: Option<&Pull>,
) -> Dashboard<'s> {
    let project = &session.project;
    Dashboard::new(forge, (&project.rules, &project.templates), sha.clone(), pull.map(|pull| pull.number))
}

/// Decides and does.
pub(super) fn handle(session: &Session, asked: &Asked, options: &Options) -> Result<Handled, Stop> {
    if asked.concerns_nobody(session) {
        console::note("nothing to do: no rule and no command concerns this event");
        let prepared = Prepared { pull: None, sha: None, recorded: Vec::new(), decided: Vec::new() };
        return Ok(Handled { status: ExitStatus::Done, prepared, recorded: Vec::new() });
    }
    let acknowledge = !options.dry_run && asked.readings.iter().any(Result::is_ok);
    let prepared = prepare(session, asked, acknowledge)?;
    let mut status = ExitStatus::Done;
    let mut recorded = prepared.recorded.clone();
    let mut acted = false;
    for decided in &prepared.decided {
        let again = decided.invocation.as_ref().filter(|_| acted && !options.dry_run);
        let again =
            again.map(|invocation| decide_again(session, asked, &prepared, invocation, &recorded)).transpose()?;
        let decided = again.as_ref().unwrap_or(decided);
        let one = one(session, asked, options, &prepared, decided, &mut recorded)?;
        acted |= one.is_some();
        status = status.and(one.unwrap_or(ExitStatus::Done));
    }
    if !acted {
        console::note("nothing to do: no rule matches");
    } else if !asked.readings.is_empty() && !options.dry_run {
        let reaction = if status == ExitStatus::Done { Reaction::Rocket } else { Reaction::Confused };
        react(session, asked, reaction);
    }
    Ok(Handled { status, prepared, recorded })
}

/// Decides a command anew after another one was carried out, which may have changed what holds: what was recorded by a plan
/// a line before was approved by nobody.
fn decide_again(
    session: &Session,
    asked: &Asked,
    prepared: &Prepared,
    invocation: &Invocation,
    recorded: &[Recorded],
) -> Result<Decided, Stop> {
    let (rules, forge) = (&session.project.rules, session.forge()?);
    let Some(sha) = &prepared.sha else { return Err(Stop::usage("the event names no commit")) };
    let answers = Answers::new(forge, prepared.pull.as_ref());
    let board = dashboard(session, forge, sha, prepared.pull.as_ref()).board(recorded);
    let live = Live { answers: &answers, rules, board: &board, recorded, persona: asked.persona.clone() };
    let decided = decide::decide(&Case {
        rules,
        event: &asked.event,
        pull: prepared.pull.as_ref(),
        readings: &[Ok(invocation.clone())],
        actor: &asked.actor,
        repository: &forge.repository(),
        run: None,
        facts: &live,
    });
    decided.into_iter().next_back().ok_or_else(|| Stop::failed("nothing was decided"))
}

/// What follows from one decision; `None` where nothing does.
fn one(
    session: &Session,
    asked: &Asked,
    options: &Options,
    prepared: &Prepared,
    decided: &Decided,
    recorded: &mut Vec<Recorded>,
) -> Result<Option<ExitStatus>, Stop> {
    if let Some(misfit) = &decided.misfit {
        return misfitting(session, asked, options, prepared, misfit).map(Some);
    }
    if let Some(why) = &decided.ignored {
        console::note(format!("nothing to do: {why}"));
        return Ok(None);
    }
    let Some(agenda) = &decided.agenda else { return Ok(None) };
    let refused: Vec<&Part> = agenda.refused().collect();
    if !refused.is_empty() {
        refuse(session, asked, options, prepared, decided, &refused)?;
        return Ok(Some(ExitStatus::Refused));
    }
    let mut agenda = agenda.clone();
    if let Some(only) = &options.only
        && !agenda.only(only)
    {
        return Err(Stop::usage(format!("there is no job `{only}` in this run"))
            .help("write `HANDLER` or `HANDLER/LAYER`, as the matrix of `ci parse` names them"));
    }
    if options.dry_run {
        super::parse::say(decided, &agenda);
        return Ok(Some(ExitStatus::Done));
    }
    let done = perform(session, asked, options, prepared, decided, &agenda, recorded)?;
    Ok(Some(done))
}

fn perform(
    session: &Session,
    asked: &Asked,
    options: &Options,
    prepared: &Prepared,
    decided: &Decided,
    agenda: &Agenda,
    recorded: &mut Vec<Recorded>,
) -> Result<ExitStatus, Stop> {
    let (rules, forge) = (&session.project.rules, session.forge()?);
    let Some(sha) = &prepared.sha else { return Err(Stop::usage("the event names no commit")) };
    let (run, run_url) = session.run()?;
    let case = Case {
        rules,
        event: &asked.event,
        pull: prepared.pull.as_ref(),
        readings: &[],
        actor: &asked.actor,
        repository: &forge.repository(),
        run: Some((run, run_url)),
        facts: &PersonaFacts::default(),
    };
    let scope = decide::scope(&case, decided.invocation.as_ref());
    let mut home = dashboard(session, forge, sha, prepared.pull.as_ref());
    let elsewhere = elsewhere(session, forge, prepared, agenda, &scope)?;
    let is_home = elsewhere.is_none();
    if let Some((sha, pull)) = elsewhere {
        home = Dashboard::new(forge, (rules, &session.project.templates), sha, pull);
        *recorded = home.read()?;
    }
    let word = decided.invocation.as_ref().and_then(|invocation| invocation.line.split_whitespace().next());
    let done = work::carry_out(&Work {
        session,
        dashboard: &home,
        event: &asked.event,
        pull: prepared.pull.as_ref().filter(|_| is_home),
        agenda,
        action: word.map_or_else(|| asked.event.name.clone(), str::to_owned),
        actor: &asked.actor,
        scope,
        recorded,
        run,
        run_url,
        parallel: options.parallel,
    })?;
    *recorded = done.recorded;
    Ok(done.status)
}

/// Where a run reports to another commit than the event's: a `report` names its `sha`, and goes to the pull request
/// whose row it is; a push of a merged pull request goes to that one's dashboard.
fn elsewhere(
    session: &Session,
    forge: &dyn crate::forge::Forge,
    prepared: &Prepared,
    agenda: &Agenda,
    scope: &expr::Scope,
) -> Result<Option<(Sha, Option<PullNumber>)>, Stop> {
    let rules = &session.project.rules;
    let reports = agenda.jobs.iter().find_map(|job| {
        let handler = rules.handlers.get(&job.handler)?;
        matches!(handler.kind, Kind::Report(_)).then_some((job, handler.sha.as_ref()?))
    });
    if let Some((job, template)) = reports {
        let text = expr::render(template, scope).map_err(Stop::usage)?;
        let sha = Sha::parse(text.trim()).ok_or_else(|| Stop::usage(format!("`{}` is no commit sha", text.trim())))?;
        let told = prepared.pull.as_ref().map(|pull| pull.number);
        let any = dashboard(session, forge, &sha, None);
        let pull = match told {
            Some(pull) => Some(pull),
            None => any
                .read_all()?
                .into_iter()
                .find(|recorded| job.rows.contains(&recorded.entry.row))
                .and_then(|recorded| recorded.entry.pr),
        };
        return Ok(Some((sha, pull)));
    }
    match (&prepared.pull, &prepared.sha) {
        (None, Some(sha)) => {
            let merged = forge.merged_pull(sha)?;
            Ok(merged.map(|pull| (pull.head_sha.clone(), Some(pull.number))))
        }
        _ => Ok(None),
    }
}

fn refuse(
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
        answer(session, asked, prepared, &what, &Refusal::Gate(&reasons))?;
    }
    Ok(())
}

fn misfitting(
    session: &Session,
    asked: &Asked,
    options: &Options,
    prepared: &Prepared,
    misfit: &Misfit,
) -> Result<ExitStatus, Stop> {
    console::error(&format!("{} in `{}`", misfit.problem, misfit.line));
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
        answer(session, asked, prepared, &misfit.line, &Refusal::Gate(&[reason]))?;
    }
    Ok(ExitStatus::Refused)
}

/// Posts a refusal where there is a pull request to post it on.
fn answer(session: &Session, asked: &Asked, prepared: &Prepared, command: &str, why: &Refusal<'_>) -> Result<(), Stop> {
    let (Some(pull), Some(sha)) = (&prepared.pull, &prepared.sha) else { return Ok(()) };
    let dashboard = dashboard(session, session.forge()?, sha, Some(pull));
    let body = render::refusal(&session.project.templates, &session.project.rules, command, &asked.actor, why);
    post_once(&dashboard, &body)?;
    Ok(())
}

/// Reacts to the comment. A decoration: it never fails the call.
fn react(session: &Session, asked: &Asked, reaction: Reaction) {
    if let (Some(comment), Ok(forge)) = (asked.comment, session.forge()) {
        let _decoration = forge.react(comment, reaction);
    }
}
