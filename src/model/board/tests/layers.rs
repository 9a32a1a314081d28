//! Rows that several layers report to, and somebody for all of them.

use super::{Entry, Layout, Status, board, fold, journal, layout, not_begun, report, spec, standing, status};

#[test]
fn a_row_for_all_layers_is_done_when_every_layer_with_changes_is() {
    let planned = |layer: &str, changes| Entry {
        changes: Some(changes),
        ..report(&format!("plan-{layer}"), Some(layer), 1, Status::Success)
    };
    let applied = |layer| report("apply", Some(layer), 2, Status::Success);
    let one = board([planned("a", true), planned("b", true), applied("a")]);
    let row = one.row("apply").unwrap();
    assert_eq!((row.status, row.note.as_str()), (Status::Pending, "1 of 2 layers"));
    let both = board([planned("a", true), planned("b", true), applied("a"), applied("b")]);
    assert_eq!(status(&both, "apply"), Status::Success);
    let only = board([planned("a", true), planned("b", false), applied("a")]);
    assert_eq!(status(&only, "apply"), Status::Success);
}

#[test]
fn what_one_layer_reported_to_a_row_is_no_other_layers() {
    let recorded = |layer, status| Entry { digest: Some("d".to_owned()), ..report("apply", Some(layer), 1, status) };
    let board = board([recorded("a", Status::Success), recorded("b", Status::Failure)]);
    assert_eq!(board.stands("apply", Some("a")), Some((Status::Success, Some("d"))));
    assert_eq!(board.stands("apply", Some("b")), Some((Status::Failure, Some("d"))));
    assert_eq!(board.stands("apply", Some("c")), None);
    assert_eq!(board.stands("e2e", Some("a")), Some((Status::Pending, None)));
}

#[test]
fn what_failed_as_a_whole_holds_until_the_whole_or_every_layer_is_done() {
    let planned = |layer: &str| Entry {
        changes: Some(true),
        ..report(&format!("plan-{layer}"), Some(layer), 1, Status::Success)
    };
    let layer = |key| report("apply", Some(key), 3, Status::Success);
    for whole in [Status::Failure, Status::Dropped, Status::Running] {
        let begun = vec![planned("a"), planned("b"), report("apply", None, 2, whole), layer("a")];
        assert_eq!(status(&board(begun.clone()), "apply"), whole);
        let all = [begun.clone(), vec![layer("b")]].concat();
        assert_eq!(status(&board(all), "apply"), if whole == Status::Running { whole } else { Status::Success });
        let again = [begun, vec![report("apply", None, 3, Status::Success)]].concat();
        assert_eq!(status(&board(again), "apply"), Status::Success);
    }
    // While it is not known of all layers whether they have something to do, they are not all done.
    for of_b in [None, Some(Status::Pending), Some(Status::Running), Some(Status::Failure)] {
        let of_b = of_b.map(|status| report("plan-b", Some("b"), 1, status));
        let entries = [planned("a")].into_iter().chain(of_b.clone());
        let entries = entries.chain([report("apply", None, 2, Status::Failure), layer("a")]);
        assert_eq!(status(&board(entries), "apply"), Status::Failure, "{of_b:?}");
    }
    // Nothing says which layers had something to do with a row that comes after none.
    let alone = [report("plan", None, 2, Status::Failure), report("plan", Some("a"), 3, Status::Success)];
    let layout = Layout { rows: vec![spec("plan", None, &[])], ..layout() };
    assert_eq!(status(&fold(&layout, &journal(alone)), "plan"), Status::Failure);
}

#[test]
fn what_failed_as_a_whole_is_not_settled_where_nothing_says_which_layers_there_were() {
    let rows = vec![spec("validate", None, &[]), spec("apply", None, &["validate"])];
    let entries = [
        report("validate", None, 1, Status::Success),
        report("apply", None, 2, Status::Failure),
        report("apply", Some("a"), 3, Status::Success),
    ];
    assert_eq!(status(&fold(&Layout { rows, ..layout() }, &journal(entries)), "apply"), Status::Failure);
}

#[test]
fn what_a_lost_layer_says_late_leaves_the_row_as_it_is() {
    let whole = report("apply", None, 1, Status::Success);
    let gone = report("apply", Some("gone"), 2, Status::Success);
    assert_eq!(status(&board([whole, gone.clone()]), "apply"), Status::Success);
    let idle = |layer: &str| Entry {
        changes: Some(false),
        ..report(&format!("plan-{layer}"), Some(layer), 1, Status::Success)
    };
    assert_eq!(status(&board([idle("a"), idle("b"), gone]), "apply"), Status::Skipped);
}

#[test]
fn what_waits_as_a_whole_is_looked_at_although_a_lost_layer_spoke_since() {
    let recorded =
        journal([report("apply", None, 1, Status::Pending), report("apply", Some("gone"), 2, Status::Success)]);
    assert_eq!(status(&fold(&layout(), &recorded), "apply"), Status::Pending);
    let looked_at: Vec<u64> = standing(&layout(), &recorded).iter().map(|record| record.seq).collect();
    assert_eq!(looked_at, [1, 2]);
}

#[test]
fn layers_that_nothing_tells_of_are_still_to_be_done() {
    let rows = vec![spec("lint", None, &[])];
    let board = fold(&Layout { rows, ..layout() }, &journal([report("lint", Some("a"), 1, Status::Success)]));
    let row = board.row("lint").unwrap();
    assert_eq!((row.status, &*row.note, &*row.missing), (Status::Pending, "1 of 2 layers", &["b".to_owned()][..]));
}

#[test]
fn what_has_to_be_fixed_is_told_before_what_has_to_be_planned_anew() {
    let failure = |layer, note: &str| Entry { note: note.to_owned(), ..report("apply", layer, 1, Status::Failure) };
    let stale = failure(Some("a"), "plan-stale: write `/plan a`");
    for (real, note) in [(failure(Some("b"), "exit 1"), "b: exit 1"), (failure(None, "exit 1"), "exit 1")] {
        assert_eq!(board([real, stale.clone()]).row("apply").unwrap().note, note);
    }
}

#[test]
fn what_was_cut_short_is_told_before_what_did_not_begin() {
    let waited = Entry { note: "cancelled".to_owned(), began: false, ..report("apply", Some("a"), 1, Status::Dropped) };
    let cut = Entry { note: "cancelled while it ran".to_owned(), ..report("apply", Some("b"), 1, Status::Dropped) };
    assert_eq!(board([waited, cut]).row("apply").unwrap().note, "b: cancelled while it ran");
}

#[test]
fn a_layer_of_an_older_run_does_not_take_the_row_from_a_newer_one() {
    let entries = [report("apply", None, 2, Status::Failure), report("apply", Some("a"), 1, Status::Success)];
    assert_eq!(status(&board(entries), "apply"), Status::Failure);
}

#[test]
fn a_layer_that_ci_toml_has_lost_stands_in_the_history_alone() {
    let done = |layer| report("apply", Some(layer), 1, Status::Success);
    let lost = board([done("a"), done("b"), report("apply", Some("gone"), 1, Status::Running)]);
    assert_eq!((status(&lost, "apply"), lost.history.len()), (Status::Success, 3));
}

#[test]
fn a_layer_that_did_not_begin_does_not_hide_what_was_said_of_all() {
    let whole = report("apply", None, 1, Status::Success);
    assert_eq!(status(&board([whole.clone(), not_begun("apply", Some("a"), 2)]), "apply"), Status::Success);
    let done = |layer| report("apply", Some(layer), 1, Status::Success);
    let layers = board([done("a"), done("b"), not_begun("apply", None, 2)]);
    assert_eq!(status(&layers, "apply"), Status::Success);
    let older = board([not_begun("apply", None, 2), whole]);
    assert_eq!(status(&older, "apply"), Status::Success);
}

/// A layer is done when that came after the last plan that found something to do, whoever shows it in whichever row.
#[test]
fn what_was_done_before_changes_were_found_is_to_be_done_again() {
    let found = |row: &str, layer: &str, changes| Entry {
        changes: Some(changes),
        ..report(row, Some(layer), 1, Status::Success)
    };
    let planned = |layer: &str, changes| found(&format!("plan-{layer}"), layer, changes);
    let applied = |layer| report("apply", layer, 2, Status::Success);
    let done = [planned("a", true), planned("b", true), applied(Some("a")), applied(Some("b"))];
    let stands = |entries: &[Entry]| {
        let row = board(entries.to_vec()).row("apply").cloned().unwrap();
        (row.status, row.note, row.missing)
    };
    let again = |layer, changes| stands(&[&done[..], &[planned(layer, changes)]].concat());
    assert_eq!(again("a", false).0, Status::Success);
    assert_eq!(again("a", true), (Status::Pending, "1 of 2 layers".to_owned(), vec!["a".to_owned()]));
    let one = [planned("a", true), applied(Some("a")), planned("b", false), planned("a", true)];
    assert_eq!(stands(&one), (Status::Pending, "changes were found since".to_owned(), vec!["a".to_owned()]));
    let whole = [planned("a", true), applied(None), planned("a", true)];
    assert_eq!(stands(&whole), (Status::Pending, "changes were found since".to_owned(), vec![]));

    // One row for all plans, one for each apply.
    let rows = vec![spec("plan", None, &[]), spec("apply", Some("a"), &["plan"]), spec("apply", Some("b"), &["plan"])];
    let entries = [
        found("plan", "a", true),
        report("apply-a", Some("a"), 2, Status::Success),
        report("apply-b", Some("b"), 2, Status::Skipped),
        found("plan", "a", true),
    ];
    let board = fold(&Layout { rows, ..layout() }, &journal(entries));
    assert_eq!([status(&board, "apply-a"), status(&board, "apply-b")], [Status::Pending, Status::Skipped]);

    // One row for each.
    let rows = vec![spec("plan", None, &[]), spec("apply", None, &["plan"])];
    let stands = |entries: &[Entry]| {
        let layout = Layout { rows: rows.clone(), ..layout() };
        status(&fold(&layout, &journal(entries.to_vec())), "apply")
    };
    let both = [found("plan", "a", true), found("plan", "b", true), applied(Some("a"))];
    assert_eq!(stands(&both), Status::Pending);
    let idle = [found("plan", "a", true), found("plan", "b", false), applied(None), found("plan", "b", false)];
    assert_eq!(stands(&idle), Status::Success);
}

#[test]
fn what_is_reported_late_does_not_hide_changes_that_were_found_meanwhile() {
    let planned = Entry { changes: Some(true), ..report("plan-a", Some("a"), 1, Status::Success) };
    let begun = report("apply", Some("a"), 2, Status::Running);
    let until = |second| Some(jiff::Timestamp::from_second(second).unwrap());
    let ended = |second| Entry { until: until(second), ..report("apply", Some("a"), 2, Status::Success) };
    // The journal is of the seconds from 1,001 on.
    for (second, stands) in [(1_002, Status::Pending), (1_004, Status::Success)] {
        let entries = [planned.clone(), begun.clone(), planned.clone(), ended(second)];
        assert_eq!(status(&board(entries), "apply"), stands, "{second}");
    }
}

#[test]
fn the_last_word_for_the_whole_counts_where_a_layer_has_none() {
    let rows = vec![spec("lint", None, &[])];
    let stands = |entries: &[Entry]| {
        let layout = Layout { rows: rows.clone(), ..layout() };
        status(&fold(&layout, &journal(entries.to_vec())), "lint")
    };
    let whole = report("lint", None, 1, Status::Failure);
    let layer = |layer| report("lint", Some(layer), 2, Status::Success);
    assert_eq!(stands(&[layer("a"), whole.clone()]), Status::Failure);
    assert_eq!(stands(&[whole.clone(), layer("a")]), Status::Failure);
    assert_eq!(stands(&[whole, layer("a"), layer("b")]), Status::Success);
}

/// A run that works on one layer may end with a word for the whole, beside a newer run that works on another.
#[test]
fn what_a_run_says_of_the_whole_counts_for_its_own_layer() {
    let planned = |layer: &str| Entry {
        changes: Some(true),
        ..report(&format!("plan-{layer}"), Some(layer), 1, Status::Success)
    };
    let beside = |whole| {
        let (begun, newer) =
            (report("apply", Some("b"), 2, Status::Running), report("apply", Some("a"), 3, Status::Success));
        [begun, newer, report("apply", None, 2, whole)]
    };
    for (whole, note) in [(Status::Success, "2 of 2 layers"), (Status::Failure, "")] {
        let row = board([planned("a"), planned("b")].into_iter().chain(beside(whole))).row("apply").cloned().unwrap();
        assert_eq!((row.status, row.note.as_str()), (whole, note));
        let rows = vec![spec("apply", None, &[])];
        let alone = fold(&Layout { rows, ..layout() }, &journal(beside(whole)));
        assert_eq!(status(&alone, "apply"), whole);
    }
}

/// A layer of which a plan says that there is nothing to do is not to be applied since a lint of all layers was green.
#[test]
fn what_is_green_without_a_word_on_changes_leaves_nothing_to_do_that_is_known_to_be_idle() {
    let rows = vec![
        spec("plan", Some("a"), &[]),
        spec("plan", Some("b"), &[]),
        spec("lint", None, &[]),
        spec("apply", None, &["plan-a", "plan-b", "lint"]),
    ];
    let planned = Entry { changes: Some(true), ..report("plan-a", Some("a"), 1, Status::Success) };
    for (of_b, began) in [(Status::Skipped, false), (Status::Success, true)] {
        let idle = Entry { changes: Some(false), began, ..report("plan-b", Some("b"), 1, of_b) };
        let lint = |layer| report("lint", Some(layer), 1, Status::Success);
        let entries = [planned.clone(), idle, lint("a"), lint("b"), report("apply", Some("a"), 2, Status::Success)];
        let board = fold(&Layout { rows: rows.clone(), ..layout() }, &journal(entries));
        let row = board.row("apply").unwrap();
        assert_eq!((row.status, &*row.missing), (Status::Success, &[][..]), "{of_b:?}");
    }
}

/// A lint of one layer does not say which layers a plan of the whole found something to do for.
#[test]
fn what_failed_as_a_whole_is_not_settled_since_a_lint_of_one_layer_was_green() {
    let rows = vec![spec("lint", None, &[]), spec("plan", None, &[]), spec("apply", None, &["lint", "plan"])];
    let entries = [
        report("lint", Some("a"), 1, Status::Success),
        Entry { changes: Some(true), ..report("plan", None, 1, Status::Success) },
        report("apply", None, 2, Status::Failure),
        report("apply", Some("a"), 3, Status::Success),
    ];
    assert_eq!(status(&fold(&Layout { rows, ..layout() }, &journal(entries)), "apply"), Status::Failure);
}

/// Work that came to nothing leaves a layer that had nothing to do as it was.
#[test]
fn what_did_not_begin_takes_no_place_of_what_had_nothing_to_do() {
    let idle = Entry { changes: Some(false), began: false, ..report("plan-b", Some("b"), 1, Status::Skipped) };
    let waits = Entry { work: Some("w".to_owned()), ..report("plan-b", Some("b"), 2, Status::Pending) };
    let cancelled = Entry { status: Status::Dropped, began: false, ..waits.clone() };
    assert_eq!(status(&board([idle, waits, cancelled]), "plan-b"), Status::Skipped);
}

/// Changes that one plan found for all layers may be any layer's.
#[test]
fn what_one_plan_found_for_all_is_to_be_done_for_each() {
    let layout = Layout { rows: vec![spec("plan", None, &[]), spec("apply", None, &["plan"])], ..layout() };
    let planned = Entry { changes: Some(true), ..report("plan", None, 1, Status::Success) };
    let applied = |layer| report("apply", Some(layer), 2, Status::Success);
    let half = fold(&layout, &journal([planned.clone(), applied("a")]));
    let row = half.row("apply").unwrap();
    assert_eq!((row.status, &*row.note, &*row.missing), (Status::Pending, "1 of 2 layers", &["b".to_owned()][..]));
    let both = fold(&layout, &journal([planned, applied("a"), applied("b")]));
    assert_eq!(status(&both, "apply"), Status::Success);
}
/// A row tells of one report: how long that work took, and not another's.
#[test]
fn what_failed_as_a_whole_took_as_long_as_it_took() {
    let planned = |layer: &str| Entry {
        changes: Some(true),
        ..report(&format!("plan-{layer}"), Some(layer), 1, Status::Success)
    };
    let whole = |status| report("apply", None, 2, status);
    let layer = |status| report("apply", Some("a"), 3, status);
    let (running, beside) = (whole(Status::Running), report("e2e", None, 9, Status::Pending));
    let entries = [planned("a"), planned("b"), running, beside, whole(Status::Failure)];
    let entries = entries.into_iter().chain([layer(Status::Running), layer(Status::Success)]);
    let row = board(entries).row("apply").cloned().unwrap();
    assert_eq!((row.status, row.seq, row.seconds), (Status::Failure, 5, Some(2)));
}
