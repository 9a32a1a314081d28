//! The first stories that anybody lives: plan, look, apply; and what must not be applied.

use crate::place::{Files, Place, example, on_both};
use crate::project::Project;

#[test]
fn the_example_needs_nothing_but_its_folder() {
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
fn what_its_base_has_already_is_not_taken_for_unchanged() {
    let project = Project::example("quickstart");
    crate::github::git::git(project.path(), &["init", "--quiet", "--initial-branch=main"]);
    crate::github::git::git(project.path(), &["add", "."]);
    crate::github::git::git(project.path(), &["commit", "--quiet", "--message=all"]);
    let head = crate::github::git::git(project.path(), &["rev-parse", "HEAD"]);
    project.ci(["try", "/plan"]).exits(0);
    let payload = serde_json::json!({
        "action": "synchronize",
        "pull_request": { "number": 1, "head": { "sha": head, "ref": "work" }, "base": { "ref": "main" } },
    });
    project.write("pull_request.json", &payload.to_string());
    let parsed = project.ci(["parse", "--event", "pull_request.json"]).exits(0);
    assert!(parsed.stdout.contains("\nlayers=dns,db,web\n"), "{}", parsed.stdout);
    project.ci(["run", "--event", "pull_request.json"]).exits(0);
    assert_eq!(project.row(1, "plan-db"), "success: files to change: 1");
}

/// The example, but what is `live` lasts, as what is deployed does.
pub(crate) fn files() -> Files {
    let mut files = example("quickstart");
    let config = files["ci.toml"].replace("\"live\"", "\"STORE/{{ layer }}\"");
    files.insert("ci.toml".to_owned(), config);
    files
}

/// A place with these files, where what they say is `live` is deployed.
pub(crate) fn start<P: Place>(files: &Files) -> P {
    let place = P::start(files);
    for (path, text) in files {
        if let Some((layer, name)) = path.split_once("/live/") {
            place.put(&format!("{layer}/{name}"), text);
        }
    }
    place
}

fn quickstart<P: Place>() -> P {
    start(&files())
}

/// The same, where applying needs an approval.
pub(crate) fn with_approval<P: Place>() -> P {
    let mut files = files();
    let gate = "planned    = \"plan\" ";
    assert!(files["ci.toml"].contains(gate));
    let config = files["ci.toml"].replace(gate, &format!("approvals = 1\n{gate}"));
    files.insert("ci.toml".to_owned(), config);
    start(&files)
}

const CHANGED: &str = "max_connections = 7\n";

fn what_was_shown_is_applied<P: Place>() {
    let place: P = quickstart();
    place.says("/plan").exits(0);
    assert_eq!(place.row("plan-dns"), "success: no changes");
    assert_eq!(place.row("plan-db"), "success: files to change: 1");
    assert_eq!(place.row("apply"), "pending: ");
    let shown = place.comments(7).concat();
    assert!(shown.contains("maintenance.txt"), "{shown}");
    place.says("/apply").exits(0);
    assert_eq!(place.row("apply"), "success: 3 of 3 layers");
    assert!(place.dashboard().contains("Ready to merge"), "{}", place.dashboard());
    assert_eq!(place.stored("web/index.html"), files().remove("web/desired/index.html"));
    assert_eq!(place.stored("web/maintenance.txt"), None);
}

fn what_is_live_has_changed_since_the_plan<P: Place>() {
    let place: P = quickstart();
    place.says("/plan").exits(0);
    place.put("db/settings.conf", CHANGED);
    place.says("/apply db").exits(1);
    let next = place.dashboard();
    let next = next.lines().find(|line| line.contains("is not done") && line.contains("plan-stale"));
    assert!(next.is_some_and(|next| next.contains("/plan") && !next.contains("Fix it")), "{}", place.dashboard());
    assert_eq!(place.stored("db/settings.conf").unwrap(), CHANGED);
}

fn what_is_wanted_has_changed_since_the_plan<P: Place>() {
    let place: P = quickstart();
    place.says("/plan").exits(0);
    place.push(7, "db/desired/settings.conf", CHANGED);
    let refused = place.says("/apply db").exits(4);
    assert!(refused.stderr.contains("planned"), "{refused:#?}");
    assert_ne!(place.stored("db/settings.conf").unwrap(), CHANGED);
    place.says("/plan db").exits(0);
    place.says("/apply db").exits(0);
    assert_eq!(place.stored("db/settings.conf").unwrap(), CHANGED);
}

fn what_was_approved_is_not_what_a_plan_in_the_same_comment_finds<P: Place>() {
    let place: P = with_approval();
    place.says("/plan db").exits(0);
    place.approve(7, "bob");
    place.a_year_goes_by(7);
    place.put("db/settings.conf", CHANGED);
    let both = place.says("/plan db\n\n/apply db").exits(4);
    assert!(both.stderr.contains("approvals"), "{both:#?}");
    assert_eq!(place.stored("db/settings.conf").unwrap(), CHANGED);
}

fn a_comment_may_plan_and_apply<P: Place>() {
    let place: P = quickstart();
    place.says("/plan\n/apply").exits(0);
    assert_eq!(place.row("apply"), "success: 3 of 3 layers");
}

fn who_may_only_read_is_refused_and_told_why<P: Place>() {
    let place: P = quickstart();
    let told = |why: &str| {
        let comments = place.comments(7);
        assert!(comments.iter().any(|body| body.contains(why)), "{comments:#?}");
    };
    let refused = place.run(place.comment(7, "mallory", "/plan web")).exits(4);
    assert!(refused.stderr.contains("permission"), "{refused:#?}");
    told("wants write or more, found read");
    let unknown = place.says("/plan wep").exits(4);
    assert!(unknown.stderr.contains("did you mean `web`?"), "{unknown:#?}");
    told("did you mean `web`?");
}

on_both!(
    what_was_shown_is_applied,
    what_is_live_has_changed_since_the_plan,
    what_is_wanted_has_changed_since_the_plan,
    what_was_approved_is_not_what_a_plan_in_the_same_comment_finds,
    a_comment_may_plan_and_apply,
    who_may_only_read_is_refused_and_told_why,
);
