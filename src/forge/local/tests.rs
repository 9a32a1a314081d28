use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::{env, fs};

use indexmap::IndexMap;
use proptest::prelude::*;

use super::{ACCOUNT, Local, now};
use crate::forge::{Error, Forge, Lock, Reaction, Taken};
use crate::model::event::Pull;
use crate::model::ids::{PullNumber, RunId, Sha};
use crate::model::journal::{NewStatus, State};
use crate::model::rules::Permission;

const PULL: PullNumber = PullNumber(7);

fn local() -> (tempfile::TempDir, Local) {
    let folder = tempfile::tempdir().unwrap();
    let local = Local::open(&folder.path().join(".ci/forge"), folder.path(), ACCOUNT).unwrap();
    (folder, local)
}

fn sha() -> Sha {
    Sha::parse(&"a".repeat(40)).unwrap()
}

fn status(context: &str, description: &str) -> NewStatus {
    let (context, description) = (context.to_owned(), description.to_owned());
    NewStatus { state: State::Pending, context, description, target_url: "https://example.org/?ci=1".to_owned() }
}

fn pull() -> Pull {
    Pull {
        number: PULL,
        head_sha: sha(),
        head_ref: "work".to_owned(),
        base_ref: "main".to_owned(),
        author: "ann".to_owned(),
        draft: false,
        fork: false,
        closed: false,
        merged: false,
        labels: Vec::new(),
    }
}

fn lock(layer: &str, pull: u64) -> Lock {
    let (layer, by, run) = (layer.to_owned(), "ann".to_owned(), Some(RunId { id: 1, attempt: 1 }));
    Lock { layer, pull: Some(PullNumber(pull)), by, run, work: None, sha: None, at: now(), applied: false }
}

#[test]
fn statuses_of_many_writers_are_all_there_newest_first() {
    let (folder, local) = local();
    let done = AtomicBool::new(false);
    let mut ids: Vec<u64> = thread::scope(|scope| {
        let reader = scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                // Whatever a reader sees, nothing earlier is missing, and nothing is half there.
                let seen: Vec<u64> = local.statuses(&sha()).unwrap().iter().map(|record| record.id).rev().collect();
                assert_eq!(seen, (1..=u64::try_from(seen.len()).unwrap()).collect::<Vec<_>>());
            }
        });
        let writers: Vec<_> = (0..50)
            .map(|writer| {
                let dir = folder.path();
                scope.spawn(move || {
                    let local = Local::open(&dir.join(".ci/forge"), dir, ACCOUNT).unwrap();
                    let new = |n| status(&format!("ci/{writer}-{n}"), "running");
                    (0..4).map(|n| local.append(&sha(), &new(n)).unwrap().id).collect::<Vec<_>>()
                })
            })
            .collect();
        let ids = writers.into_iter().flat_map(|writer| writer.join().unwrap()).collect();
        done.store(true, Ordering::Relaxed);
        reader.join().unwrap();
        ids
    });
    ids.sort_unstable();
    assert_eq!(ids, (1..=200).collect::<Vec<_>>());
    let listed = local.statuses(&sha()).unwrap();
    assert!(listed.windows(2).all(|pair| pair[0].id > pair[1].id));
    let contexts: BTreeSet<_> = listed.iter().map(|record| &record.status.context).collect();
    assert_eq!(contexts.len(), 200);
    assert!(listed.iter().all(|record| record.creator == ACCOUNT && record.created_at.subsec_nanosecond() == 0));
}

#[test]
fn what_a_killed_process_left_is_not_read() {
    let (folder, local) = local();
    local.append(&sha(), &status("ci/plan", "running")).unwrap();
    let statuses = folder.path().join(".ci/forge/statuses").join(sha().as_str());
    fs::write(folder.path().join(".ci/forge/tmp/1-half"), "{\"creator\": ").unwrap();
    fs::write(statuses.join("2.json.swp"), "half").unwrap();
    assert_eq!(local.statuses(&sha()).unwrap().len(), 1);
    assert_eq!(local.append(&sha(), &status("ci/plan", "success")).unwrap().id, 2);
}

/// Where [`appends_until_killed`] writes to.
const KILLED: &str = "CI_TEST_FORGE";

#[test]
#[ignore = "a process of `processes_that_are_killed_leave_whole_files`, which never ends by itself"]
fn appends_until_killed() {
    let Some(dir) = env::var_os(KILLED).map(PathBuf::from) else { return };
    let local = Local::open(&dir, &dir, ACCOUNT).unwrap();
    let comment = local.create_comment(PULL, "running").unwrap().id;
    loop {
        local.append(&sha(), &status("ci/plan", "running")).unwrap();
        local.edit_comment(comment, &"running ".repeat(1_000)).unwrap();
    }
}

/// A process that does not outlive its test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn processes_that_are_killed_leave_whole_files() {
    let (folder, local) = local();
    let spawn = || {
        let mut command = Command::new(env::current_exe().unwrap());
        command.args(["--exact", "--ignored", "forge::local::tests::appends_until_killed"]);
        command.env(KILLED, folder.path().join(".ci/forge")).stdout(Stdio::null());
        Running(command.spawn().unwrap())
    };
    let mut processes: Vec<_> = (0..6).map(|_| spawn()).collect();
    while local.statuses(&sha()).unwrap().len() < 200 {
        assert!(processes.iter_mut().all(|process| process.0.try_wait().unwrap().is_none()), "a process ended");
    }
    drop(processes);
    let ids: Vec<u64> = local.statuses(&sha()).unwrap().iter().map(|record| record.id).rev().collect();
    let count = u64::try_from(ids.len()).unwrap();
    assert_eq!(ids, (1..=count).collect::<Vec<_>>());
    assert_eq!(local.append(&sha(), &status("ci/plan", "success")).unwrap().id, count + 1);
    // Whoever was killed while it held a lock has let go of it.
    for comment in local.comments(PULL, None).unwrap() {
        local.edit_comment(comment.id, "done").unwrap();
    }
}

#[test]
fn statuses_have_github_s_limits() {
    let (_folder, local) = local();
    local.append(&sha(), &status("ci/plan", &"é".repeat(140))).unwrap();
    assert!(matches!(local.append(&sha(), &status("ci/plan", &"é".repeat(141))), Err(Error::Invalid(_))));
    for _ in 1..1_000 {
        local.append(&sha(), &status("ci/plan", "running")).unwrap();
    }
    assert!(matches!(local.append(&sha(), &status("ci/plan", "running")), Err(Error::Invalid(_))));
    local.append(&sha(), &status("ci/apply", "running")).unwrap();
    assert_eq!(local.statuses(&sha()).unwrap().len(), 1_001);
}

#[test]
fn comments_belong_to_their_author() {
    let (_folder, local) = local();
    let hers = local.post_comment_as("ann", PULL, "/plan").unwrap();
    let ours = local.create_comment(PULL, "first").unwrap();
    assert!(matches!(local.edit_comment(hers.id, "x"), Err(Error::Denied(_))));
    assert!(matches!(local.delete_comment(hers.id), Err(Error::Denied(_))));
    assert_eq!(local.edit_comment(ours.id, "second").unwrap().body, "second");
    assert_eq!(local.comment(ours.id).unwrap().body, "second");
    assert!(matches!(local.create_comment(PULL, &"x".repeat(65_537)), Err(Error::Invalid(_))));
    let bodies = |pull| local.comments(pull, None).unwrap().into_iter().map(|c| c.body).collect::<Vec<_>>();
    assert_eq!(bodies(PULL), ["/plan", "second"]);
    assert!(bodies(PullNumber(8)).is_empty());
}

#[test]
fn a_deleted_comment_is_gone_and_its_number_stays_taken() {
    let (_folder, local) = local();
    let gone = local.create_comment(PULL, "first").unwrap();
    local.delete_comment(gone.id).unwrap();
    assert!(matches!(local.comment(gone.id), Err(Error::NotFound(_))));
    assert!(matches!(local.edit_comment(gone.id, "x"), Err(Error::NotFound(_))));
    assert!(local.comments(PULL, None).unwrap().is_empty());
    assert!(local.create_comment(PULL, "second").unwrap().id > gone.id);
}

#[test]
fn edits_of_one_comment_side_by_side_lose_nothing() {
    let (_folder, local) = local();
    let comment = local.post_comment_as("ann", PULL, "/plan").unwrap().id;
    thread::scope(|scope| {
        let local = &local;
        for reaction in [Reaction::Eyes, Reaction::Rocket, Reaction::Confused] {
            scope.spawn(move || (0..10).for_each(|_| local.react(comment, reaction).unwrap()));
        }
        scope.spawn(|| local.minimize(comment).unwrap());
    });
    assert!(local.comment(comment).unwrap().minimized);
    let reactions = local.reactions(comment).unwrap();
    assert_eq!(reactions.len(), 3);
    assert!(reactions.values().all(|people| people == &[ACCOUNT]));
    local.take_back(comment, Reaction::Rocket).unwrap();
    assert!(local.reactions(comment).unwrap()["rocket"].is_empty());
}

#[test]
fn who_asks_whether_a_run_has_ended_does_not_hold_it_open() {
    let (_folder, local) = local();
    let id = local.next_run_id().unwrap();
    let run = RunId { id, attempt: 1 };
    assert_eq!(local.run_conclusion(run).unwrap(), None);
    local.runs.lock().unwrap().clear();
    let asks = std::fs::File::open(local.alive(id)).unwrap();
    asks.try_lock_shared().unwrap();
    assert_eq!(local.run_conclusion(run).unwrap().unwrap().word, "failure");
}

#[test]
fn one_of_many_takes_a_lock() {
    let (_folder, local) = local();
    let taken: Vec<Taken> = thread::scope(|scope| {
        let local = &local;
        let take = |pull| scope.spawn(move || local.take_lock(&lock("a/b", pull)).unwrap());
        let takers: Vec<_> = (1..=20).map(take).collect();
        takers.into_iter().map(|taker| taker.join().unwrap()).collect()
    });
    assert_eq!(taken.iter().filter(|taken| **taken == Taken::Ours).count(), 1);
    let holder = local.lock("a/b").unwrap().unwrap();
    assert!(taken.iter().all(|taken| *taken == Taken::Ours || *taken == Taken::Held(holder.clone())));
    assert!(!local.release_lock(&lock("a/b", 99)).unwrap());
    assert!(local.release_lock(&holder).unwrap());
    assert_eq!(local.lock("a/b").unwrap(), None);
}

#[test]
fn a_lock_is_taken_from_whoever_still_holds_it() {
    let (_folder, local) = local();
    let (old, new) = (lock("platform", PULL.0), lock("platform", 8));
    assert_eq!(local.take_lock(&old).unwrap(), Taken::Ours);
    assert_eq!(local.take_lock(&old).unwrap(), Taken::Ours);
    assert_eq!(local.take_lock(&new).unwrap(), Taken::Held(old.clone()));
    assert!(local.replace_lock(&old, &new).unwrap());
    assert!(!local.replace_lock(&old, &lock("platform", 9)).unwrap());
    assert!(!local.replace_lock(&lock("free", 7), &lock("free", 9)).unwrap());
    assert_eq!(local.take_lock(&new).unwrap(), Taken::Ours);
}

#[test]
fn a_pull_request_keeps_what_people_wrote_into_its_file() {
    let (folder, local) = local();
    assert!(matches!(local.pull(PULL), Err(Error::NotFound(_))));
    local.save_pull(&pull()).unwrap();
    assert_eq!(local.pull(PULL).unwrap(), pull());
    assert!(matches!(local.changed_files(&pull()), Err(Error::NotFound(text)) if text.contains("`files`")));
    let path = folder.path().join(".ci/forge/pulls/7.json");
    let text = fs::read_to_string(&path).unwrap();
    let more = r#"{ "files": ["web/a"], "mergeable": false, "base_files": ["db/b"],"#;
    fs::write(&path, text.replacen('{', more, 1)).unwrap();
    local.save_pull(&Pull { merged: true, ..pull() }).unwrap();
    assert_eq!(local.changed_files(&pull()).unwrap(), ["web/a"]);
    assert_eq!(local.base_changes(&pull()).unwrap(), ["db/b"]);
    assert_eq!(local.mergeable(&pull()).unwrap(), Some(false));
    assert_eq!(local.merged_pull(&sha()).unwrap().map(|pull| pull.number), Some(PULL));
}

#[test]
fn who_is_not_named_may_do_all() {
    let (folder, local) = local();
    fs::write(folder.path().join(".ci/forge/permissions.json"), r#"{ "bob": "read" }"#).unwrap();
    assert_eq!(local.permission("bob").unwrap(), Permission::Read);
    assert_eq!(local.permission("ann").unwrap(), Permission::Admin);
    assert!(!local.team_member("org/team", "ann").unwrap());
}

#[test]
fn what_is_not_carried_out_is_written_down() {
    let (folder, local) = local();
    let inputs = IndexMap::from([("scope".to_owned(), "smoke".to_owned())]);
    let dispatched = local.dispatch("e2e.yml", "main", &inputs).unwrap();
    assert_eq!(dispatched.run, None);
    assert!(dispatched.url.starts_with("file:///") && dispatched.url.ends_with("/dispatches/1.json"));
    local.api("POST", "/repos/o/n/labels", None).unwrap();
    local.issue("Drift: web", Some("one")).unwrap();
    local.issue("Drift: web", Some("two")).unwrap();
    local.issue("Drift: db", None).unwrap();
    local.issue("Drift: web", None).unwrap();
    let issue = fs::read_to_string(folder.path().join(".ci/forge/issues/1.json")).unwrap();
    assert!(issue.contains(r#""open": false"#) && issue.contains(r#""body": "two""#), "{issue}");
    assert!(!folder.path().join(".ci/forge/issues/2.json").exists());
}

#[test]
fn runs_have_numbers_and_folders_of_their_own() {
    let (_folder, local) = local();
    let ids: BTreeSet<u64> = thread::scope(|scope| {
        let runs: Vec<_> = (0..20).map(|_| scope.spawn(|| local.next_run_id().unwrap())).collect();
        runs.into_iter().map(|run| run.join().unwrap()).collect()
    });
    assert_eq!(ids, (1..=20).collect());
    assert!(local.run_dir(20).is_dir());
    let page = local.run_url(RunId { id: 3, attempt: 1 });
    assert!(page.ends_with("/runs/3/summary.md"));
    // The page that rows link to is there from the begin.
    let page = fs::read_to_string(page.strip_prefix("file://").unwrap()).unwrap();
    assert!(page.contains("goes on, or it was killed"), "{page}");
}

#[test]
fn written_paths_of_runs_side_by_side_are_joined() {
    let (_folder, local) = local();
    thread::scope(|scope| {
        for run in 0..10 {
            let local = &local;
            scope.spawn(move || local.add_written(&BTreeSet::from([format!("web/{run}")])).unwrap());
        }
    });
    assert_eq!(local.written().unwrap().len(), 10);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn any_text_comes_back_as_it_was(layer in "\\PC{1,20}", body in any::<String>()) {
        let (_folder, local) = local();
        let posted = local.create_comment(PULL, &body).unwrap();
        prop_assert_eq!(local.comment(posted.id).unwrap().body, body);
        prop_assert_eq!(local.take_lock(&lock(&layer, 1)).unwrap(), Taken::Ours);
        prop_assert_eq!(local.lock(&layer).unwrap().map(|lock| lock.layer), Some(layer));
    }
}
