//! Where pull requests live, for stories that are the same on every forge: [`on_both!`] tells each of them on the local
//! forge and on GitHub.

mod github;
mod local;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::Duration;

use serde_json::Value;

use crate::project::{Project, Ran};

pub(crate) use crate::github::GitHub;
pub(crate) use github::run_of;
pub(crate) use local::Local;

/// Makes two tests of each story, a function over the [`Place`].
macro_rules! on_both {
    ($($story:ident),+ $(,)?) => {
        $(mod $story {
            #[test]
            fn locally() {
                super::$story::<crate::place::Local>();
            }

            #[test]
            fn on_github() {
                super::$story::<crate::place::GitHub>();
            }
        })+
    };
}
pub(crate) use on_both;

const YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// Files by path. `STORE` in their text stands for [`Place::store`].
pub(crate) type Files = BTreeMap<String, String>;

/// A forge with one repository. Pull request 7, of `alice`, is open. `alice` may write, `bob` maintain, `root` is an
/// administrator, and everybody else may read.
pub(crate) trait Place: Sized {
    /// Whether it costs no request to look whether a run has ended.
    const LOOKS_FREELY: bool;

    /// Whether workflows can be dispatched here.
    const DISPATCHES: bool;

    /// Starts one whose `main` holds these files. The head of pull request 7 is one commit further.
    fn start(files: &Files) -> Self;

    /// A folder that lasts, outside of every checkout.
    fn store(&self) -> PathBuf;

    /// Opens another pull request of `alice`.
    fn open(&self, pull: u64);

    /// Commits a file to the head of a pull request.
    fn push(&self, pull: u64, path: &str, text: &str);

    /// The head commit of a pull request.
    fn head(&self, pull: u64) -> String;

    /// Closes a pull request; the job that its event starts.
    fn close(&self, pull: u64) -> Command;

    /// The job that an event of a pull request starts, as `synchronize`.
    fn of_pull(&self, pull: u64, action: &str) -> Command;

    /// Somebody approves the head of a pull request.
    fn approve(&self, pull: u64, login: &str);

    /// Gives somebody another role.
    fn grant(&self, login: &str, role: &str);

    /// Lets a year go by since all that was reported and approved.
    fn a_year_goes_by(&self, pull: u64);

    /// The binary as a step of a job, which is about no event.
    fn command(&self, arguments: &[&str]) -> Command;

    /// Somebody comments on a pull request; the job that this starts.
    fn comment(&self, pull: u64, login: &str, text: &str) -> Command;

    /// A commit comes to `main`; the job that this starts.
    fn pushed_to_main(&self) -> Command;

    /// Runs a job to its end, which is the end of its workflow run too.
    fn run(&self, job: Command) -> Ran;

    /// Kills a job, so that it can say nothing more.
    fn kill(&self, job: &mut Child);

    /// Waits for the end of what jobs that were killed left behind.
    fn settles(&self);

    /// Lets no request be answered any more, but so many.
    fn down_after(&self, _requests: usize) {}

    fn well_again(&self) {}

    /// How many runs were dispatched.
    fn dispatched(&self) -> usize {
        0
    }

    /// Lets the dispatched runs end; whether any had not.
    fn dispatched_end(&self, _conclusion: &str) -> bool {
        false
    }

    /// Our comments on a pull request.
    fn comments(&self, pull: u64) -> Vec<String>;

    /// Takes all comments of a pull request away.
    fn lose_comments(&self, pull: u64);

    /// All that people can read anywhere but in what the processes print.
    fn told(&self) -> Vec<String>;

    /// One whose ci.toml is this.
    fn with(config: &str) -> Self {
        Self::start(&[("ci.toml".to_owned(), config.to_owned())].into())
    }

    /// The binary as a step of a job whose run goes on.
    fn ci(&self, arguments: &[&str]) -> Ran {
        ran(self.command(arguments))
    }

    /// `alice` comments on pull request 7, to the end of what this starts.
    fn says(&self, text: &str) -> Ran {
        self.run(self.comment(7, "alice", text))
    }

    /// The board of a pull request, by `ci show --format json`.
    #[track_caller]
    fn board(&self, pull: u64) -> Value {
        let shown = self.ci(&["show", "--pr", &pull.to_string(), "--format", "json"]).exits(0);
        serde_json::from_str(&shown.stdout).unwrap()
    }

    /// What a row of a pull request says, as `STATUS: NOTE`.
    #[track_caller]
    fn row_of(&self, pull: u64, id: &str) -> String {
        crate::project::row(&self.board(pull), id)
    }

    /// The same, of pull request 7.
    #[track_caller]
    fn row(&self, id: &str) -> String {
        self.row_of(7, id)
    }

    /// The one dashboard of pull request 7's head.
    #[track_caller]
    fn dashboard(&self) -> String {
        let start = format!("<!-- infra-dashboard:{} -->", self.head(7));
        let mut found = self.comments(7);
        found.retain(|body| body.starts_with(&start));
        assert_eq!(found.len(), 1, "{found:#?}");
        found.remove(0)
    }

    /// A file of the store; `None` where there is none.
    fn stored(&self, name: &str) -> Option<String> {
        std::fs::read_to_string(self.store().join(name)).ok()
    }

    fn put(&self, name: &str, text: &str) {
        let path = self.store().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn take_away(&self, name: &str) {
        std::fs::remove_file(self.store().join(name)).unwrap();
    }
}

/// Runs a command to its end.
pub(crate) fn ran(mut command: Command) -> Ran {
    Ran::of(command.output().unwrap())
}

/// The files of a folder of `examples/` that are text.
pub(crate) fn example(name: &str) -> Files {
    let project = Project::example(name);
    let mut files = Files::new();
    let mut folders = vec![project.path().to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if let Ok(text) = std::fs::read_to_string(&path) {
                files.insert(path.strip_prefix(project.path()).unwrap().to_str().unwrap().to_owned(), text);
            }
        }
    }
    files
}

/// A text with the store's folder in place of `STORE`.
fn placed(text: &str, store: &Path) -> String {
    text.replace("STORE", store.to_str().unwrap())
}

fn all_placed(files: &Files, store: &Path) -> Files {
    files.iter().map(|(path, text)| (path.clone(), placed(text, store))).collect()
}
