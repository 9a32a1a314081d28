//! The dashboard as a whole: what it looks like, and what no text that strangers write can do to it.

use super::{COMMENT, Page, Templates, dashboard, decode_state, fixture, marked, marker};
use crate::model::board::{Board, Entry, Recorded, Status, fold};

/// A board in the middle of things, and its entries.
fn realistic() -> (Board, Vec<Recorded>) {
    let output = Some("https://github.com/acme/infra/pull/7#issuecomment-1".to_owned());
    let began = |id, row: &str| fixture::entry(id, row, Status::Running, "");
    let entries = vec![
        began(1, "plan-bootstrap"),
        began(2, "plan-platform"),
        Entry {
            id: "a".into(),
            status: Status::Success,
            note: "no changes".into(),
            changes: Some(false),
            ..began(1, "plan-bootstrap")
        },
        Entry {
            id: "b".into(),
            status: Status::Success,
            note: "Plan: 2 to add, 1 to change, 0 to destroy".into(),
            link: output,
            ..began(2, "plan-platform")
        },
        Entry { layer: Some("platform".into()), action: Some("/apply platform".into()), ..began(3, "apply") },
        Entry {
            id: "c".into(),
            status: Status::Failure,
            note: "`terraform apply` exited with 1: null_resource.a[0]".into(),
            layer: Some("platform".into()),
            action: Some("/apply platform".into()),
            ..began(3, "apply")
        },
        Entry { by: Some("bob".into()), action: Some("/review".into()), ..began(4, "review") },
    ];
    let recorded = fixture::recorded(entries);
    (fold(&fixture::layout(), &recorded), recorded)
}

fn draw(board: &Board, recorded: &[Recorded]) -> String {
    let rules = fixture::rules();
    let sha = fixture::sha();
    let page = Page { rules: &rules, board, recorded, sha: &sha, pr: Some(crate::model::ids::PullNumber(7)) };
    dashboard(&Templates::default(), &page)
}

#[test]
fn a_dashboard_in_the_middle_of_things() {
    let (board, recorded) = realistic();
    let body = draw(&board, &recorded);
    let rules = fixture::rules();
    assert!(marked(&body, &rules, &fixture::sha()));
    assert!(body.starts_with(&marker(&rules, &fixture::sha())));
    let state = decode_state(&body, &rules).unwrap();
    assert_eq!((state.entries.len(), state.rows.len()), (7, 5));
    assert!(body.len() <= COMMENT);
    let shown = body.lines().filter(|line| !line.contains("-state:")).collect::<Vec<_>>().join("\n");
    insta::assert_snapshot!(shown);
}
