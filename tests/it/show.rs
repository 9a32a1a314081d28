//! The dashboard as people look at it.

use crate::project::Project;

/// What `ci show` says of the gates on a terminal.
fn gates(project: &Project) -> String {
    let shown = project.ci(["show", "--pr", "1", "--format", "terminal"]).exits(0).stdout;
    let begin = shown.find("\n/plan").unwrap_or_else(|| panic!("{shown}"));
    shown[begin..].to_owned()
}

#[test]
fn a_terminal_shows_what_each_gate_finds_now() {
    let project = Project::example("quickstart");
    let config = project.read("ci.toml").replace("planned    = \"plan\" ", "approvals = 1\nplanned = \"plan\" ");
    project.write("ci.toml", &config);
    project.ci(["try", "/plan db web"]).exits(0);
    insta::assert_snapshot!(gates(&project), @"
    /plan [layer…] for alice
      ✓  permission (writers): wants write or more, found admin

    /apply [layer…] for alice
      ✓  permission (apply): wants write or more, found admin
      ✓  planned (apply) for db, web: wants plan succeeded for this commit, found succeeded
      ✗  approvals (apply) for db, web: wants 1, found 0
         → ask for a review of this commit by somebody else who may write, after the plan
    ");

    let pull: serde_json::Value = serde_json::from_str(&project.read(".ci/forge/pulls/1.json")).unwrap();
    let review = serde_json::json!([{
        "author": "bob", "state": "APPROVED", "sha": pull["head_sha"], "submitted_at": "2099-01-01T00:00:00Z",
    }]);
    project.write(".ci/forge/reviews/1.json", &review.to_string());
    project.write(".ci/forge/permissions.json", r#"{ "alice": "read" }"#);
    insta::assert_snapshot!(gates(&project), @"
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

#[test]
fn a_commit_is_named_whole() {
    let project = Project::example("quickstart");
    project.ci(["try", "/plan"]).exits(0);
    for command in [vec!["show", "--pr", "1"], vec!["update", "--pr", "1", "--stage", "apply", "--status", "success"]] {
        let refused = project.ci(command.into_iter().chain(["--sha", "1234567"])).exits(2);
        assert!(refused.stderr.contains("git rev-parse HEAD"), "{}", refused.stderr);
    }
}
