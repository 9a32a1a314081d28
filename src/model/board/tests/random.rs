//! Histories that nobody thought of.

use jiff::SignedDuration;
use proptest::prelude::*;

use super::{Board, Entry, Layout, Recorded, Status, fold, journal, layout, report, spec, standing};
use crate::model::board::{Overall, RowSpec};
use crate::model::rules::Effect;

/// A run newer than any of the past.
const NEWEST: u64 = 9;

const LAYERS: [&str; 2] = ["a", "b"];

/// Rows for each layer or one for all, of plans and of what comes after them.
fn layouts() -> impl Strategy<Value = Layout> {
    let of = |rows: Vec<RowSpec>| {
        let rows = rows.into_iter().chain([spec("publish", None, &["e2e"])]).collect();
        Layout { rows, ..layout() }
    };
    let one_for_all = of(vec![spec("plan", None, &[]), spec("apply", None, &["plan"]), spec("e2e", None, &["apply"])]);
    let one_for_each = of(vec![
        spec("plan", Some("a"), &[]),
        spec("plan", Some("b"), &[]),
        spec("apply", Some("a"), &["plan-a"]),
        spec("apply", Some("b"), &["plan-b"]),
        spec("e2e", None, &["apply-a", "apply-b"]),
    ]);
    let layouts = prop::sample::select(vec![of(layout().rows), one_for_all, one_for_each]);
    // Of an apply it may be known what it does, or not.
    (layouts, any::<bool>()).prop_map(|(mut layout, is_known)| {
        for row in layout.rows.iter_mut().filter(|row| row.stage == "apply" && !is_known) {
            row.effect = Effect::Unknown;
        }
        layout
    })
}

/// Anything that could be reported, sensible or not.
fn entry() -> impl Strategy<Value = Entry> {
    let rows = prop::sample::select(
        &["plan", "plan-a", "plan-b", "apply", "apply-a", "apply-b", "apply", "e2e", "publish", "gone"][..],
    );
    let layer = prop::sample::select(&[None, Some("a"), Some("b")][..]);
    let status = prop::sample::select(
        &[Status::Pending, Status::Running, Status::Success, Status::Failure, Status::Skipped, Status::Dropped][..],
    );
    let changes = prop::option::of(any::<bool>());
    let work = prop::sample::select(&[None, Some("a"), Some("b")][..]).prop_map(|work| work.map(str::to_owned));
    (rows, layer, (0..4_u64, 1..3_u32), status, changes, any::<bool>(), work).prop_map(
        |(row, layer, (run, attempt), status, changes, began, work)| {
            let began = began || !status.ended() || work.is_none();
            let entry = report(row, layer, run, status);
            let run = entry.run.map(|run| crate::model::ids::RunId { attempt, ..run });
            Entry { changes, began, work, run, ..entry }
        },
    )
}

fn past() -> impl Strategy<Value = Vec<Entry>> {
    prop::collection::vec(entry(), 0..20)
}

/// The journal that holds these, some of them reported later than they ended.
fn late(entries: Vec<Entry>) -> Vec<Recorded> {
    let mut recorded = journal(entries);
    for (at, record) in recorded.iter_mut().enumerate().filter(|(_, record)| record.entry.status.ended()) {
        let late = i64::try_from(at % 5).unwrap();
        record.entry.until = (late > 0).then(|| record.at - SignedDuration::from_secs(late));
    }
    recorded
}

/// Where work of a stage for a layer is reported.
fn row_of(layout: &Layout, stage: &str, layer: &str) -> String {
    let own = format!("{stage}-{layer}");
    if layout.rows.iter().any(|row| row.id == own) { own } else { stage.to_owned() }
}

/// Whether it is about a layer of a row, by name or with all.
fn is_of(entry: &Entry, row: &str, layer: &str) -> bool {
    entry.row == row && (row.ends_with(layer) || entry.layer.as_deref().is_none_or(|known| known == layer))
}

/// What is said of a layer: how it stands, whether it found changes, and its place in the journal.
fn said(board: &Board, layout: &Layout, stage: &str, layer: &str) -> (Status, Option<bool>, u64) {
    let row = board.row(&row_of(layout, stage, layer)).unwrap();
    match row.cells.iter().find(|cell| cell.layer == layer) {
        Some(cell) => (cell.status, cell.changes, cell.seq),
        None if !row.cells.is_empty() => (Status::Pending, None, 0),
        None => (row.status, row.changes, row.seq),
    }
}

/// What the newest run reports of work that succeeds.
fn done(row: &str, layer: Option<&str>, changes: Option<bool>) -> [Entry; 2] {
    let of = |status| report(row, layer, NEWEST, status);
    [of(Status::Running), Entry { changes, ..of(Status::Success) }]
}

proptest! {
    #[test]
    fn the_fold_is_of_a_set(
        (recorded, shuffled) in past().prop_map(late).prop_flat_map(|recorded| {
            let shuffled = Just(recorded.clone()).prop_shuffle();
            (Just(recorded), shuffled)
        }),
        cut in 0..20_usize,
        layout in layouts(),
    ) {
        let once = fold(&layout, &recorded);
        prop_assert_eq!(&fold(&layout, &shuffled), &once);
        // Two readings that overlap, joined, are one; and what was sent twice counts where it came first.
        let again = shuffled.iter().take(cut).map(|record| Recorded { seq: record.seq + 1_000, ..record.clone() });
        let joined: Vec<Recorded> = recorded.iter().skip(cut / 2).cloned().chain(again).chain(shuffled.clone()).collect();
        prop_assert_eq!(&fold(&layout, &joined), &once);
    }

    #[test]
    fn a_row_stands_on_what_sync_looks_at(past in past(), layout in layouts()) {
        let recorded = late(past);
        let board = fold(&layout, &recorded);
        for row in &board.rows {
            let entries: Vec<Status> = standing(&layout, &recorded)
                .into_iter()
                .filter(|record| record.entry.row == row.id)
                .map(|record| record.entry.status)
                .collect();
            if row.status == Status::Running {
                prop_assert!(entries.contains(&Status::Running), "{:?}", row);
            }
        }
    }

    /// Whatever went on before, a newest run that does all there is to do makes the pull request ready.
    #[test]
    fn no_past_keeps_a_row_from_being_done(
        layout in layouts(),
        past in past(),
        changes in prop::array::uniform2(prop::option::of(any::<bool>())),
        for_the_whole in any::<bool>(),
    ) {
        // What runs for the whole may do any layer still.
        let runs = |entry: &Entry| entry.layer.is_none() && entry.status == Status::Running;
        let past: Vec<Entry> = past.into_iter().filter(|entry| !runs(entry)).collect();
        let changes = || LAYERS.into_iter().zip(changes);
        let plan = |(layer, changes)| done(&row_of(&layout, "plan", layer), Some(layer), changes);
        // What was asked of a layer without changes is still to be done, though not much.
        let idle = |layer: &str, changes| {
            changes == Some(false) && !past.iter().any(|entry| is_of(entry, &row_of(&layout, "apply", layer), layer))
        };
        let held = changes().map(|(layer, changes)| (layer, !for_the_whole && idle(layer, changes)));
        let held = held.filter(|(_, idle)| !idle).map(|(layer, _)| layer);
        let applied = held.flat_map(|layer| done(&row_of(&layout, "apply", layer), Some(layer).filter(|_| !for_the_whole), None));
        let last = ["e2e", "publish"].into_iter().flat_map(|row| done(row, None, None));
        let all = past.iter().cloned().chain(changes().flat_map(plan)).chain(applied).chain(last);
        let board = fold(&layout, &journal(all));
        prop_assert_eq!(board.overall(), Overall::Ready, "{:#?}", board.rows);
    }

    /// Whatever went on before, what the newest run says last is not told as done where it is not.
    #[test]
    fn no_past_hides_what_is_not_done(
        layout in layouts(),
        past in past(),
        (stage, layer) in (prop::sample::select(&["plan", "apply", "e2e"][..]), prop::sample::select(&LAYERS[..])),
        is_named in any::<bool>(),
        status in prop::sample::select(&[Status::Running, Status::Failure, Status::Dropped][..]),
    ) {
        let row = row_of(&layout, stage, layer);
        let last = report(&row, Some(layer).filter(|_| is_named), NEWEST, status);
        let board = fold(&layout, &journal(past.into_iter().chain([last])));
        prop_assert!(!board.row(&row).unwrap().status.done(), "{:#?}", board.rows);
        prop_assert_ne!(board.overall(), Overall::Ready);
    }

    /// Whatever went on before, changes that were found last are still to be done.
    #[test]
    fn no_past_hides_changes(layout in layouts(), past in past(), layer in prop::sample::select(&LAYERS[..])) {
        let [_, found] = done(&row_of(&layout, "plan", layer), Some(layer), Some(true));
        let board = fold(&layout, &journal(past.into_iter().chain([found])));
        let row = board.row(&row_of(&layout, "apply", layer)).unwrap();
        prop_assert!(!row.status.done(), "{:#?}", board.rows);
    }

    /// Whatever is said of plans and applies before and after, what an apply changed is still to be checked.
    #[test]
    fn nothing_hides_what_was_made(
        layout in layouts(),
        past in past(),
        layer in prop::sample::select(&LAYERS[..]),
        later in past(),
    ) {
        let [_, applied] = done(&row_of(&layout, "apply", layer), Some(layer), Some(true));
        let later = later.into_iter().filter(|entry| entry.row != "e2e");
        let board = fold(&layout, &journal(past.into_iter().chain([applied]).chain(later)));
        prop_assert_ne!(board.overall(), Overall::Ready, "{:#?}", board.rows);
    }

    /// Whatever is said of all else before and after, what was done before something was applied is not done any more.
    #[test]
    fn what_was_made_is_followed_by_all_that_comes_after(
        layout in layouts(),
        past in past(),
        layer in prop::sample::select(&LAYERS[..]),
        later in past(),
        last in prop::sample::select(&["e2e", "publish"][..]),
    ) {
        let [_, applied] = done(&row_of(&layout, "apply", layer), Some(layer), Some(true));
        let is_of_layer = |entry: &Entry| entry.began && entry.layer.as_deref().is_none_or(|of| of == layer);
        let past = past.into_iter().filter(|entry| entry.row != last || is_of_layer(entry));
        let later = later.into_iter().filter(|entry| entry.row != last);
        let board = fold(&layout, &journal(past.chain([applied]).chain(later)));
        prop_assert_ne!(board.row(last).unwrap().status, Status::Success, "{:#?}", board.rows);
    }

    /// What is done was reported of each layer that changes were found for, and later than those.
    #[test]
    fn what_is_done_was_reported(layout in layouts(), past in past()) {
        let recorded = late(past);
        let board = fold(&layout, &recorded);
        for layer in LAYERS {
            let row = row_of(&layout, "apply", layer);
            let (plan, changes, seq) = said(&board, &layout, "plan", layer);
            if (plan, changes) != (Status::Success, Some(true)) || !board.row(&row).unwrap().status.done() {
                continue;
            }
            let is_done = |entry: &Entry| is_of(entry, &row, layer) && entry.status.done();
            let mut since = recorded.iter().filter(|record| record.seq > seq && is_done(&record.entry));
            prop_assert!(since.next().is_some(), "{:#?}", board.rows);
        }
    }
}
