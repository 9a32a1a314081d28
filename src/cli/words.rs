//! `ci WORDS…`: any command of ci.toml, typed instead of commented.

use std::ffi::OsString;

use clap::CommandFactory as _;
use serde_json::json;

use super::args::{Cli, Global};
use super::handle::{self, Asked, Options};
use super::session::{About, Session};
use super::stop::Stop;
use super::{ExitStatus, console};
use crate::command;
use crate::model::event::{COMMAND_LINE, Event};
use crate::model::ids::PullNumber;
use crate::model::nearest::nearest;
use crate::model::rules::Command;

pub(super) fn run(global: &Global, words: &[OsString]) -> Result<ExitStatus, Stop> {
    let (words, pull) = split(words)?;
    let session = Session::open(global, About { event: None, pull }).map_err(Stop::before_anything)?;
    if asks_for_help(&words) {
        return help(&session, &words);
    }
    let line = format!("/{}", words.join(" "));
    let reading = match command::read_line(&session.project.rules, &line) {
        Some(Ok(invocation)) => invocation,
        Some(Err(misfit)) => return Err(Stop::refused(misfit.problem).help(misfit.remedy)),
        None => return Err(unknown(&session, &words)),
    };
    let actor = session.actor()?;
    let event = Event::new(COMMAND_LINE, json!({ "sender": { "login": actor } }));
    let asked = Asked { event, readings: vec![Ok(reading)], actor, pull, persona: None, comment: None };
    let options = Options { parallel: 2, only: None, dry_run: false };
    let handled = handle::handle(&session, &asked, &options)?;
    if handled.status == ExitStatus::Done {
        handle::say_begun(&session.project.rules, &handled.prepared.decided);
    }
    Ok(handled.status)
}

/// What asks for help, as of every program.
const HELP: [&str; 2] = ["--help", "-h"];

fn asks_for_help(words: &[String]) -> bool {
    words.iter().any(|word| HELP.contains(&word.as_str()))
}

/// Says how a command of ci.toml is written.
fn help(session: &Session, words: &[String]) -> Result<ExitStatus, Stop> {
    let first = words.first().map(String::as_str).unwrap_or_default();
    let named = |command: &&Command| command.usage.split_whitespace().next() == Some(&format!("/{first}"));
    let found: Vec<&Command> = session.project.rules.commands.values().filter(named).collect();
    if found.is_empty() {
        return Err(unknown(session, words));
    }
    for command in found {
        console::line(format!("ci {} [--pr N]", command.usage.trim_start_matches('/')));
        if !command.help.is_empty() {
            console::line(format!("  {}", command.help));
        }
    }
    Ok(ExitStatus::Done)
}

/// The words of the command, and the pull request that it is about.
fn split(words: &[OsString]) -> Result<(Vec<String>, Option<PullNumber>), Stop> {
    let mut command = Vec::new();
    let mut pull = None;
    let mut words = words.iter().map(|word| word.to_string_lossy().into_owned());
    while let Some(word) = words.next() {
        let number = match word.split_once('=') {
            Some(("--pr", number)) => Some(number.to_owned()),
            _ if word == "--pr" => Some(words.next().unwrap_or_default()),
            _ => None,
        };
        match number {
            Some(number) => {
                let parsed = number.parse().ok().filter(|number| *number > 0);
                let parsed = parsed.ok_or_else(|| Stop::usage(format!("`{number}` is no number of a pull request")))?;
                pull = Some(PullNumber(parsed));
            }
            None if word.starts_with('-') && !HELP.contains(&&*word) => {
                return Err(Stop::usage(format!("there is no option `{word}` here")).help(
                    "options of every command stand before it, as in `ci --config FILE plan --pr 7`; `ci try` has more",
                ));
            }
            None => command.push(word),
        }
    }
    Ok((command, pull))
}

fn unknown(session: &Session, words: &[String]) -> Stop {
    let word = words.first().map(String::as_str).unwrap_or_default();
    let own = session.project.rules.commands.values();
    let own = own
        .filter_map(|command| command.usage.split_whitespace().next())
        .map(|word| word.trim_start_matches('/').to_owned());
    let built_in = Cli::command().get_subcommands().map(|command| command.get_name().to_owned()).collect::<Vec<_>>();
    let known: Vec<String> = built_in.into_iter().chain(own).collect();
    let help = match nearest(word, known.iter().map(String::as_str)) {
        Some(near) => format!("did you mean `ci {near}`?"),
        None => {
            let usages = session.project.rules.commands.values();
            let usages: Vec<String> =
                usages.map(|command| format!("`ci {}`", command.usage.trim_start_matches('/'))).collect();
            format!("`ci --help` lists the built-in commands; those of ci.toml are {}", usages.join(", "))
        }
    };
    Stop::usage(format!("there is no command `{word}`")).help(help)
}
