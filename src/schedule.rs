//! A matched rule to an agenda: which layers, what the gates say of them, which jobs in which order, and which rows
//! have nothing to do. It starts nothing.

use std::collections::{BTreeSet, HashSet};

use crate::command::{Invocation, Layers};
use crate::expr::{self, Scope};
use crate::gate::{self, Facts, Request, Unknown};
use crate::model::board::{Layout, RowSpec};
use crate::model::decision::{Agenda, Idle, Job, Part};
use crate::model::event::Pull;
use crate::model::pattern::Wildcard;
use crate::model::rules::{
    Action, Gate, GateRef, Handler, Kind, Layer, PLAN, Rule, Rules, Select, Show, Stage, held_to,
};

/// Who asks for what, about which pull request.
#[derive(Clone, Copy)]
pub(crate) struct Order<'a> {
    pub(crate) rule: &'a Rule,
    /// The command, where the rule is about one.
    pub(crate) invocation: Option<&'a Invocation>,
    pub(crate) actor: &'a str,
    pub(crate) pull: Option<&'a Pull>,
    /// Whether it is about a pull request, known or not, where people can comment.
    pub(crate) commented: bool,
    pub(crate) facts: &'a dyn Facts,
}

/// Makes the agenda of a matched rule. Where a part is refused there are no jobs.
pub(crate) fn agenda(rules: &Rules, order: &Order<'_>) -> Agenda {
    let handlers: Vec<&Handler> = match &order.rule.action {
        Action::Run(keys) => keys.iter().filter_map(|key| rules.handlers.get(&key.value)).collect(),
        Action::Say(_) => Vec::new(),
    };
    let mut agenda = Agenda::default();
    let gate = order.rule.gate.as_ref().and_then(|gate| match &gate.value {
        GateRef::Anyone => None,
        GateRef::Named(key) => rules.gates.get(key),
    });
    let acts = handlers.iter().any(|handler| handler.kind.acts());
    agenda.parts.extend(gate::judge_fork(gate, order.pull).filter(|_| acts));
    if agenda.refused().next().is_some() {
        // Nothing else is asked about a fork: each question costs a request, and the answer stands.
        return agenda;
    }
    let layers = lower_first(rules, &chosen(rules, order, gate, &handlers, &mut agenda));
    agenda.parts.extend(commit_named(order));
    ask(rules, order, gate, &handlers, &layers, &mut agenda.parts);
    agenda.layers = layers.iter().map(|layer| layer.key.value.clone()).collect();
    if agenda.refused().next().is_none() {
        agenda.jobs = jobs(rules, &handlers, &layers);
    } else {
        agenda.idle.clear();
    }
    agenda
}

/// The layers that the work is about.
fn chosen<'r>(
    rules: &'r Rules,
    order: &Order<'_>,
    gate: Option<&Gate>,
    handlers: &[&Handler],
    agenda: &mut Agenda,
) -> Vec<&'r Layer> {
    let named = order.invocation.is_some_and(|invocation| invocation.layers.is_some()) || order.rule.layers.is_some();
    if !named && !handlers.iter().any(|handler| about_layers(rules, handler)) {
        return Vec::new();
    }
    let select = match order.invocation.and_then(|invocation| invocation.layers.as_ref()) {
        Some(Layers::All) => Select::All,
        Some(Layers::Planned) => Select::Planned,
        Some(Layers::Named(named)) => Select::Named(named.iter().map(|named| named.layer.clone()).collect()),
        None => order.rule.layers.as_ref().map_or(Select::All, |select| select.value.clone()),
    };
    match select {
        Select::All => rules.layers.values().collect(),
        Select::Named(names) => rules.layers.values().filter(|layer| names.contains(&layer.key.value)).collect(),
        Select::Changed => changed(rules, order, handlers, agenda),
        Select::Planned => {
            let stage = planned_stage(gate, handlers);
            let planned = |layer: &&Layer| order.facts.planned(&stage, Some(&layer.key.value)) == Ok(true);
            let layers: Vec<&Layer> = rules.layers.values().filter(planned).collect();
            if layers.is_empty() && !rules.layers.is_empty() {
                agenda.parts.push(nothing_planned(rules, order, gate, &stage));
            }
            layers
        }
    }
}

/// Whether a handler's work is about layers although nobody names any: it runs or reports for each, or a layer holds it to
/// a gate.
fn about_layers(rules: &Rules, handler: &Handler) -> bool {
    handler.each
        || rows_are_layers(rules, handler)
        || matches!(handler.kind, Kind::Unlock(_) | Kind::Delegate(_))
        || rules.layers.values().any(|layer| layer.gates.contains_key(&handler.key.value))
}

/// Whether a handler that runs once has nothing to do where no layer is meant.
fn needs_layers(rules: &Rules, handler: &Handler) -> bool {
    rows_are_layers(rules, handler) || matches!(handler.kind, Kind::Delegate(_))
}

fn rows_are_layers(rules: &Rules, handler: &Handler) -> bool {
    handler.stage.as_ref().and_then(|stage| rules.stages.get(&stage.value)).is_some_and(|stage| stage.each)
}

/// The layers whose paths match a changed file, and those that the pull request applied already: they may be done in part, or
/// no more be what its files say. The rows of the others have nothing to do.
fn changed<'r>(rules: &'r Rules, order: &Order<'_>, handlers: &[&Handler], agenda: &mut Agenda) -> Vec<&'r Layer> {
    let touched = match touched(rules, order) {
        Ok(touched) => touched,
        Err((wanted, unknown)) => {
            let asked = ("changed", wanted.to_owned(), "name the layers in a command".to_owned());
            agenda.parts.push(gate::part("", None, asked, Err(unknown)));
            return Vec::new();
        }
    };
    let is_touched = |layer: &Layer| touched.contains(layer.key.value.as_str());
    // What runs once whatever has changed leaves nothing out.
    let by_layer: Vec<&Handler> =
        handlers.iter().copied().filter(|handler| handler.each || needs_layers(rules, handler)).collect();
    for layer in rules.layers.values().filter(|layer| !is_touched(layer)) {
        for (row, _) in by_layer.iter().filter_map(|handler| row_of(rules, handler, Some(layer))) {
            agenda.idle.push(Idle { row, layer: Some(layer.key.value.clone()), note: unchanged(layer) });
        }
    }
    rules.layers.values().filter(|layer| is_touched(layer)).collect()
}

/// The layers that the pull request touched, by its files or by what it applied; else what could not be found out.
fn touched(rules: &Rules, order: &Order<'_>) -> Result<BTreeSet<String>, (&'static str, Unknown)> {
    let (mut touched, mut others) = (BTreeSet::new(), Vec::new());
    for layer in rules.layers.values() {
        match order.facts.changed(&layer.paths).map_err(|unknown| ("the changed files", unknown))? {
            Some(_) => drop(touched.insert(layer.key.value.clone())),
            None => others.push(layer.key.value.as_str()),
        }
    }
    // Asked where no other is left too, so that who rehearses this knows of it.
    if rules.handlers.values().any(|handler| handler.lock) {
        touched.extend(order.facts.applied(&others).map_err(|unknown| ("what was applied already", unknown))?);
    }
    Ok(touched)
}

/// That nothing of a layer changed: nothing in its folder, else of what its `paths` name.
fn unchanged(layer: &Layer) -> String {
    let globs: Vec<&str> = layer.paths.iter().map(Wildcard::as_str).collect();
    let is_folder = Wildcard::below(&layer.dir.value).is_ok_and(|below| globs == [below.as_str()]);
    match globs.split_last() {
        Some((last, [])) if !is_folder => format!("no changes in {last}"),
        Some((last, others)) if !is_folder => format!("no changes in {} or {last}", others.join(", ")),
        _ => format!("no changes under {}", layer.dir.value),
    }
}

/// The stage whose success makes a layer "planned": what a step is held to, else what the gate asks for, else `plan`.
fn planned_stage(gate: Option<&Gate>, handlers: &[&Handler]) -> String {
    let asked = || gate.and_then(|gate| gate.planned.as_ref()).map(|stage| stage.value.as_str());
    held_to(handlers).or_else(asked).unwrap_or(PLAN).to_owned()
}

/// How to have a command run: by a comment, else at a command line, where it counts for the commit that stands there.
fn to_be_run(order: &Order<'_>, line: &str) -> String {
    match order.commented {
        true => format!("comment `{line}`"),
        false => format!("type `ci {}` first, for the same commit", line.trim_start_matches('/')),
    }
}

fn nothing_planned(rules: &Rules, order: &Order<'_>, gate: Option<&Gate>, stage: &str) -> Part {
    let line = rules.line_for_stage(stage, None);
    Part {
        code: "planned",
        gate: gate.map(|gate| gate.key.value.clone()).unwrap_or_default(),
        layer: None,
        holds: false,
        wanted: format!("{stage} succeeded for this commit"),
        found: "it has not succeeded for any layer".to_owned(),
        remedy: line.map_or_else(|| gate::to_be_done(stage), |line| to_be_run(order, &line)),
    }
}

/// A command that names its commit (`platform@abc1234`) is for that commit alone.
fn commit_named(order: &Order<'_>) -> Vec<Part> {
    let Some(Layers::Named(named)) = order.invocation.and_then(|invocation| invocation.layers.as_ref()) else {
        return Vec::new();
    };
    let head = order.pull.map(|pull| pull.head_sha.as_str()).unwrap_or_default();
    let asked = named.iter().filter_map(|named| Some((&named.layer, named.at.as_deref()?)));
    asked
        .map(|(layer, at)| Part {
            code: "commit",
            gate: String::new(),
            layer: Some(layer.clone()),
            holds: !head.is_empty() && head.starts_with(at),
            wanted: format!("the head commit is {at}"),
            found: head.get(..at.len().max(7).min(head.len())).unwrap_or_default().to_owned(),
            remedy: "look at what was pushed since, and plan again".to_owned(),
        })
        .collect()
}

/// Whether it is said already that this does not hold: where nothing at all was planned.
fn is_said(parts: &[Part], part: &Part) -> bool {
    parts.iter().any(|said| !said.holds && (said.code, &said.wanted) == (part.code, &part.wanted))
}

/// Asks the rule's gate, and for each layer the gates that the layer itself sets on these handlers.
fn ask(
    rules: &Rules,
    order: &Order<'_>,
    gate: Option<&Gate>,
    handlers: &[&Handler],
    layers: &[&Layer],
    parts: &mut Vec<Part>,
) {
    let (held_to, first) = (held_to(handlers), parts.len());
    let request = Request { actor: order.actor, facts: order.facts, held_to };
    let mut asked: HashSet<&str> = HashSet::new();
    if let Some(gate) = gate {
        asked.insert(&gate.key.value);
        parts.extend(gate::judge(gate, &request));
        if layers.is_empty() {
            let judged = gate::judge_layer(gate, None, &request).into_iter();
            let judged: Vec<Part> = judged.filter(|part| !is_said(parts, part)).collect();
            parts.extend(judged);
        }
        for layer in layers {
            parts.extend(gate::judge_layer(gate, Some(layer), &request));
        }
    }
    for layer in layers {
        let own: HashSet<&str> = handlers
            .iter()
            .filter_map(|handler| layer.gates.get(&handler.key.value).map(|gate| gate.value.as_str()))
            .collect();
        for gate in rules.gates.values().filter(|gate| own.contains(gate.key.value.as_str())) {
            if asked.insert(&gate.key.value) {
                parts.extend(gate::judge(gate, &request));
            }
            parts.extend(gate::judge_layer(gate, Some(layer), &request));
        }
    }
    for part in parts[first..].iter_mut().filter(|part| part.code == "planned" && !part.holds) {
        let asking = rules.gates.get(&part.gate).and_then(|gate| gate.planned.as_ref());
        let stage = asking.map_or(PLAN, |stage| stage.value.as_str());
        if let Some(line) = rules.line_for_stage(stage, part.layer.as_deref()) {
            part.remedy = to_be_run(order, &line);
        }
    }
}

/// The jobs, in the order of the layers. A layer waits for those below it that are in the same run; a later handler of a list
/// waits for all of the one before. Where layers were looked for and none is meant, what is about layers does not run.
fn jobs(rules: &Rules, handlers: &[&Handler], layers: &[&Layer]) -> Vec<Job> {
    let mut jobs: Vec<Job> = Vec::new();
    let none = layers.is_empty() && !rules.layers.is_empty();
    let mut before: Vec<usize> = Vec::new();
    for handler in handlers {
        let first = jobs.len();
        if handler.each {
            for layer in layers {
                let below = below(rules, layer);
                let waits = (first..jobs.len())
                    .filter(|at| jobs[*at].layer.as_deref().is_some_and(|known| below.contains(known)));
                let after = before.iter().copied().chain(waits).collect();
                let rows = row_of(rules, handler, Some(layer)).map(|(row, _)| vec![row]).unwrap_or_default();
                let (handler, layer) = (handler.key.value.clone(), Some(layer.key.value.clone()));
                jobs.push(Job { handler, layer, rows, after });
            }
        } else if !(none && needs_layers(rules, handler)) {
            let rows = rows_of(rules, handler, layers);
            jobs.push(Job { handler: handler.key.value.clone(), layer: None, rows, after: before.clone() });
        }
        before = (first..jobs.len()).collect();
    }
    jobs
}

/// The row of a handler's run for one layer.
fn row_of<'r>(rules: &'r Rules, handler: &Handler, layer: Option<&Layer>) -> Option<(String, &'r Stage)> {
    let stage = rules.stages.get(&handler.stage.as_ref()?.value)?;
    Some(match layer {
        Some(layer) if stage.each => (format!("{}-{}", stage.key.value, layer.key.value), stage),
        Some(_) | None => (stage.key.value.clone(), stage),
    })
}

/// The rows of a handler that runs once: its stage's row, or those of the layers that the run is about.
fn rows_of(rules: &Rules, handler: &Handler, layers: &[&Layer]) -> Vec<String> {
    match row_of(rules, handler, None) {
        Some((_, stage)) if stage.each => {
            layers.iter().map(|layer| format!("{}-{}", stage.key.value, layer.key.value)).collect()
        }
        Some((row, _)) => vec![row],
        None => Vec::new(),
    }
}

/// Every layer that `layer` comes after, directly or through others.
fn below(rules: &Rules, layer: &Layer) -> HashSet<String> {
    let mut found = HashSet::new();
    let mut open: Vec<&str> = layer.after.iter().map(|after| after.value.as_str()).collect();
    while let Some(key) = open.pop() {
        if found.insert(key.to_owned()) {
            let after = rules.layers.get(key).map(|layer| layer.after.as_slice()).unwrap_or_default();
            open.extend(after.iter().map(|after| after.value.as_str()));
        }
    }
    found
}

/// Sorts so that each layer stands behind those that it comes after, else in the file's order.
fn lower_first<'r>(rules: &Rules, layers: &[&'r Layer]) -> Vec<&'r Layer> {
    let mut sorted: Vec<&Layer> = Vec::with_capacity(layers.len());
    let mut left: Vec<&Layer> = layers.to_vec();
    while !left.is_empty() {
        let free = |layer: &&Layer| {
            let below = below(rules, layer);
            !left.iter().any(|other| below.contains(&other.key.value) && other.key.value != layer.key.value)
        };
        // There are no cycles: check-config refuses them. Were there one, the file's order would do.
        let at = left.iter().position(free).unwrap_or(0);
        sorted.push(left.remove(at));
    }
    sorted
}

/// The rows of the dashboard that ci.toml declares, in its order.
pub(crate) fn layout(rules: &Rules) -> Layout {
    let mut rows = Vec::new();
    for stage in rules.stages.values() {
        let (effect, held_to) = (rules.effect(&stage.key.value), rules.held_to(&stage.key.value));
        let (before, follows_a_plan) = (rules.before(stage), rules.follows_a_plan(&stage.key.value));
        let mut add = |layer: Option<&Layer>| {
            let key = layer.map(|layer| layer.key.value.clone());
            let id = key.as_ref().map_or_else(|| stage.key.value.clone(), |key| format!("{}-{key}", stage.key.value));
            rows.push(RowSpec {
                title: title(stage, layer).unwrap_or_else(|_| id.clone()),
                after: before.iter().flat_map(|before| after_rows(rules, &before.value, key.as_deref())).collect(),
                id,
                stage: stage.key.value.clone(),
                layer: key,
                optional: stage.optional,
                when_reported: stage.show == Show::WhenReported,
                effect,
                follows_a_plan,
                held_to: held_to.map(str::to_owned),
            });
        };
        if stage.each {
            rules.layers.values().for_each(|layer| add(Some(layer)));
        } else {
            add(None);
        }
    }
    Layout { rows, layers: rules.layers.keys().cloned().collect() }
}

/// The rows that a row comes after: those of the same layer where both stages have one for each.
fn after_rows(rules: &Rules, stage: &str, layer: Option<&str>) -> Vec<String> {
    match (layer, rules.stages.get(stage)) {
        (Some(layer), Some(found)) if found.each => vec![format!("{stage}-{layer}")],
        (Some(_) | None, _) => rules.rows_of_stage(stage),
    }
}

fn title(stage: &Stage, layer: Option<&Layer>) -> Result<String, expr::Error> {
    let mut scope = Scope::default();
    if let Some(layer) = layer {
        scope.set_layer(layer);
    }
    expr::render(&stage.name, &scope)
}
