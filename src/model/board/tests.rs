mod after;
mod layers;
mod random;

use super::{Board, Entry, Layout, Recorded, RowSpec, Status, fold, standing};
use crate::model::ids::RunId;
use crate::model::rules::Effect;

fn spec(stage: &str, layer: Option<&str>, after: &[&str]) -> RowSpec {
    let id = layer.map_or_else(|| stage.to_owned(), |layer| format!("{stage}-{layer}"));
    RowSpec {
        title: id.clone(),
        id,
        stage: stage.to_owned(),
        layer: layer.map(str::to_owned),
        after: after.iter().map(|&id| id.to_owned()).collect(),
        optional: false,
        when_reported: false,
        effect: match stage {
            "plan" => Effect::Looks,
            "apply" => Effect::Changes,
            _ => Effect::Unknown,
        },
        follows_a_plan: stage == "apply",
        held_to: None,
    }
}

fn layout() -> Layout {
    let rows = vec![
        spec("plan", Some("a"), &[]),
        spec("plan", Some("b"), &[]),
        spec("apply", None, &["plan-a", "plan-b"]),
        spec("e2e", None, &["apply"]),
    ];
    Layout { rows, layers: ["a", "b"].map(str::to_owned).to_vec() }
}

/// What a run reports to a row, for a layer where one is named.
fn report(row: &str, layer: Option<&str>, run: u64, status: Status) -> Entry {
    Entry {
        id: String::new(),
        row: row.to_owned(),
        status,
        note: String::new(),
        pr: None,
        run: (run > 0).then_some(RunId { id: run, attempt: 1 }),
        url: String::new(),
        link: None,
        layer: layer.map(str::to_owned),
        by: None,
        action: None,
        digest: None,
        changes: None,
        began: true,
        work: None,
        until: None,
    }
}

/// The journal that holds these, in their order.
fn journal(entries: impl IntoIterator<Item = Entry>) -> Vec<Recorded> {
    let recorded = (1_u64..).zip(entries).map(|(seq, entry)| {
        let at = jiff::Timestamp::from_second(1_000 + i64::try_from(seq).unwrap()).unwrap();
        Recorded { seq, at, entry: Entry { id: seq.to_string(), ..entry } }
    });
    recorded.collect()
}

fn board(entries: impl IntoIterator<Item = Entry>) -> Board {
    fold(&layout(), &journal(entries))
}

fn status(board: &Board, row: &str) -> Status {
    board.row(row).unwrap().status
}

#[test]
fn an_outcome_of_an_older_run_goes_to_the_history_alone() {
    for layer in [None, Some("a")] {
        let late = board([
            report("plan-a", Some("a"), 9, Status::Running),
            report("plan-a", Some("a"), 9, Status::Failure),
            report("plan-a", layer, 5, Status::Success),
        ]);
        assert_eq!(status(&late, "plan-a"), Status::Failure, "{layer:?}");
        assert_eq!(late.history.len(), 2);
    }
    let whole = [
        report("apply", Some("a"), 9, Status::Success),
        report("apply", Some("b"), 9, Status::Success),
        report("apply", None, 5, Status::Failure),
    ];
    assert_eq!(status(&board(whole.clone()), "apply"), Status::Success);
    // Nor where nothing says which layers there are; but it is the last word on a layer that has none of its own.
    let rows = vec![spec("apply", None, &[])];
    assert_eq!(status(&fold(&Layout { rows, ..layout() }, &journal(whole.clone())), "apply"), Status::Success);
    let planned = |layer: &str| report(&format!("plan-{layer}"), Some(layer), 1, Status::Success);
    let [one, _, late] = whole;
    assert_eq!(status(&board([planned("a"), planned("b"), one, late]), "apply"), Status::Failure);
}

#[test]
fn who_begins_with_the_layer_may_end_without_it() {
    let delegated = [
        report("plan-a", Some("a"), 9, Status::Running),
        report("plan-a", None, 9, Status::Success),
        report("apply", Some("a"), 9, Status::Running),
        report("apply", None, 9, Status::Success),
    ];
    let recorded = journal(delegated);
    let board = fold(&layout(), &recorded);
    let row = board.row("plan-a").unwrap();
    assert_eq!((row.status, row.seconds), (Status::Success, Some(1)));
    assert_eq!(status(&board, "apply"), Status::Success);
    assert!(standing(&layout(), &recorded).iter().all(|record| record.entry.status == Status::Success));
    let told: Vec<Status> = board.history.iter().map(|line| line.status).collect();
    assert_eq!(told, [Status::Success; 2]);
}

#[test]
fn where_nothing_changes_there_is_nothing_to_apply_wherever_the_stages_stand() {
    let idle = |layer: &str| Entry {
        changes: Some(false),
        ..report(&format!("plan-{layer}"), Some(layer), 1, Status::Success)
    };
    let mut upside_down = layout();
    upside_down.rows.reverse();
    for layout in [layout(), upside_down] {
        let all = fold(&layout, &journal([idle("a"), idle("b")]));
        assert_eq!(all.row("apply").unwrap().note, "nothing to apply");
        assert_eq!(status(&all, "e2e"), Status::Skipped);
        let half = fold(&layout, &journal([idle("a")]));
        assert_eq!(status(&half, "apply"), Status::Pending);
        let ids: Vec<&str> = all.rows.iter().map(|row| row.id.as_str()).collect();
        assert!(ids.iter().eq(layout.rows.iter().map(|spec| &spec.id)), "{ids:?}");
    }
}

#[test]
fn work_that_waits_and_then_runs_is_one_line_of_the_history() {
    let running =
        board([report("plan-b", Some("b"), 1, Status::Pending), report("plan-b", Some("b"), 1, Status::Running)]);
    assert_eq!(running.history.len(), 1);
    assert_eq!(running.history[0].status, Status::Running);
}

/// What is said of one job of a run.
fn of_work(work: &str, row: &str, layer: Option<&str>, (run, status): (u64, Status)) -> Entry {
    Entry { work: Some(work.to_owned()), ..report(row, layer, run, status) }
}

/// An outcome that says why the job `b` did not begin, which was announced.
fn not_begun(row: &str, layer: Option<&str>, run: u64) -> Entry {
    Entry { began: false, ..of_work("b", row, layer, (run, Status::Dropped)) }
}

#[test]
fn work_that_did_not_begin_leaves_the_row_to_what_did() {
    let row = |layer, before: &[Status], after: &[Status]| {
        let of = |work, run, status: &Status| of_work(work, "apply", layer, (run, *status));
        let first = before.iter().map(|status| of("a", 1, status));
        let announced = [of("b", 2, &Status::Pending), of("b", 2, &Status::Running), not_begun("apply", layer, 2)];
        let entries = first.chain(announced).chain(after.iter().map(|status| of("a", 1, status)));
        let board = board(entries);
        let told: Vec<Status> = board.history.iter().map(|line| line.status).collect();
        (board.stands("apply", layer).unwrap().0, told)
    };
    use Status::{Dropped, Failure, Running, Success};
    for layer in [None, Some("a")] {
        assert_eq!(row(layer, &[], &[]), (Dropped, vec![Dropped]));
        assert_eq!(row(layer, &[Running], &[]), (Running, vec![Dropped, Running]));
        assert_eq!(row(layer, &[Running], &[Success]), (Success, vec![Success, Dropped]));
        assert_eq!(row(layer, &[Running, Failure], &[]), (Failure, vec![Dropped, Failure]));
    }
}

#[test]
fn what_a_run_did_before_stands_where_it_cannot_begin_again() {
    let again = [
        of_work("a", "apply", Some("a"), (1, Status::Running)),
        of_work("a", "apply", Some("a"), (1, Status::Success)),
        of_work("b", "apply", Some("a"), (1, Status::Pending)),
        not_begun("apply", Some("a"), 1),
    ];
    let row = board(again).row("apply").cloned().unwrap();
    assert_eq!((row.cells[0].status, row.seconds, row.cells.len()), (Status::Success, Some(1), 1));
}

#[test]
fn what_did_not_begin_does_not_hide_other_work_of_its_run_or_of_none() {
    for run in [Some(1), None] {
        let of = |entry: Entry| Entry { run: run.map(|id| RunId { id, attempt: 1 }), ..entry };
        let entries = [
            of(of_work("a", "apply", Some("a"), (1, Status::Running))),
            of(of_work("b", "apply", Some("a"), (1, Status::Pending))),
        ];
        let waits = board(entries.clone());
        let nothing = board(entries.into_iter().chain([of(not_begun("apply", Some("a"), 1))]));
        assert_eq!([status(&waits, "apply"), status(&nothing, "apply")], [Status::Running; 2]);
    }
}

#[test]
fn a_report_that_a_run_waits_does_not_hide_work_without_a_run() {
    let by_hand = Entry { run: None, ..of_work("a", "e2e", None, (1, Status::Running)) };
    assert_eq!(status(&board([by_hand, report("e2e", None, 2, Status::Pending)]), "e2e"), Status::Running);
}

#[test]
fn what_is_reported_from_no_run_stands_although_it_waits() {
    let by_hand = |status| Entry { run: None, ..report("e2e", None, 1, status) };
    assert_eq!(status(&board([by_hand(Status::Running), by_hand(Status::Pending)]), "e2e"), Status::Pending);
}

#[test]
fn what_waits_does_not_hide_what_another_run_does() {
    let (running, waiting) = (report("plan-a", None, 1, Status::Running), report("plan-a", None, 2, Status::Pending));
    let of_another = board([running.clone(), waiting.clone()]);
    assert_eq!(status(&of_another, "plan-a"), Status::Running);
    let ended = board([running.clone(), waiting.clone(), report("plan-a", None, 1, Status::Failure)]);
    assert_eq!(status(&ended, "plan-a"), Status::Failure);
    let begun = board([running, waiting, report("plan-a", None, 2, Status::Running)]);
    assert_eq!((status(&begun, "plan-a"), begun.history.len()), (Status::Running, 1));
}

#[test]
fn work_that_another_run_goes_on_with_is_one_line_of_the_history() {
    let told = |entries: Vec<Entry>| -> Vec<Status> { board(entries).history.iter().map(|line| line.status).collect() };
    let mut entries = vec![report("e2e", None, 1, Status::Running), report("e2e", None, 5, Status::Running)];
    assert_eq!(told(entries.clone()), [Status::Running]);
    entries.push(report("e2e", None, 5, Status::Success));
    assert_eq!(told(entries), [Status::Success]);
}

#[test]
fn a_row_that_is_shown_when_reported_is_hidden_until_then() {
    let mut layout = layout();
    layout.rows[3].when_reported = true;
    assert!(!fold(&layout, &[]).row("e2e").unwrap().shown);
    assert!(fold(&layout, &journal([report("e2e", None, 1, Status::Pending)])).row("e2e").unwrap().shown);
}
