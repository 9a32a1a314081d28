//! The facts that gates ask for, from the forge and the board. Each is asked at most once, and only when a gate needs
//! it. Where a person tries something on his own machine, what no flag names holds.

mod answers;

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::environment;
use crate::forge;
use crate::gate::{self, CheckState, Facts, Known, PersonaFacts, ReviewState, Standing};
use crate::model::board::{Board, Entry, Recorded, Status};
use crate::model::journal::POINTER;
use crate::model::pattern::Wildcard;
use crate::model::rules::{Checks, Permission, Rules};

pub(super) use answers::{Answers, Rehearsal};

/// Facts of the forge.
pub(super) struct Live<'a> {
    pub(super) answers: &'a Answers<'a>,
    pub(super) rules: &'a Rules,
    pub(super) board: &'a Board,
    pub(super) recorded: &'a [Recorded],
    /// Who tries something on his own machine: only the board is asked then.
    pub(super) persona: Option<PersonaFacts>,
}

impl Live<'_> {
    /// Whether a check is ours, which must not wait for itself: the status of a row or of the dashboard, or a check run
    /// of a run that wrote here or is this one.
    fn own(&self, check: &forge::Check) -> bool {
        let named = check.name.strip_prefix(&self.rules.dashboard.context).and_then(|rest| rest.strip_prefix('/'));
        let row = named.and_then(|named| named.split('/').next());
        let reported = |row: &str| self.recorded.iter().any(|recorded| recorded.entry.row == row);
        let named = row.is_some_and(|row| row == POINTER || self.board.row(row).is_some() || reported(row));
        let runs = self.recorded.iter().filter_map(|recorded| recorded.entry.run).chain(environment::run_id());
        named || check.run.is_some_and(|run| runs.map(|ours| ours.id).any(|ours| ours == run))
    }

    /// When the digest that stands for a layer was recorded first.
    fn first_recorded(&self, stage: &str, layer: Option<&str>) -> Option<Timestamp> {
        let (_, Some(digest)) = self.board.stands(stage, layer)? else { return None };
        let same = |recorded: &&Recorded| {
            let Entry { row, layer: told, digest: known, .. } = &recorded.entry;
            let own = layer.and_then(|layer| row.strip_suffix(layer)?.strip_suffix('-')) == Some(stage);
            let about = own || (row == stage && (layer.is_none() || told.is_none() || told.as_deref() == layer));
            about && known.as_deref() == Some(digest)
        };
        self.recorded.iter().filter(same).map(|recorded| recorded.at).min()
    }
}

/// The digest that a stage recorded for this commit and layer, where the stage succeeded.
pub(super) fn recorded_digest(board: &Board, stage: &str, layer: Option<&str>) -> Option<String> {
    let (status, digest) = board.stands(stage, layer)?;
    digest.filter(|_| status == Status::Success).map(str::to_owned)
}

impl Facts for Live<'_> {
    fn permission(&self, login: &str) -> Known<Permission> {
        match &self.persona {
            Some(persona) => persona.permission(login),
            None => self.answers.permission(login),
        }
    }

    fn team_member(&self, team: &str, login: &str) -> Known<bool> {
        match &self.persona {
            Some(persona) => persona.team_member(team, login),
            None => self.answers.team_member(team, login),
        }
    }

    fn approvals(&self, stage: Option<&str>, layer: Option<&str>) -> Known<u32> {
        if let Some(persona) = &self.persona {
            return persona.approvals(stage, layer);
        }
        let pull = self.answers.pull()?;
        let reviews = self.answers.reviews()?;
        let states = reviews.iter().map(|review| ReviewState {
            author: &review.author,
            state: &review.state,
            sha: &review.sha,
            at: review.submitted_at,
        });
        let since = stage.and_then(|stage| self.first_recorded(stage, layer));
        let approvers = gate::approvers(states, &pull.head_sha, &pull.author, since);
        let permissions = forge::side_by_side(&approvers, |login| self.answers.permission(login));
        let permissions: Vec<Permission> = permissions.into_iter().collect::<Known<_>>()?;
        let counting = permissions.iter().filter(|permission| **permission >= Permission::Write).count();
        Ok(u32::try_from(counting).unwrap_or(u32::MAX))
    }

    fn checks(&self, wanted: &Checks) -> Known<Standing> {
        if let Some(persona) = &self.persona {
            return persona.checks(wanted);
        }
        let others = self.answers.checks()?.iter().filter(|check| !self.own(check));
        let states = others.map(|check| CheckState { name: &check.name, conclusion: check.conclusion.as_deref() });
        Ok(gate::standing(wanted, states))
    }

    fn mergeable(&self) -> Known<bool> {
        if let Some(persona) = &self.persona {
            return persona.mergeable();
        }
        self.answers.mergeable()
    }

    fn up_to_date(&self, paths: &[Wildcard]) -> Known<bool> {
        if let Some(persona) = &self.persona {
            return persona.up_to_date(paths);
        }
        let changed = self.answers.base_changes()?;
        Ok(!changed.iter().any(|path| paths.is_empty() || paths.iter().any(|glob| glob.matches(path))))
    }

    fn planned(&self, stage: &str, layer: Option<&str>) -> Known<bool> {
        if let Some(told) = self.persona.as_ref().and_then(|persona| persona.persona.planned) {
            return Ok(told);
        }
        Ok(self.board.succeeded(stage, layer))
    }

    fn applied(&self, layers: &[&str]) -> Known<BTreeSet<String>> {
        self.answers.applied(layers)
    }

    fn changed(&self, paths: &[Wildcard]) -> Known<Option<String>> {
        if let Some(changed) = self.persona.as_ref().filter(|persona| persona.changed.is_some()) {
            return changed.changed(paths);
        }
        let files = self.answers.changed_files()?;
        Ok(files.iter().find(|path| paths.iter().any(|glob| glob.matches(path))).cloned())
    }
}
