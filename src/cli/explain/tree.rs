//! A decision as a tree that a person can follow, with the line of ci.toml beside each branch.

use std::fmt::Write as _;

use crate::decide::Decided;
use crate::model::decision::{Agenda, Considered, Matching, Part, Verdict};
use crate::model::rules::{Action, GateRef, Rules};

/// Draws decisions.
pub(super) fn tree(rules: &Rules, decided: &[Decided]) -> String {
    let mut text = String::new();
    for decided in decided {
        let _infallible = draw(&mut text, rules, decided);
    }
    text
}

fn draw(text: &mut String, rules: &Rules, decided: &Decided) -> std::fmt::Result {
    if let Some(misfit) = &decided.misfit {
        writeln!(text, "command `{}`", misfit.line)?;
        writeln!(text, "└─ ✗ {} [{}]: {}\n", misfit.problem, misfit.code, misfit.remedy)?;
        return Ok(());
    }
    let Some(matching) = &decided.matching else { return Ok(()) };
    match &decided.invocation {
        Some(invocation) => {
            writeln!(text, "command `{}`, which is `{}`", matching.subject, invocation.command)?;
            for (name, value) in &invocation.args {
                writeln!(text, "│  {name} = `{value}`")?;
            }
        }
        None => writeln!(text, "event `{}`", matching.subject)?,
    }
    for considered in &matching.considered {
        rule(text, rules, matching, considered)?;
    }
    if let Some(part) = &matching.unknown {
        ask(text, part, false)?;
    }
    outcome(text, rules, decided, matching)?;
    writeln!(text)
}

fn rule(text: &mut String, rules: &Rules, matching: &Matching, considered: &Considered) -> std::fmt::Result {
    let place = format!("{}:{}", rules.source.name, considered.line);
    let (mark, word) = match considered.verdict {
        Verdict::Matched => ("✓", "matches"),
        Verdict::Rejected => ("✗", "does not match"),
        Verdict::Unknown => ("·", "cannot be told"),
        Verdict::NotReached if matching.unknown.is_some() => ("·", "not reached: an earlier rule may match"),
        Verdict::NotReached => ("·", "not reached: an earlier rule matched"),
    };
    writeln!(text, "├─ {mark} {place} {word}")?;
    if considered.verdict == Verdict::NotReached {
        return Ok(());
    }
    for tried in &considered.conditions {
        let mark = match tried.holds {
            Some(true) => "✓",
            Some(false) => "✗",
            None => "·",
        };
        let (line, key) = (tried.line, tried.key);
        writeln!(text, "│  {mark} line {line}: {key} = {}, found {}", tried.wanted, tried.found)?;
    }
    Ok(())
}

fn outcome(text: &mut String, rules: &Rules, decided: &Decided, matching: &Matching) -> std::fmt::Result {
    let Some(rule) = matching.rule.and_then(|index| rules.rules.get(index)) else {
        return writeln!(text, "└─ no rule");
    };
    if let Some(why) = &decided.ignored {
        return writeln!(text, "└─ nothing is done: {why}");
    }
    if let Action::Say(line) = &rule.action {
        return writeln!(text, "└─ says `{}`", line.source);
    }
    let Some(agenda) = &decided.agenda else { return writeln!(text, "└─ nothing") };
    let gate = match rule.gate.as_ref().map(|gate| &gate.value) {
        Some(GateRef::Named(gate)) => format!("gate `{gate}`"),
        Some(GateRef::Anyone) => "gate: anyone".to_owned(),
        None => "no gate:".to_owned(),
    };
    let verdict = if agenda.refused().next().is_some() { "refuses" } else { "opens" };
    writeln!(text, "├─ {gate} {verdict}")?;
    let own = rule.gate.as_ref().map(|gate| &gate.value);
    for part in &agenda.parts {
        let other = !part.gate.is_empty() && !matches!(own, Some(GateRef::Named(own)) if *own == part.gate);
        ask(text, part, other)?;
    }
    work(text, agenda)
}

/// What one part of a gate found; the gate is named where it is a layer's and not the rule's.
fn ask(text: &mut String, part: &Part, of_layer: bool) -> std::fmt::Result {
    let mark = if part.holds { "✓" } else { "✗" };
    let layer = part.layer.as_ref().map_or_else(String::new, |layer| format!(" for {layer}"));
    let gate = if of_layer { format!(" (gate `{}`)", part.gate) } else { String::new() };
    writeln!(text, "│  {mark} {}{layer}{gate}: wants {}, found {}", part.code, part.wanted, part.found)?;
    if part.holds { Ok(()) } else { writeln!(text, "│    → {}", part.remedy) }
}

fn work(text: &mut String, agenda: &Agenda) -> std::fmt::Result {
    if agenda.jobs.is_empty() && agenda.idle.is_empty() {
        return writeln!(text, "└─ nothing runs");
    }
    writeln!(text, "└─ runs")?;
    for job in &agenda.jobs {
        let rows = if job.rows.is_empty() { String::new() } else { format!(" → row {}", job.rows.join(", ")) };
        let after: Vec<String> = job.after.iter().map(|before| agenda.told_as(&agenda.jobs[*before])).collect();
        let after = if after.is_empty() { String::new() } else { format!(", after {}", after.join(", ")) };
        writeln!(text, "   {}{rows}{after}", job.name())?;
    }
    for idle in &agenda.idle {
        writeln!(text, "   row {}: skipped, {}", idle.row, idle.note)?;
    }
    Ok(())
}
