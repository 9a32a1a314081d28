//! Who may what, and who reviewed. See <https://docs.github.com/en/rest/collaborators/collaborators>,
//! <https://docs.github.com/en/rest/teams/members>, <https://docs.github.com/en/rest/pulls/reviews>.

use serde::Deserialize;
use serde_json::Value;

use super::route::{Call, Route, Speaks};
use super::{GitHub, wire};
use crate::forge::{Error, Result, Review};
use crate::model::ids::PullNumber;
use crate::model::rules::Permission;

impl GitHub {
    pub(super) fn permission_of(&self, login: &str) -> Result<Permission> {
        let standing: wire::Standing = match self.ask(&self.call(Route::Permission, &[&login])) {
            Ok(standing) => standing,
            Err(Error::NotFound(_)) => return Ok(Permission::None),
            Err(error) => return Err(error),
        };
        // An organisation may make up roles; each of them stands on one of the usual permissions.
        permission(&standing.role_name).or_else(|| permission(&standing.permission)).ok_or_else(|| {
            Error::Server(format!("`{login}` has the permission `{}`, which is not known", standing.permission))
        })
    }

    pub(super) fn in_team(&self, team: &str, login: &str) -> Result<bool> {
        if !self.client.reads_members() {
            return Err(Error::Denied(format!(
                "who is in `{team}` cannot be read; set `CI_MEMBERS_TOKEN` to a token that may read members"
            )));
        }
        let (org, slug) =
            team.split_once('/').ok_or_else(|| Error::Invalid(format!("`{team}` is no team; write `ORG/TEAM`")))?;
        let call = Call { speaks: Speaks::Members, ..Call::new(Route::Membership, &[&org, &slug, &login]) };
        match self.ask::<wire::Membership>(&call) {
            Ok(membership) => Ok(membership.state == "active"),
            Err(Error::NotFound(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    pub(super) fn list_reviews(&self, pull: PullNumber) -> Result<Vec<Review>> {
        let listed = self.list::<Vec<wire::Review>>(self.call(Route::Reviews, &[&pull]))?;
        let review = |review: wire::Review| {
            Some(Review {
                author: review.user?.login,
                state: review.state,
                sha: review.commit_id?,
                submitted_at: review.submitted_at?,
            })
        };
        Ok(listed.into_iter().filter_map(review).collect())
    }
}

fn permission(word: &str) -> Option<Permission> {
    Permission::deserialize(Value::from(word)).ok()
}
