//! `ci parse`: decide only, and say it to people, to `GITHUB_OUTPUT` and as JSON.

use indexmap::{IndexMap, IndexSet};
use serde_json::{Value, json};

use super::args::Global;
use super::handle::{self, Asked, Prepared};
use super::run::EventArgs;
use super::session::Session;
use super::stop::Stop;
use super::{ExitStatus, console, output};
use crate::decide::Decided;
use crate::gate;
use crate::model::decision::{Agenda, Job, Part};
use crate::model::rules::{Action, Kind, Rules};

const EXAMPLES: &str = "\
Examples:
  ci parse                         in a job of GitHub Actions, for those after it
  ci parse --event push.json       a recorded event, here
  ci parse --format json           all of it

Outputs, which `ci run` writes to GITHUB_OUTPUT too, of what it got to:
  modes        JSON: for each mode that there is work for, its layers, stages
               and matrix. A job that does the work of `delegate = \"lint\"` has
    if: ${{ !cancelled() && fromJSON(needs.JOB.outputs.modes || '{}').lint }}
  should_run   whether there is any work
  pr_number, head_sha
and of the event, or of the first command of a comment with several:
  mode         the handler's `mode`, else its delegate's name, else `run`;
               `skip` where there is no work
  command, args, handler
  layers, stages
  matrix       JSON: for each job its job, handler, layer, dir, engine, stage,
               command and args
  waves        JSON: the jobs that may run side by side, lowest first
  reason_code  why nothing is run
  result       JSON: all that was decided
Where an outage hides what is to be done there are none, and the exit code is
3, as of `ci run`.";

/// Decide only, gates included, and print what `ci run` would do.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    #[command(flatten)]
    event: EventArgs,

    /// How to print it.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// `name=value`, a line each.
    Text,
    /// The versioned result.
    Json,
}

pub(super) fn run(global: &Global, args: &Args) -> Result<ExitStatus, Stop> {
    let event = args.event.read()?;
    let global = &global.about(&event);
    let session = Session::open_for(global, &event)?;
    let asked = Asked::of_event(&session, event);
    let prepared = handle::prepare(&session, &asked, false)?;
    if let Some(status) = undecided(&prepared) {
        return Ok(status);
    }
    let outputs = outputs(&session.project.rules, &asked, &prepared);
    match args.format {
        Format::Text => outputs.iter().for_each(|(name, value)| console::line(format!("{name}={value}"))),
        Format::Json => console::json(&result(&session.project.rules, &asked, &prepared)),
    }
    output::write(&outputs)?;
    Ok(ExitStatus::Done)
}

/// Says what could not be found out, where that alone keeps work from being done, and how that ends: the jobs that follow
/// would take it for nothing to do, so there are no outputs then.
fn undecided(prepared: &Prepared) -> Option<ExitStatus> {
    let mut ended: Option<ExitStatus> = None;
    for decided in &prepared.decided {
        let refused: Vec<&Part> = decided.agenda.iter().flat_map(Agenda::refused).collect();
        if gate::undecided(refused.iter().copied()).is_some() {
            let (status, _) = handle::say_refused(decided, &refused);
            ended = Some(ended.map_or(status, |ended| ended.and(status)));
        }
    }
    ended
}

/// Writes what was decided to `GITHUB_OUTPUT`.
pub(super) fn write_outputs(rules: &Rules, asked: &Asked, prepared: &Prepared) -> Result<(), Stop> {
    output::write(&outputs(rules, asked, prepared))
}

/// Prints what would be done.
pub(super) fn say(decided: &Decided, agenda: &Agenda) {
    console::line(format!("{} would run:", decided.subject()));
    for job in &agenda.jobs {
        let layer = job.layer.as_ref().map_or_else(String::new, |layer| format!(" for {layer}"));
        let rows = if job.rows.is_empty() { String::new() } else { format!(" → {}", job.rows.join(", ")) };
        console::line(format!("  {}{layer}{rows}", job.handler));
    }
    for idle in &agenda.idle {
        console::line(format!("  {}: skipped, {}", idle.row, idle.note));
    }
    if agenda.jobs.is_empty() {
        console::line("  nothing");
    }
}

/// The decision that the outputs tell of: the first command's, else the event's.
fn first(prepared: &Prepared) -> Option<&Decided> {
    prepared.decided.iter().find(|decided| decided.agenda.is_some() || decided.misfit.is_some())
}

fn handlers(rules: &Rules, decided: &Decided) -> Vec<String> {
    match decided.rule().and_then(|index| rules.rules.get(index)).map(|rule| &rule.action) {
        Some(Action::Run(handlers)) => handlers.iter().map(|handler| handler.value.clone()).collect(),
        Some(Action::Say(_)) | None => Vec::new(),
    }
}

fn runs(decided: &Decided) -> bool {
    decided.agenda.as_ref().is_some_and(|agenda| !agenda.jobs.is_empty() && agenda.refused().next().is_none())
}

/// The word that tells the jobs of a workflow which of them is meant.
fn mode(rules: &Rules, decided: Option<&Decided>) -> String {
    let Some(decided) = decided.filter(|decided| runs(decided)) else { return "skip".to_owned() };
    handlers(rules, decided).first().map_or_else(|| RUN.to_owned(), |handler| mode_of(rules, handler).to_owned())
}

/// The mode of what `ci run` does itself.
const RUN: &str = "run";

fn mode_of<'a>(rules: &'a Rules, handler: &str) -> &'a str {
    match rules.handlers.get(handler).map(|handler| (&handler.mode, &handler.kind)) {
        Some((Some(mode), _)) => mode,
        Some((None, Kind::Delegate(name))) => name,
        Some((None, _)) | None => RUN,
    }
}

/// What there is for each mode, of all that was decided: several commands of one comment, or several handlers of one
/// rule, are for several jobs of the workflow. A job that several commands ask for is named once, since `ci run --only`
/// does it for all of them; but what is left to others is named for each that asks for something else.
fn modes(rules: &Rules, decided: &[Decided]) -> Value {
    let mut modes: IndexMap<&str, Mode<'_>> = IndexMap::new();
    for decided in decided.iter().filter(|decided| runs(decided)) {
        let Some(agenda) = &decided.agenda else { continue };
        for job in &agenda.jobs {
            let mode = modes.entry(mode_of(rules, &job.handler)).or_default();
            // One for no layer in particular is for all that the command is about.
            let layers = job.layer.as_ref().map_or(&*agenda.layers, std::slice::from_ref);
            mode.layers.extend(layers.iter().map(String::as_str));
            mode.rows.extend(job.rows.iter().map(String::as_str));
            let left = matches!(rules.handlers.get(&job.handler).map(|handler| &handler.kind), Some(Kind::Delegate(_)));
            let entry = matrix_entry(rules, decided, job);
            let known = |other: &Value| if left { *other == entry } else { other["job"] == entry["job"] };
            if !mode.include.iter().any(known) {
                mode.include.push(entry);
            }
        }
    }
    let listed = |names: IndexSet<&str>| names.into_iter().collect::<Vec<_>>().join(",");
    let told = |Mode { layers, rows, include }: Mode<'_>| json!({ "layers": listed(layers), "stages": listed(rows), "matrix": { "include": include } });
    Value::Object(modes.into_iter().map(|(mode, what)| (mode.to_owned(), told(what))).collect())
}

/// What there is for one mode.
#[derive(Default)]
struct Mode<'a> {
    layers: IndexSet<&'a str>,
    rows: IndexSet<&'a str>,
    include: Vec<Value>,
}

fn outputs(rules: &Rules, asked: &Asked, prepared: &Prepared) -> Vec<(&'static str, String)> {
    let first = first(prepared);
    let agenda = first.and_then(|decided| decided.agenda.as_ref());
    let invocation = first.and_then(|decided| decided.invocation.as_ref());
    let misfit = first.and_then(|decided| decided.misfit.as_ref()).map(|misfit| misfit.code);
    let refused = agenda.and_then(|agenda| agenda.refused().next()).map(|part| part.code);
    vec![
        ("should_run", prepared.decided.iter().any(runs).to_string()),
        ("mode", mode(rules, first)),
        ("modes", output::json(&modes(rules, &prepared.decided))),
        ("command", invocation.map(|invocation| invocation.command.clone()).unwrap_or_default()),
        ("args", output::json(&json!(invocation.map(|invocation| invocation.args.clone()).unwrap_or_default()))),
        ("layers", agenda.map(|agenda| agenda.layers.join(",")).unwrap_or_default()),
        ("stages", agenda.map(|agenda| agenda.rows().join(",")).unwrap_or_default()),
        ("pr_number", prepared.pull.as_ref().map(|pull| pull.number.to_string()).unwrap_or_default()),
        ("head_sha", prepared.sha.as_ref().map(ToString::to_string).unwrap_or_default()),
        ("handler", first.map(|decided| handlers(rules, decided).join(",")).unwrap_or_default()),
        ("matrix", output::json(&matrix(rules, first))),
        ("waves", output::json(&agenda.map_or_else(|| json!([]), waves))),
        ("reason_code", refused.or(misfit).unwrap_or_default().to_owned()),
        ("result", output::json(&result(rules, asked, prepared))),
    ]
}

/// One job of a `strategy.matrix` for each job of a decision.
fn matrix(rules: &Rules, decided: Option<&Decided>) -> Value {
    let agenda = decided.and_then(|decided| Some((decided, decided.agenda.as_ref()?)));
    let entries = agenda.map(|(decided, agenda)| agenda.jobs.iter().map(|job| matrix_entry(rules, decided, job)));
    json!({ "include": entries.into_iter().flatten().collect::<Vec<_>>() })
}

fn matrix_entry(rules: &Rules, decided: &Decided, job: &Job) -> Value {
    let layer = job.layer.as_ref().and_then(|layer| rules.layers.get(layer));
    let invocation = decided.invocation.as_ref();
    json!({
        "job": job.name(),
        "handler": job.handler,
        "layer": job.layer.clone().unwrap_or_default(),
        "dir": layer.map(|layer| layer.dir.value.clone()).unwrap_or_default(),
        "engine": layer.map(|layer| layer.engine.clone()).unwrap_or_default(),
        "stage": job.rows.first().cloned().unwrap_or_default(),
        "command": invocation.map(|invocation| invocation.command.clone()).unwrap_or_default(),
        "args": invocation.map(|invocation| invocation.args.clone()).unwrap_or_default(),
    })
}

fn waves(agenda: &Agenda) -> Value {
    let names = |wave: &Vec<usize>| wave.iter().map(|at| agenda.jobs[*at].name()).collect::<Vec<_>>();
    json!(agenda.waves().iter().map(names).collect::<Vec<_>>())
}

/// All that was decided, versioned: keys are added, never changed.
fn result(rules: &Rules, asked: &Asked, prepared: &Prepared) -> Value {
    let decisions: Vec<Value> = prepared
        .decided
        .iter()
        .map(|decided| {
            let agenda = decided.agenda.as_ref();
            json!({
                "subject": decided.matching.as_ref().map(|matching| matching.subject.clone()),
                "command": decided.invocation.as_ref().map(|invocation| invocation.command.clone()),
                "args": decided.invocation.as_ref().map(|invocation| invocation.args.clone()),
                "line": decided.rule().and_then(|index| rules.rules.get(index)).map(|rule| rules.source.line(rule.span.start)),
                "handlers": handlers(rules, decided),
                "layers": agenda.map(|agenda| agenda.layers.clone()),
                "rows": agenda.map(Agenda::rows),
                "jobs": agenda.map(|agenda| agenda.jobs.clone()),
                "skipped": agenda.map(|agenda| agenda.idle.clone()),
                "refused": agenda.map(|agenda| agenda.refused().cloned().collect::<Vec<_>>()),
                "misfit": decided.misfit,
                "ignored": decided.ignored,
            })
        })
        .collect();
    json!({
        "version": 1,
        "event": asked.event.name,
        "action": asked.event.action(),
        "actor": asked.actor,
        "pr": prepared.pull.as_ref().map(|pull| pull.number),
        "sha": prepared.sha,
        "decisions": decisions,
    })
}
