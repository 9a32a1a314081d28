//! What calls of the binary cost, as instructions (counted by valgrind, where that is installed) and as wall time:
//! `cargo bench`. Ratios are asserted, times are only shown. The last table stands in benches/README.md.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a table is the purpose, and a bench that cannot go on fails"
)]

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// By how much the cost of a stage may differ between a small ci.toml and a large one.
const LINEAR: f64 = 1.3;

fn main() {
    // `cargo test --benches` calls benches too, to see that they start.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    println!("| what | instructions | wall, least of 10 |\n|:--|--:|--:|");
    prose();
    stages("a stage", stage);
    stages("a stage with its command, rule and handler", whole_stage);
    history();
}

/// An event whose comment is no command.
fn prose() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::copy(Path::new(env!("CARGO_MANIFEST_DIR")).join("ci.toml"), folder.path().join("ci.toml")).unwrap();
    let event = r#"{"action":"created","issue":{"number":3,"pull_request":{}},
        "comment":{"id":1,"body":"please do not /bootstrap until we apply","user":{"login":"bob","type":"User"}}}"#;
    std::fs::write(folder.path().join("issue_comment.json"), event).unwrap();
    row("`ci run`, a comment that is no command", folder.path(), &["run", "--event", "issue_comment.json"]);
    assert!(!folder.path().join(".ci").exists(), "the forge was touched");
}

fn stage(number: usize) -> String {
    format!("[stages.s{number}]\nname = \"Stage {number}\"\n")
}

fn whole_stage(number: usize) -> String {
    format!(
        "[stages.s{number}]\nname = \"Stage {number}\"\n[commands.c{number}]\npattern = '/c{number}'\n\
         [[rules]]\ncommand = \"c{number}\"\ngate = \"anyone\"\nrun = \"h{number}\"\n\
         [handlers.h{number}]\nstage = \"s{number}\"\nsteps = [{{ run = [\"make\", \"{{{{ comment.body }}}}\"] }}]\n"
    )
}

/// `check-config` of more and more stages: each must cost the same.
fn stages(what: &str, one: fn(usize) -> String) {
    let cost = |count: usize| {
        let folder = tempfile::tempdir().unwrap();
        let text = (0..count).fold("version = 1\n".to_owned(), |mut text, number| {
            let _infallible = write!(text, "{}", one(number));
            text
        });
        std::fs::write(folder.path().join("ci.toml"), text).unwrap();
        row(&format!("`ci check-config`, {count} × {what}"), folder.path(), &["check-config"])
    };
    let costs = [100, 1_000, 10_000].map(cost);
    let (small, large) = ((costs[1] - costs[0]) / 900.0, (costs[2] - costs[1]) / 9_000.0);
    println!("| {what}: from 100 to 1,000, and from 1,000 to 10,000 | {small:.0}, {large:.0} | |");
    assert!(large < small * LINEAR, "{what} costs {small:.0} in a small ci.toml and {large:.0} in a large one");
}

/// A dashboard with a long history.
fn history() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("ci.toml"), "version = 1\n[stages.lint]\nname = \"Lint\"\n").unwrap();
    let pulls = folder.path().join(".ci/forge/pulls");
    std::fs::create_dir_all(&pulls).unwrap();
    let sha = "1".repeat(40);
    let pull = format!(r#"{{"number":7,"head_sha":"{sha}","head_ref":"work","base_ref":"main","author":"alice"}}"#);
    std::fs::write(pulls.join("7.json"), pull).unwrap();
    for number in 0..1_000 {
        let note = format!("report {number}");
        let report = ["update", "--pr", "7", "--stage", "lint", "--status", "success", "--note", &note];
        assert!(ci(folder.path(), &report).stdout(Stdio::null()).status().unwrap().success());
    }
    row("`ci show`, a history of 1,000 entries", folder.path(), &["show", "--pr", "7", "--format", "md"]);
}

/// Measures a call and prints its row; the instructions, or the nanoseconds where they cannot be counted.
fn row(what: &str, folder: &Path, arguments: &[&str]) -> f64 {
    let wall = (0..10).map(|_| wall(folder, arguments)).min().unwrap();
    let instructions = instructions(folder, arguments);
    let shown = instructions.map_or_else(|| "–".to_owned(), thousands);
    println!("| {what} | {shown} | {:.1} ms |", wall.as_secs_f64() * 1e3);
    #[expect(clippy::cast_precision_loss, reason = "a ratio needs no more")]
    let cost = instructions.map_or(wall.as_nanos() as f64, |instructions| instructions as f64);
    cost
}

fn ci(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ci"));
    command.env_clear().env("USER", "alice").env("PATH", std::env::var_os("PATH").unwrap());
    command.current_dir(folder).args(arguments).stdin(Stdio::null()).stderr(Stdio::null());
    command
}

fn wall(folder: &Path, arguments: &[&str]) -> Duration {
    let begin = Instant::now();
    let status = ci(folder, arguments).stdout(Stdio::null()).status().unwrap();
    let took = begin.elapsed();
    assert!(status.success(), "{arguments:?}: {status}");
    took
}

/// The instructions of the process, by callgrind; `None` where valgrind is missing.
fn instructions(folder: &Path, arguments: &[&str]) -> Option<u64> {
    let mut command = Command::new("valgrind");
    command.args(["--tool=callgrind", "--callgrind-out-file=/dev/null", env!("CARGO_BIN_EXE_ci")]).args(arguments);
    command.env_clear().env("USER", "alice").env("PATH", std::env::var_os("PATH")?);
    let output = command.current_dir(folder).output().ok()?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let line = said.lines().find(|line| line.contains("Collected"))?;
    line.rsplit(' ').next()?.parse().ok()
}

fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut shown = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown
}
