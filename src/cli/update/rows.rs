//! Which rows a report is meant for.

use crate::cli::args::Global;
use crate::cli::session::Session;
use crate::cli::stop::Stop;
use crate::cli::{console, project};
use crate::forge;
use crate::model::board::Recorded;
use crate::model::ids::{PullNumber, Sha};
use crate::model::nearest::nearest;
use crate::model::pattern::Wildcard;
use crate::model::rules::Rules;
use crate::schedule;

/// What a report names.
#[derive(Clone, Copy)]
pub(super) struct Reported<'a> {
    /// A row, a stage or a glob.
    pub(super) stage: &'a str,
    pub(super) layer: Option<&'a str>,
    pub(super) pull: PullNumber,
    /// The commit, where one is named.
    pub(super) sha: Option<&'a Sha>,
}

impl Reported<'_> {
    /// The rows that are meant: those of ci.toml, else those that ci.toml had when the work began.
    pub(super) fn rows(self, global: &Global, session: &Session) -> Result<Vec<String>, Stop> {
        let stage = self.stage;
        let wrong = match self.declared(&session.project.rules) {
            Ok(rows) => return Ok(rows),
            Err(wrong) => wrong,
        };
        let left = self.recorded(session)?;
        if !left.is_empty() {
            let lost = match self.layer.filter(|_| of_stage(&session.project.rules, stage).is_ok()) {
                Some(layer) => format!("the layer `{layer}`"),
                None => format!("`{stage}`"),
            };
            console::note(format!("{lost} is in ci.toml no longer: what is reported stands in the history"));
            return Ok(left);
        }
        // A row that only the pull request's own ci.toml knows is none yet.
        let own = session.from_base.then(|| project::open_quietly(global)).flatten();
        if own.is_some_and(|own| self.declared(&own.rules).is_ok()) {
            return Err(Stop::nothing_to_do(format!(
                "the stage `{stage}` counts once merged: its base does not know it yet"
            )));
        }
        Err(wrong)
    }

    /// The rows of ci.toml.
    fn declared(self, rules: &Rules) -> Result<Vec<String>, Stop> {
        let rows = of_stage(rules, self.stage)?;
        let Some(layer) = self.layer else { return Ok(rows) };
        if !rules.layers.contains_key(layer) {
            let known = rules.layers.keys().map(String::as_str);
            return Err(Stop::usage(format!("there is no layer `{layer}`")).help(meant(layer, known)));
        }
        let layout = schedule::layout(rules).rows;
        let of_another = |row: &String| {
            let own = layout.iter().find(|spec| spec.id == *row).and_then(|spec| spec.layer.as_deref());
            own.is_some_and(|own| own != layer)
        };
        let rows: Vec<String> = rows.into_iter().filter(|row| !of_another(row)).collect();
        if rows.is_empty() {
            return Err(Stop::usage(format!("`{}` is not of the layer `{layer}`", self.stage))
                .help("leave `--layer` out, or name the row's own"));
        }
        Ok(rows)
    }

    /// The rows that the journal of the commit has, whatever ci.toml says.
    fn recorded(self, session: &Session) -> Result<Vec<String>, Stop> {
        let head = || session.known_pull(self.pull).ok().map(|pull| pull.head_sha);
        let Some(sha) = self.sha.cloned().or_else(head) else { return Ok(Vec::new()) };
        let recorded = match session.dashboard(sha, Some(self.pull))?.read() {
            Err(forge::Error::NotFound(_)) => Vec::new(),
            recorded => recorded?,
        };
        let glob = glob(self.stage)?;
        let known = schedule::layout(&session.project.rules).rows;
        let is_meant = |record: &&Recorded| {
            let row = &record.entry.row;
            // A row that was reported to by its id names no layer elsewhere.
            let in_row = row.strip_prefix(self.stage).and_then(|rest| rest.strip_prefix('-'));
            let in_row = in_row.filter(|_| known.iter().all(|spec| spec.id != *row));
            let layer = record.entry.layer.as_deref().or(in_row);
            (glob.matches(row) || in_row.is_some()) && (self.layer.is_none() || self.layer == layer)
        };
        let mut rows: Vec<String> = recorded.iter().filter(is_meant).map(|record| record.entry.row.clone()).collect();
        rows.sort_unstable();
        rows.dedup();
        Ok(rows)
    }
}

fn of_stage(rules: &Rules, stage: &str) -> Result<Vec<String>, Stop> {
    let all: Vec<String> = schedule::layout(rules).rows.into_iter().map(|row| row.id).collect();
    if all.iter().any(|row| row == stage) {
        return Ok(vec![stage.to_owned()]);
    }
    let of_stage = rules.rows_of_stage(stage);
    if !of_stage.is_empty() {
        return Ok(of_stage);
    }
    let glob = glob(stage)?;
    let matching: Vec<String> = all.iter().filter(|row| glob.matches(row)).cloned().collect();
    if matching.is_empty() {
        let of_layers = rules.stages.values().filter(|stage| stage.each).map(|stage| stage.key.value.as_str());
        let known = all.iter().map(String::as_str).chain(of_layers);
        return Err(Stop::usage(format!("there is no stage `{stage}`")).help(meant(stage, known)));
    }
    Ok(matching)
}

fn glob(stage: &str) -> Result<Wildcard, Stop> {
    Wildcard::new(stage).map_err(|error| Stop::usage(format!("`{stage}` is no glob: {error}")))
}

/// What is probably meant, or all that there is.
pub(super) fn meant<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.collect();
    match nearest(word, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None if known.is_empty() => "ci.toml has none".to_owned(),
        None => format!("there are {}", known.join(", ")),
    }
}
