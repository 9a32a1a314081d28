//! The `[[tests]]` of ci.toml: each is an event or a comment by a persona, decided by the very rules, and compared with
//! what it expects. Payload files are read by the caller.

use serde_json::{Value, json};

use crate::decide::{self, Case, Decided};
use crate::diagnostic::{Code, Diagnostic};
use crate::gate::PersonaFacts;
use crate::model::event::{Event, Pull};
use crate::model::ids::{PullNumber, Sha};
use crate::model::rules::{Action, Expect, Persona, Rules, Test, TestInput};

/// What a test found that it did not expect; empty where it holds.
pub(crate) type Differences = Vec<String>;

/// The path of the payload file that a test names, relative to ci.toml.
pub(crate) fn payload_path(test: &Test) -> Option<&str> {
    match &test.input {
        TestInput::Event(event) if event.ends_with(".json") || event.contains('/') => Some(&event.value),
        TestInput::Event(_) | TestInput::Comment(_) => None,
    }
}

/// Runs one test. `payload` is what the file of [`payload_path`] holds.
pub(crate) fn run(rules: &Rules, test: &Test, payload: Option<Value>) -> Differences {
    let event = event(test, payload);
    let actor = test.persona.login.clone().or_else(|| event.sender().map(str::to_owned)).unwrap_or_default();
    let number = event.pull_number();
    let pull =
        event.pull().or_else(|| Some(event.pull_of_issue(number.and_then(|number| pull(number, &test.persona))?)));
    let readings = decide::readings(rules, &event);
    let facts = PersonaFacts { persona: test.persona.clone(), changed: changed(test) };
    let decided = decide::decide(&Case {
        rules,
        event: &event,
        pull: pull.as_ref(),
        readings: &readings,
        actor: &actor,
        repository: "owner/name",
        run: None,
        facts: &facts,
    });
    compare(rules, test, &decided)
}

/// The diagnostic of a test that does not hold.
pub(crate) fn diagnostic(rules: &Rules, test: &Test, differences: &Differences) -> Diagnostic {
    let message = format!("the test `{}` does not hold: {}", test.name, differences.join("; "));
    Diagnostic::error(Code::FailingTest, &rules.source, test.span.clone(), message)
        .help("`ci explain` shows rule by rule what is decided")
}

/// Files that are not named are all changed.
fn changed(test: &Test) -> Option<Vec<String>> {
    (!test.changed.is_empty()).then(|| test.changed.clone())
}

fn compare(rules: &Rules, test: &Test, decided: &[Decided]) -> Differences {
    let mut differences = Vec::new();
    let acted: Vec<&Decided> = decided.iter().filter(|decided| decided.agenda.is_some()).collect();
    let first = acted.first().and_then(|decided| decided.agenda.as_ref());
    let refusal = first.and_then(|agenda| agenda.refused().next());
    let mut differ = |what: &str, wanted: String, found: String| {
        if wanted != found {
            let [found, wanted] =
                [found, wanted].map(|list| if list.is_empty() { "empty".to_owned() } else { format!("`{list}`") });
            differences.push(format!("{what} is {found}, not {wanted}"));
        }
    };
    let expect = &test.expect;
    if let Some(wanted) = &expect.denied {
        let misfit = decided.iter().find_map(|decided| decided.misfit.as_ref()).map(|misfit| misfit.code);
        let codes = || first.into_iter().flat_map(|agenda| agenda.refused().map(|part| part.code)).chain(misfit);
        if !codes().any(|code| code == wanted) {
            let found = codes().next().unwrap_or("nothing");
            differ("what is refused", wanted.clone(), found.to_owned());
        }
    } else if let Some(misfit) =
        decided.iter().find_map(|decided| decided.misfit.as_ref()).filter(|_| wants_work(expect))
    {
        differences.push(format!("it is refused: {}", misfit.problem));
        return differences;
    } else if let Some(part) = refusal {
        differences.push(format!("it is refused: `{}` wants {}, found {}", part.code, part.wanted, part.found));
        return differences;
    }
    if let Some(wanted) = &expect.handler {
        let rule = acted.first().and_then(|decided| decided.rule()).and_then(|index| rules.rules.get(index));
        let found = match rule.map(|rule| &rule.action) {
            Some(Action::Run(handlers)) => {
                handlers.iter().map(|handler| handler.value.as_str()).collect::<Vec<_>>().join(", ")
            }
            Some(Action::Say(_)) | None => "none".to_owned(),
        };
        if !found.split(", ").any(|handler| handler == wanted.value) {
            differ("the handler", wanted.value.clone(), found);
        }
    }
    let rows = first.map(crate::model::decision::Agenda::rows).unwrap_or_default();
    let layers = first.map(|agenda| agenda.layers.clone()).unwrap_or_default();
    for (what, wanted, found) in [("layers", &expect.layers, layers), ("stages", &expect.stages, rows)] {
        if let Some(wanted) = wanted {
            differ(&format!("the list of {what}"), wanted.join(", "), found.join(", "));
        }
    }
    differences
}

/// Whether a test expects that anything runs.
fn wants_work(expect: &Expect) -> bool {
    let listed = |list: &Option<Vec<String>>| list.as_ref().is_some_and(|list| !list.is_empty());
    let handled = expect.handler.as_ref().is_some_and(|handler| handler.value != "none");
    handled || listed(&expect.layers) || listed(&expect.stages)
}

/// The event of a test, as GitHub would send it.
fn event(test: &Test, payload: Option<Value>) -> Event {
    match &test.input {
        TestInput::Comment(body) => comment_event(body, &test.persona),
        TestInput::Event(named) => match payload {
            Some(payload) => Event::new(name_of_file(&named.value), payload),
            None => {
                let (name, action) = match named.value.split_once('.') {
                    Some((name, action)) => (name, Some(action)),
                    None => (named.value.as_str(), None),
                };
                let branch = test.branch.as_deref().unwrap_or("main");
                let mut payload = synthetic(name, action, branch, &test.persona);
                if name == "workflow_dispatch" {
                    payload["inputs"] = json!(test.inputs);
                }
                Event::new(name, payload)
            }
        },
    }
}

/// The event's name from a payload file's: `payloads/pull_request.opened.json` holds a `pull_request`.
pub(crate) fn name_of_file(path: &str) -> String {
    let file = path.rsplit('/').next().unwrap_or(path);
    file.split('.').next().unwrap_or(file).to_owned()
}

/// A comment on a pull request, as GitHub would send it.
pub(crate) fn comment_event(body: &str, persona: &Persona) -> Event {
    let login = persona.login.as_deref().unwrap_or("somebody");
    let user = json!({ "login": login, "id": 1, "type": "User" });
    let payload = json!({
        "action": "created",
        "issue": { "number": 1, "state": "open", "pull_request": {} },
        "comment": { "id": 1, "body": body, "user": user, "html_url": "" },
        "sender": user,
        "repository": { "full_name": "owner/name", "default_branch": "main" },
    });
    Event::new("issue_comment", payload)
}

/// The payload of an event of which only its name is known.
pub(crate) fn synthetic(name: &str, action: Option<&str>, branch: &str, persona: &Persona) -> Value {
    let login = persona.login.as_deref().unwrap_or("somebody");
    let mut payload = json!({
        "sender": { "login": login, "id": 1, "type": "User" },
        "repository": { "full_name": "owner/name", "default_branch": "main" },
    });
    if let Some(action) = action {
        payload["action"] = json!(action);
    }
    let pull = || {
        let head = if persona.fork == Some(true) { "fork/name" } else { "owner/name" };
        json!({
            "number": 1,
            "state": if action == Some("closed") { "closed" } else { "open" },
            "head": { "sha": "1".repeat(40), "ref": "feature", "repo": { "full_name": head } },
            "base": { "ref": branch, "repo": { "full_name": "owner/name" } },
            "user": { "login": login },
            "draft": false,
            "labels": [],
        })
    };
    match name {
        "push" => {
            payload["ref"] = json!(format!("refs/heads/{branch}"));
            payload["after"] = json!("1".repeat(40));
        }
        "schedule" => payload = json!({ "schedule": "0 0 * * *" }),
        "workflow_dispatch" => payload["ref"] = json!(format!("refs/heads/{branch}")),
        _ if name.starts_with("pull_request") => payload["pull_request"] = pull(),
        _ => {}
    }
    payload
}

/// The pull request that a comment of a test stands on.
pub(crate) fn pull(number: PullNumber, persona: &Persona) -> Option<Pull> {
    Some(Pull {
        number,
        head_sha: Sha::parse(&"1".repeat(40))?,
        head_ref: "feature".to_owned(),
        base_ref: "main".to_owned(),
        author: "somebody".to_owned(),
        draft: false,
        fork: persona.fork == Some(true),
        closed: false,
        merged: false,
        labels: Vec::new(),
    })
}
