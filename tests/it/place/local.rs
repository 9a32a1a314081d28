//! The local forge as a place of stories: a repository, a folder for the forge, and a work tree for each pull request.

use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{Files, Place, YEAR, all_placed, placed, ran};
use crate::github::git;
use crate::project::{Ran, binary, clean};

/// The account of our own comments.
const ACCOUNT: &str = "ci[bot]";

/// The local forge. Its files are written by hand where GitHub would know by itself.
pub(crate) struct Local {
    folder: TempDir,
}

impl Local {
    /// The work tree of a pull request.
    fn tree(&self, pull: u64) -> PathBuf {
        self.folder.path().join(pull.to_string())
    }

    fn bare(&self) -> PathBuf {
        git::bare(self.folder.path())
    }

    /// Changes a file in the work tree of pull request 7, and does not commit it.
    pub(crate) fn edit(&self, path: &str, text: &str) {
        write(&self.tree(7).join(path), text);
    }

    /// A file of the forge.
    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join("forge").join(name)
    }

    fn read(&self, name: &str) -> Option<Value> {
        let text = std::fs::read_to_string(self.file(name)).ok()?;
        Some(serde_json::from_str(&text).unwrap())
    }

    fn write(&self, name: &str, value: &Value) {
        write(&self.file(name), &value.to_string());
    }

    /// Opens a pull request from a branch that is there.
    fn open_from(&self, pull: u64, branch: &str) {
        git::git(&self.bare(), &["worktree", "add", "--quiet", self.tree(pull).to_str().unwrap(), branch]);
        let head = git::tip(&self.bare(), branch);
        let told = json!({
            "number": pull, "head_sha": head, "head_ref": branch, "base_ref": "main", "author": "alice",
        });
        self.write(&format!("pulls/{pull}.json"), &told);
    }

    fn change_pull(&self, pull: u64, key: &str, value: Value) {
        let name = format!("pulls/{pull}.json");
        let mut told = self.read(&name).unwrap();
        told[key] = value;
        self.write(&name, &told);
    }

    fn branch(&self, pull: u64) -> String {
        self.read(&format!("pulls/{pull}.json")).unwrap()["head_ref"].as_str().unwrap().to_owned()
    }

    /// The binary in the work tree of a pull request.
    fn at(&self, pull: u64, arguments: &[&str]) -> Command {
        let mut command = Command::new(binary());
        clean(&mut command);
        command.current_dir(self.tree(pull)).env("CI_FORGE", format!("local:{}", self.file("").display()));
        command.args(arguments);
        command
    }

    /// The job that an event starts.
    fn on(&self, pull: u64, name: &str, payload: &Value) -> Command {
        let number = std::fs::read_dir(self.folder.path()).unwrap().count();
        let path = self.folder.path().join(format!("event-{number}.json"));
        write(&path, &payload.to_string());
        self.at(pull, &["run", "--event-name", name, "--event", path.to_str().unwrap()])
    }

    /// The comments that are there, with their numbers.
    fn all_comments(&self) -> Vec<(u64, Value)> {
        let there = (1..).map_while(|id| Some((id, self.read(&format!("comments/{id}.json"))?)));
        there.filter(|(_, comment)| comment["deleted"] != true).collect()
    }
}

impl Place for Local {
    const LOOKS_FREELY: bool = true;
    const DISPATCHES: bool = false;

    fn start(files: &Files) -> Self {
        let place = Self { folder: tempfile::tempdir().unwrap() };
        git::create(place.folder.path(), &all_placed(files, &place.store()));
        place.write("permissions.json", &json!({ "bob": "maintain", "root": "admin", "mallory": "read" }));
        place.grant("alice", "write");
        place.open_from(7, "work");
        place
    }

    fn store(&self) -> PathBuf {
        self.folder.path().join("store")
    }

    fn open(&self, pull: u64) {
        let branch = format!("work-{pull}");
        git::commit(&self.bare(), &branch, &[("README.md", Some(&branch))]);
        self.open_from(pull, &branch);
    }

    fn push(&self, pull: u64, path: &str, text: &str) {
        let head = git::commit(&self.bare(), &self.branch(pull), &[(path, Some(&placed(text, &self.store())))]);
        git::git(&self.tree(pull), &["reset", "--quiet", "--hard"]);
        self.change_pull(pull, "head_sha", head.into());
    }

    fn head(&self, pull: u64) -> String {
        git::tip(&self.bare(), &self.branch(pull))
    }

    fn close(&self, pull: u64) -> Command {
        self.change_pull(pull, "closed", true.into());
        self.of_pull(pull, "closed")
    }

    fn of_pull(&self, pull: u64, action: &str) -> Command {
        let (branch, head) = (self.branch(pull), self.head(pull));
        let repository = json!({ "full_name": "acme/infra" });
        let payload = json!({
            "action": action, "number": pull, "sender": { "login": "alice" },
            "pull_request": {
                "number": pull, "state": if action == "closed" { "closed" } else { "open" }, "user": { "login": "alice" },
                "head": { "sha": head, "ref": branch, "repo": repository },
                "base": { "ref": "main", "repo": repository },
            },
        });
        self.on(pull, "pull_request", &payload)
    }

    fn approve(&self, pull: u64, login: &str) {
        let name = format!("reviews/{pull}.json");
        let mut reviews = self.read(&name).unwrap_or_else(|| json!([]));
        let at = Timestamp::now() + Duration::from_secs(1);
        let review = json!({ "author": login, "state": "APPROVED", "sha": self.head(pull), "submitted_at": at });
        reviews.as_array_mut().unwrap().push(review);
        self.write(&name, &reviews);
    }

    fn grant(&self, login: &str, role: &str) {
        let mut roles = self.read("permissions.json").unwrap();
        roles[login] = role.into();
        self.write("permissions.json", &roles);
    }

    fn a_year_goes_by(&self, pull: u64) {
        let family = format!("statuses/{}", self.head(pull));
        let statuses = (1..).map(|id| format!("{family}/{id}.json")).take_while(|name| self.file(name).exists());
        for name in statuses {
            let mut status = self.read(&name).unwrap();
            age(&mut status["created_at"]);
            self.write(&name, &status);
        }
        let name = format!("reviews/{pull}.json");
        if let Some(mut reviews) = self.read(&name) {
            reviews.as_array_mut().unwrap().iter_mut().for_each(|review| age(&mut review["submitted_at"]));
            self.write(&name, &reviews);
        }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        self.at(7, arguments)
    }

    fn comment(&self, pull: u64, login: &str, text: &str) -> Command {
        let (id, at) = (self.all_comments().last().map_or(0, |(id, _)| *id) + 1, Timestamp::now());
        let comment = json!({ "pull": pull, "author": login, "body": text, "created_at": at, "updated_at": at });
        self.write(&format!("comments/{id}.json"), &comment);
        let user = json!({ "login": login, "id": 1, "type": "User" });
        let payload = json!({
            "action": "created", "issue": { "number": pull, "state": "open", "pull_request": {} },
            "comment": { "id": id, "body": text, "user": user }, "sender": user,
        });
        self.on(pull, "issue_comment", &payload)
    }

    fn pushed_to_main(&self) -> Command {
        let payload = json!({ "ref": "refs/heads/main", "after": git::tip(&self.bare(), "main") });
        self.on(7, "push", &payload)
    }

    fn run(&self, job: Command) -> Ran {
        ran(job)
    }

    fn kill(&self, job: &mut Child) {
        job.kill().unwrap();
        job.wait().unwrap();
    }

    fn settles(&self) {
        for run in std::fs::read_dir(self.file("runs")).unwrap() {
            let alive = std::fs::File::open(run.unwrap().path().join("alive.lock")).unwrap();
            alive.lock().unwrap();
        }
    }

    fn comments(&self, pull: u64) -> Vec<String> {
        let ours = |comment: &Value| comment["pull"] == pull && comment["author"] == ACCOUNT;
        let comments = self.all_comments().into_iter().filter(|(_, comment)| ours(comment));
        comments.map(|(_, comment)| comment["body"].as_str().unwrap().to_owned()).collect()
    }

    fn lose_comments(&self, _pull: u64) {
        std::fs::remove_dir_all(self.file("comments")).unwrap();
    }

    fn told(&self) -> Vec<String> {
        let mut told = Vec::new();
        let mut folders = vec![self.file("")];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() { folders.push(path) } else { told.extend(std::fs::read_to_string(path).ok()) }
            }
        }
        told
    }
}

fn write(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

/// Makes a time a year older.
fn age(time: &mut Value) {
    let at: Timestamp = time.as_str().unwrap().parse().unwrap();
    *time = (at - YEAR).to_string().into();
}
