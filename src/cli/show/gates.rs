//! What the gate of each command finds right now about the head of a pull request: the same gates, asked in the same way,
//! as when somebody comments the command.

use crate::cli::board::Dashboard;
use crate::cli::facts::{Answers, Live, Rehearsal};
use crate::command;
use crate::gate::Facts;
use crate::model::board::{Board, Recorded};
use crate::model::decision::Part;
use crate::model::event::Pull;
use crate::model::rules::{Command, Rule, Rules};
use crate::render::Found;
use crate::schedule::{self, Order};

/// What the gates find if `actor` gives each command, with its arguments left out where they can be.
pub(super) fn found(
    dashboard: &Dashboard<'_>,
    (board, recorded): (&Board, &[Recorded]),
    pull: &Pull,
    actor: &str,
) -> Vec<Found> {
    let rules = dashboard.rules;
    let answers = Answers::new(dashboard.forge, Some(pull));
    // Where all facts hold, all that the gates can ask is asked: offline first, then of the forge side by side.
    let rehearsal = Rehearsal::default();
    judge(rules, pull, actor, &rehearsal);
    answers.ask(&rehearsal.questions());
    judge(rules, pull, actor, &Live { answers: &answers, rules, board, recorded, persona: None })
}

fn judge(rules: &Rules, pull: &Pull, actor: &str, facts: &dyn Facts) -> Vec<Found> {
    let mut found = Vec::new();
    for command in rules.commands.values() {
        let is_own = |rule: &&Rule| rule.command.as_ref().is_some_and(|name| name.value == command.key.value);
        for rule in rules.rules.iter().filter(is_own) {
            let parts = parts(rules, (command, rule), pull, actor, facts);
            if !parts.is_empty() {
                found.push(Found { command: said(command, rule), parts });
            }
        }
    }
    found
}

/// The command as people type it, and when this rule of it counts.
fn said(command: &Command, rule: &Rule) -> String {
    match &rule.condition {
        Some(condition) => format!("{} (if {})", command.usage, condition.source),
        None => command.usage.clone(),
    }
}

fn parts(rules: &Rules, (command, rule): (&Command, &Rule), pull: &Pull, actor: &str, facts: &dyn Facts) -> Vec<Part> {
    // Of a command that cannot do without an argument, every layer of its rule is asked about.
    let word = command.usage.split_whitespace().next().unwrap_or_default();
    let invocation = command::read_line(rules, word).and_then(Result::ok);
    let invocation = invocation.as_ref().filter(|invocation| invocation.command == command.key.value);
    schedule::agenda(rules, &Order { rule, invocation, actor, pull: Some(pull), commented: true, facts }).parts
}
