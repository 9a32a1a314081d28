//! A project in a folder of its own, and the binary run in it.

use std::ffi::OsStr;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::LazyLock;

use serde_json::Value;
use tempfile::TempDir;

/// A project in a temporary folder.
pub(crate) struct Project {
    folder: TempDir,
}

/// What a call of the binary printed, and how it ended.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Project {
    /// An empty folder.
    pub(crate) fn empty() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    /// A folder with this ci.toml.
    pub(crate) fn with(config: &str) -> Self {
        let project = Self::empty();
        project.write("ci.toml", config);
        project
    }

    /// A copy of a folder of `examples/`, as it was before anybody tried it: what steps write is not copied.
    pub(crate) fn example(name: &str) -> Self {
        let project = Self::empty();
        let folder = repository().join("examples").join(name);
        for file in git_names(&folder, &["ls-files", "-z", "--cached", "--others", "--exclude-standard"]) {
            if !file.contains("/live/") {
                project.write_bytes(&file, &std::fs::read(folder.join(&file)).unwrap());
            }
        }
        for file in git_names(&folder, &["ls-tree", "-r", "-z", "--name-only", "HEAD"]) {
            if file.contains("/live/") {
                project.write_bytes(&file, &git(&folder, &["show", &format!("HEAD:./{file}")]));
            }
        }
        project
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        self.write_bytes(name, text.as_bytes());
    }

    fn write_bytes(&self, name: &str, bytes: &[u8]) {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }

    /// The binary in this folder, with an environment that nothing of the machine's leaks into.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(binary());
        clean(&mut command);
        command.current_dir(self.path());
        command
    }

    /// Runs the binary.
    pub(crate) fn ci<I: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = I>) -> Ran {
        Ran::of(self.command().args(arguments).output().unwrap())
    }

    /// The board of a pull request, by `ci show --format json`.
    pub(crate) fn board(&self, pull: u64) -> Value {
        let shown = self.ci(["show", "--pr", &pull.to_string(), "--format", "json"]);
        assert_eq!(shown.code, 0, "{shown:?}");
        serde_json::from_str(&shown.stdout).unwrap()
    }

    /// What a row says, as `STATUS: NOTE`.
    pub(crate) fn row(&self, pull: u64, id: &str) -> String {
        row(&self.board(pull), id)
    }
}

/// What a row of a board says, as `STATUS: NOTE`.
#[track_caller]
pub(crate) fn row(board: &Value, id: &str) -> String {
    let rows = board["rows"].as_array().unwrap();
    let row = rows.iter().find(|row| row["id"] == id).unwrap_or_else(|| panic!("no row `{id}` in {rows:#?}"));
    format!("{}: {}", row["status"].as_str().unwrap(), row["note"].as_str().unwrap())
}

impl Ran {
    pub(crate) fn of(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// The same, having ended with this code.
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self:#?}");
        self
    }
}

/// The repository of this crate.
pub(crate) fn repository() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The binary under test.
pub(crate) fn binary() -> &'static str {
    env!("CARGO_BIN_EXE_ci")
}

/// Leaves only what a process needs to run.
pub(crate) fn clean(command: &mut Command) {
    command.env_clear().env("USER", "alice").env("CHECKPOINT_DISABLE", "1").env("LC_ALL", "C.UTF-8");
    for name in ["PATH", "HOME", "TMPDIR"] {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
}

/// The `git` of the path.
pub(crate) static GIT: LazyLock<PathBuf> = LazyLock::new(|| {
    let path = std::env::var_os("PATH").unwrap();
    std::env::split_paths(&path).map(|folder| folder.join("git")).find(|file| file.is_file()).unwrap()
});

/// A `git` with such an environment. It is named by its whole path: then the standard library starts it without copying
/// this large process, which the stories would do thousands of times.
pub(crate) fn clean_git() -> Command {
    let mut command = Command::new(&*GIT);
    clean(&mut command);
    // What is lost with the machine is lost with the story.
    command.args(["-c", "core.fsync=none"]);
    command
}

/// Whether a program runs here. Where it does not, that is said plainly (past the harness, which shows nothing of what
/// passes) and the story passes itself over; `.ci/run` does not accept that.
pub(crate) fn installed(program: &str) -> bool {
    let mut command = Command::new(program);
    clean(&mut command);
    let there = command.arg("--version").output().is_ok_and(|output| output.status.success());
    if !there {
        let said = format!("{program} is not installed: a story did not run\n");
        std::io::stderr().write_all(said.as_bytes()).unwrap();
    }
    there
}

/// What git prints in a folder.
fn git(folder: &Path, arguments: &[&str]) -> Vec<u8> {
    let printed = clean_git().current_dir(folder).args(arguments).output().unwrap();
    assert!(printed.status.success(), "{printed:?}");
    printed.stdout
}

/// The files that git lists in a folder.
fn git_names(folder: &Path, arguments: &[&str]) -> Vec<String> {
    let printed = String::from_utf8(git(folder, arguments)).unwrap();
    printed.split_terminator('\0').map(str::to_owned).collect()
}
