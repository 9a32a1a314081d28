//! The repository behind the server: a real bare one, and the smart HTTP protocol as git itself speaks it.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use super::REPOSITORY;
use super::server::{Request, Response};
use super::state::State;
use crate::project::clean_git;

/// What git prints in a folder.
pub(crate) fn git(folder: &Path, arguments: &[&str]) -> String {
    let mut command = clean_git();
    let identity = ["-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"];
    let output = command.current_dir(folder).args(identity).args(arguments).output().unwrap();
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// Where the bare repository stands in a folder.
pub(crate) fn bare(folder: &Path) -> PathBuf {
    folder.join(format!("{REPOSITORY}.git"))
}

/// Creates the bare repository, with these files on `main` and one commit more on `work`.
pub(crate) fn create(folder: &Path, files: &BTreeMap<String, String>) {
    let bare = bare(folder);
    std::fs::create_dir_all(&bare).unwrap();
    git(&bare, &["init", "--quiet", "--bare", "--template=", "--initial-branch=main"]);
    git(&bare, &["config", "uploadpack.allowAnySHA1InWant", "true"]);
    let files: Vec<_> = files.iter().map(|(path, text)| (path.as_str(), Some(text.as_str()))).collect();
    commit(&bare, "main", &files);
    commit(&bare, "work", &[("README.md", Some("work\n"))]);
}

/// Commits files to a branch, which is made from `main` where it is missing; `None` takes a file away. The commit. One
/// process does it, since every story makes several.
pub(crate) fn commit(bare: &Path, branch: &str, files: &[(&str, Option<&str>)]) -> String {
    let there = |branch: &str| ask(bare, &["rev-parse", "--verify", "--quiet", &format!("refs/heads/{branch}")]);
    let names: Vec<&str> = files.iter().map(|(path, _)| *path).collect();
    let mut stream = format!("commit refs/heads/{branch}\nmark :1\ncommitter A <a@example.org> now\n");
    stream += &data(&names.join(", "));
    if let Some(parent) = there(branch).or_else(|| there("main")) {
        stream += &format!("from {}\n", parent.trim());
    }
    for (path, text) in files {
        match text {
            Some(text) => stream += &format!("M 100644 inline {path}\n{}", data(text)),
            None => stream += &format!("D {path}\n"),
        }
    }
    stream += "get-mark :1\ndone\n";
    write(bare, &["fast-import", "--quiet", "--done", "--date-format=now"], &stream)
}

/// How `git fast-import` reads a text.
fn data(text: &str) -> String {
    format!("data {}\n{text}\n", text.len())
}

/// A shallow checkout of `main`.
pub(super) fn checkout(bare: &Path, workspace: &Path) {
    if workspace.exists() {
        std::fs::remove_dir_all(workspace).unwrap();
    }
    let url = format!("file://{}", bare.display());
    let target = workspace.to_string_lossy().into_owned();
    git(bare, &["clone", "--quiet", "--template=", "--depth=1", "--branch=main", &url, &target]);
}

pub(crate) fn tip(bare: &Path, branch: &str) -> String {
    git(bare, &["rev-parse", &format!("refs/heads/{branch}")])
}

/// A command whose answer may be that there is nothing.
pub(super) fn ask(bare: &Path, arguments: &[&str]) -> Option<String> {
    let mut command = clean_git();
    let output = command.current_dir(bare).args(arguments).output().unwrap();
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The same with something to read.
pub(super) fn write(bare: &Path, arguments: &[&str], input: &str) -> String {
    let mut command = clean_git();
    for role in ["AUTHOR", "COMMITTER"] {
        command.env(format!("GIT_{role}_NAME"), "A").env(format!("GIT_{role}_EMAIL"), "a@example.org");
    }
    command.current_dir(bare).args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap().trim().to_owned()
}

/// Whether the sender of a `git fetch` may have it.
pub(super) fn may_fetch(state: &State, request: &Request) -> bool {
    let allowed = request.header("authorization").and_then(|header| header.strip_prefix("Basic "));
    let expected = |token: &str| super::server::base64(&format!("x-access-token:{token}"));
    state.public || allowed.is_some_and(|given| state.tokens.keys().any(|token| expected(token) == given))
}

/// Answers `git fetch`.
pub(super) fn serve(bare: &Path, request: &Request) -> Response {
    let mut backend = clean_git();
    let root = bare.ancestors().nth(2).unwrap();
    backend
        .arg("http-backend")
        .env("GIT_PROJECT_ROOT", root)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("REQUEST_METHOD", &request.method)
        .env("PATH_INFO", request.path())
        .env("QUERY_STRING", request.query_text())
        .env("CONTENT_TYPE", request.header("content-type").unwrap_or_default())
        .env("CONTENT_LENGTH", request.body.len().to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    if let Some(version) = request.header("git-protocol") {
        backend.env("GIT_PROTOCOL", version);
    }
    if let Some(encoding) = request.header("content-encoding") {
        backend.env("HTTP_CONTENT_ENCODING", encoding);
    }
    let mut child = backend.spawn().unwrap();
    child.stdin.take().unwrap().write_all(&request.body).unwrap();
    let output = child.wait_with_output().unwrap().stdout;
    let end = output.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
    let mut response = Response::status(200);
    for line in String::from_utf8_lossy(&output[..end]).lines() {
        let (name, value) = line.split_once(": ").unwrap();
        match name {
            "Status" => response.status = value.split(' ').next().unwrap().parse().unwrap(),
            _ => response = response.header(name, value),
        }
    }
    response.body = output[end + 4..].to_vec();
    response
}
