//! Decisions, a folder each in `tests/cases`: a ci.toml, the payload of an event in a file that bears the event's name, and
//! in `expected.txt` what `ci explain` and `ci parse` say of it. Where a folder has a file `calls`, its lines are called
//! instead. `UPDATE_CASES=1 cargo test --test it cases` writes what is said now; the diff is to be read.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use crate::project::{Project, repository};

const EXPECTED: &str = "expected.txt";

/// The folders of the cases, by name.
fn folders() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(repository().join("tests/cases")).unwrap();
    let mut folders: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    folders
}

fn files(folder: &Path) -> Vec<String> {
    std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

/// What is called, as people would type it.
fn calls(folder: &Path) -> Vec<String> {
    if let Ok(calls) = std::fs::read_to_string(folder.join("calls")) {
        return calls.lines().map(str::to_owned).collect();
    }
    let event = files(folder).into_iter().find(|name| name.ends_with(".json"));
    let event = event.unwrap_or_else(|| panic!("{} has neither an event nor calls", folder.display()));
    vec![format!("ci explain --event {event}"), format!("ci parse --event {event}")]
}

/// The words of a line, of which quotes make one of several.
fn words(line: &str) -> Vec<String> {
    let quoted = |(at, part): (usize, &str)| match at % 2 {
        0 => part.split_whitespace().map(str::to_owned).collect(),
        _ => vec![part.to_owned()],
    };
    line.split('"').enumerate().flat_map(quoted).collect()
}

/// The calls and what came of them. `result` says all of the other outputs once more, and a commit that no payload names
/// is a digest of the folder.
fn transcript(folder: &Path) -> String {
    let project = Project::empty();
    for name in files(folder).iter().filter(|name| *name != EXPECTED) {
        project.write(name, &std::fs::read_to_string(folder.join(name)).unwrap());
    }
    let mut transcript = String::new();
    for call in calls(folder) {
        let words = words(&call);
        assert_eq!(words[0], "ci", "{call}");
        let ran = project.ci(&words[1..]);
        let all = format!("{}{}", ran.stdout, ran.stderr);
        let said = all.lines().filter(|line| !line.starts_with("result=") && !line.starts_with("head_sha="));
        let said: Vec<&str> = said.collect();
        let code = if ran.code == 0 { String::new() } else { format!("exit code {}\n", ran.code) };
        let _infallible = writeln!(transcript, "$ {call}\n{}\n{code}", said.join("\n").trim_end());
    }
    transcript
}

#[test]
fn every_case_is_decided_as_expected() {
    let update = std::env::var_os("UPDATE_CASES").is_some();
    let mut differing = Vec::new();
    for folder in folders() {
        let found = transcript(&folder);
        let expected = std::fs::read_to_string(folder.join(EXPECTED)).unwrap_or_default();
        if update {
            std::fs::write(folder.join(EXPECTED), &found).unwrap();
        } else if found != expected {
            differing.push(format!("{}\n{}", folder.display(), difference(&expected, &found)));
        }
    }
    assert!(differing.is_empty(), "{}", differing.join("\n\n"));
}

/// The first line that differs, and all that was said.
fn difference(expected: &str, found: &str) -> String {
    let at = expected.lines().zip(found.lines()).take_while(|(one, other)| one == other).count();
    let line = |text: &str| text.lines().nth(at).unwrap_or("the end").to_owned();
    format!("line {}: expected {}\n{:>width$}found {}\n{found}", at + 1, line(expected), "", line(found), width = 8)
}
