//! What becomes of a local forge that somebody else touched: git, an editor, a full disk.

use std::process::Command;

use crate::project::{Project, Ran, clean};

#[test]
fn git_does_not_see_it() {
    let project = Project::example("quickstart");
    let git = |arguments: &[&str]| {
        let mut git = Command::new("git");
        clean(&mut git);
        Ran::of(git.current_dir(project.path()).args(arguments).output().unwrap()).exits(0).stdout
    };
    git(&["init", "--quiet"]);
    git(&["add", "."]);
    project.ci(["try", "/plan"]).exits(0);
    assert!(!git(&["status", "--porcelain"]).contains(".ci"), "{}", git(&["status", "--porcelain"]));
}

#[test]
fn a_broken_file_is_named_with_the_way_out() {
    let project = Project::example("quickstart");
    project.ci(["try", "/plan"]).exits(0);
    project.write(".ci/forge/pulls/1.json", "{");
    for command in [&["show", "--pr", "1"][..], &["sync", "--pr", "1"], &["try", "/plan"]] {
        let failed = project.ci(command).exits(3);
        assert!(failed.stderr.contains(".ci/forge/pulls/1.json"), "{}", failed.stderr);
        assert!(failed.stderr.contains("to start anew"), "{}", failed.stderr);
    }
    std::fs::remove_dir_all(project.path().join(".ci/forge")).unwrap();
    project.ci(["try", "/plan"]).exits(0);
}

#[test]
fn a_comment_that_is_gone_is_written_again() {
    let project = Project::example("quickstart");
    project.ci(["try", "/plan"]).exits(0);
    std::fs::remove_dir_all(project.path().join(".ci/forge/comments")).unwrap();
    project.ci(["sync", "--pr", "1"]).exits(0);
    let comments = std::fs::read_dir(project.path().join(".ci/forge/comments")).unwrap();
    let bodies: Vec<String> =
        comments.filter_map(|comment| std::fs::read_to_string(comment.unwrap().path()).ok()).collect();
    assert!(bodies.iter().any(|body| body.contains("infra-dashboard:")), "{bodies:?}");
    assert_eq!(project.row(1, "plan-db"), "success: files to change: 1");
}
