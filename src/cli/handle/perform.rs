//! A decision carried out: on which commit's dashboard it is reported, in which folder its steps run, and how the person
//! who asked hears of its end.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use super::answer::{may_write, post, tell_end};
use super::{Asked, Options, Prepared};
use crate::cli::board::Dashboard;
use crate::cli::session::Session;
use crate::cli::stop::Stop;
use crate::cli::work::{self, Work};
use crate::cli::{ExitStatus, console, ended, environment, output};
use crate::decide::{self, Case, Decided};
use crate::expr::{self, Scope};
use crate::forge::git::Repository;
use crate::forge::worktree::Worktree;
use crate::gate::PersonaFacts;
use crate::model::board::Recorded;
use crate::model::decision::{Agenda, Job};
use crate::model::ids::{PullNumber, Sha};
use crate::model::rules::{Checkout, Handler, Kind, Rules, Template};
use crate::render::Refusal;

/// What stands around one decision of several.
pub(super) struct Setting<'a> {
    pub(super) session: &'a Session,
    pub(super) asked: &'a Asked,
    pub(super) options: &'a Options,
    pub(super) prepared: &'a Prepared,
    /// How the decisions before it ended, where this is the last one: then the person who asked hears of the end.
    pub(super) last: Option<ExitStatus>,
    /// Whether the work was done, whatever came of it.
    pub(super) worked: &'a AtomicBool,
}

/// Carries an agenda out, which then has the jobs that began; `recorded` becomes what the journal holds then.
pub(super) fn perform(
    setting: &Setting<'_>,
    decided: &Decided,
    agenda: &mut Agenda,
    recorded: &mut Vec<Recorded>,
) -> Result<ExitStatus, Stop> {
    let Setting { session, asked, options, prepared, .. } = *setting;
    let (rules, forge) = (&session.project.rules, session.forge()?);
    let Some(sha) = &prepared.sha else { return Err(Stop::usage("the event names no commit")) };
    let number = prepared.pull.as_ref().map(|pull| pull.number);
    let (run, run_url) = session.run(number)?;
    let (repository, facts) = (forge.repository(), PersonaFacts::default());
    let case = asked.case(rules, prepared.pull.as_ref(), &repository, &facts);
    let run_and_page = run.map(|run| (run, run_url));
    let scope = decide::scope(&Case { run: run_and_page, ..case }, decided.invocation.as_ref());
    if !leave_untold(setting, agenda, &scope) {
        return Ok(ExitStatus::Done);
    }
    let mut home = session.dashboard(sha.clone(), number)?;
    let elsewhere = match elsewhere(setting, &home, agenda, &scope)? {
        Home::Here => None,
        Home::There(sha, pull) => Some((sha, pull)),
        Home::Nowhere(why) => {
            console::note(format!("nothing to do: {why}"));
            return Ok(ExitStatus::Done);
        }
    };
    let is_home = elsewhere.is_none();
    if let Some((sha, pull)) = elsewhere {
        home = home.of(sha, pull);
        *recorded = home.read()?;
    }
    let code = code(session, agenda, &home.sha)?;
    let word = decided.invocation.as_ref().and_then(|invocation| invocation.line.split_whitespace().next());
    let closing = |status: ExitStatus| {
        setting.worked.store(true, Ordering::Relaxed);
        if let Some(before) = setting.last {
            tell_end(session, asked, before.and(status));
        }
    };
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
        code: code.as_ref().map(|(_, folder)| folder.as_path()),
        parallel: options.parallel,
        // Short, since every entry carries it: it need only differ from those of this commit.
        id: output::random()[..12].to_owned(),
        closing: &closing,
    })?;
    *recorded = done.recorded;
    agenda.keep(&done.begun);
    let mut status = done.status;
    if let (Some(pull), Some(invocation), false) = (&prepared.pull, &decided.invocation, done.refused.is_empty()) {
        let (command, partly, reasons) = (&invocation.line, done.begun.contains(&true), &done.refused);
        let by = &asked.actor;
        let posted = may_write(session, asked)
            .and_then(|by_line| post(session, pull, &Refusal { command, by, partly, by_line, reasons }));
        // What was done was done.
        if let Err(stop) = posted {
            stop.report();
            status = status.and(stop.status);
        }
    }
    Ok(status)
}

/// Takes the reports off the agenda that have no status to report yet; whether anything is left to do.
fn leave_untold(setting: &Setting<'_>, agenda: &mut Agenda, scope: &Scope) -> bool {
    let rules = &setting.session.project.rules;
    let had_none = agenda.jobs.is_empty();
    let told: Vec<bool> = agenda.jobs.iter().map(|job| !is_untold(rules, job, scope)).collect();
    for (job, _) in agenda.jobs.iter().zip(&told).filter(|(_, told)| !**told) {
        console::note(format!("{}: nothing to report: the event has no status yet", job.name()));
    }
    agenda.keep(&told);
    let left = had_none || !agenda.jobs.is_empty();
    if let (false, Some(before)) = (left, setting.last) {
        tell_end(setting.session, setting.asked, before);
    }
    left
}

/// Whether a job is a report whose event has no status: the conclusion of a run that goes on is null, which reads as
/// `None`. An error in its template is for the job to say.
fn is_untold(rules: &Rules, job: &Job, scope: &Scope) -> bool {
    let Some(Kind::Report(status)) = rules.handlers.get(&job.handler).map(|handler| &handler.kind) else {
        return false;
    };
    let mut scope = scope.clone();
    if let Some(layer) = job.layer.as_ref().and_then(|layer| rules.layers.get(layer)) {
        scope.set_layer(layer);
    }
    expr::render(status, &scope).is_ok_and(|word| word.trim().eq_ignore_ascii_case("none"))
}

/// The code of the commit, where steps are to run in it and the forge has it, and the folder of the project in there.
fn code(session: &Session, agenda: &Agenda, sha: &Sha) -> Result<Option<(Worktree, PathBuf)>, Stop> {
    let runs_code = |job: &Job| {
        session.project.rules.handlers.get(&job.handler).is_some_and(|handler: &Handler| {
            matches!(handler.kind, Kind::Steps(_)) && handler.checkout == Checkout::Head
        })
    };
    if !agenda.jobs.iter().any(runs_code) {
        return Ok(None);
    }
    let root = &session.project.root;
    let Some(remote) = session.forge()?.remote() else {
        let checkout = Repository::find(root).ok().flatten();
        if checkout.is_some_and(|checkout| checkout.has_changes().unwrap_or(false)) {
            console::note(
                "changes that are not committed are run too, and what comes of them is reported on the commit",
            );
        }
        return Ok(None);
    };
    let checkout = Repository::find(root)?.ok_or_else(|| {
        Stop::usage(format!("`{}` is in no git repository", root.display()))
            .help("the code of a pull request is checked out beside one: begin the job with `actions/checkout`, where git is installed")
    })?;
    let tree = Worktree::of(&checkout, sha, &remote, &environment::temporary()).map_err(|error| {
        Stop::from(error).help_unless_here("nothing was run; ask again once the commit can be fetched")
    })?;
    let folder = tree.path().join(root.strip_prefix(checkout.root()).unwrap_or(Path::new("")));
    Ok(Some((tree, folder)))
}

/// Which commit's dashboard work is reported on.
enum Home {
    /// That of the event.
    Here,
    There(Sha, Option<PullNumber>),
    /// None of ours, and why.
    Nowhere(String),
}

/// Where a run reports to another commit than the event's: a `report` names its `sha`, and goes to the pull request
/// whose row it is; a push of a merged pull request goes to that one's dashboard.
fn elsewhere(setting: &Setting<'_>, here: &Dashboard<'_>, agenda: &mut Agenda, scope: &Scope) -> Result<Home, Stop> {
    let prepared = setting.prepared;
    let rules = &setting.session.project.rules;
    let reports = agenda.jobs.iter().find_map(|job| {
        let handler = rules.handlers.get(&job.handler)?;
        matches!(handler.kind, Kind::Report(_)).then_some(handler.sha.as_ref()?)
    });
    if let Some(template) = reports {
        return reported(setting, here, agenda, (template, scope));
    }
    match (&prepared.pull, &prepared.sha) {
        (None, Some(sha)) if setting.asked.event.name == "push" => {
            let merged = here.forge.merged_pull(sha)?;
            Ok(merged.map_or(Home::Here, |pull| Home::There(pull.head_sha, Some(pull.number))))
        }
        _ => Ok(Home::Here),
    }
}

/// Where a report goes. That of a run goes to the rows whose entries name the run; else it counts only for a run of this
/// repository.
fn reported(
    setting: &Setting<'_>,
    here: &Dashboard<'_>,
    agenda: &mut Agenda,
    (template, scope): (&Template, &Scope),
) -> Result<Home, Stop> {
    let text = expr::render(template, scope).map_err(Stop::usage)?;
    let sha = Sha::parse(text.trim()).ok_or_else(|| Stop::usage(format!("`{}` is no commit sha", text.trim())))?;
    let recorded = here.of(sha.clone(), None).read_all()?;
    let run = setting.asked.event.workflow_run();
    let names_it = |recorded: &&Recorded| run.as_ref().is_some_and(|run| ended::is_of(recorded, run));
    let of_run: Vec<&Recorded> = recorded.iter().filter(names_it).collect();
    if let (Some(run), []) = (&run, &of_run[..])
        && run.head_repository.as_deref() != setting.asked.event.repository()
    {
        return Ok(Home::Nowhere(format!("run {} is of another repository", run.id.id)));
    }
    for job in &mut agenda.jobs {
        let named: Vec<String> = of_run.iter().map(|recorded| recorded.entry.row.clone()).collect();
        if job.rows.iter().any(|row| named.contains(row)) {
            job.rows.retain(|row| named.contains(row));
        }
    }
    let of_rows = |recorded: &&Recorded| agenda.rows().contains(&recorded.entry.row);
    let pull = setting.prepared.pull.as_ref().map(|pull| pull.number);
    let pull = pull.or_else(|| of_run.first().copied().or_else(|| recorded.iter().find(of_rows))?.entry.pr);
    Ok(Home::There(sha, pull.or_else(|| run?.pulls.first().copied())))
}
