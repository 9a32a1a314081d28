//! `ci explain`: a decision, rule by rule and condition by condition, without a network.

mod tree;

use std::path::PathBuf;

use serde_json::json;

use super::args::Global;
use super::project;
use super::stop::Stop;
use super::{ExitStatus, console, environment};
use crate::cases;
use crate::command::Reading;
use crate::config;
use crate::decide::{self, Case};
use crate::gate::PersonaFacts;
use crate::model::event::Event;
use crate::model::rules::{Permission, Persona};

const EXAMPLES: &str = "\
Examples:
  ci explain --comment \"/plan platform\" --as read
  ci explain --event pull_request.json
  ci explain --event pull_request.opened --changed platform/main.tf";

/// Explain a decision, rule by rule and condition by condition, offline.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// A payload file whose name begins with the event's, or `NAME` or `NAME.ACTION`.
    #[arg(long, value_name = "EVENT")]
    event: Option<String>,

    /// The event's name [default: the payload file's name up to its first dot].
    #[arg(long, value_name = "NAME", requires = "event")]
    event_name: Option<String>,

    /// What somebody comments on a pull request.
    #[arg(long, value_name = "TEXT", conflicts_with = "event")]
    comment: Option<String>,

    #[command(flatten)]
    persona: PersonaArgs,

    /// How to print it.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// Who acts, and what the gates find. What is not named holds; `ci try` looks up what was planned and changed.
#[derive(Debug, clap::Args)]
pub(super) struct PersonaArgs {
    /// What the person may do: none, read, triage, write, maintain, admin [default: admin].
    #[arg(long = "as", value_name = "PERMISSION", value_parser = permission)]
    permission: Option<Permission>,

    /// Who it is.
    #[arg(long, value_name = "LOGIN")]
    login: Option<String>,

    /// How many approvals count [default: as many as any gate asks for].
    #[arg(long, value_name = "N")]
    approvals: Option<u32>,

    /// A changed file; may be given several times [default: every layer has one; of `ci try` what the local pull request changes].
    #[arg(long, value_name = "PATH")]
    changed: Vec<String>,
}

impl PersonaArgs {
    pub(super) fn facts(&self) -> PersonaFacts {
        let persona = Persona {
            login: self.login.clone(),
            permission: self.permission,
            approvals: self.approvals,
            ..Persona::default()
        };
        PersonaFacts { persona, changed: (!self.changed.is_empty()).then(|| self.changed.clone()) }
    }

    pub(super) fn login(&self) -> Option<&str> {
        self.login.as_deref()
    }
}

fn permission(word: &str) -> Result<Permission, String> {
    let all = [
        Permission::None,
        Permission::Read,
        Permission::Triage,
        Permission::Write,
        Permission::Maintain,
        Permission::Admin,
    ];
    all.into_iter()
        .find(|known| known.as_str() == word)
        .ok_or_else(|| format!("there are {}", all.map(Permission::as_str).join(", ")))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// A tree to read.
    Text,
    /// Versioned data.
    Json,
}

pub(super) fn run(global: &Global, args: &Args) -> Result<ExitStatus, Stop> {
    let project = project::open(global)?;
    let rules = &project.rules;
    let facts = args.persona.facts();
    let event = event(args, &facts.persona)?;
    let readings = decide::readings(rules, &event);
    let number = event.pull_number();
    let pull = event.pull().or_else(|| {
        let assumed = number.and_then(|number| cases::pull(number, &facts.persona))?;
        Some(event.pull_of_issue(assumed))
    });
    let actor = event.comment().map(|comment| comment.author).or_else(|| event.sender().map(str::to_owned));
    let decided = decide::decide(&Case {
        rules,
        event: &event,
        pull: pull.as_ref(),
        readings: &readings,
        actor: &actor.unwrap_or_default(),
        repository: event.repository().unwrap_or("owner/name"),
        run: None,
        facts: &facts,
    });
    warn(args, &event, &readings);
    match args.format {
        Format::Text => console::text(&tree::tree(rules, &decided)),
        Format::Json => {
            let decisions: Vec<_> = decided
                .iter()
                .map(|decided| {
                    json!({
                        "matching": decided.matching,
                        "args": decided.invocation.as_ref().map(|invocation| &invocation.args),
                        "agenda": decided.agenda,
                        "misfit": decided.misfit,
                        "ignored": decided.ignored,
                    })
                })
                .collect();
            let all = json!({ "version": 1, "config": rules.source.name, "decisions": decisions });
            console::json(&all);
        }
    }
    Ok(ExitStatus::Done)
}

/// Says what is probably not meant: a comment without a command, an event that GitHub does not send.
fn warn(args: &Args, event: &Event, readings: &[Reading]) {
    if let (Some(comment), true) = (&args.comment, readings.is_empty()) {
        console::warning(&format!("no line of `{comment}` is a command of ci.toml"));
    }
    for (problem, help) in config::event_problems(&event.name, event.action()) {
        console::warning(&problem);
        console::help(&help);
    }
}

fn event(args: &Args, persona: &Persona) -> Result<Event, Stop> {
    if let Some(comment) = &args.comment {
        return Ok(cases::comment_event(comment, persona));
    }
    let Some(named) = &args.event else {
        let there = environment::variable("GITHUB_EVENT_PATH").is_some();
        let ways = "write `--comment \"/plan\"`, `--event pull_request.opened` or `--event pull_request.json`";
        return environment::event(None, None).map_err(|stop| if there { stop } else { stop.help(ways) });
    };
    let path = PathBuf::from(named);
    if path.is_file() {
        return environment::event(
            Some(args.event_name.as_deref().unwrap_or(&cases::name_of_file(named))),
            Some(&path),
        );
    }
    if named.ends_with(".json") || named.contains('/') {
        return Err(Stop::usage(format!("there is no payload `{named}`")));
    }
    let (name, action) = named.split_once('.').map_or((named.as_str(), None), |(name, action)| (name, Some(action)));
    Ok(Event::new(name, cases::synthetic(name, action, "main", persona)))
}
