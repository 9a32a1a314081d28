//! What becomes of a forge that somebody else touched: git, an editor, whoever deletes a comment.

use crate::github::git;
use crate::github_trust::config;
use crate::place::{Local, Place, on_both};
use crate::project::{Project, Ran, clean_git};
use crate::{on_github, quickstart};

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

/// What the git of this machine cannot do is no outage of the forge, which would pass.
#[test]
fn a_broken_checkout_is_named_with_the_way_out() {
    let github = on_github::github();
    std::fs::write(github.workspace().join(".git/config"), "[core").unwrap();
    let job = github.job().on(github.comment(7, "alice", "/plan platform"));
    for command in ["run", "parse"] {
        let told = job.ci([command]).exits(2).stderr;
        let workspace = github.workspace().display().to_string();
        for words in ["`git rev-parse --show-toplevel` in `", &workspace, "bad config", "check the repository out anew"]
        {
            assert!(told.contains(words), "{words} in {told}");
        }
        assert!(!told.contains("again once") && !told.contains("the forge"), "{told}");
    }
}

/// Nor does a rule that cannot be told to match pass for one that does not.
#[test]
fn a_broken_repository_hides_no_rule() {
    let place: Local = Place::with(&config("layers = \"changed\"", "paths = [\"platform/**\"]"));
    let pull = format!(
        r#"{{"number":7,"state":"open","user":{{"login":"alice"}},"head":{{"sha":"{}","ref":"work","repo":{{"full_name":"acme/infra"}}}},"base":{{"ref":"main","repo":{{"full_name":"acme/infra"}}}}}}"#,
        place.head(7)
    );
    place.put(
        "pull_request.json",
        &format!(r#"{{"action":"opened","number":7,"pull_request":{pull},"sender":{{"login":"alice"}}}}"#),
    );
    let event = place.store().join("pull_request.json").display().to_string();
    let parse = || place.ci(&["parse", "--event", &event]);
    assert!(parse().exits(0).stdout.contains("mode=skip\n"));
    let bare = git::bare(place.store().parent().unwrap());
    let tree = git::git(&bare, &["rev-parse", "main^{tree}"]);
    std::fs::remove_file(bare.join("objects").join(&tree[..2]).join(&tree[2..])).unwrap();
    for ran in [parse().exits(2), place.ci(&["run", "--event", &event]).exits(2)] {
        for words in
            ["setup: wants paths (platform/**), found nothing out: `git diff", " in `", "check the repository out anew"]
        {
            assert!(ran.stderr.contains(words), "{words} in {ran:#?}");
        }
        assert!(!ran.stderr.contains("later") && !ran.stdout.contains("skip"), "{ran:#?}");
    }
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
