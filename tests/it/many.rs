//! Many processes on one pull request: no row, no history line and no comment is lost or doubled.

use std::fmt::Write as _;
use std::process::Stdio;

use crate::place::{Place, on_both};
use crate::project::{Ran, row};

fn fifty_processes_lose_nothing<P: Place>() {
    let mut config = "version = 1\n[dashboard]\nhistory = 200\n".to_owned();
    for stage in 0..50 {
        let _infallible = write!(config, "[stages.s{stage}]\nname = \"Stage {stage}\"\n");
    }
    let place = P::with(&config);
    place.ci(&["init", "--pr", "7"]).exits(0);
    let status = |stage: usize| if stage.is_multiple_of(2) { "success" } else { "failure" };
    let start = |stage: usize| {
        let (row, note) = (format!("s{stage}"), format!("note {stage}."));
        let report = ["update", "--pr", "7", "--stage", &row, "--status", status(stage), "--note", &note];
        place.command(&report).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let writers: Vec<_> = (0..50).map(start).collect();
    // All are waited for before any is judged, so that none goes on without its forge.
    let ended: Vec<Ran> = writers.into_iter().map(|writer| Ran::of(writer.wait_with_output().unwrap())).collect();
    ended.into_iter().for_each(|ran| drop(ran.exits(0)));
    let (board, dashboard) = (place.board(7), place.dashboard());
    for stage in 0..50 {
        assert_eq!(row(&board, &format!("s{stage}")), format!("{}: note {stage}.", status(stage)));
        assert!(dashboard.contains(&format!("note {stage}.")), "the comment lacks {stage}");
    }
    assert_eq!(board["history"].as_array().unwrap().len(), 50);
    assert_eq!(place.comments(7).len(), 1);
    let synced = place.ci(&["sync", "--pr", "7"]).exits(0);
    assert!(synced.stdout.contains("all is true already"), "{synced:#?}");
}

on_both!(fifty_processes_lose_nothing);
