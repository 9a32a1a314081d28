//! Rules and boards for the tests of this module: the default pipeline with two layers.

use std::time::Duration;

use crate::model::board::{Board, Entry, Layout, Recorded, Status, fold};
use crate::model::ids::{PullNumber, RunId, Sha};
use crate::model::pattern::Pattern;
use crate::model::rules::*;
use crate::model::span::{At, Source};
use crate::schedule;

fn at(text: &str) -> At<String> {
    At::new(text.to_owned(), 0..0)
}

fn template(text: &str) -> Template {
    Template { source: text.to_owned(), span: 0..0 }
}

fn table<T>(values: impl IntoIterator<Item = (&'static str, T)>) -> Table<T> {
    values.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

fn layer(key: &str, gates: Table<At<String>>) -> Layer {
    Layer {
        key: at(key),
        name: key.to_owned(),
        dir: At::new(key.to_owned(), 0..0),
        engine: "terraform".to_owned(),
        paths: Vec::new(),
        after: Vec::new(),
        gates,
        vars: Table::new(),
    }
}

fn stage(key: &str, name: &str, each: bool, after: &[&str], optional: bool) -> Stage {
    let after = after.iter().map(|after| at(after)).collect();
    Stage { key: at(key), name: template(name), each, after, optional, show: Show::Always, read_only: None }
}

fn command(key: &str, pattern: &str, usage: &str, help: &str, layers: bool) -> Command {
    let arg = Arg { kind: ArgKind::Layers, default: Some("all".to_owned()) };
    Command {
        key: at(key),
        pattern: Pattern::new(pattern).unwrap(),
        help: help.to_owned(),
        usage: usage.to_owned(),
        args: table(layers.then_some(("layers", arg))),
    }
}

fn gate(key: &str, permission: Permission) -> Gate {
    Gate {
        key: at(key),
        permission: Some(permission),
        users: Vec::new(),
        teams: Vec::new(),
        approvals: 0,
        checks: None,
        mergeable: false,
        up_to_date: false,
        planned: None,
        forks: false,
    }
}

fn rule(command: &str, condition: Option<&str>, gate: &str, run: &str) -> Rule {
    Rule {
        span: 0..0,
        on: Vec::new(),
        command: Some(at(command)),
        types: None,
        branches: None,
        paths: None,
        labels: None,
        draft: None,
        fork: None,
        condition: condition.map(|source| Condition { source: source.to_owned(), span: 0..0 }),
        layers: None,
        gate: Some(At::new(GateRef::Named(gate.to_owned()), 0..0)),
        action: Action::Run(vec![at(run)]),
    }
}

fn handler(key: &str, each: bool) -> Handler {
    Handler {
        key: at(key),
        kind: Kind::Steps(Vec::new()),
        stage: Some(at(key)),
        each,
        dir: template("."),
        env: Table::new(),
        require_env: Vec::new(),
        timeout: Duration::from_secs(60),
        lock: false,
        note: None,
        link: None,
        sha: None,
        record: None,
        issue: None,
        fail_on_changed: false,
        checkout: Checkout::Head,
        mode: None,
    }
}

fn stages() -> Table<Stage> {
    table([
        ("plan", stage("plan", "Plan: {{ layer }}", true, &[], false)),
        ("apply", stage("apply", "Apply", false, &["plan"], false)),
        ("e2e", stage("e2e", "E2E Tests", false, &["apply"], false)),
        ("review", stage("review", "AI Review", false, &[], true)),
    ])
}

fn commands() -> Table<Command> {
    let layers = r"(\s+(?<layers>.+))?";
    table([
        ("plan", command("plan", &format!("/plan{layers}"), "/plan [layer…]", "Preview the changes", true)),
        ("apply", command("apply", &format!("/apply{layers}"), "/apply [layer…]", "Apply what was planned", true)),
        ("bootstrap", command("bootstrap", r"/bootstrap\s+(?<action>plan|apply)", "/bootstrap plan|apply", "", false)),
        ("e2e", command("e2e", "/e2e( smoke| all)?", "/e2e [smoke|all]", "Run the end-to-end tests", false)),
    ])
}

/// The default pipeline with the layers `bootstrap` and `platform`.
pub(super) fn rules() -> Rules {
    let apply = Gate {
        approvals: 1,
        checks: Some(Checks::Green),
        mergeable: true,
        up_to_date: true,
        planned: Some(at("plan")),
        ..gate("apply", Permission::Write)
    };
    Rules {
        source: Source::new("ci.toml", ""),
        dashboard: Dashboard {
            marker: "infra-dashboard".to_owned(),
            title: "⚙️ Commit Dashboard".to_owned(),
            context: "ci".to_owned(),
            authors: Vec::new(),
            old_commits: OldCommits::Minimize,
            history: 50,
        },
        redact: Vec::new(),
        layers: table([
            ("bootstrap", layer("bootstrap", Table::new())),
            ("platform", layer("platform", table([("apply", at("production"))]))),
        ]),
        stages: stages(),
        commands: commands(),
        gates: table([
            ("writers", gate("writers", Permission::Write)),
            ("apply", apply),
            ("production", gate("production", Permission::Maintain)),
        ]),
        rules: vec![
            rule("plan", None, "writers", "plan"),
            rule("apply", None, "apply", "apply"),
            rule("bootstrap", Some("args.action == 'plan'"), "writers", "plan"),
            rule("bootstrap", None, "apply", "apply"),
            rule("e2e", None, "writers", "e2e"),
        ],
        handlers: table([
            ("plan", handler("plan", true)),
            ("apply", handler("apply", true)),
            ("e2e", handler("e2e", false)),
        ]),
        tests: Vec::new(),
    }
}

/// The rows of [`rules`].
pub(super) fn layout() -> Layout {
    schedule::layout(&rules())
}

/// An entry of a run by `alice`.
pub(super) fn entry(id: u64, row: &str, status: Status, note: &str) -> Entry {
    Entry {
        id: format!("entry-{id}"),
        row: row.to_owned(),
        status,
        note: note.to_owned(),
        pr: Some(PullNumber(7)),
        run: Some(RunId { id: 100 + id, attempt: 1 }),
        url: format!("https://github.com/acme/infra/actions/runs/{}", 100 + id),
        link: None,
        layer: None,
        by: Some("alice".to_owned()),
        action: Some("/plan".to_owned()),
        digest: None,
        changes: None,
        began: true,
        work: None,
        until: None,
    }
}

/// Entries, a minute each from 14:00 on.
pub(super) fn recorded(entries: Vec<Entry>) -> Vec<Recorded> {
    let start: jiff::Timestamp = "2026-11-23T14:00:00Z".parse().unwrap();
    let at = |seq: u64| start + jiff::SignedDuration::from_mins(i64::try_from(seq).unwrap());
    (1..).zip(entries).map(|(seq, entry)| Recorded { seq, at: at(seq), entry }).collect()
}

/// The board on which these rows were reported.
pub(super) fn board(statuses: &[(&str, Status, &str)]) -> Board {
    let entries = (1..).zip(statuses).map(|(id, (row, status, note))| entry(id, row, *status, note)).collect();
    fold(&layout(), &recorded(entries))
}

/// A head commit.
pub(super) fn sha() -> Sha {
    Sha::parse("abc1234def5678900000000000000000000000ff").unwrap()
}
