//! The binary as a step of a job of GitHub Actions.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::Command;

use super::events::Event;
use super::state::{Run, now};
use super::{BOT, GitHub, REPOSITORY, TOKEN};
use crate::project::{Ran, binary, clean};

/// A job that is about to run.
pub(crate) struct Job<'g> {
    github: &'g GitHub,
    event: Option<Event>,
    token: String,
    run: Option<u64>,
    environment: Vec<(String, String)>,
}

impl<'g> Job<'g> {
    pub(super) fn new(github: &'g GitHub) -> Self {
        Self { github, event: None, token: TOKEN.to_owned(), run: None, environment: Vec::new() }
    }

    /// The event that starts its workflow.
    pub(crate) fn on(mut self, event: Event) -> Self {
        self.event = Some(event);
        self
    }

    pub(crate) fn token(mut self, token: &str) -> Self {
        token.clone_into(&mut self.token);
        self
    }

    /// Makes it a part of this run instead of a new one.
    pub(crate) fn run(mut self, run: u64) -> Self {
        self.run = Some(run);
        self
    }

    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn github(&self) -> &'g GitHub {
        self.github
    }

    /// Where the job summary is written.
    pub(crate) fn summary(github: &GitHub) -> PathBuf {
        github.folder().join("summary.md")
    }

    /// Where the outputs are written.
    pub(crate) fn outputs(github: &GitHub) -> PathBuf {
        github.folder().join("outputs")
    }

    /// The command, ready to be started.
    pub(crate) fn command<I: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = I>) -> Command {
        let mut command = Command::new(binary());
        self.set(&mut command);
        command.args(arguments);
        command
    }

    /// Gives a command the environment of the job.
    pub(crate) fn set(&self, command: &mut Command) {
        clean(command);
        let url = self.github.url();
        let number = self.event.as_ref().and_then(|event| event.payload["number"].as_u64());
        let pull = self.event.as_ref().filter(|event| event.name == "pull_request").and(number);
        let (reference, sha) = match pull {
            Some(pull) => (format!("refs/pull/{pull}/merge"), self.github.head(pull)),
            None => ("refs/heads/main".to_owned(), super::git::tip(&self.github.bare(), "main")),
        };
        let run = self.run.unwrap_or_else(|| self.new_run());
        let attempt = self.github.state(|state| state.runs[&run].earlier.len() + 1);
        command
            .current_dir(self.github.workspace())
            .env("GITHUB_ACTIONS", "true")
            .env("CI", "true")
            .env("GITHUB_API_URL", &url)
            .env("GITHUB_GRAPHQL_URL", format!("{url}/graphql"))
            .env("GITHUB_SERVER_URL", &url)
            .env("GITHUB_REPOSITORY", REPOSITORY)
            .env("GITHUB_TOKEN", &self.token)
            .env("GITHUB_REF", reference)
            .env("GITHUB_SHA", sha)
            .env("GITHUB_RUN_ID", run.to_string())
            .env("GITHUB_RUN_ATTEMPT", attempt.to_string())
            .env("GITHUB_OUTPUT", Self::outputs(self.github))
            .env("GITHUB_STEP_SUMMARY", Self::summary(self.github))
            .env("RUNNER_TEMP", self.github.folder())
            .env("CI_RETRY_BUDGET", "20");
        if let Some(event) = &self.event {
            let path = self.github.folder().join(format!("event-{}.json", self.github.state(|state| state.next_id())));
            std::fs::write(&path, event.payload.to_string()).unwrap();
            command.env("GITHUB_EVENT_NAME", event.name).env("GITHUB_EVENT_PATH", path);
        }
        command.envs(self.github.environment.iter().map(|(name, value)| (name, value)));
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
    }

    /// Runs the binary to its end. The run goes on: other jobs of it may follow.
    pub(crate) fn ci<I: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = I>) -> Ran {
        Ran::of(self.command(arguments).output().unwrap())
    }

    /// That of a pull request's event is one of its head, all others are of the default branch.
    fn new_run(&self) -> u64 {
        let main = super::git::tip(&self.github.bare(), "main");
        let event = self.event.as_ref().filter(|event| event.name == "pull_request");
        let number = event.and_then(|event| event.payload["number"].as_u64());
        self.github.state(|state| {
            let pull = number.map(|number| state.pull(number).clone());
            let (branch, sha) = pull.map_or(("main".to_owned(), main), |pull| (pull.branch, pull.head_sha));
            let run = Run {
                id: state.next_id(),
                workflow: "ci.yml".to_owned(),
                branch,
                sha,
                event: self.event.as_ref().map_or("push", |event| event.name).to_owned(),
                actor: BOT.to_owned(),
                inputs: serde_json::Value::Null,
                conclusion: None,
                earlier: Vec::new(),
                created_at: now(),
                updated_at: now(),
            };
            let id = run.id;
            state.runs.insert(id, run);
            id
        })
    }
}
