//! From an event to a dashboard: decide, answer what is refused, carry out what is not. `ci run`, `ci try` and typed
//! commands all come through here.

mod answer;
mod perform;
mod typed;

use std::sync::atomic::AtomicBool;

use self::answer::{misfitting, react, refuse, stopped, tell_end};
pub(super) use self::answer::{say_refused, tell_without_rules};
use self::perform::{Setting, perform};
pub(super) use self::typed::say_begun;
use super::facts::{Answers, Live, Rehearsal};
use super::session::Session;
use super::stop::Stop;
use super::{ExitStatus, console, ended, environment};
use crate::command::{Invocation, Reading};
use crate::decide::{self, Case, Decided};
use crate::forge::{self, Reaction};
use crate::gate::{Facts, PersonaFacts};
use crate::model::board::Recorded;
use crate::model::decision::Part;
use crate::model::event::{COMMAND_LINE, Event, Pull};
use crate::model::ids::{PullNumber, Sha};
use crate::model::rules::Rules;

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
        let comment = event.comment().map(|comment| comment.id);
        let speaker = decide::speaker(&event).or_else(|| event.sender().map(str::to_owned));
        let actor = speaker.or_else(environment::actor).unwrap_or_default();
        Self { readings, actor, pull: None, persona: None, comment, event }
    }

    /// The pull request that it is about.
    fn pull_number(&self) -> Option<PullNumber> {
        self.pull.or_else(|| self.event.pull_number())
    }

    /// Whether nothing can follow from it, so that the forge need not be asked.
    pub(super) fn concerns_nobody(&self, session: &Session) -> bool {
        decide::concerns_nobody(&session.project.rules, &self.event, &self.readings)
    }

    /// What is to be decided of it.
    fn case<'a>(
        &'a self,
        rules: &'a Rules,
        pull: Option<&'a Pull>,
        repository: &'a str,
        facts: &'a dyn Facts,
    ) -> Case<'a> {
        let Self { event, readings, actor, .. } = self;
        Case { rules, event, pull, readings, actor, repository, run: None, facts }
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
    let offline = PersonaFacts::default();
    if asked.concerns_nobody(session) {
        let decided = decide::decide(&asked.case(rules, None, "", &offline));
        return Ok(Prepared { pull: None, sha: None, recorded: Vec::new(), decided });
    }
    let number = asked.pull_number();
    let pull = number.map(|number| session.pull(number, Some(&asked.event))).transpose()?;
    let told = pull.as_ref().map(|pull| pull.head_sha.clone());
    let sha = match told.or_else(|| asked.event.sha()).or_else(environment::sha) {
        Some(sha) => sha,
        None => session.workspace_sha()?,
    };
    let forge = session.forge()?;
    let dashboard = session.dashboard(sha.clone(), number)?;
    let repository = forge.repository();
    let case = asked.case(rules, pull.as_ref(), &repository, &offline);
    let answers = Answers::new(forge, pull.as_ref());
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
    Ok(Prepared { pull, sha: Some(sha), recorded, decided })
}

/// Decides and does.
pub(super) fn handle(session: &Session, asked: &Asked, options: &Options) -> Result<Handled, Stop> {
    let concerns_nobody = asked.concerns_nobody(session);
    let handled = if concerns_nobody {
        Handled { status: ExitStatus::Done, prepared: prepare(session, asked, false)?, recorded: Vec::new() }
    } else {
        // On a closed pull request all others are ignored without a word.
        let counts = |command: &&Invocation| {
            !asked.event.is_on_closed() || decide::works_when_closed(&session.project.rules, &command.command)
        };
        let commands = asked.readings.iter().flatten().filter(counts).filter(|_| !options.dry_run);
        let lines: Vec<&str> = commands.map(|command| &*command.line).collect();
        let prepared = prepare(session, asked, !lines.is_empty()).map_err(Stop::before_anything);
        let prepared = prepared.inspect_err(|stop| {
            if let [_, later @ ..] = &lines[..] {
                not_reached(later);
                stopped(session, asked, &lines, stop);
                tell_end(session, asked, stop.status);
            }
        })?;
        each(session, asked, options, prepared)?
    };
    // Behind the rules' own reports: what is left then was never reported.
    let closed = !options.dry_run && ended::close_rows_of(session, &asked.event)?;
    if concerns_nobody && !closed {
        console::note(format!("nothing to do: no rule and no command concerns this `{}`", asked.event.name));
    }
    Ok(handled)
}

/// Does what was decided, one after another.
fn each(session: &Session, asked: &Asked, options: &Options, mut prepared: Prepared) -> Result<Handled, Stop> {
    let mut status = ExitStatus::Done;
    let mut recorded = prepared.recorded.clone();
    let (mut acted, mut told) = (false, false);
    // What was got to, as it was decided at last: nobody else may begin what was not.
    let mut reached = Vec::new();
    for (at, decided) in prepared.decided.iter().enumerate() {
        let last = (at + 1 == prepared.decided.len()).then_some(status);
        let worked = AtomicBool::new(false);
        let setting = Setting { session, asked, options, prepared: &prepared, last, worked: &worked };
        let again = decided.invocation.as_ref().filter(|_| acted && !options.dry_run);
        let decided_now = match again {
            Some(invocation) => decide_again(session, asked, &prepared, invocation, &recorded),
            None => Ok(decided.clone()),
        };
        match decided_now.and_then(|mut decided| Ok((one(&setting, &mut decided, &mut recorded)?, decided))) {
            Ok((one, decided)) => {
                reached.push(decided);
                if let Some(one) = one {
                    (acted, told) = (true, one.told);
                    status = status.and(one.status);
                }
            }
            Err(stop) => {
                // What went before is not forgotten, and what follows would meet the same.
                stop.report();
                let worked = worked.into_inner();
                let later = prepared.decided[at + 1..].iter().filter(|later| later.ignored.is_none());
                let later: Vec<&str> = later.filter_map(Decided::line).collect();
                not_reached(&later);
                if (acted || worked) && !later.is_empty() {
                    console::help("ask for it again; the job run again would do again what was done");
                }
                if !options.dry_run {
                    let left: Vec<&str> = decided.line().filter(|_| !worked).into_iter().chain(later).collect();
                    stopped(session, asked, &left, &stop);
                }
                (acted, told) = (true, false);
                status = status.and(stop.status);
                break;
            }
        }
    }
    if let (false, Some(only)) = (acted, &options.only)
        && reached.iter().any(|decided| decided.agenda.is_some())
    {
        return Err(Stop::usage(format!("there is no job `{only}` in this run"))
            .help("write `HANDLER` or `HANDLER/LAYER`, as the matrix of `ci parse` names them"));
    }
    if !acted {
        // What matched and is ignored said so.
        if prepared.decided.iter().all(|decided| decided.ignored.is_none()) {
            console::note("nothing to do: no rule matches");
        }
    } else if !told && !options.dry_run {
        tell_end(session, asked, status);
    }
    prepared.decided = reached;
    Ok(Handled { status, prepared, recorded })
}

/// Names the commands that an end left behind it.
fn not_reached(lines: &[&str]) {
    lines.iter().for_each(|line| console::note(format!("`{line}` was not run: the call ended before it")));
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
    let board = session.dashboard(sha.clone(), prepared.pull.as_ref().map(|pull| pull.number))?.board(recorded);
    let live = Live { answers: &answers, rules, board: &board, recorded, persona: asked.persona.clone() };
    let repository = forge.repository();
    let case = asked.case(rules, prepared.pull.as_ref(), &repository, &live);
    let decided = decide::decide(&Case { readings: &[Ok(invocation.clone())], ..case });
    decided.into_iter().next_back().ok_or_else(|| Stop::failed("nothing was decided"))
}

/// What came of one decision.
struct One {
    status: ExitStatus,
    /// Whether the person who asked heard of the end already.
    told: bool,
}

/// What follows from one decision; `None` where nothing does. It then holds the jobs that began.
fn one(setting: &Setting<'_>, decided: &mut Decided, recorded: &mut Vec<Recorded>) -> Result<Option<One>, Stop> {
    let Setting { session, asked, options, prepared, .. } = *setting;
    let untold = |status| Some(One { status, told: false });
    if let Some(misfit) = &decided.misfit {
        return misfitting(session, asked, options, prepared, misfit).map(untold);
    }
    if let Some(why) = &decided.ignored {
        console::note(format!("nothing to do: {why}"));
        return Ok(None);
    }
    let Some(mut agenda) = decided.agenda.clone() else { return Ok(None) };
    let refused: Vec<&Part> = agenda.refused().collect();
    if !refused.is_empty() {
        return refuse(session, asked, options, prepared, decided, &refused).map(untold);
    }
    if let Some(only) = &options.only
        && !agenda.only(only)
    {
        // It may be another command's.
        decided.agenda = Some(agenda);
        return Ok(None);
    }
    if let (COMMAND_LINE, Some(invocation), None) = (&*asked.event.name, &decided.invocation, &prepared.pull) {
        typed::without_pull(&session.project.rules, invocation, &agenda)?;
    }
    if options.dry_run {
        super::parse::say(decided, &agenda);
        return Ok(untold(ExitStatus::Done));
    }
    let status = perform(setting, decided, &mut agenda, recorded)?;
    decided.agenda = Some(agenda);
    Ok(Some(One { status, told: setting.last.is_some() }))
}
