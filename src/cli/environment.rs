//! What GitHub Actions says through the environment. See
//! <https://docs.github.com/en/actions/reference/workflows-and-actions/variables>.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::stop::Stop;
use crate::config;
use crate::exec::redact::Redactor;
use crate::forge::Secret;
use crate::forge::github::RETRY_BUDGET;
use crate::model::event::Event;
use crate::model::ids::{RunId, Sha};
use crate::model::rules::Rules;

/// The most bytes of an event's payload that are read: GitHub sends no more.
const PAYLOAD: u64 = 25 << 20;

/// A variable that is set and not empty.
pub(super) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The token that speaks to GitHub.
pub(super) fn token() -> Option<Secret> {
    variable("GITHUB_TOKEN").or_else(|| variable("GH_TOKEN")).map(Secret::new)
}

/// A token that may read who is in which team, where the other one may not.
pub(super) fn members_token() -> Option<Secret> {
    variable("CI_MEMBERS_TOKEN").map(Secret::new)
}

/// For how long trouble with GitHub is put up with, in all: `CI_RETRY_BUDGET`, in seconds.
pub(super) fn retry_budget() -> Result<Duration, Stop> {
    let Some(seconds) = variable("CI_RETRY_BUDGET") else { return Ok(RETRY_BUDGET) };
    seconds.parse().map(Duration::from_secs).map_err(|_| {
        Stop::usage(format!("`CI_RETRY_BUDGET` is `{seconds}`, which is no whole number of seconds"))
            .help("write one such as `120`, or leave it out")
    })
}

/// What hides the secrets of the environment, and the names of those that are too short to be hidden.
pub(super) fn redactor(rules: &Rules) -> anyhow::Result<(Redactor, Vec<String>)> {
    let texts = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.to_string_lossy().into_owned())));
    Redactor::new(&rules.redact, texts, &rules.source.text)
}

/// Where things go that nobody needs after this job.
pub(super) fn temporary() -> PathBuf {
    variable("RUNNER_TEMP").map_or_else(std::env::temp_dir, PathBuf::from)
}

/// Whether this is a job of GitHub Actions.
pub(super) fn on_actions() -> bool {
    variable("GITHUB_ACTIONS").as_deref() == Some("true")
}

/// The run that this process is a part of.
pub(super) fn run_id() -> Option<RunId> {
    let id = variable("GITHUB_RUN_ID")?.parse().ok()?;
    let attempt = variable("GITHUB_RUN_ATTEMPT").and_then(|attempt| attempt.parse().ok()).unwrap_or(1);
    Some(RunId { id, attempt })
}

/// The page of that run.
pub(super) fn run_url() -> Option<String> {
    let server = variable("GITHUB_SERVER_URL").unwrap_or_else(|| "https://github.com".to_owned());
    let repository = variable("GITHUB_REPOSITORY")?;
    let run = run_id()?;
    let attempt = if run.attempt > 1 { format!("/attempts/{}", run.attempt) } else { String::new() };
    Some(format!("{server}/{repository}/actions/runs/{}{attempt}", run.id))
}

/// The commit that the workflow runs for, for events whose payload names none.
pub(super) fn sha() -> Option<Sha> {
    Sha::parse(&variable("GITHUB_SHA")?)
}

/// Who speaks: whoever started this run, else whoever caused its event.
pub(super) fn actor() -> Option<String> {
    variable("GITHUB_TRIGGERING_ACTOR").or_else(|| variable("GITHUB_ACTOR"))
}

/// The event, from these or from `GITHUB_EVENT_NAME` and `GITHUB_EVENT_PATH`.
pub(super) fn event(name: Option<&str>, path: Option<&PathBuf>) -> Result<Event, Stop> {
    let name = name.map(str::to_owned).or_else(|| variable("GITHUB_EVENT_NAME"));
    let path = path.cloned().or_else(|| variable("GITHUB_EVENT_PATH").map(PathBuf::from));
    let path = path.ok_or_else(|| {
        Stop::usage("there is no event: `GITHUB_EVENT_PATH` is not set")
            .help("name a payload with `--event FILE`, or use `ci try \"/plan\"`")
    })?;
    let name = match name {
        Some(name) => name,
        None => name_by_file(&path)?,
    };
    whole(Event::new(name, payload(&path)?), &path)
}

/// The event's name where only the payload's file can tell it.
fn name_by_file(path: &Path) -> Result<String, Stop> {
    let name = crate::cases::name_of_file(&path.to_string_lossy());
    if config::event_problems(&name, None).is_empty() {
        return Ok(name);
    }
    Err(Stop::usage(format!("nothing says which event `{}` holds: `GITHUB_EVENT_NAME` is not set", path.display()))
        .help("set it to the event's name, such as `issue_comment`"))
}

/// The event, where its payload can be one.
fn whole(event: Event, path: &Path) -> Result<Event, Stop> {
    let wrong = match event.lacks() {
        _ if !event.payload.is_object() => "it is no JSON object".to_owned(),
        Some(key) => format!("it has no object `{key}`"),
        None => return Ok(event),
    };
    Err(Stop::usage(format!("the payload `{}` is no `{}`: {wrong}", path.display(), event.name)).help(
        "name a file that holds all that GitHub sends, and the event that it is: \
         <https://docs.github.com/en/webhooks/webhook-events-and-payloads>",
    ))
}

/// Reads a payload file.
pub(super) fn payload(path: &Path) -> Result<serde_json::Value, Stop> {
    let shown = path.display();
    let size = std::fs::metadata(path).map_err(|error| Stop::usage(format!("cannot read `{shown}`: {error}")))?.len();
    if size > PAYLOAD {
        return Err(Stop::usage(format!(
            "the payload `{shown}` has {size} bytes, more than the {PAYLOAD} that GitHub sends"
        )));
    }
    let bytes = std::fs::read(path).map_err(|error| Stop::usage(format!("cannot read `{shown}`: {error}")))?;
    serde_json::from_slice(&bytes).map_err(|error| Stop::usage(format!("the payload `{shown}` is no JSON: {error}")))
}
