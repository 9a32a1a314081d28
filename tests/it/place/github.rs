//! GitHub as a place of stories.

use std::path::PathBuf;
use std::process::{Child, Command};

use super::{Files, Place, YEAR, all_placed, placed, ran};
use crate::github::{BOT, Fault, GitHub, Job, Run};
use crate::project::Ran;

impl GitHub {
    /// `alice` gives a command whose work another job of the same run does, which reports it by `ci update`.
    pub(crate) fn others_do(&self, line: &str, reports: &[Vec<&str>]) {
        let job = Place::comment(self, 7, "alice", line);
        let run = run_of(&job);
        ran(job).exits(0);
        for report in reports {
            self.job().run(run).ci([&["update", "--pr", "7"], &report[..]].concat()).exits(0);
        }
        self.state(|state| state.end_run(run, "success"));
    }
}

impl Place for GitHub {
    const LOOKS_FREELY: bool = false;
    const DISPATCHES: bool = true;

    fn start(files: &Files) -> Self {
        Self::start_with(|folder| all_placed(files, &folder.join("store")))
    }

    fn store(&self) -> PathBuf {
        self.folder().join("store")
    }

    fn open(&self, pull: u64) {
        let branch = format!("work-{pull}");
        self.commit(&branch, "README.md", &branch);
        self.open_pull(pull, &branch);
    }

    fn push(&self, pull: u64, path: &str, text: &str) {
        let branch = self.state(|state| state.pull(pull).branch.clone());
        self.commit(&branch, path, &placed(text, &self.store()));
    }

    fn head(&self, pull: u64) -> String {
        Self::head(self, pull)
    }

    fn close(&self, pull: u64) -> Command {
        self.state(|state| state.pull(pull).open = false);
        self.of_pull(pull, "closed")
    }

    fn of_pull(&self, pull: u64, action: &str) -> Command {
        self.job().on(self.pull_event(pull, action)).command(["run"])
    }

    fn approve(&self, pull: u64, login: &str) {
        self.state(|state| state.approve(pull, login));
    }

    fn grant(&self, login: &str, role: &str) {
        self.state(|state| state.roles.insert(login.to_owned(), role.to_owned()));
    }

    fn a_year_goes_by(&self, pull: u64) {
        self.state(|state| {
            state.statuses.iter_mut().for_each(|status| status.created_at -= YEAR);
            for review in &mut state.pull(pull).reviews {
                let at: jiff::Timestamp = review["submitted_at"].as_str().unwrap().parse().unwrap();
                review["submitted_at"] = (at - YEAR).to_string().into();
            }
        });
    }

    fn command(&self, arguments: &[&str]) -> Command {
        self.job().env("GITHUB_ACTOR", "alice").command(arguments)
    }

    fn comment(&self, pull: u64, login: &str, text: &str) -> Command {
        self.job().on(Self::comment(self, pull, login, text)).command(["run"])
    }

    fn pushed_to_main(&self) -> Command {
        self.job().on(self.push_event()).command(["run"])
    }

    fn run(&self, job: Command) -> Ran {
        let id = run_of(&job);
        let ran = ran(job);
        self.state(|state| state.end_run(id, if ran.code == 0 { "success" } else { "failure" }));
        ran
    }

    fn kill(&self, job: &mut Child) {
        job.kill().unwrap();
        job.wait().unwrap();
        self.state(|state| state.end_runs("ci.yml", "failure"));
    }

    fn down_after(&self, requests: usize) {
        self.fail_from(requests, Fault::DropBefore);
    }

    fn well_again(&self) {
        Self::well_again(self);
    }

    fn dispatched(&self) -> usize {
        self.state(|state| state.runs.values().filter(|run| run.event == "workflow_dispatch").count())
    }

    fn dispatched_end(&self, conclusion: &str) -> bool {
        self.state(|state| {
            let is_open = |run: &&Run| run.event == "workflow_dispatch" && run.conclusion.is_none();
            let open: Vec<u64> = state.runs.values().filter(is_open).map(|run| run.id).collect();
            open.iter().for_each(|run| state.end_run(*run, conclusion));
            !open.is_empty()
        })
    }

    fn settles(&self) {
        // A runner leaves nothing behind of a job that has ended.
    }

    fn comments(&self, pull: u64) -> Vec<String> {
        let ours = Self::comments(self, pull).into_iter().filter(|comment| comment.author == BOT);
        ours.map(|comment| comment.body).collect()
    }

    fn lose_comments(&self, pull: u64) {
        self.state(|state| state.comments.retain(|_, comment| comment.issue != pull));
    }

    fn told(&self) -> Vec<String> {
        let mut told: Vec<String> =
            self.take_log().0.into_iter().flat_map(|asked| [asked.target, asked.body]).collect();
        told.extend([Job::summary(self), Job::outputs(self)].map(|path| std::fs::read_to_string(path).unwrap()));
        told
    }
}

/// The workflow run that a job is a part of.
pub(crate) fn run_of(job: &Command) -> u64 {
    let id = job.get_envs().find(|(name, _)| *name == "GITHUB_RUN_ID").and_then(|(_, value)| value?.to_str());
    id.unwrap().parse().unwrap()
}
