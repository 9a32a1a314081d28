//! Pull requests and people as files: `pulls/N.json`, `reviews/N.json`, `checks/SHA.json`, `permissions.json`,
//! `teams.json`. All may be written by hand: what is missing has a default under which work goes on.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::Local;
use super::store::file_url;
use crate::forge::git::Repository;
use crate::forge::{Check, Error, Result, Review};
use crate::model::event::Pull;
use crate::model::ids::{PullNumber, Sha};
use crate::model::rules::Permission;

/// What may stand in `pulls/N.json` besides the pull request itself.
#[derive(Debug, Default, Deserialize)]
struct Extras {
    /// The paths that it changes; git is asked where they are not named.
    files: Option<Vec<String>>,
    /// The paths that changed on its base; git is asked where they are not named.
    base_files: Option<Vec<String>>,
    mergeable: Option<bool>,
    /// The commit that merging it made.
    merge_sha: Option<Sha>,
}

impl Local {
    /// Creates the pull request, or brings it up to date; what else stands in its file stays.
    pub(crate) fn save_pull(&self, pull: &Pull) -> Result<()> {
        let fields = serde_json::to_value(pull).map_err(|error| Error::Server(error.to_string()))?;
        self.store.alone("pulls", || {
            let mut file = self.store.read::<Map<String, Value>>(&name(pull.number))?.unwrap_or_default();
            if let Value::Object(fields) = &fields {
                file.extend(fields.clone());
            }
            self.store.replace(&name(pull.number), &file)
        })
    }

    pub(super) fn find_pull(&self, number: PullNumber) -> Result<Option<Pull>> {
        self.store.read(&name(number))
    }

    pub(super) fn pull_page(&self, number: PullNumber) -> String {
        file_url(&self.store.path(&name(number)))
    }

    pub(super) fn list_open_pulls(&self) -> Result<Vec<Pull>> {
        let numbers = self.store.numbers("pulls")?.into_iter().rev();
        let pulls = numbers.map(|number| self.find_pull(PullNumber(number))).collect::<Result<Vec<_>>>()?;
        Ok(pulls.into_iter().flatten().filter(|pull| !pull.closed && !pull.merged).take(30).collect())
    }

    pub(super) fn find_merged_pull(&self, sha: &Sha) -> Result<Option<Pull>> {
        for number in self.store.numbers("pulls")?.into_iter().rev() {
            let Some(pull) = self.find_pull(PullNumber(number))? else { continue };
            let brought = pull.head_sha == *sha || self.extras(pull.number)?.merge_sha.as_ref() == Some(sha);
            if pull.merged && brought {
                return Ok(Some(pull));
            }
        }
        Ok(None)
    }

    pub(super) fn list_changed_files(&self, pull: &Pull) -> Result<Vec<String>> {
        if let Some(files) = self.extras(pull.number)?.files {
            return Ok(files);
        }
        let hint = format!("name them as `files` in `{}`", self.store.path(&name(pull.number)).display());
        let Some(repository) = Repository::find(&self.root)? else {
            let root = self.root.display();
            return Err(Error::NotFound(format!("the changed files: `{root}` is in no git repository; {hint}")));
        };
        let changed = repository.changed_files(&pull.base_ref, &pull.head_sha).map_err(|error| {
            if let Error::NotFound(what) = error { Error::NotFound(format!("{what}; {hint}")) } else { error }
        })?;
        // Our own files are nobody's change, also where no `.gitignore` says so.
        let ours = self.store.path("");
        Ok(changed.into_iter().filter(|path| !self.root.join(path).starts_with(&ours)).collect())
    }

    pub(super) fn list_base_changes(&self, pull: &Pull) -> Result<Vec<String>> {
        if let Some(files) = self.extras(pull.number)?.base_files {
            return Ok(files);
        }
        let Some(repository) = Repository::find(&self.root)? else { return Ok(Vec::new()) };
        match repository.base_changes(&pull.base_ref, &pull.head_sha) {
            // Where nothing can be compared, nothing is known to have changed.
            Err(Error::NotFound(_)) => Ok(Vec::new()),
            answer => answer,
        }
    }

    pub(super) fn is_mergeable(&self, pull: &Pull) -> Result<Option<bool>> {
        Ok(self.extras(pull.number)?.mergeable.or(Some(true)))
    }

    pub(super) fn permission_of(&self, login: &str) -> Result<Permission> {
        Ok(self.permissions()?.get(login).copied().unwrap_or(Permission::Admin))
    }

    pub(super) fn in_team(&self, team: &str, login: &str) -> Result<bool> {
        let teams = self.store.read::<BTreeMap<String, Vec<String>>>("teams.json")?.unwrap_or_default();
        Ok(teams.get(team).is_some_and(|members| members.iter().any(|member| member == login)))
    }

    pub(super) fn list_reviews(&self, pull: PullNumber) -> Result<Vec<Review>> {
        Ok(self.store.read(&format!("reviews/{pull}.json"))?.unwrap_or_default())
    }

    pub(super) fn list_checks(&self, sha: &Sha) -> Result<Vec<Check>> {
        Ok(self.store.read(&format!("checks/{sha}.json"))?.unwrap_or_default())
    }

    fn permissions(&self) -> Result<BTreeMap<String, Permission>> {
        Ok(self.store.read("permissions.json")?.unwrap_or_default())
    }

    fn extras(&self, number: PullNumber) -> Result<Extras> {
        Ok(self.store.read(&name(number))?.unwrap_or_default())
    }
}

fn name(number: PullNumber) -> String {
    format!("pulls/{number}.json")
}
