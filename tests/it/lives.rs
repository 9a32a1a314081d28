//! Lives of a pull request that nobody thought of: commands in any order, pushes, steps that fail, jobs that are cancelled
//! or killed. Whoever then does nothing but what the dashboard says comes to "ready to merge"; and when it says so, it is.

use std::process::Command;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRng, TestRunner};
use serde_json::Value;

use crate::place::{Place, on_both};

const CONFIG: &str = r#"
version = 1

[layers.a]
dir = "a"

[layers.b]
dir   = "b"
after = ["a"]

[stages.plan]
PLAN

POLICY

[stages.apply]
APPLY
after = ["BEFORE"]

[stages.check]
name  = "Check"
after = ["apply"]

[commands.plan]
pattern     = '/plan(\s+(?<layers>.+))?'
usage       = "/plan [layer…]"
args.layers = { type = "layers", default = "all" }

[commands.apply]
pattern     = '/apply(\s+(?<layers>.+))?'
usage       = "/apply [layer…]"
args.layers = { type = "layers", default = "planned" }

[commands.check]
pattern = '/check'

[commands.ship]
pattern = '/ship'

[gates.apply]
planned = "plan"

[[rules]]
on     = "pull_request"
layers = "changed"
run    = "plan"

[[rules]]
command = "plan"
gate    = "anyone"
run     = "plan"

[[rules]]
command = "apply"
gate    = "apply"
run     = "apply"

[[rules]]
command = "ship"
gate    = "apply"
layers  = "planned"
run     = ["apply", "check"]

[[rules]]
command = "check"
gate    = "anyone"
run     = "check"

[handlers.plan]
stage  = "plan"
each   = "layer"
record = { changes = "changes" }
steps  = [
  { run = ["sh", "-c", ". STORE/fate"] },
  { run = ["diff", "{{ layer }}/want", "STORE/{{ layer }}"], ok = [0, 1], changed = [1], capture = "changes" },
]

[handlers.apply]
stage = "apply"
each  = "layer"
lock  = true
steps = [
  { run = ["diff", "{{ layer }}/want", "STORE/{{ layer }}"], ok = [0, 1], capture = "changes", matches = "plan" },
  { run = ["sh", "-c", ". STORE/fate; cp {{ layer }}/want STORE/{{ layer }}; git rev-parse HEAD > STORE/applied; . STORE/fate"] },
]

[handlers.check]
stage = "check"
CHECK
"#;

/// What may stand between a plan and its apply.
const POLICY: &str = r#"
[stages.policy]
ROW
after     = ["plan"]
read-only = true

[commands.policy]
pattern     = '/policy(\s+(?<layers>.+))?'
args.layers = { type = "layers", default = "all" }

[[rules]]
command = "policy"
gate    = "anyone"
run     = "policy"

[handlers.policy]
stage = "policy"
each  = "layer"
steps = [{ run = ["sh", "-c", ". STORE/fate"] }]
"#;

/// How it is checked: here, or by another workflow.
const CHECKS: [&str; 2] = [
    r#"steps = [{ run = ["sh", "-c", ". STORE/fate; cat STORE/a STORE/b > STORE/checked"] }]"#,
    r#"dispatch = "check.yml""#,
];

/// What becomes of a step: the first line of the file `fates` says it, and is used up. The shell that reads this is a
/// child of the job's.
const FATE: &str = r#"
fate=$(sed -n 1p $FATES); sed -i 1d $FATES
case $fate in
  fails) echo "error: broken" >&2; exit 1 ;;
  is-cancelled) kill -INT $PPID; sleep 60; exit 1 ;;
  is-killed) test $PPID = 1 || kill -KILL $PPID ;;
esac
"#;

/// What stands for the exit code of a process that ended by a signal.
const KILLED: i32 = -1;

const LAYERS: [&str; 2] = ["a", "b"];

const COMMANDS: [&str; 9] =
    ["/plan", "/plan a", "/plan b", "/apply", "/apply a", "/apply b", "/check", "/ship", "/policy"];

/// Something that happens to the pull request.
#[derive(Debug, Clone, Copy)]
enum Move {
    Says(&'static str),
    /// And GitHub is down before all is done.
    SaysInVain(&'static str, usize),
    /// In two comments at the same time.
    SaysBoth(&'static str, &'static str),
    /// Of one layer, as it was at first or else; the event is heard of, or lost.
    Pushes {
        layer: usize,
        back: bool,
        heard: bool,
    },
    DoesWhatIsSaid,
    /// Those that were dispatched end.
    RunsEnd(&'static str),
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let one = prop_oneof![
        4 => prop::sample::select(&COMMANDS[..]).prop_map(Move::Says),
        1 => (prop::sample::select(&COMMANDS[..]), 0..40_usize).prop_map(|(text, requests)| Move::SaysInVain(text, requests)),
        1 => (prop::sample::select(&COMMANDS[..]), prop::sample::select(&COMMANDS[..])).prop_map(|(one, other)| Move::SaysBoth(one, other)),
        2 => (0..LAYERS.len(), any::<bool>(), any::<bool>()).prop_map(|(layer, back, heard)| Move::Pushes { layer, back, heard }),
        4 => Just(Move::DoesWhatIsSaid),
        1 => prop::sample::select(&["success", "failure", "cancelled"][..]).prop_map(Move::RunsEnd),
    ];
    prop::collection::vec(one, 0..8)
}

fn fates() -> impl Strategy<Value = Vec<&'static str>> {
    let one =
        prop_oneof![6 => Just("ends-well"), 2 => Just("fails"), 1 => Just("is-cancelled"), 1 => Just("is-killed")];
    prop::collection::vec(one, 0..12)
}

/// Does what the dashboard says is to be done next. `None` where it says that all is done, else what it said.
fn does_what_is_said<P: Place>(place: &P) -> Option<String> {
    let shown = place.ci(&["show", "--pr", "7", "--format", "json"]);
    let Ok(board) = serde_json::from_str::<Value>(&shown.stdout) else { return Some(shown.stderr) };
    let text = |key: &str| board["next"][key].as_str().map(str::to_owned);
    match (&*text("kind").unwrap(), text("command")) {
        ("ready", _) => return None,
        ("running", _) => {
            runs_end(place, "success");
            ends(place, place.command(&["sync", "--pr", "7"]));
        }
        (_, Some(command)) => says(place, &command),
        (kind, None) => panic!("{kind}: nothing to type: {board:#}"),
    }
    text("text")
}

fn says<P: Place>(place: &P, text: &str) {
    ends(place, place.comment(7, "alice", text));
}

/// A job, to whatever end it comes.
fn ends<P: Place>(place: &P, job: Command) {
    let ran = place.run(job);
    assert!([0, 1, 3, 4, 130, KILLED].contains(&ran.code), "{ran:#?}");
    if ran.code == KILLED {
        place.settles();
    }
    // A run that was dispatched checks what stands now.
    let runs = place.dispatched().to_string();
    if place.stored("runs").is_none_or(|known| known != runs) {
        place.put("runs", &runs);
        place.put("to-check", &LAYERS.map(|layer| place.stored(layer).unwrap()).concat());
    }
}

fn runs_end<P: Place>(place: &P, conclusion: &str) {
    if place.dispatched_end(conclusion) && conclusion == "success" {
        place.put("checked", &place.stored("to-check").unwrap());
    }
}

fn wanted(version: usize) -> String {
    format!("version {version}\n")
}

/// A pull request whose rows are one for each layer, or one for all, with or without a check between plan and apply, and where
/// steps end as `fates` say.
fn begins<P: Place>((one_plan, one_apply, between): (bool, bool, bool), check: &str, fates: &[&str]) -> P {
    let row = |name: &str, is_one: bool| match is_one {
        true => format!("name = \"{name}\""),
        false => format!("name = \"{name} {{{{ layer }}}}\"\neach = \"layer\""),
    };
    let (policy, before) = if between { (POLICY, "policy") } else { ("", "plan") };
    let config = CONFIG.replace("POLICY", &policy.replace("ROW", &row("Policy", one_plan))).replace("BEFORE", before);
    let config = config.replace("PLAN", &row("Plan", one_plan)).replace("APPLY", &row("Apply", one_apply));
    let config = config.replace("CHECK", check);
    let files = [("ci.toml", config), ("a/want", wanted(0)), ("b/want", wanted(0))];
    let place = P::start(&files.map(|(path, text)| (path.to_owned(), text)).into());
    let script = FATE.replace("$FATES", place.store().join("fates").to_str().unwrap());
    let fates: String = fates.iter().map(|fate| format!("{fate}\n")).collect();
    for (name, text) in [("fate", script), ("fates", fates), ("a", wanted(0)), ("b", wanted(0))] {
        place.put(name, &text);
    }
    place
}

/// What is wanted of each layer once all that has happened.
fn lives<P: Place + Sync>(place: &P, moves: &[Move]) -> [String; 2] {
    let mut wants = LAYERS.map(|_| wanted(0));
    for (at, step) in moves.iter().enumerate() {
        match step {
            Move::Says(text) => says(place, text),
            Move::SaysInVain(text, requests) => {
                let mut job = place.comment(7, "alice", text);
                job.env("CI_RETRY_BUDGET", "1");
                place.down_after(*requests);
                ends(place, job);
                place.well_again();
            }
            Move::SaysBoth(one, other) => {
                let [one, other] = [one, other].map(|text| place.comment(7, "alice", text));
                std::thread::scope(|threads| {
                    threads.spawn(|| ends(place, one));
                    ends(place, other);
                });
            }
            Move::Pushes { layer, back, heard } => {
                wants[*layer] = wanted(if *back { 0 } else { at + 1 });
                place.push(7, &format!("{}/want", LAYERS[*layer]), &wants[*layer]);
                if *heard {
                    ends(place, place.of_pull(7, "synchronize"));
                }
            }
            Move::DoesWhatIsSaid => drop(does_what_is_said(place)),
            Move::RunsEnd(conclusion) => runs_end(place, conclusion),
        }
    }
    wants
}

/// Follows the dashboard to its end, and looks whether that is one.
fn comes_to_an_end<P: Place>(place: &P, wants: &[String; 2]) {
    let mut said = Vec::new();
    while let Some(text) = does_what_is_said(place) {
        said.push(text);
        assert!(said.len() < 12, "it goes on and on: {said:#?}");
    }
    assert_eq!(LAYERS.map(|layer| place.stored(layer).unwrap()), *wants, "{said:#?}");
    // What was applied of this commit was checked since.
    if place.stored("applied").is_some_and(|applied| applied.trim() == place.head(7)) {
        assert_eq!(place.stored("checked").unwrap_or_default(), wants.concat(), "{said:#?}");
    }
}

/// The same few lives each time, or as many others as the environment asks for.
fn whoever_does_what_is_said_is_ready_when_it_is_said<P: Place + Sync>() {
    let more = std::env::var("LIVES").ok().map(|cases| cases.parse().unwrap());
    let config =
        Config { cases: more.unwrap_or(8), max_shrink_iters: 60, failure_persistence: None, ..Config::default() };
    let algorithm = config.rng_algorithm;
    let mut runner = match more {
        Some(_) => TestRunner::new(config),
        None => TestRunner::new_with_rng(config, TestRng::deterministic_rng(algorithm)),
    };
    let check = prop::sample::select(if P::DISPATCHES { &CHECKS[..] } else { &CHECKS[..1] });
    let lived = runner.run(&(any::<(bool, bool, bool)>(), check, moves(), fates()), |(rows, check, moves, fates)| {
        let place: P = begins(rows, check, &fates);
        let wants = lives(&place, &moves);
        place.put("fates", "");
        comes_to_an_end(&place, &wants);
        Ok(())
    });
    lived.unwrap();
}

on_both!(whoever_does_what_is_said_is_ready_when_it_is_said);
