//! What is asked of git, by running the real one: commits, branches, changed files. It changes nothing, and it does
//! not know what a layer or a pull request is.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use super::{Declared, Error, Result};
use crate::model::ids::Sha;

/// Variables by which whoever calls us (a git hook, say) points git at its own repository. Ours is found from the
/// folder that was named. All else of the user's environment and configuration stays.
const ELSEWHERE: [&str; 8] = [
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_PREFIX",
    "GIT_COMMON_DIR",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_NAMESPACE",
];

/// A folder in the work tree of a git repository. Paths are relative to that folder, and only those below it count.
#[derive(Debug, Clone)]
pub(crate) struct Repository {
    folder: PathBuf,
    root: PathBuf,
}

impl Repository {
    /// `None` where `folder` is in no repository's work tree, or no git is installed.
    pub(crate) fn find(folder: &Path) -> Result<Option<Self>> {
        let arguments = ["rev-parse", "--show-toplevel"];
        let output = match command(folder, &arguments).output() {
            Ok(output) => output,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(not_started(folder, &error)),
        };
        let said = String::from_utf8_lossy(&output.stderr);
        if output.status.success() {
            let root = String::from_utf8_lossy(&output.stdout).trim_end_matches('\n').into();
            return Ok(Some(Self { folder: folder.to_owned(), root }));
        }
        if said.contains("not a git repository") || said.contains("must be run in a work tree") {
            return Ok(None);
        }
        Err(broken(folder, &arguments, &output))
    }

    /// The top of the work tree.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// The folder that git keeps the repository in, whichever of its work trees this is.
    pub(super) fn git_dir(&self) -> Result<PathBuf> {
        let folder = self.ask(&["rev-parse", "--git-common-dir"])?.unwrap_or_default();
        // It may be relative to where git ran.
        Ok(self.folder.join(folder))
    }

    /// The commit that is checked out; `None` before the first commit.
    pub(crate) fn head(&self) -> Result<Option<Sha>> {
        self.commit("HEAD")
    }

    /// Whether a commit is here.
    pub(super) fn has(&self, sha: &Sha) -> Result<bool> {
        Ok(self.commit(&format!("{sha}^{{commit}}"))?.is_some())
    }

    /// Whether history is cut off somewhere.
    pub(super) fn shallow(&self) -> Result<bool> {
        Ok(self.ask(&["rev-parse", "--is-shallow-repository"])?.as_deref() == Some("true"))
    }

    /// Whether a file and a folder stand as they were committed, with nothing beside that git does not know.
    pub(crate) fn unchanged(&self, file: &Path, folder: &Path) -> Result<bool> {
        let (file, folder) = (file.to_string_lossy(), folder.to_string_lossy());
        let status = ["status", "--porcelain", "-z", "--untracked-files=all", "--ignored", "--", &file, &folder];
        Ok(self.paths(&status)?.is_empty())
    }

    /// Whether files that git knows differ from what was committed last.
    pub(crate) fn has_changes(&self) -> Result<bool> {
        Ok(!self.paths(&["diff", "--name-only", "-z", "HEAD"])?.is_empty())
    }

    /// The branch that is checked out; `None` where none is.
    pub(crate) fn branch(&self) -> Result<Option<String>> {
        self.ask(&["symbolic-ref", "--quiet", "--short", "HEAD"])
    }

    /// The branch that pull requests most likely go to: what the remote says, else `main` or `master`.
    pub(crate) fn default_branch(&self) -> Result<Option<String>> {
        if let Some(name) = self.ask(&["symbolic-ref", "--quiet", "--short", "refs/remotes/origin/HEAD"])? {
            return Ok(Some(name.strip_prefix("origin/").unwrap_or(&name).to_owned()));
        }
        for name in ["main", "master"] {
            if self.tip(name)?.is_some() {
                return Ok(Some(name.to_owned()));
            }
        }
        Ok(None)
    }

    /// `owner/name`, from the address of the remote `origin`.
    pub(crate) fn remote_name(&self) -> Result<Option<String>> {
        Ok(self.ask(&["config", "--get", "remote.origin.url"])?.and_then(|url| owner_and_name(&url)))
    }

    /// The paths that differ between `head` and the commit where it left the branch `base`; where `head` is checked
    /// out, what is not committed and not yet known to git counts too. Of a head that the base has already nobody can tell
    /// what it brought there, so that it may be any file.
    pub(crate) fn changed_files(&self, base: &str, head: &Sha) -> Result<Vec<String>> {
        let fork = self.merge_base(base, head)?;
        let here = self.head()?.as_ref() == Some(head);
        let mut range = vec!["diff", "--name-only", "--relative", "--no-renames", "-z", fork.as_str()];
        if !here {
            range.push(head.as_str());
        }
        let mut paths = self.paths(&range)?;
        if paths.is_empty() && fork == *head {
            paths = self.paths(&["ls-tree", "-r", "--name-only", "-z", head.as_str()])?;
        }
        if here {
            paths.extend(self.paths(&["ls-files", "--others", "--exclude-standard", "-z"])?);
        }
        paths.sort_unstable();
        paths.dedup();
        Ok(paths)
    }

    /// The paths that changed on the branch `base` since `head` left it.
    pub(crate) fn base_changes(&self, base: &str, head: &Sha) -> Result<Vec<String>> {
        let fork = self.merge_base(base, head)?;
        let tip = self.known_tip(base)?;
        self.paths(&["diff", "--name-only", "--relative", "--no-renames", "-z", fork.as_str(), tip.as_str()])
    }

    /// ci.toml and its templates at the tip of a branch; paths are relative to the top of the work tree.
    pub(crate) fn declared(&self, branch: &str, config: &str, templates: &str) -> Result<Declared> {
        let tip = self.known_tip(branch)?;
        let mut declared = Declared { config: self.file_at(&tip, config)?, templates: BTreeMap::new() };
        let folder = format!("{templates}/");
        for path in self.paths(&["ls-tree", "--name-only", "--full-tree", "-z", tip.as_str(), "--", &folder])? {
            let Some(name) = path.strip_prefix(&folder).filter(|name| name.ends_with(".j2")) else { continue };
            if let Some(text) = self.file_at(&tip, &path)? {
                declared.templates.insert(name.to_owned(), text);
            }
        }
        Ok(declared)
    }

    fn file_at(&self, commit: &Sha, path: &str) -> Result<Option<String>> {
        let name = format!("{commit}:{path}");
        if self.ask(&["rev-parse", "--verify", "--quiet", "--end-of-options", &name])?.is_none() {
            return Ok(None);
        }
        let arguments = ["cat-file", "blob", &name];
        let output = self.run(&arguments)?;
        if !output.status.success() {
            return Err(broken(&self.folder, &arguments, &output));
        }
        let text = String::from_utf8(output.stdout);
        text.map(Some).map_err(|_| Error::Invalid(format!("`{path}` of `{}` is no UTF-8", commit.short())))
    }

    fn merge_base(&self, base: &str, head: &Sha) -> Result<Sha> {
        let tip = self.known_tip(base)?;
        if !self.has(head)? {
            return Err(Error::NotFound(format!("commit `{head}` in `{}`", self.root.display())));
        }
        let found = self.ask(&["merge-base", tip.as_str(), head.as_str()])?.and_then(|text| Sha::parse(&text));
        found.ok_or_else(|| Error::NotFound(format!("a commit that `{base}` and `{}` share", head.short())))
    }

    fn known_tip(&self, branch: &str) -> Result<Sha> {
        let root = self.root.display();
        self.tip(branch)?.ok_or_else(|| Error::NotFound(format!("branch `{branch}` or `origin/{branch}` in `{root}`")))
    }

    /// The tip of a branch as the remote has it, else as it is here.
    fn tip(&self, branch: &str) -> Result<Option<Sha>> {
        match self.commit(&format!("refs/remotes/origin/{branch}"))? {
            Some(sha) => Ok(Some(sha)),
            None => self.commit(&format!("refs/heads/{branch}")),
        }
    }

    fn commit(&self, name: &str) -> Result<Option<Sha>> {
        let name = if name.ends_with('}') { name.to_owned() } else { format!("{name}^{{commit}}") };
        let said = self.ask(&["rev-parse", "--verify", "--quiet", "--end-of-options", &name])?;
        Ok(said.and_then(|text| Sha::parse(&text)))
    }

    /// The one line that git answers; `None` where it says by exit code 1 that there is none.
    pub(super) fn ask(&self, arguments: &[&str]) -> Result<Option<String>> {
        let output = self.run(arguments)?;
        match output.status.code() {
            Some(0) => Ok(Some(String::from_utf8_lossy(&output.stdout).trim_end_matches('\n').to_owned())),
            Some(1) => Ok(None),
            Some(_) | None => Err(broken(&self.folder, arguments, &output)),
        }
    }

    /// The paths that git lists, separated by zero bytes.
    fn paths(&self, arguments: &[&str]) -> Result<Vec<String>> {
        let output = self.run(arguments)?;
        if !output.status.success() {
            return Err(broken(&self.folder, arguments, &output));
        }
        let text = String::from_utf8_lossy(&output.stdout);
        Ok(text.split('\0').filter(|path| !path.is_empty()).map(str::to_owned).collect())
    }

    fn run(&self, arguments: &[&str]) -> Result<Output> {
        command(&self.folder, arguments).output().map_err(|error| not_started(&self.folder, &error))
    }
}

pub(super) fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new("git");
    command.current_dir(folder).args(arguments).stdin(Stdio::null());
    for name in ELSEWHERE {
        command.env_remove(name);
    }
    // Messages that can be recognised, no questions, and no lock on the index of somebody at work.
    command.env("LC_ALL", "C").env("GIT_TERMINAL_PROMPT", "0").env("GIT_OPTIONAL_LOCKS", "0");
    command
}

pub(super) fn not_started(folder: &Path, error: &std::io::Error) -> Error {
    let folder = folder.display();
    Error::Here(format!(
        "cannot run `git` in `{folder}`: {error}; install git so that whoever runs `ci` may run it there"
    ))
}

/// What git could not do: here, unless it lacks what a partial clone leaves with the server, and that is away.
pub(super) fn broken(folder: &Path, arguments: &[&str], output: &Output) -> Error {
    let (told, said) = (told(folder, arguments, output), String::from_utf8_lossy(&output.stderr));
    if said.contains("from promisor remote") && !lasts(&said) {
        return Error::Server(told);
    }
    Error::Here(format!("{told}; mend what git says, or check the repository out anew"))
}

/// What git was asked, where, and what it said.
pub(super) fn told(folder: &Path, arguments: &[&str], output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr);
    format!("`git {}` in `{}`: {} ({})", arguments.join(" "), folder.display(), said.trim(), output.status)
}

/// Whether what git said, without the address, would be the same another time. Git tells it in words alone; what is not
/// known here may pass.
pub(super) fn lasts(said: &str) -> bool {
    const LASTING: [&str; 9] = [
        "not our ref",
        "unadvertised object",
        "Authentication failed",
        "could not read Username",
        "' not found",
        "certificate",
        "SSL CA cert",
        "No space left",
        "Permission denied",
    ];
    let answered = said.split_once("returned error: ").and_then(|(_, rest)| rest.get(..3)?.parse::<u16>().ok());
    // As of requests to the API: what the server itself cannot do now, or not so often.
    let refused = answered.is_some_and(|status| status < 500 && ![408, 429].contains(&status));
    refused || LASTING.iter().any(|lasting| said.contains(lasting))
}

/// `owner/name` of `https://host/owner/name.git`, `ssh://git@host/owner/name` or `git@host:owner/name.git`.
fn owner_and_name(url: &str) -> Option<String> {
    let path = match url.split_once("://") {
        Some(("file", _)) => return None,
        Some((_, rest)) => rest.split_once('/')?.1,
        None => url.split_once(':')?.1,
    };
    let path = path.trim_matches('/');
    let (owner, name) = path.strip_suffix(".git").unwrap_or(path).split_once('/')?;
    let plain = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
    (plain(owner) && plain(name)).then(|| format!("{owner}/{name}"))
}

#[cfg(test)]
pub(super) mod tests;
