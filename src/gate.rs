//! Who may, and what must hold: a gate and the facts to open, or reason codes with remedies. Facts are asked for one
//! by one and only where a gate needs them; what cannot be found out is a no. It does not know where facts come from.

mod facts;

use crate::model::decision::Part;
use crate::model::event::Pull;
use crate::model::rules::{Checks, Gate, Layer};

pub(crate) use facts::{
    CheckState, Facts, Known, PersonaFacts, ReviewState, Standing, Trouble, Unknown, approvers, standing,
};

impl Trouble {
    /// Its reason code, wherever it is told.
    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::Outage => "forge",
            Self::Here => "setup",
        }
    }

    /// What is to be done then.
    fn remedy(self) -> &'static str {
        match self {
            Self::Outage => "ask again later",
            Self::Here => "mend that on the machine that runs `ci`, then ask again",
        }
    }
}

/// The trouble that alone is why something does not hold, the worse of two: that is no refusal.
pub(crate) fn undecided<'p>(refused: impl IntoIterator<Item = &'p Part>) -> Option<Trouble> {
    let of_part =
        |part: &Part| [Trouble::Outage, Trouble::Here].into_iter().find(|trouble| trouble.code() == part.code);
    let troubles: Option<Vec<Trouble>> = refused.into_iter().map(of_part).collect();
    troubles?.into_iter().max()
}

/// Whom a gate is asked about, and what.
#[derive(Clone, Copy)]
pub(crate) struct Request<'a> {
    /// Who asks.
    pub(crate) actor: &'a str,
    pub(crate) facts: &'a dyn Facts,
    /// The stage whose record the work is held to: approvals count from that record on.
    pub(crate) held_to: Option<&'a str>,
}

/// Asks a gate what does not depend on the layer.
pub(crate) fn judge(gate: &Gate, request: &Request<'_>) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut add = |code, wanted, found, remedy| parts.push(part(&gate.key.value, None, (code, wanted, remedy), found));
    let actor = request.actor;
    if let Some(least) = gate.permission {
        let found = request.facts.permission(actor).map(|has| (has >= least, has.as_str().to_owned()));
        let remedy = format!("ask somebody with {} permission to comment this", least.as_str());
        add("permission", format!("{} or more", least.as_str()), found, remedy);
    }
    if !gate.users.is_empty() {
        let holds = gate.users.iter().any(|user| user.eq_ignore_ascii_case(actor));
        add(
            "users",
            gate.users.join(" | "),
            Ok((holds, actor.to_owned())),
            format!("ask one of {}", gate.users.join(", ")),
        );
    }
    if !gate.teams.is_empty() {
        let (code, found) = teams(gate, request);
        let remedy = match code {
            "teams-unreadable" => "set CI_MEMBERS_TOKEN to a token that may read the organisation's members".to_owned(),
            _ => format!("ask a member of {}", gate.teams.join(", ")),
        };
        add(code, gate.teams.join(" | "), found, remedy);
    }
    if let Some(wanted) = &gate.checks {
        let found = request.facts.checks(wanted).map(|standing| (standing.green(), standing.to_string()));
        add("checks", listed(wanted), found, "wait for the checks, or mend what fails".to_owned());
    }
    if gate.mergeable {
        let found = request.facts.mergeable().map(|merges| (merges, conflict(merges)));
        add("mergeable", "no conflict with the base".to_owned(), found, "merge or rebase onto the base".to_owned());
    }
    parts
}

/// Asks a gate what depends on the layer.
pub(crate) fn judge_layer(gate: &Gate, layer: Option<&Layer>, request: &Request<'_>) -> Vec<Part> {
    let mut parts = Vec::new();
    let key = layer.map(|layer| layer.key.value.as_str());
    let mut add = |code, wanted, found, remedy| parts.push(part(&gate.key.value, key, (code, wanted, remedy), found));
    if let Some(stage) = &gate.planned {
        let found = request
            .facts
            .planned(stage, key)
            .map(|planned| (planned, if planned { "succeeded" } else { "has not succeeded" }.to_owned()));
        add("planned", format!("{} succeeded for this commit", stage.value), found, to_be_done(&stage.value));
    }
    if gate.approvals > 0 {
        let stage = request.held_to.or(gate.planned.as_ref().map(|stage| stage.value.as_str()));
        let shown = |count: u32| if count == facts::ENOUGH { "enough".to_owned() } else { count.to_string() };
        let found = request.facts.approvals(stage, key).map(|count| (count >= gate.approvals, shown(count)));
        let remedy = "ask for a review of this commit by somebody else who may write, after the plan".to_owned();
        add("approvals", gate.approvals.to_string(), found, remedy);
    }
    if gate.up_to_date {
        let paths = layer.map(|layer| layer.paths.as_slice()).unwrap_or_default();
        let found = request.facts.up_to_date(paths).map(|holds| {
            (holds, if holds { "nothing new on the base" } else { "the base has changes there" }.to_owned())
        });
        let remedy = "bring the pull request up to date with its base, and plan again".to_owned();
        add("up-to-date", "nothing new on the base under the layer's paths".to_owned(), found, remedy);
    }
    parts
}

/// What to do where a stage has to succeed first, as far as is known without its command.
pub(crate) fn to_be_done(stage: &str) -> String {
    format!("have `{stage}` run for this commit")
}

/// A pull request from a fork runs nothing, unless the gate says otherwise.
pub(crate) fn judge_fork(gate: Option<&Gate>, pull: Option<&Pull>) -> Option<Part> {
    let pull = pull.filter(|pull| pull.fork)?;
    let otherwise = match gate {
        Some(gate) => format!("set `forks = true` in the gate `{}`", gate.key.value),
        // A gate that lets forks pass says who may.
        None => "name a gate in the rule that says who may, and has `forks = true`".to_owned(),
    };
    Some(Part {
        code: "fork",
        gate: gate.map(|gate| gate.key.value.clone()).unwrap_or_default(),
        layer: None,
        holds: gate.is_some_and(|gate| gate.forks),
        wanted: "a branch of this repository".to_owned(),
        found: format!("the fork of {}", pull.author),
        remedy: format!("push the branch to this repository, or {otherwise}"),
    })
}

/// What is found of one thing that is asked: its code, what is wanted, and what to do where it does not hold.
pub(crate) fn part(
    gate: &str,
    layer: Option<&str>,
    (code, wanted, remedy): (&'static str, String, String),
    found: Known<(bool, String)>,
) -> Part {
    let (code, wanted, remedy) = match &found {
        // Nobody else would get further, nor is there anything to mend.
        Err(Unknown { trouble: Some(trouble), .. }) => {
            (trouble.code(), format!("{code} ({wanted})"), trouble.remedy().to_owned())
        }
        Ok(_) | Err(_) => (code, wanted, remedy),
    };
    let (holds, found) = found.unwrap_or_else(|unknown| (false, unknown.to_string()));
    Part { code, gate: gate.to_owned(), layer: layer.map(str::to_owned), holds, wanted, found, remedy }
}

fn teams(gate: &Gate, request: &Request<'_>) -> (&'static str, Known<(bool, String)>) {
    let mut code = "teams";
    for team in &gate.teams {
        match request.facts.team_member(team, request.actor) {
            Ok(true) => return ("teams", Ok((true, format!("in {team}")))),
            Ok(false) => {}
            Err(unknown) if unknown.unreadable => code = "teams-unreadable",
            Err(unknown) => return ("teams", Err(unknown)),
        }
    }
    let found = if code == "teams" { "in none of them" } else { "the teams cannot be read" };
    (code, Ok((false, found.to_owned())))
}

fn listed(wanted: &Checks) -> String {
    match wanted {
        Checks::Green => "every check green".to_owned(),
        Checks::Named(names) => format!("{} green", names.join(", ")),
    }
}

fn conflict(merges: bool) -> String {
    if merges { "no conflict" } else { "conflicts" }.to_owned()
}
