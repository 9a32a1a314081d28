//! The code of one commit, fetched and checked out into a folder of its own beside the checkout, so that what is judged
//! never stands where the rules are read. It does not know what is run there.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::git::{Repository, broken, command, lasts, not_started, told};
use super::retry::Trouble;
use super::{Error, Remote, Result, Secret};
use crate::model::ids::Sha;

/// For how long a server may say nothing.
const SILENCE: Duration = Duration::from_secs(30);
/// By what programs are told of certificate authorities, by what git is, and where its configuration says it.
const AUTHORITIES: [(&str, &str, &str); 2] =
    [("SSL_CERT_FILE", "GIT_SSL_CAINFO", "http.sslCAInfo"), ("SSL_CERT_DIR", "GIT_SSL_CAPATH", "http.sslCAPath")];

/// A detached work tree. It goes away with this value.
#[derive(Debug)]
pub(crate) struct Worktree {
    repository: PathBuf,
    /// What all work trees of the repository share.
    git_dir: PathBuf,
    path: PathBuf,
}

impl Worktree {
    /// Checks `sha` out into a new folder below `beside`; a commit that is not here is fetched from `remote` first.
    ///
    /// # Errors
    /// If the commit cannot be fetched or checked out. Nothing is left behind then.
    pub(crate) fn of(repository: &Repository, sha: &Sha, remote: &Remote, beside: &Path) -> Result<Self> {
        if !repository.has(sha)? {
            fetch(repository, sha, remote)?;
        }
        let random = getrandom::u64().map_err(|error| Error::Here(error.to_string()))?;
        let path = beside.join(format!("ci-{}-{random:08x}", sha.short()));
        let git_dir = repository.git_dir()?;
        let tree = Self { repository: repository.root().to_owned(), git_dir, path };
        let folder = tree.path.to_string_lossy().into_owned();
        // Hooks of the checkout are none of this commit's business.
        let arguments =
            ["-c", "core.hooksPath=/dev/null", "worktree", "add", "--quiet", "--detach", &folder, sha.as_str()];
        alone(&tree.git_dir, || run(&tree.repository, &arguments))?;
        Ok(tree)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Worktree {
    fn drop(&mut self) {
        let folder = self.path.to_string_lossy().into_owned();
        // Where it cannot be removed, `git worktree prune` forgets it.
        let mut remove = command(&self.repository, &["worktree", "remove", "--force", &folder]);
        let _removed = alone(&self.git_dir, || remove.output());
    }
}

/// Does this while no other of us adds or removes a work tree there: git trips over those that are half made.
fn alone<T>(git_dir: &Path, act: impl FnOnce() -> T) -> T {
    // Where the folder cannot be locked, git may trip, and says so.
    let lock = File::open(git_dir).and_then(|folder| folder.lock().map(|()| folder));
    let done = act();
    drop(lock);
    done
}

fn fetch(repository: &Repository, sha: &Sha, remote: &Remote) -> Result<()> {
    let mut arguments = vec!["fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules"];
    // A full clone stays one; a shallow one, as `actions/checkout` makes it, is not filled up.
    if repository.shallow()? {
        arguments.push("--depth=1");
    }
    arguments.extend([remote.url.as_str(), sha.as_str()]);
    let authorities = authorities(repository, remote)?;
    remote.patience.insist(|| {
        let mut git = command(repository.root(), &arguments);
        configure(&mut git, remote);
        git.envs(authorities.clone());
        let output = git.output().map_err(|error| Trouble::Final(not_started(repository.root(), &error)))?;
        if output.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&output.stderr).replace(&remote.url, "");
        let error = Error::Server(told(repository.root(), &arguments, &output));
        Err(if lasts(&said) {
            Trouble::Final(error)
        } else {
            Trouble::Unwell { error, wait: None, may_have_worked: true }
        })
    })?;
    if repository.has(sha)? {
        return Ok(());
    }
    Err(Error::NotFound(format!("commit `{sha}` in {}", remote.url)))
}

/// Gives git the token through its environment alone. What the checkout's configuration holds for the same address is
/// emptied first: two `Authorization` headers would be refused. No redirect is followed, since the header would follow,
/// and a server that says nothing is not waited for without end. What the environment says of git's settings stays.
fn configure(git: &mut Command, remote: &Remote) {
    let origin = origin(&remote.url);
    let header = remote.authorization.as_ref().map(Secret::reveal);
    let silence = SILENCE.min(remote.patience.budget).as_secs().max(1);
    let mut settings = vec![
        ("http.followRedirects".to_owned(), "false".to_owned()),
        ("http.lowSpeedLimit".to_owned(), "1".to_owned()),
        ("http.lowSpeedTime".to_owned(), silence.to_string()),
    ];
    if let Some(header) = header {
        let key = format!("http.{origin}/.extraheader");
        settings.push((key.clone(), String::new()));
        settings.push((key, format!("Authorization: {header}")));
    }
    let there = std::env::var("GIT_CONFIG_COUNT").ok().and_then(|count| count.parse().ok()).unwrap_or(0_usize);
    git.env("GIT_CONFIG_COUNT", (there + settings.len()).to_string());
    for (at, (key, value)) in (there..).zip(settings) {
        git.env(format!("GIT_CONFIG_KEY_{at}"), key).env(format!("GIT_CONFIG_VALUE_{at}"), value);
    }
}

/// The certificate authorities that requests to the API trust: git trusts them too, for it is the same server. Where git
/// was told of some itself, by its environment or its configuration, those count.
fn authorities(repository: &Repository, remote: &Remote) -> Result<Vec<(&'static str, PathBuf)>> {
    let mut authorities = Vec::new();
    for (ours, gits, key) in AUTHORITIES {
        let Some(named) = std::env::var_os(ours).filter(|named| !named.is_empty()) else { continue };
        if std::env::var_os(gits).is_some()
            || repository.ask(&["config", "--get-urlmatch", key, &remote.url])?.is_some()
        {
            continue;
        }
        // Of folders there may be several, of which git takes one; a file is one path, whatever is in its name.
        let folder = std::env::split_paths(&named).find(|folder| folder.is_dir());
        let path = folder.unwrap_or_else(|| named.into());
        // Git runs at the top of the work tree, wherever we were started.
        let path =
            std::path::absolute(path).map_err(|error| Error::Here(format!("`{ours}` names no file: {error}")))?;
        authorities.push((gits, path));
    }
    Ok(authorities)
}

/// `https://host:port` of an address.
fn origin(url: &str) -> &str {
    let host = url.find("://").map_or(0, |at| at + 3);
    url[host..].find('/').map_or(url, |at| &url[..host + at])
}

fn run(folder: &Path, arguments: &[&str]) -> Result<()> {
    let output = command(folder, arguments).output().map_err(|error| not_started(folder, &error))?;
    if output.status.success() { Ok(()) } else { Err(broken(folder, arguments, &output)) }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::time::Duration;

    use super::Worktree;
    use crate::forge::Remote;
    use crate::forge::git::tests::{git, repository};
    use crate::forge::git::{Repository, command};
    use crate::forge::retry::Patience;

    const PATIENCE: Patience = Patience { budget: Duration::from_secs(20), waiting: |_| {} };

    #[test]
    fn the_code_of_a_commit_stands_beside_the_checkout_and_goes_away() {
        let origin = repository();
        git(origin.path(), &["config", "uploadpack.allowAnySHA1InWant", "true"]);
        let base = tempfile::tempdir().unwrap();
        let url = format!("file://{}", origin.path().display());
        let here = base.path().join("here");
        git(base.path(), &["clone", "--quiet", "--depth=1", "--single-branch", "--branch=main", &url, "here"]);
        let head = Repository::find(origin.path()).unwrap().unwrap().head().unwrap().unwrap();
        let checkout = Repository::find(&here).unwrap().unwrap();
        let remote = Remote { url, authorization: None, patience: PATIENCE };
        let tree = Worktree::of(&checkout, &head, &remote, base.path()).unwrap();
        assert!(tree.path().join("app/committed é").exists() && !tree.path().join("app/on-base").exists());
        assert!(here.join("app/on-base").exists() && !here.join("app/committed é").exists());
        let path = tree.path().to_owned();
        drop(tree);
        assert!(!path.exists());
        let listed = command(&here, &["worktree", "list"]).output().unwrap();
        assert_eq!(String::from_utf8(listed.stdout).unwrap().lines().count(), 1);
    }

    #[test]
    fn many_at_once_do_not_see_each_other_half_made() {
        let here = repository();
        let checkout = Repository::find(here.path()).unwrap().unwrap();
        let head = checkout.head().unwrap().unwrap();
        let beside = tempfile::tempdir().unwrap();
        let remote = Remote { url: String::new(), authorization: None, patience: PATIENCE };
        let many = || (0..8).for_each(|_| drop(Worktree::of(&checkout, &head, &remote, beside.path()).unwrap()));
        std::thread::scope(|threads| (0..6).for_each(|_| drop(threads.spawn(many))));
        assert_eq!(fs::read_dir(beside.path()).unwrap().count(), 0);
        let listed = command(here.path(), &["worktree", "list"]).output().unwrap();
        assert_eq!(String::from_utf8(listed.stdout).unwrap().lines().count(), 1);
    }

    #[test]
    fn what_cannot_be_fetched_leaves_nothing() {
        let origin = repository();
        let checkout = Repository::find(origin.path()).unwrap().unwrap();
        let beside = tempfile::tempdir().unwrap();
        let sha = crate::model::ids::Sha::parse(&"d".repeat(40)).unwrap();
        let url = format!("file://{}", origin.path().display());
        let remote = Remote { url, authorization: None, patience: PATIENCE };
        let error = Worktree::of(&checkout, &sha, &remote, beside.path()).unwrap_err();
        assert!(error.to_string().contains(&"d".repeat(40)), "{error}");
        assert_eq!(fs::read_dir(beside.path()).unwrap().count(), 0);
    }
}
