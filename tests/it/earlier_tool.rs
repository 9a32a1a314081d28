//! The call lines of workflows that were written for the Python package which `ci` replaces, with `ci` in place of
//! `python -m ci`.

use crate::github::{BOT, Job};
use crate::github_rows::link;
use crate::on_github::github;

#[test]
fn call_lines_of_the_earlier_tool_do_the_same() {
    let github = github();
    let ci = |line: &str| github.job().ci(line.split(' ').skip(1)).exits(0);
    ci("ci init --pr 7");
    ci("ci init --pr 7");
    ci("ci update --pr 7 --stage plan-platform --status success --link https://example.org/run/1");
    assert!(github.row(7, "plan-platform").starts_with("success: "));
    assert_eq!(link(&github, "plan-platform"), "https://example.org/run/1");
    assert!(github.row(7, "plan-bootstrap").starts_with("pending: "));
    ci("ci update --pr 7 --stage plan --status running");
    let plans = ["plan-bootstrap", "plan-platform", "plan-data-staging", "plan-data-prod"];
    for row in plans {
        assert!(github.row(7, row).starts_with("running: "), "{row}: {}", github.row(7, row));
    }
    ci("ci update --pr 7 --stage plan --status cancelled");
    for row in plans {
        assert_eq!(github.row(7, row), "dropped: cancelled");
    }
    let dashboards = github.comments(7).into_iter().filter(|comment| comment.author == BOT).count();
    assert_eq!(dashboards, 1);
}

#[test]
fn an_event_is_parsed_and_run_as_the_earlier_tool_was_called() {
    let github = github();
    let event = github.comment(7, "alice", "/plan platform bootstrap");
    github.job().on(event.clone()).ci(["parse"]).exits(0);
    let outputs = std::fs::read_to_string(Job::outputs(&github)).unwrap();
    for (name, value) in [
        ("should_run", "true"),
        ("mode", "run"),
        ("command", "plan"),
        ("layers", "bootstrap,platform"),
        ("pr_number", "7"),
        ("head_sha", &github.head(7)),
    ] {
        let lines: Vec<&str> = outputs.lines().collect();
        let at = lines
            .iter()
            .position(|line| line.starts_with(&format!("{name}<<")))
            .unwrap_or_else(|| panic!("no {name} in {outputs}"));
        assert_eq!(lines[at + 1], value, "{name}");
    }
    assert!(
        github.comments(7).iter().all(|comment| comment.author != BOT) && github.statuses(&github.head(7)).is_empty()
    );
    github.job().on(event).ci(["run"]).exits(0);
    assert!(github.row(7, "plan-platform").starts_with("success: "));
    let comment = github.comments(7).into_iter().find(|comment| comment.author == "alice").unwrap();
    let reactions: Vec<&str> = comment.reactions.iter().map(|(_, reaction)| reaction.as_str()).collect();
    assert_eq!(reactions, ["eyes", "rocket"]);
}
