//! Rows of the dashboard that collide, and circles in `after`.

use std::collections::HashMap;

use indexmap::IndexMap;

use crate::config::report::Report;
use crate::diagnostic::Code;
use crate::model::rules::Rules;
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

/// `after` may not lead back to where it began.
pub(super) fn circles(rules: &Rules, report: &mut Report) {
    let layers = rules.layers.iter().map(|(key, layer)| (&**key, &*layer.after)).collect();
    let stages = rules.stages.iter().map(|(key, stage)| (&**key, &*stage.after)).collect();
    for (graph, what) in [(layers, "layer"), (stages, "stage")] {
        for circle in find(&graph) {
            let [first, ..] = &*circle else { continue };
            let path: Vec<_> = circle.iter().chain([first]).map(|step| format!("`{}`", step.value)).collect();
            let message = format!("a {what} cannot come after itself: {}", path.join(" after "));
            let last = circle.last().map_or(&first.span, |_| &first.span);
            report.error(Code::Cycle, last, message).help("take one of the names away");
        }
    }
}

type Graph<'g> = IndexMap<&'g str, &'g [At<String>]>;

/// Every circle, once, as the references that make it. It keeps its own stack: a chain may be longer than the thread's.
fn find<'g>(graph: &Graph<'g>) -> Vec<Vec<&'g At<String>>> {
    let mut circles = Vec::new();
    let mut done = vec![false; graph.len()];
    let mut depth: Vec<Option<usize>> = vec![None; graph.len()];
    for start in 0..graph.len() {
        if done[start] {
            continue;
        }
        // Each step: the node, how it was reached, and the next of its references to follow.
        let mut path: Vec<(usize, Option<&'g At<String>>, usize)> = vec![(start, None, 0)];
        depth[start] = Some(0);
        while let Some((node, _, next)) = path.last_mut() {
            let node = *node;
            let Some(reference) = graph[node].get(*next) else {
                done[node] = true;
                depth[node] = None;
                path.pop();
                continue;
            };
            *next += 1;
            let Some(target) = graph.get_index_of(&*reference.value) else { continue };
            if let Some(begin) = depth[target] {
                let way = path[begin + 1..].iter().filter_map(|(_, reached, _)| *reached);
                circles.push(std::iter::once(reference).chain(way).collect());
            } else if !done[target] {
                depth[target] = Some(path.len());
                path.push((target, Some(reference), 0));
            }
        }
    }
    circles
}
