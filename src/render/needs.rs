//! What each command needs, in words, from the gates of the rules that run it; ticked where the board itself knows. What
//! only the forge knows (permissions, approvals, checks) is named, never guessed.

use serde::Serialize;

use crate::model::board::{Board, Row};
use crate::model::rules::{Action, Checks, Command, Gate, GateRef, Rule, Rules};

/// A command as people see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct CommandHelp {
    pub(crate) usage: String,
    pub(crate) help: String,
    /// One for each rule of the command that asks something else.
    pub(crate) needs: Vec<Needs>,
}

/// What one rule of a command needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Needs {
    /// The rule's `if`; empty where it has none.
    pub(crate) when: String,
    /// Empty where anyone may.
    pub(crate) parts: Vec<Need>,
}

/// One thing that must hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Need {
    pub(crate) text: String,
    /// Whether it holds, where the board knows.
    pub(crate) holds: Option<bool>,
}

impl Need {
    fn unknown(text: impl Into<String>) -> Self {
        Self { text: text.into(), holds: None }
    }
}

/// Every command of ci.toml that a rule runs, with what each needs.
pub(crate) fn commands(rules: &Rules, board: Option<&Board>) -> Vec<CommandHelp> {
    rules
        .commands
        .values()
        .map(|command| CommandHelp {
            usage: command.usage.clone(),
            help: command.help.clone(),
            needs: needs(rules, board, command),
        })
        .collect()
}

fn needs(rules: &Rules, board: Option<&Board>, command: &Command) -> Vec<Needs> {
    let runs = |rule: &&Rule| rule.command.as_ref().is_some_and(|name| name.value == command.key.value);
    let mut all: Vec<Needs> = Vec::new();
    for rule in rules.rules.iter().filter(runs) {
        let parts = parts(rules, board, rule);
        let when = rule.condition.as_ref().map(|condition| condition.source.clone()).unwrap_or_default();
        if all.iter().all(|known| known.parts != parts) {
            all.push(Needs { when, parts });
        }
    }
    all
}

fn parts(rules: &Rules, board: Option<&Board>, rule: &Rule) -> Vec<Need> {
    let mut parts = match rule.gate.as_ref().map(|gate| &gate.value) {
        Some(GateRef::Named(name)) => rules.gates.get(name).map_or_else(Vec::new, |gate| of_gate(rules, board, gate)),
        Some(GateRef::Anyone) | None => Vec::new(),
    };
    let Action::Run(handlers) = &rule.action else { return parts };
    for layer in rules.layers.values() {
        let held = handlers.iter().find_map(|handler| layer.gates.get(&handler.value));
        let Some(gate) = held.and_then(|gate| rules.gates.get(&gate.value)) else { continue };
        let more: Vec<String> = of_gate(rules, None, gate).into_iter().map(|need| need.text).collect();
        parts.push(Need::unknown(format!("for {}: {}", layer.key.value, more.join(", "))));
    }
    parts
}

fn of_gate(rules: &Rules, board: Option<&Board>, gate: &Gate) -> Vec<Need> {
    let mut parts = Vec::new();
    if let Some(permission) = gate.permission {
        parts.push(Need::unknown(format!("{} access", permission.as_str())));
    }
    if !gate.users.is_empty() {
        parts.push(Need::unknown(format!("to be {}", gate.users.join(" or "))));
    }
    if !gate.teams.is_empty() {
        parts.push(Need::unknown(format!("to be in {}", gate.teams.join(" or "))));
    }
    match gate.approvals {
        0 => {}
        1 => parts.push(Need::unknown("1 approval")),
        many => parts.push(Need::unknown(format!("{many} approvals"))),
    }
    match &gate.checks {
        None => {}
        Some(Checks::Green) => parts.push(Need::unknown("green checks")),
        Some(Checks::Named(names)) => parts.push(Need::unknown(format!("green checks: {}", names.join(", ")))),
    }
    if gate.mergeable {
        parts.push(Need::unknown("no conflict with the base"));
    }
    if gate.up_to_date {
        parts.push(Need::unknown("a branch that is up to date"));
    }
    if let Some(stage) = &gate.planned {
        parts.push(planned(rules, board, stage));
    }
    parts
}

/// That a stage succeeded: what the board itself knows.
fn planned(rules: &Rules, board: Option<&Board>, stage: &str) -> Need {
    let rows: Vec<&Row> =
        board.map_or_else(Vec::new, |board| board.rows.iter().filter(|row| row.stage == stage).collect());
    let done = rows.iter().filter(|row| row.status.done()).count();
    let each = rules.stages.get(stage).is_some_and(|stage| stage.each);
    let text = match rows.len() {
        many if each && many > 1 && done < many => format!("a successful {stage} ({done} of {many})"),
        _ => format!("a successful {stage}"),
    };
    Need { text, holds: (!rows.is_empty()).then_some(done == rows.len()) }
}

#[cfg(test)]
mod tests {
    use super::super::fixture;
    use super::commands;
    use crate::model::board::Status;

    #[test]
    fn a_command_says_what_its_gates_ask() {
        let rules = fixture::rules();
        let board = fixture::board(&[("plan-bootstrap", Status::Success, "")]);
        let all = commands(&rules, Some(&board));
        let apply = all.iter().find(|command| command.usage == "/apply [layer…]").unwrap();
        let texts: Vec<(&str, Option<bool>)> =
            apply.needs[0].parts.iter().map(|need| (need.text.as_str(), need.holds)).collect();
        assert_eq!(
            texts,
            [
                ("write access", None),
                ("1 approval", None),
                ("green checks", None),
                ("no conflict with the base", None),
                ("a branch that is up to date", None),
                ("a successful plan (1 of 2)", Some(false)),
                ("for platform: maintain access", None),
            ]
        );
    }

    #[test]
    fn rules_that_ask_different_things_are_told_apart() {
        let all = commands(&fixture::rules(), None);
        let bootstrap = all.iter().find(|command| command.usage == "/bootstrap plan|apply").unwrap();
        assert_eq!(bootstrap.needs.len(), 2);
        assert_eq!(bootstrap.needs[0].when, "args.action == 'plan'");
    }
}
