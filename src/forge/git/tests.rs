//! Tests of what is asked of git.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::{Repository, broken, command, lasts, owner_and_name};
use crate::forge::Error;

pub(in crate::forge) fn git(folder: &Path, arguments: &[&str]) {
    let identity = ["-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"];
    let output = command(folder, &[&identity, arguments].concat()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn write(folder: &Path, name: &str, text: &str) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// A repository whose branch `work` left `main` after the first commit, and both went on.
pub(in crate::forge) fn repository() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    git(at, &["init", "--quiet", "--initial-branch=main"]);
    write(at, "app/kept", "1");
    git(at, &["add", "."]);
    git(at, &["commit", "--quiet", "--message=first"]);
    git(at, &["checkout", "--quiet", "-b", "work"]);
    write(at, "app/committed é", "1");
    git(at, &["add", "."]);
    git(at, &["commit", "--quiet", "--message=work"]);
    git(at, &["checkout", "--quiet", "main"]);
    write(at, "app/on-base", "1");
    git(at, &["add", "."]);
    git(at, &["commit", "--quiet", "--message=base"]);
    git(at, &["checkout", "--quiet", "work"]);
    folder
}

#[test]
fn changes_are_counted_from_where_the_head_left_its_base() {
    let folder = repository();
    let repository = Repository::find(&folder.path().join("app")).unwrap().unwrap();
    let head = repository.head().unwrap().unwrap();
    assert_eq!(repository.changed_files("main", &head).unwrap(), ["committed é"]);
    assert_eq!(repository.base_changes("main", &head).unwrap(), ["on-base"]);
    assert_eq!(repository.branch().unwrap().as_deref(), Some("work"));
    assert_eq!(repository.default_branch().unwrap().as_deref(), Some("main"));
    assert_eq!(repository.remote_name().unwrap(), None);
}

#[test]
fn the_rules_of_a_branch_are_read_from_its_tip() {
    let folder = repository();
    let at = folder.path();
    git(at, &["checkout", "--quiet", "main"]);
    write(at, "app/ci.toml", "version = 1");
    write(at, "app/templates/help.md.j2", "hello");
    write(at, "app/templates/note.txt", "no template");
    git(at, &["add", "."]);
    git(at, &["commit", "--quiet", "--message=rules"]);
    git(at, &["checkout", "--quiet", "work"]);
    let repository = Repository::find(&at.join("app")).unwrap().unwrap();
    let declared = repository.declared("main", "app/ci.toml", "app/templates").unwrap();
    assert_eq!(declared.config.as_deref(), Some("version = 1"));
    assert_eq!(declared.templates.into_iter().collect::<Vec<_>>(), [("help.md.j2".to_owned(), "hello".to_owned())]);
    assert_eq!(repository.declared("work", "app/ci.toml", "app/templates").unwrap().config, None);
}

#[test]
fn what_is_not_committed_counts_below_the_folder() {
    let folder = repository();
    write(folder.path(), "app/kept", "2");
    write(folder.path(), "app/new", "1");
    write(folder.path(), "outside", "1");
    let repository = Repository::find(&folder.path().join("app")).unwrap().unwrap();
    let head = repository.head().unwrap().unwrap();
    assert_eq!(repository.changed_files("main", &head).unwrap(), ["committed é", "kept", "new"]);
}

#[test]
fn what_cannot_be_compared_may_be_any_file_or_is_named() {
    let folder = repository();
    let repository = Repository::find(folder.path()).unwrap().unwrap();
    let head = repository.head().unwrap().unwrap();
    assert_eq!(repository.changed_files("work", &head).unwrap(), ["app/committed é", "app/kept"], "it may be any file");
    let error = repository.changed_files("trunk", &head).unwrap_err();
    assert!(matches!(&error, Error::NotFound(text) if text.contains("`trunk`")), "{error}");
}

#[test]
fn a_file_that_is_no_text_is_no_outage() {
    let folder = repository();
    fs::write(folder.path().join("ci.toml"), [0xff]).unwrap();
    git(folder.path(), &["add", "."]);
    git(folder.path(), &["commit", "--quiet", "--message=bytes"]);
    let repository = Repository::find(folder.path()).unwrap().unwrap();
    let branch = repository.branch().unwrap().unwrap();
    let error = repository.declared(&branch, "ci.toml", "templates").unwrap_err();
    assert!(!error.is_outage() && error.to_string().contains("`ci.toml` of"), "{error}");
}

/// As `actions/checkout` leaves it with `sparse-checkout` or `filter`: what is not here yet git asks the server for.
#[test]
fn a_server_that_a_partial_clone_cannot_ask_is_an_outage() {
    for filter in ["--filter=blob:none", "--filter=tree:0"] {
        let (server, folder) = (repository(), tempfile::tempdir().unwrap());
        git(server.path(), &["config", "uploadpack.allowFilter", "true"]);
        let url = format!("file://{}", server.path().display());
        git(folder.path(), &["clone", "--quiet", filter, "--no-checkout", &url, "."]);
        drop(server);
        let partial = Repository::find(folder.path()).unwrap().unwrap();
        let error = partial.declared("main", "app/kept", "templates").unwrap_err();
        assert!(error.is_outage(), "{error:?}");
    }
}

/// As where the checkout keeps no credentials.
#[test]
fn a_server_that_a_partial_clone_may_not_ask_is_no_outage() {
    let said = "echo \"fatal: could not read Username for 'https://github.com': terminal prompts disabled\n\
                fatal: could not fetch 56a6051ca2b02b04ef92d5150c9ef600403cb1de from promisor remote\" >&2; exit 128";
    let output = Command::new("sh").args(["-c", said]).output().unwrap();
    let error = broken(Path::new("."), &["diff"], &output);
    assert!(!error.is_outage() && error.to_string().contains("mend what git says"), "{error}");
}

#[test]
fn without_a_repository_or_a_commit_there_is_none() {
    let folder = tempfile::tempdir().unwrap();
    assert!(Repository::find(folder.path()).unwrap().is_none());
    git(folder.path(), &["init", "--quiet"]);
    let repository = Repository::find(folder.path()).unwrap().unwrap();
    assert_eq!(repository.head().unwrap(), None);
    assert_eq!(repository.default_branch().unwrap(), None);
}

#[test]
fn owner_and_name_are_read_from_every_form_of_address() {
    for url in ["https://github.com/o/n.git", "https://t@github.com/o/n/", "ssh://git@host:22/o/n", "git@host:o/n.git"]
    {
        assert_eq!(owner_and_name(url).as_deref(), Some("o/n"), "{url}");
    }
    for url in ["/srv/git/n.git", "file:///srv/n", "https://host/a/b/c", "https://host/n"] {
        assert_eq!(owner_and_name(url), None, "{url}");
    }
}

#[test]
fn what_may_pass_is_told_from_what_lasts() {
    let answered = |status: u16| format!("fatal: unable to access '': The requested URL returned error: {status}");
    for status in [301, 307, 401, 403, 404, 407] {
        assert!(lasts(&answered(status)), "{status}");
    }
    for status in [408, 429, 500, 502, 503, 504] {
        assert!(!lasts(&answered(status)), "{status}");
    }
    for said in [
        "fatal: remote error: upload-pack: not our ref dddd",
        "error: Server does not allow request for unadvertised object dddd",
        "fatal: Authentication failed for ''",
        "fatal: could not read Username for '': terminal prompts disabled",
        "fatal: repository '' not found",
        "fatal: unable to access '': server certificate verification failed. CAfile: none CRLfile: none",
        "fatal: unable to access '': SSL certificate problem: unable to get local issuer certificate",
        "fatal: unable to access '': error reading ca cert file /x (Error while reading file.), SSL CA cert",
        "fatal: write error: No space left on device",
        "error: cannot open '.git/FETCH_HEAD': Permission denied",
    ] {
        assert!(lasts(said), "{said}");
    }
    for said in [
        "fatal: unable to access '': Empty reply from server",
        "fatal: unable to access '': Could not resolve host: github.com",
        "fatal: unable to access '': Failed to connect to github.com port 443: Connection refused",
        "fetch-pack: unexpected disconnect while reading sideband packet\nfatal: early EOF",
        "error: RPC failed; curl 18 transfer closed with 97 bytes remaining to read",
    ] {
        assert!(!lasts(said), "{said}");
    }
}
