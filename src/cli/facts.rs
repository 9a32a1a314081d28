//! The facts that gates ask for, from the forge and the board. Each is asked at most once, and only when a gate needs
//! it. Where a person tries something on his own machine, what no flag names holds.

use std::cell::OnceCell;

use jiff::Timestamp;

use crate::forge::{self, Forge};
use crate::gate::{self, CheckState, Facts, Known, PersonaFacts, ReviewState, Standing, Unknown};
use crate::model::board::{Board, Recorded, Row, Status};
use crate::model::event::Pull;
use crate::model::pattern::Wildcard;
use crate::model::rules::{Checks, Permission, Rules};

/// Facts of the forge.
pub(super) struct Live<'a> {
    pub(super) forge: &'a dyn Forge,
    pub(super) rules: &'a Rules,
    pub(super) pull: Option<&'a Pull>,
    pub(super) board: &'a Board,
    pub(super) recorded: &'a [Recorded],
    /// Who tries something on his own machine: only the board is asked then.
    pub(super) persona: Option<PersonaFacts>,
    pub(super) changed: OnceCell<Known<Vec<String>>>,
}

impl Live<'_> {
    fn pull(&self) -> Known<&Pull> {
        self.pull.ok_or_else(|| Unknown::new("there is no pull request"))
    }

    fn row(&self, stage: &str, layer: Option<&str>) -> Option<&Row> {
        let of_layer = layer.and_then(|layer| self.board.row(&format!("{stage}-{layer}")));
        of_layer.or_else(|| self.board.row(stage))
    }

    /// When the digest that stands in a row was recorded first.
    fn first_recorded(&self, stage: Option<&str>, layer: Option<&str>) -> Option<Timestamp> {
        let row = self.row(stage?, layer)?;
        let digest = digest(row, layer)?;
        let same =
            |recorded: &&Recorded| recorded.entry.row == row.id && recorded.entry.digest.as_deref() == Some(&digest);
        self.recorded.iter().filter(same).map(|recorded| recorded.at).min()
    }
}

/// The digest that a row records for a layer.
pub(super) fn digest(row: &Row, layer: Option<&str>) -> Option<String> {
    let cell = || row.cells.iter().find(|cell| Some(cell.layer.as_str()) == layer).and_then(|cell| cell.digest.clone());
    row.digest.clone().or_else(cell)
}

/// The digest that a stage recorded for this commit and layer, where the stage succeeded.
pub(super) fn recorded_digest(board: &Board, stage: &str, layer: Option<&str>) -> Option<String> {
    let of_layer = layer.and_then(|layer| board.row(&format!("{stage}-{layer}")));
    let row = of_layer.or_else(|| board.row(stage))?;
    (row.status == Status::Success).then(|| digest(row, layer)).flatten()
}

fn unknown(error: forge::Error) -> Unknown {
    let unreadable = matches!(error, forge::Error::Denied(_));
    Unknown { message: error.to_string(), unreadable }
}

impl Facts for Live<'_> {
    fn permission(&self, login: &str) -> Known<Permission> {
        match &self.persona {
            Some(persona) => persona.permission(login),
            None => self.forge.permission(login).map_err(unknown),
        }
    }

    fn team_member(&self, team: &str, login: &str) -> Known<bool> {
        match &self.persona {
            Some(persona) => persona.team_member(team, login),
            None => self.forge.team_member(team, login).map_err(unknown),
        }
    }

    fn approvals(&self, stage: Option<&str>, layer: Option<&str>) -> Known<u32> {
        if let Some(persona) = &self.persona {
            return persona.approvals(stage, layer);
        }
        let pull = self.pull()?;
        let reviews = self.forge.reviews(pull.number).map_err(unknown)?;
        let states = reviews.iter().map(|review| ReviewState {
            author: &review.author,
            state: &review.state,
            sha: &review.sha,
            at: review.submitted_at,
        });
        let since = self.first_recorded(stage, layer);
        let mut count = 0;
        for login in gate::approvers(states, &pull.head_sha, &pull.author, since) {
            let permission = self.forge.permission(login).map_err(unknown)?;
            count += u32::from(permission >= Permission::Write);
        }
        Ok(count)
    }

    fn checks(&self, wanted: &Checks) -> Known<Standing> {
        if let Some(persona) = &self.persona {
            return persona.checks(wanted);
        }
        let checks = self.forge.checks(&self.pull()?.head_sha).map_err(unknown)?;
        let own = format!("{}/", self.rules.dashboard.context);
        let our_runs: Vec<u64> = self.recorded.iter().filter_map(|recorded| Some(recorded.entry.run?.id)).collect();
        let others = checks
            .iter()
            .filter(|check| !check.name.starts_with(&own) && check.run.is_none_or(|run| !our_runs.contains(&run)));
        let states = others.map(|check| CheckState { name: &check.name, conclusion: check.conclusion.as_deref() });
        Ok(gate::standing(wanted, states))
    }

    fn mergeable(&self) -> Known<bool> {
        if let Some(persona) = &self.persona {
            return persona.mergeable();
        }
        match self.forge.mergeable(self.pull()?).map_err(unknown)? {
            Some(mergeable) => Ok(mergeable),
            None => Err(Unknown::new("GitHub is still computing it; try again in a minute")),
        }
    }

    fn up_to_date(&self, paths: &[Wildcard]) -> Known<bool> {
        if let Some(persona) = &self.persona {
            return persona.up_to_date(paths);
        }
        let changed = self.forge.base_changes(self.pull()?).map_err(unknown)?;
        Ok(!changed.iter().any(|path| paths.is_empty() || paths.iter().any(|glob| glob.matches(path))))
    }

    fn planned(&self, stage: &str, layer: Option<&str>) -> Known<bool> {
        if let Some(told) = self.persona.as_ref().and_then(|persona| persona.persona.planned) {
            return Ok(told);
        }
        let Some(row) = self.row(stage, layer) else { return Ok(false) };
        let cell = row.cells.iter().find(|cell| Some(cell.layer.as_str()) == layer);
        Ok(cell.map_or(row.status, |cell| cell.status) == Status::Success)
    }

    fn changed(&self, paths: &[Wildcard]) -> Known<Option<String>> {
        if let Some(changed) = self.persona.as_ref().filter(|persona| persona.changed.is_some()) {
            return changed.changed(paths);
        }
        let ask = || self.forge.changed_files(self.pull()?).map_err(unknown);
        let files = self.changed.get_or_init(ask).as_ref().map_err(Clone::clone)?;
        Ok(files.iter().find(|path| paths.iter().any(|glob| glob.matches(path))).cloned())
    }
}
