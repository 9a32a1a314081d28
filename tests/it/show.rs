//! The dashboard as people look at it.

use crate::place::{Place, on_both};
use crate::project::Project;
use crate::quickstart;

/// What `ci show` says of the gates on a terminal.
fn gates<P: Place>(place: &P) -> String {
    let shown = place.ci(&["show", "--pr", "7", "--format", "terminal"]).exits(0).stdout;
    let begin = shown.find("\n/plan").unwrap_or_else(|| panic!("{shown}"));
    shown[begin..].trim().to_owned()
}

fn a_terminal_shows_what_each_gate_finds_now<P: Place>() {
    let place: P = quickstart::with_approval();
    place.says("/plan db web").exits(0);
    insta::allow_duplicates! {
        insta::assert_snapshot!(gates(&place), @"
        /plan [layer…] for alice
          ✓  permission (writers): wants write or more, found write

        /apply [layer…] for alice
          ✓  permission (apply): wants write or more, found write
          ✓  planned (apply) for db, web: wants plan succeeded for this commit, found succeeded
          ✗  approvals (apply) for db, web: wants 1, found 0
             → ask for a review of this commit by somebody else who may write, after the plan
        ");
    }

    place.approve(7, "bob");
    place.grant("alice", "read");
    insta::allow_duplicates! {
        insta::assert_snapshot!(gates(&place), @"
        /plan [layer…] for alice
          ✗  permission (writers): wants write or more, found read
             → ask somebody with write permission to comment this

        /apply [layer…] for alice
          ✗  permission (apply): wants write or more, found read
             → ask somebody with write permission to comment this
          ✓  planned (apply) for db, web: wants plan succeeded for this commit, found succeeded
          ✓  approvals (apply) for db, web: wants 1, found 1
        ");
    }
}

fn what_is_shown_is_the_comment_itself<P: Place>() {
    let place: P = quickstart::start(&quickstart::files());
    place.says("/plan").exits(0);
    let shown = |format: &str| place.ci(&["show", "--pr", "7", "--format", format]).exits(0).stdout;
    assert_eq!(shown("md").trim_end(), place.dashboard().trim_end());
    let html = shown("html");
    assert!(html.contains("Plan: db") && html.contains("files to change: 1"), "{html}");
}

on_both!(a_terminal_shows_what_each_gate_finds_now, what_is_shown_is_the_comment_itself);

#[test]
fn a_commit_is_named_whole() {
    let project = Project::example("quickstart");
    project.ci(["try", "/plan"]).exits(0);
    for command in [vec!["show", "--pr", "1"], vec!["update", "--pr", "1", "--stage", "apply", "--status", "success"]] {
        let refused = project.ci(command.into_iter().chain(["--sha", "1234567"])).exits(2);
        assert!(refused.stderr.contains("git rev-parse HEAD"), "{}", refused.stderr);
    }
}

/// What was committed since is looked at by the next `ci try`, and no earlier.
#[test]
fn who_looks_at_an_earlier_commit_is_told_so() {
    let project = Project::example("quickstart");
    project.ci(["try", "/plan", "web"]).exits(0);
    assert_eq!(project.row(1, "plan-web"), "success: files to change: 3");
    assert_eq!(project.row(1, "plan-db"), "pending: ");
    let told = |stderr: &str| stderr.contains("which the next `ci try` makes the head");
    let shown = || project.ci(["show", "--pr", "1"]).exits(0).stderr;
    assert!(!told(&shown()), "{}", shown());
    project.write("web/desired/new.html", "new\n");
    assert!(told(&shown()), "{}", shown());
    project.ci(["try", "/plan"]).exits(0);
    assert!(!told(&shown()), "{}", shown());
}
