//! Rows of the dashboard that collide, and circles in `after`.

use std::collections::{BTreeSet, HashMap, VecDeque};

use indexmap::IndexMap;

use crate::config::report::Report;
use crate::diagnostic::Code;
use crate::model::rules::{Action, Rule, Rules};
use crate::model::span::{At, Span};

/// Two stages may not write the same row.
pub(super) fn rows(rules: &Rules, report: &mut Report) {
    let mut seen: HashMap<String, &Span> = HashMap::new();
    for stage in rules.stages.values() {
        let key = &stage.key;
        let row = |layer: &String| format!("{}-{layer}", key.value);
        let rows = if stage.each { rules.layers.keys().map(row).collect() } else { vec![key.value.clone()] };
        for row in rows {
            let Some(first) = seen.insert(row.clone(), &key.span) else { continue };
            let message = format!("the stage `{}` would write the row `{row}`, which is another stage's", key.value);
            report
                .error(Code::DuplicateRow, &key.span, message)
                .related(first, "the other stage")
                .help("give one of the stages another name; with `each`, a row is named `STAGE-LAYER`");
            break;
        }
    }
}

/// A row shows one work at a time: of two that a rule begins one after the other, the second would hide what the first came to,
/// found and recorded.
pub(super) fn shared(rule: &Rule, rules: &Rules, report: &mut Report) {
    let Action::Run(run) = &rule.action else { return };
    let mut first: HashMap<&str, &At<String>> = HashMap::new();
    for key in run {
        let Some(handler) = rules.handlers.get(&key.value) else { continue };
        let Some(stage) = handler.stage.as_ref().filter(|stage| handler.works_for(&stage.value)) else { continue };
        let Some(other) = first.get(&*stage.value).filter(|other| other.value != key.value) else {
            first.insert(&stage.value, key);
            continue;
        };
        let message = format!("`{}` would hide what `{}` says in the row of `{}`", key.value, other.value, stage.value);
        report
            .error(Code::SharedRow, &key.span, message)
            .related(&other.span, "does the same stage's work")
            .help("give one of them a stage of its own, or make one handler of the steps of both");
    }
}

/// The most circles that are told of one graph. Each costs a search.
const CIRCLES: usize = 20;

/// `after` may not lead back to where it began.
pub(super) fn circles(rules: &Rules, report: &mut Report) {
    let layers = rules.layers.iter().map(|(key, layer)| (&**key, layer.after.iter().collect())).collect();
    let mut stages: Graph<'_> =
        rules.stages.iter().map(|(key, stage)| (&**key, stage.after.iter().collect())).collect();
    // The same as what `Rules::before` says of each, with one look at each handler.
    for handler in rules.handlers.values() {
        let stage = handler.stage.as_ref().filter(|stage| handler.works_for(&stage.value));
        if let Some((stage, after)) = stage.and_then(|stage| Some((stage, stages.get_mut(&*stage.value)?))) {
            after.extend(handler.matched().filter(|held| held.value != stage.value));
        }
    }
    for (graph, what) in [(layers, "layer"), (stages, "stage")] {
        for circle in find(&graph) {
            let ([first, others @ ..], Some(last)) = (&*circle, circle.last()) else { continue };
            let path: Vec<_> = [last].into_iter().chain(&circle).map(|step| format!("`{}`", step.value)).collect();
            let message = format!("a {what} cannot come after itself: {}", path.join(" after "));
            let mut note = report.error(Code::Cycle, &first.span, message).help("take one of the names away");
            for other in others {
                note = note.related(&other.span, "a part of the circle");
            }
        }
    }
}

type Graph<'g> = IndexMap<&'g str, Vec<&'g At<String>>>;

/// A reference: from where, to where, and its place.
type Edge<'g> = (usize, usize, &'g At<String>);

/// A circle for each reference that is likely to blame, as the references that make it, that one first. Most files have
/// one order throughout, and every circle leaves it: what does is to blame.
fn find<'g>(graph: &Graph<'g>) -> Vec<Vec<&'g At<String>>> {
    let target = |name: &At<String>| graph.get_index_of(&*name.value);
    let all: Vec<Vec<Edge<'g>>> = graph
        .values()
        .enumerate()
        .map(|(from, after)| after.iter().filter_map(|name| Some((from, target(name)?, *name))).collect())
        .collect();
    let open = not_in_order(&all);
    let edges = || open.iter().flat_map(|at| &all[*at]).filter(|(_, to, _)| open.contains(to));
    let earlier = all.iter().flatten().filter(|(from, to, _)| to < from).count();
    let lowest_first = 2 * earlier >= all.iter().map(Vec::len).sum();
    let to_blame = edges().filter(|(from, to, _)| from == to || (from < to) == lowest_first);
    let circle = |(from, to, name): &Edge<'g>| Some([vec![*name], way(&all, *to, *from)?].concat());
    to_blame.filter_map(circle).take(CIRCLES).collect()
}

/// What cannot be put in an order: what is in a circle, or comes after one.
fn not_in_order(all: &[Vec<Edge<'_>>]) -> BTreeSet<usize> {
    let mut left: Vec<usize> = all.iter().map(Vec::len).collect();
    let mut waiting: Vec<Vec<usize>> = vec![Vec::new(); all.len()];
    all.iter().flatten().for_each(|(from, to, _)| waiting[*to].push(*from));
    let mut free: Vec<usize> = (0..all.len()).filter(|at| left[*at] == 0).collect();
    let mut open: BTreeSet<usize> = (0..all.len()).collect();
    while let Some(done) = free.pop() {
        open.remove(&done);
        for from in &waiting[done] {
            left[*from] -= 1;
            if left[*from] == 0 {
                free.push(*from);
            }
        }
    }
    open
}

/// The shortest way, as its references; none where it is the same place.
fn way<'g>(all: &[Vec<Edge<'g>>], start: usize, end: usize) -> Option<Vec<&'g At<String>>> {
    let mut reached: HashMap<usize, Option<&Edge<'g>>> = HashMap::from([(start, None)]);
    let mut queue = VecDeque::from([start]);
    while let Some(at) = queue.pop_front() {
        if at == end {
            let steps = std::iter::successors(reached[&end], |(from, ..)| reached[from]);
            let mut way: Vec<_> = steps.map(|(_, _, name)| *name).collect();
            way.reverse();
            return Some(way);
        }
        for edge in &all[at] {
            reached.entry(edge.1).or_insert_with(|| {
                queue.push_back(edge.1);
                Some(edge)
            });
        }
    }
    None
}
