//! What becomes of a forge that somebody else touched: git, an editor, whoever deletes a comment.

use crate::place::{Place, on_both};
use crate::project::{Project, Ran, clean_git};
use crate::quickstart;

#[test]
fn git_does_not_see_it() {
    let project = Project::example("quickstart");
    let git = |arguments: &[&str]| {
        Ran::of(clean_git().current_dir(project.path()).args(arguments).output().unwrap()).exits(0).stdout
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

fn a_comment_that_is_gone_is_written_again<P: Place>() {
    let place: P = quickstart::start(&quickstart::files());
    place.says("/plan").exits(0);
    place.lose_comments(7);
    place.ci(&["sync", "--pr", "7"]).exits(0);
    assert!(place.dashboard().contains("files to change: 1"), "{}", place.dashboard());
    assert_eq!(place.row("plan-db"), "success: files to change: 1");
}

on_both!(a_comment_that_is_gone_is_written_again);
