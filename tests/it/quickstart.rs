//! The first story that anybody lives: plan, look, apply.

use crate::project::Project;

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
