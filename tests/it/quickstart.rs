//! The first story that anybody lives: plan, look, apply.

use crate::project::{Project, Ran};

#[test]
fn plan_then_apply_does_what_was_shown() {
    let project = Project::example("quickstart");
    project.ci(["try", "/plan"]).exits(0);
    assert_eq!(project.row(1, "plan-dns"), "success: no changes");
    assert_eq!(project.row(1, "plan-db"), "success: files to change: 1");
    assert_eq!(project.row(1, "apply"), "pending: ");
    let applied = project.ci(["try", "/apply"]).exits(0);
    assert!(applied.stdout.contains("Ready to merge"), "{}", applied.stdout);
    assert_eq!(project.row(1, "apply"), "success: 3 of 3 layers");
    assert_eq!(project.read("web/live/index.html"), project.read("web/desired/index.html"));
    assert!(!project.path().join("web/live/maintenance.txt").exists());
}

#[test]
fn what_changed_since_the_plan_is_not_applied() {
    let project = Project::example("quickstart");
    project.ci(["try", "/plan"]).exits(0);
    project.write("db/live/settings.conf", "max_connections = 7\n");
    let applied = project.ci(["try", "/apply db"]).exits(1);
    assert!(applied.stdout.contains("plan-stale"), "{}", applied.stdout);
    assert_eq!(project.read("db/live/settings.conf"), "max_connections = 7\n");
}

/// A comment of a maintainer on pull request 1, handled as an event.
fn commented(project: &Project, body: &str) -> Ran {
    let user = serde_json::json!({ "login": "alice", "id": 1, "type": "User" });
    let payload = serde_json::json!({
        "action": "created",
        "issue": { "number": 1, "pull_request": {} },
        "comment": { "id": 9, "body": body, "user": user },
        "sender": user,
    });
    project.write("issue_comment.json", &payload.to_string());
    project.ci(["run", "--event", "issue_comment.json"])
}

#[test]
fn what_was_approved_is_not_what_a_plan_in_the_same_comment_finds() {
    let project = Project::example("quickstart");
    let gate = "planned    = \"plan\" ";
    let config = project.read("ci.toml");
    assert!(config.contains(gate));
    project.write("ci.toml", &config.replace(gate, &format!("approvals = 1\n{gate}")));
    commented(&project, "/plan db").exits(0);
    let pull: serde_json::Value = serde_json::from_str(&project.read(".ci/forge/pulls/1.json")).unwrap();
    let sha = pull["head_sha"].as_str().unwrap();
    // The plan is old, and was approved a while after.
    for entry in std::fs::read_dir(project.path().join(".ci/forge/statuses").join(sha)).unwrap() {
        let name = format!(".ci/forge/statuses/{sha}/{}", entry.unwrap().file_name().to_str().unwrap());
        if name.ends_with(".json") {
            let mut status: serde_json::Value = serde_json::from_str(&project.read(&name)).unwrap();
            status["created_at"] = "2020-01-01T00:00:00Z".into();
            project.write(&name, &status.to_string());
        }
    }
    let review =
        format!(r#"[{{"author":"bob","state":"APPROVED","sha":"{sha}","submitted_at":"2021-01-01T00:00:00Z"}}]"#);
    project.write(".ci/forge/reviews/1.json", &review);
    project.write("db/live/settings.conf", "max_connections = 7\n");
    let both = commented(&project, "/plan db\n\n/apply db").exits(4);
    assert!(both.stderr.contains("approvals"), "{}", both.stderr);
    assert_eq!(project.read("db/live/settings.conf"), "max_connections = 7\n");
}

#[test]
fn a_comment_may_plan_and_apply() {
    let project = Project::example("quickstart");
    commented(&project, "/plan\n/apply").exits(0);
    assert_eq!(project.row(1, "apply"), "success: 3 of 3 layers");
}
