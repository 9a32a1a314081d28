//! What comes after other rows: what is to be done since they found or made changes, and what is not.

use super::{Entry, Layout, Status, board, fold, journal, layout, not_begun, report, spec, status};
use crate::model::board::{Overall, RowSpec};

/// What was applied is to be tested, although applying once more found nothing left to do.
#[test]
fn what_was_done_is_followed_up_although_doing_it_again_had_nothing_to_do() {
    let plan = |changes| Entry { changes: Some(changes), ..report("plan-a", Some("a"), 1, Status::Success) };
    let idle = Entry { changes: Some(false), began: false, ..report("plan-b", Some("b"), 1, Status::Skipped) };
    // The apply ended well, or failed or was cut short behind its last change.
    for first in [Status::Success, Status::Failure, Status::Dropped] {
        let apply = |run, status, changes| Entry {
            changes: Some(changes),
            note: if changes { "" } else { "nothing to apply" }.to_owned(),
            ..report("apply", Some("a"), run, status)
        };
        let begun = vec![plan(true), idle.clone(), apply(2, first, true)];
        let again = [plan(false), apply(3, Status::Skipped, false)];
        let never_tested = board(begun.into_iter().chain(again));
        assert_ne!(never_tested.overall(), Overall::Ready, "never tested, after {first:?}");
        assert_eq!(status(&never_tested, "e2e"), Status::Pending, "never tested, after {first:?}");
    }
}

#[test]
fn what_was_done_before_work_that_failed_changed_something_is_to_be_done_again() {
    let plan = |changes| Entry { changes: Some(changes), ..report("plan-a", Some("a"), 1, Status::Success) };
    let idle = Entry { changes: Some(false), began: false, ..report("plan-b", Some("b"), 1, Status::Skipped) };
    let apply = |status, changes| Entry { changes: Some(changes), ..report("apply", Some("a"), 3, status) };
    let e2e = report("e2e", None, 2, Status::Success);
    let board =
        board([plan(true), idle, e2e, apply(Status::Failure, true), plan(false), apply(Status::Skipped, false)]);
    assert_eq!(status(&board, "e2e"), Status::Pending, "tested before anything was applied");
}

/// Tested, applied, and applied once more with nothing left to do: the tests are of before all that.
#[test]
fn what_is_to_be_done_again_is_not_done_since_what_it_follows_was_repeated_with_nothing_to_do() {
    let plan = Entry { changes: Some(true), ..report("plan-a", Some("a"), 1, Status::Success) };
    let idle = Entry { changes: Some(false), began: false, ..report("plan-b", Some("b"), 1, Status::Skipped) };
    let apply = |run, status, changes| Entry { changes, ..report("apply", Some("a"), run, status) };
    let entries = [plan, idle, report("e2e", None, 2, Status::Success), apply(3, Status::Success, Some(true))];
    assert_eq!(status(&board(entries.clone()), "e2e"), Status::Pending);
    let again = board(entries.into_iter().chain([apply(4, Status::Skipped, Some(false))]));
    assert_ne!(again.overall(), Overall::Ready);
    assert_eq!(status(&again, "e2e"), Status::Pending);
}

/// What began before there was something new to follow did not follow it, however late it ended.
#[test]
fn what_began_before_changes_were_made_is_to_be_done_again_though_it_ended_after() {
    let plan =
        |key: &str| Entry { changes: Some(true), ..report(&format!("plan-{key}"), Some(key), 1, Status::Success) };
    let apply = |key, run| Entry { changes: Some(true), ..report("apply", Some(key), run, Status::Success) };
    let e2e = |status| report("e2e", None, 3, status);
    let entries = [plan("a"), plan("b"), apply("a", 2), e2e(Status::Running), apply("b", 4), e2e(Status::Success)];
    assert_eq!(status(&board(entries), "e2e"), Status::Pending);
}

/// A layer of which a plan says that there is nothing to do is not left to be done since somebody else holds it.
#[test]
fn what_did_not_begin_where_there_is_nothing_to_do_is_not_left_to_be_done() {
    let planned = |key: &str, changes| Entry {
        changes: Some(changes),
        ..report(&format!("plan-{key}"), Some(key), 1, Status::Success)
    };
    let held = |key| Entry { note: "locked by pull request 8 (bob)".to_owned(), ..not_begun("apply", Some(key), 2) };
    let applied = Entry { changes: Some(true), ..report("apply", Some("a"), 2, Status::Success) };
    let beside = board([planned("a", true), planned("b", false), applied, held("b")]);
    assert_eq!(status(&beside, "apply"), Status::Success);
    let alone = board([planned("a", false), planned("b", false), held("b")]);
    assert_eq!(status(&alone, "apply"), Status::Skipped);
}

/// What was done as a whole stands for the layers that have no word of their own.
#[test]
fn what_was_done_as_a_whole_is_not_undone_by_a_layer_that_is_done_again() {
    let planned =
        |key: &str| Entry { changes: Some(true), ..report(&format!("plan-{key}"), Some(key), 1, Status::Success) };
    let whole = report("apply", None, 2, Status::Success);
    let again = report("apply", Some("a"), 3, Status::Success);
    let row = board([planned("a"), planned("b"), whole.clone(), again.clone()]).row("apply").cloned().unwrap();
    assert_eq!((row.status, &*row.missing), (Status::Success, &[][..]));
    // The same where changes were found meanwhile.
    let row = board([planned("a"), planned("b"), whole, planned("a"), again]).row("apply").cloned().unwrap();
    assert_eq!((row.status, &*row.missing), (Status::Success, &[][..]));
}

/// A lint says nothing of changes, and the plans, to which the apply is held, say that there are none.
#[test]
fn where_every_layer_is_known_to_be_idle_a_green_lint_leaves_nothing_to_do() {
    for lint_of in [None, Some(["a", "b"])] {
        let lint = spec("lint", None, &[]);
        let rows = vec![
            spec("plan", Some("a"), &[]),
            spec("plan", Some("b"), &[]),
            lint,
            RowSpec { held_to: Some("plan".to_owned()), ..spec("apply", None, &["plan-a", "plan-b", "lint"]) },
        ];
        let idle = |key: &str| Entry {
            changes: Some(false),
            began: false,
            ..report(&format!("plan-{key}"), Some(key), 1, Status::Skipped)
        };
        let green = match lint_of {
            None => vec![report("lint", None, 1, Status::Success)],
            Some(layers) => layers.iter().map(|key| report("lint", Some(key), 1, Status::Success)).collect(),
        };
        let entries = [idle("a"), idle("b")].into_iter().chain(green);
        let board = fold(&Layout { rows, ..layout() }, &journal(entries));
        assert_eq!(status(&board, "apply"), Status::Skipped, "{lint_of:?}");
    }
}

/// One row for all plans, one for each apply.
#[test]
fn what_a_plan_of_all_layers_found_nothing_for_has_nothing_to_apply() {
    let rows = vec![spec("plan", None, &[]), spec("apply", Some("a"), &["plan"]), spec("apply", Some("b"), &["plan"])];
    let found = |layer, changes| Entry { changes: Some(changes), ..report("plan", Some(layer), 1, Status::Success) };
    let entries = [found("a", true), found("b", false), report("apply-a", Some("a"), 2, Status::Success)];
    let board = fold(&Layout { rows, ..layout() }, &journal(entries));
    assert_eq!(status(&board, "apply-b"), Status::Skipped);
}

#[test]
fn a_row_that_is_shown_when_reported_is_hidden_where_only_a_lost_layer_reported() {
    let mut layout = layout();
    layout.rows[3].when_reported = true;
    assert!(!fold(&layout, &journal([report("e2e", Some("gone"), 1, Status::Success)])).row("e2e").unwrap().shown);
}

/// A run that was killed may have applied it, though another then found nothing left to do.
#[test]
fn what_a_run_was_at_of_which_nobody_heard_again_is_followed_up() {
    let plan = |changes| Entry { changes: Some(changes), ..report("plan-a", Some("a"), 1, Status::Success) };
    let idle = Entry { changes: Some(false), began: false, ..report("plan-b", Some("b"), 1, Status::Skipped) };
    let apply = |run, status, changes| Entry { changes, ..report("apply", Some("a"), run, status) };
    let killed = [plan(true), idle, apply(2, Status::Running, None)];
    let again = [apply(3, Status::Running, None), apply(3, Status::Skipped, Some(false))];
    let board = board(killed.into_iter().chain(again));
    assert_eq!(status(&board, "e2e"), Status::Pending);
}

#[test]
fn changes_that_were_made_are_not_forgotten_since_somebody_reports_without_a_word_on_them() {
    let plan = Entry { changes: Some(true), ..report("plan-a", Some("a"), 1, Status::Success) };
    let idle = Entry { changes: Some(false), began: false, ..report("plan-b", Some("b"), 1, Status::Skipped) };
    let applied = Entry { changes: Some(true), ..report("apply", Some("a"), 3, Status::Success) };
    let entries = [plan, idle, report("e2e", None, 2, Status::Success), applied];
    assert_eq!(status(&board(entries.clone()), "e2e"), Status::Pending);
    // Delegated, by hand, or killed and closed late.
    for (layer, run, ended) in
        [(None, 4, Status::Success), (Some("a"), 0, Status::Success), (Some("a"), 4, Status::Failure)]
    {
        let again = board(entries.clone().into_iter().chain([report("apply", layer, run, ended)]));
        assert_eq!(status(&again, "e2e"), Status::Pending, "tested before anything was applied: {layer:?} {ended:?}");
    }
}

/// At two machines, say: what has no run is not of one run, whose jobs wait for each other.
#[test]
fn what_no_run_did_is_not_of_one_run() {
    let plan = Entry { changes: Some(true), ..report("plan-a", Some("a"), 1, Status::Success) };
    let idle = Entry { changes: Some(false), began: false, ..report("plan-b", Some("b"), 1, Status::Skipped) };
    let applied =
        Entry { changes: Some(true), work: Some("1.0".to_owned()), ..report("apply", Some("a"), 0, Status::Success) };
    let e2e = |status| Entry { work: Some("2.0".to_owned()), ..report("e2e", None, 0, status) };
    let entries = [plan, idle, e2e(Status::Running), applied, e2e(Status::Success)];
    assert_eq!(status(&board(entries), "e2e"), Status::Pending);
}

/// Of one layer of several as of all of them.
#[test]
fn what_is_to_be_done_again_tells_of_what_it_changed_beside_another_layer() {
    let plan =
        |key: &str| Entry { changes: Some(true), ..report(&format!("plan-{key}"), Some(key), 1, Status::Success) };
    let apply = |key, run| Entry { changes: Some(true), ..report("apply", Some(key), run, Status::Success) };
    let e2e = report("e2e", None, 3, Status::Success);
    let entries = [plan("a"), plan("b"), apply("b", 2), e2e, apply("a", 4)];
    assert_eq!(status(&board(entries.clone()), "e2e"), Status::Pending);
    // Only the apply of `a` is outdated by this; the tests are no newer for it.
    assert_eq!(status(&board(entries.into_iter().chain([plan("a")])), "e2e"), Status::Pending);
}

/// A lint says nothing of changes, and the plan of all layers, to which the apply is held, says that there are none.
#[test]
fn what_a_plan_of_all_found_nothing_for_is_done_although_one_layer_was_tried() {
    let rows = vec![
        spec("plan", None, &[]),
        spec("lint", None, &[]),
        RowSpec { held_to: Some("plan".to_owned()), ..spec("apply", None, &["plan", "lint"]) },
    ];
    let plan = Entry { changes: Some(false), ..report("plan", None, 1, Status::Success) };
    let lint = |layer| report("lint", Some(layer), 1, Status::Success);
    let tried = Entry { changes: Some(false), ..report("apply", Some("a"), 2, Status::Skipped) };
    let stands = |entries: &[Entry]| {
        status(&fold(&Layout { rows: rows.clone(), ..layout() }, &journal(entries.to_vec())), "apply")
    };
    let entries = [plan, lint("a"), lint("b"), tried];
    assert_eq!(stands(&entries[..3]), Status::Skipped);
    assert_eq!(stands(&entries), Status::Skipped);
}
/// Whoever says again that it runs, say with how far it is, began no later for it.
#[test]
fn what_says_twice_that_it_runs_began_when_it_said_so_first() {
    let plan = Entry { changes: Some(true), ..report("plan-a", Some("a"), 1, Status::Success) };
    let idle = Entry { changes: Some(false), began: false, ..report("plan-b", Some("b"), 1, Status::Skipped) };
    let applied = Entry { changes: Some(true), ..report("apply", Some("a"), 4, Status::Success) };
    let e2e = |status| report("e2e", None, 3, status);
    let entries = [plan, idle, e2e(Status::Running), applied, e2e(Status::Running), e2e(Status::Success)];
    assert_eq!(status(&board(entries), "e2e"), Status::Pending, "half of it was tested before anything was applied");
}
#[test]
fn the_note_of_a_layer_says_that_changes_were_made_where_they_were() {
    let plan = Entry { changes: Some(true), ..report("plan-a", Some("a"), 1, Status::Success) };
    let idle = Entry { changes: Some(false), began: false, ..report("plan-b", Some("b"), 1, Status::Skipped) };
    let applied = Entry { changes: Some(true), ..report("apply", Some("a"), 3, Status::Success) };
    for layer in [None, Some("a")] {
        let entries = [plan.clone(), idle.clone(), report("e2e", layer, 2, Status::Success), applied.clone()];
        assert_eq!(board(entries).row("e2e").unwrap().note, "changes were made since", "{layer:?}");
    }
}

/// One workflow deploys one layer after the other, and tests after each: what was said to run anew began anew.
#[test]
fn what_a_run_does_once_more_after_it_had_ended_began_once_more() {
    let plan =
        |key: &str| Entry { changes: Some(true), ..report(&format!("plan-{key}"), Some(key), 1, Status::Success) };
    let apply = |key| Entry {
        changes: Some(true),
        work: Some(format!("{key}.0")),
        ..report("apply", Some(key), 3, Status::Success)
    };
    for first in [Status::Success, Status::Failure] {
        let e2e = |status| report("e2e", None, 3, status);
        let begun = vec![plan("a"), plan("b"), apply("a"), e2e(Status::Running), e2e(first)];
        let again = [apply("b"), e2e(Status::Running), e2e(Status::Success)];
        let all = board(begun.into_iter().chain(again));
        assert_eq!(status(&all, "e2e"), Status::Success, "{:#?}", all.row("e2e"));
    }
}

/// Policies that were checked say nothing of the layers for which the plans behind them found changes.
#[test]
fn what_was_found_is_to_be_done_for_each_layer_though_something_stands_between() {
    let rows = vec![
        spec("plan", Some("a"), &[]),
        spec("plan", Some("b"), &[]),
        spec("policy", Some("a"), &["plan-a"]),
        spec("policy", Some("b"), &["plan-b"]),
        spec("apply", None, &["policy-a", "policy-b"]),
    ];
    let said = |stage: &str, key: &str, changes| {
        let row = if stage == "apply" { stage.to_owned() } else { format!("{stage}-{key}") };
        Entry { changes: Some(changes), ..report(&row, Some(key), 1, Status::Success) }
    };
    let entries = ["a", "b"].into_iter().flat_map(|key| [said("plan", key, true), said("policy", key, false)]);
    let entries = entries.chain([said("apply", "a", true)]);
    let board = fold(&Layout { rows, ..layout() }, &journal(entries));
    let apply = board.row("apply").unwrap();
    assert_eq!((apply.status, &*apply.missing), (Status::Pending, &["b".to_owned()][..]));
}
