//! Many processes on one pull request: no row, no history line and no comment is lost or doubled.

use std::fmt::Write as _;

use crate::project::{Project, Ran};

#[test]
fn fifty_processes_lose_nothing() {
    let mut config = "version = 1\n".to_owned();
    for stage in 0..50 {
        let _infallible = write!(config, "[stages.s{stage}]\nname = \"Stage {stage}\"\n");
    }
    let project = Project::with(&config);
    project.ci(["init", "--pr", "7"]).exits(0);
    let writers: Vec<_> = (0..50)
        .map(|stage| {
            let status = if stage % 2 == 0 { "success" } else { "failure" };
            let (stage, note) = (format!("s{stage}"), format!("note {stage}"));
            let mut command = project.command();
            command.args(["update", "--pr", "7", "--stage", &stage, "--status", status, "--note", &note]);
            command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap()
        })
        .collect();
    for writer in writers {
        Ran::of(writer.wait_with_output().unwrap()).exits(0);
    }
    for stage in 0..50 {
        let status = if stage % 2 == 0 { "success" } else { "failure" };
        assert_eq!(project.row(7, &format!("s{stage}")), format!("{status}: note {stage}"));
    }
    let board = project.board(7);
    assert_eq!(board["history"].as_array().unwrap().len(), 50);
    let comments: Vec<_> = std::fs::read_dir(project.path().join(".ci/forge/comments")).unwrap().collect();
    assert_eq!(comments.len(), 1);
    let comment = project.read(".ci/forge/comments/1.json");
    for stage in 0..50 {
        assert!(comment.contains(&format!("note {stage}")), "the comment lacks {stage}");
    }
    let synced = project.ci(["sync", "--pr", "7"]).exits(0);
    assert!(synced.stdout.contains("all is true already"), "{}", synced.stdout);
}
