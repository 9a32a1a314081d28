//! Every event that GitHub sends, in the shapes that it sends. `tests/webhooks.json` holds by the event's name: a payload
//! with every kind of key that GitHub documents, one with those alone that are always there and with null wherever null may
//! be, and then what old deliveries and single cases look like. Texts and numbers in it are invented, the keys and the types are
//! not. See <https://docs.github.com/en/webhooks/webhook-events-and-payloads>.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::project::{Project, Ran, repository};

/// The events that the default pipeline has a rule for.
const RULED: [&str; 6] =
    ["pull_request", "pull_request_review", "push", "schedule", "workflow_dispatch", "workflow_run"];

fn webhooks() -> BTreeMap<String, Vec<Value>> {
    serde_json::from_str(&std::fs::read_to_string(repository().join("tests/webhooks.json")).unwrap()).unwrap()
}

/// Says what `ci parse` and `ci explain` make of an event.
fn judged(project: &Project, name: &str, payload: &Value) -> (Ran, Ran) {
    project.write("payload.json", &payload.to_string());
    let call = |command: &str| project.ci([command, "--event", "payload.json", "--event-name", name]).exits(0);
    (call("parse"), call("explain"))
}

#[test]
fn events_without_a_rule_say_so_and_touch_nothing() {
    let project = Project::with(&std::fs::read_to_string(repository().join("ci.toml")).unwrap());
    let webhooks = webhooks();
    assert!(webhooks.len() > 75 && RULED.iter().all(|name| webhooks.contains_key(*name)));
    for (name, payloads) in webhooks.iter().filter(|(name, _)| !RULED.contains(&name.as_str())) {
        for payload in payloads {
            let (parsed, explained) = judged(&project, name, payload);
            assert!(parsed.stdout.starts_with("should_run=false\nmode=skip\n"), "{name}: {payload}: {parsed:?}");
            assert!(explained.stdout.ends_with("└─ no rule\n\n"), "{name}: {payload}: {}", explained.stdout);
        }
    }
    assert!(!project.path().join(".ci").exists());
}

#[test]
fn events_with_a_rule_of_the_default_pipeline_are_decided() {
    let project = Project::with(&std::fs::read_to_string(repository().join("ci.toml")).unwrap());
    let webhooks = webhooks();
    let mut runs = BTreeMap::new();
    for name in RULED {
        for payload in &webhooks[name] {
            let (parsed, explained) = judged(&project, name, payload);
            assert!(explained.stdout.starts_with(&format!("event `{name}")), "{name}: {}", explained.stdout);
            assert!(parsed.stdout.starts_with("should_run="), "{name}: {parsed:?}");
            runs.entry(name).or_insert_with(Vec::new).push(explained.stdout.contains("└─ runs"));
        }
    }
    // Of a workflow's run it is the end-to-end tests' alone that reports here, and of reviews one reviewer's.
    assert_eq!(runs["pull_request"], [true, true, true, true]);
    assert_eq!(runs["push"], [true, true, false, true]);
    assert_eq!(runs["schedule"], [true, true]);
    assert_eq!(runs["workflow_dispatch"], [false; 4]);
    assert_eq!(runs["workflow_run"], [false; 3]);
    assert_eq!(runs["pull_request_review"], [false; 2]);
}

/// A rule that looks at all that an event may have, and then one that takes any.
const EVERY_EVENT: &str = r#"
version = 1
[stages.seen]
name = "Seen"
[[rules]]
on       = [NAMES]
types    = ["created", "completed"]
branches = ["no-such-branch"]
labels   = ["no-such-label"]
draft    = true
fork     = true
if       = "event.sender.login == event.pull_request.head.repo.owner.login.of.nobody and event.commits[0].author or inputs.scope"
run      = "seen"
[[rules]]
on  = [NAMES]
run = "seen"
[handlers.seen]
stage  = "seen"
report = "{{ event.check_run.conclusion or 'success' }}"
sha    = "{{ event.pull_request.head.sha or event.after }}"
"#;

#[test]
fn every_event_can_have_a_rule() {
    let webhooks = webhooks();
    let names = webhooks.keys().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ");
    let project = Project::with(&EVERY_EVENT.replace("NAMES", &names));
    // Which events there are stands in the sources too: an unknown one would be reported.
    let checked = project.ci(["check-config", "--format", "short"]).exits(0);
    assert!(!checked.stdout.contains("event"), "{checked:?}");
    for (name, payloads) in &webhooks {
        for payload in payloads {
            let (parsed, explained) = judged(&project, name, payload);
            assert!(parsed.stdout.starts_with("should_run=true\nmode=run\n"), "{name}: {payload}: {parsed:?}");
            assert!(explained.stdout.contains("├─ ✓ ci.toml:14 matches"), "{name}: {payload}: {}", explained.stdout);
        }
    }
}

#[test]
fn what_is_no_payload_of_github_is_no_event() {
    let project = Project::with(&std::fs::read_to_string(repository().join("ci.toml")).unwrap());
    let odd = r#"{"action":5,"pull_request":null,"comment":"/plan","issue":{"pull_request":null},"workflow_run":[]}"#;
    let lacking =
        [("issue_comment", "comment"), ("workflow_run", "workflow_run"), ("pull_request_target", "pull_request")];
    for (name, key) in lacking {
        no_event(&project, name, odd, &format!("the payload `payload.json` is no `{name}`: it has no object `{key}`"));
    }
    for name in ["issue_comment", "push", "no_such_event", "../push"] {
        for payload in ["[]", "null", "7"] {
            no_event(&project, name, payload, &format!("is no `{name}`: it is no JSON object"));
        }
        if name != "issue_comment" {
            let (parsed, explained) = judged(&project, name, &serde_json::from_str(odd).unwrap());
            assert!(parsed.stdout.starts_with("should_run=false\n"), "{name}: {parsed:?}");
            assert!(explained.stdout.contains("└─ no rule\n"), "{name}: {}", explained.stdout);
            assert_eq!(
                parsed.stderr.contains(&format!("GitHub sends no event `{name}`")),
                name != "push",
                "{parsed:?}"
            );
        }
    }
}

/// No command takes it for an event, and all say why and what to do.
fn no_event(project: &Project, name: &str, payload: &str, why: &str) {
    project.write("payload.json", payload);
    for command in ["run", "parse", "explain"] {
        let told = project.ci([command, "--event", "payload.json", "--event-name", name]).exits(2).stderr;
        assert!(told.contains(why) && told.contains("help: name a file that holds all"), "{command}: {told}");
    }
}

#[test]
fn a_payload_of_the_environment_needs_its_name_beside_it() {
    let project = Project::with(&std::fs::read_to_string(repository().join("ci.toml")).unwrap());
    let run = |command: &str, file: &str| {
        project.write(file, "{}");
        Ran::of(project.command().env("GITHUB_EVENT_PATH", file).arg(command).output().unwrap())
    };
    for command in ["run", "explain"] {
        let told = run(command, "event.json").exits(2).stderr;
        assert!(told.contains("which event `event.json` holds") && told.contains("help: set it to"), "{told}");
    }
    assert!(run("run", "gollum.json").exits(0).stderr.contains("concerns this `gollum`"));
}
