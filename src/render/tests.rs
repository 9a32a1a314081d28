//! The dashboard as a whole: what it looks like, and what no text that strangers write can do to it.

mod hostile;

use super::{
    COMMENT, Output, Page, Reason, Refusal, Section, Templates, dashboard, decode_state, fixture, json, marked, marker,
    output, refusal, reply,
};
use crate::expr::Scope;
use crate::model::board::{Board, Entry, Recorded, Status, fold};
use crate::model::ids::PullNumber;

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
    let page = Page { rules: &rules, board, recorded, sha: &sha, pr: Some(PullNumber(7)) };
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

#[test]
fn the_page_as_json() {
    let (board, recorded) = realistic();
    let (rules, sha) = (fixture::rules(), fixture::sha());
    let page = json(&Page { rules: &rules, board: &board, recorded: &recorded, sha: &sha, pr: Some(PullNumber(7)) });
    assert_eq!(page["version"], 1);
    assert_eq!(page["overall"], "failure");
    assert_eq!(page["next"]["command"], "/apply platform");
    assert_eq!(page["rows"][2]["cells"][0]["layer"], "platform");
    assert_eq!(page["history"].as_array().map(Vec::len), Some(4));
}

#[test]
fn what_a_run_printed() {
    let (rules, sha) = (fixture::rules(), fixture::sha());
    let section = Section {
        title: "bootstrap",
        status: Status::Success,
        note: "no changes",
        text: "No changes.\n",
        language: "",
        details: "",
        whole: None,
    };
    let failed = Section {
        title: "platform",
        status: Status::Failure,
        note: "`terraform plan` exited with 1",
        text: "+ a\n- b\n```\n\u{1b}[31mError\u{1b}[0m: <no>\n",
        language: "diff",
        details: "| Action | Address |\n|:--|:--|\n| destroy | `a` |",
        whole: None,
    };
    let body = output(
        &Templates::default(),
        &Output {
            rules: &rules,
            key: "101.1-plan",
            title: "Plan",
            sha: &sha,
            action: Some("/plan"),
            by: Some("alice"),
            run_page: Some("https://github.com/acme/infra/actions/runs/101"),
            dashboard: Some("https://github.com/acme/infra/pull/7#issuecomment-1"),
            sections: vec![section, failed],
        },
    );
    insta::assert_snapshot!(body, @r"
    <!-- infra-dashboard-output:101.1-plan -->
    ### Plan `abc1234`

    `/plan` by alice · [run](https://github.com/acme/infra/actions/runs/101) · [dashboard](https://github.com/acme/infra/pull/7#issuecomment-1)

    <details>
    <summary>✅ bootstrap: no changes</summary>

    ```
    No changes.
    ```

    </details>

    <details open>
    <summary>❌ platform: <code>terraform plan</code> exited with 1</summary>

    | Action | Address |
    |:--|:--|
    | destroy | `a` |

    ````diff
    + a
    - b
    ```
    Error: <no>
    ````

    </details>
    ");
}

#[test]
fn refusals_say_what_to_do() {
    let rules = fixture::rules();
    let reasons = [
        Reason {
            code: "permission".into(),
            message: "bob has read access, write is needed".into(),
            remedy: "Ask somebody with write access.".into(),
            layer: None,
        },
        Reason {
            code: "plan-stale".into(),
            message: "the plan of abc1234 is older than the head".into(),
            remedy: "Comment `/plan platform`.".into(),
            layer: Some("platform".into()),
        },
    ];
    let slip = [Reason {
        code: "unknown-command".into(),
        message: "there is no command `/aply`".into(),
        remedy: "write `/apply [layer…]`".into(),
        layer: None,
    }];
    let all = [("/apply platform", &reasons[..]), ("/aply", &slip[..])];
    let bodies = all.map(|(command, reasons)| {
        refusal(&Templates::default(), &rules, &Refusal { command, by: "bob", partly: false, by_line: true, reasons })
    });
    insta::assert_snapshot!(bodies.join("\n"), @r"
    <!-- infra-dashboard-reply:apply.08917cff8879d8f4 -->
    ⛔ `/apply platform` of bob was not run:

    - `permission`: bob has read access, write is needed. **Ask somebody with write access.**
    - `plan-stale` (platform): the plan of abc1234 is older than the head. **Comment `/plan platform`.**

    <!-- infra-dashboard-reply:nearly.fa73b451489b2b37 -->
    ⛔ `/aply` of bob was not run:

    - `unknown-command`: there is no command `/aply`. **write `/apply [layer…]`**
    ");
}

#[test]
fn the_help_lists_every_command() {
    let rules = fixture::rules();
    let body = reply(&Templates::default(), "help", &rules, None, &Scope::default()).unwrap();
    for command in rules.commands.values() {
        assert!(body.contains(command.usage.split(' ').next().unwrap()), "{body}");
    }
    let error = reply(&Templates::default(), "nowhere", &rules, None, &Scope::default()).unwrap_err();
    assert!(error.to_string().contains("nowhere.md.j2"), "{error}");
}
