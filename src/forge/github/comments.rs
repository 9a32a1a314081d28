//! Comments on pull requests. See <https://docs.github.com/en/rest/issues/comments>.

use std::fmt::Display;
use std::sync::PoisonError;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::de::IgnoredAny;
use serde_json::json;

use super::GitHub;
use super::route::Route;
use super::wire;
use crate::forge::{self, Error, Forge, PostedComment, Reaction, Result};
use crate::model::ids::PullNumber;

/// How far back a comment is looked for whose answer was lost: longer than trouble is put up with.
const LOOK_BACK: SignedDuration = SignedDuration::from_mins(10);
/// The pauses between looks: a list may lag behind what was written.
const LOOKS: [Duration; 2] = [Duration::ZERO, Duration::from_secs(1)];

impl GitHub {
    pub(super) fn post_comment(&self, pull: PullNumber, body: &str) -> Result<PostedComment> {
        let look = || super::look(&LOOKS, || self.posted_lately(pull, body));
        let call = self.call(Route::CreateComment, &[&pull]).body(json!({ "body": body }));
        let posted = self.posted(self.create::<wire::Comment>(&call, &look)?);
        self.learn_account(&posted.author);
        Ok(posted)
    }

    /// Our comment of this text. Ours differ from one another by what they say or by a tag.
    fn posted_lately(&self, pull: PullNumber, body: &str) -> Result<Option<wire::Comment>> {
        let account = self.account()?;
        let since = self.client.now().saturating_sub(LOOK_BACK).ok();
        let same = |comment: &wire::Comment| {
            let author = comment.user.as_ref().is_some_and(|user| user.login == account);
            author && comment.body.as_deref().is_some_and(|said| forge::same_text(said, body))
        };
        Ok(self.comments_since(pull, since)?.into_iter().find(same))
    }

    pub(super) fn patch_comment(&self, id: u64, body: &str) -> Result<PostedComment> {
        let call = self.call(Route::EditComment, &[&id]).body(json!({ "body": body }));
        Ok(self.posted(self.ask(&call)?))
    }

    pub(super) fn get_comment(&self, id: u64) -> Result<PostedComment> {
        Ok(self.posted(self.ask(&self.call(Route::Comment, &[&id]))?))
    }

    /// Nothing is done where we never reacted so.
    pub(super) fn remove_reaction(&self, comment: u64, reaction: Reaction) -> Result<()> {
        let call = self.call(Route::Reactions, &[&comment]).query("content", reaction.word());
        let account = self.account()?;
        let given = self.list::<Vec<wire::Reaction>>(call)?;
        let is_ours = |given: &&wire::Reaction| given.user.as_ref().is_some_and(|user| user.login == account);
        match given.iter().find(is_ours) {
            Some(ours) => self.ask::<IgnoredAny>(&self.call(Route::Unreact, &[&comment, &ours.id])).map(|_| ()),
            None => Ok(()),
        }
    }

    pub(super) fn list_comments(&self, pull: PullNumber, since: Option<Timestamp>) -> Result<Vec<PostedComment>> {
        let comments = self.comments_since(pull, since)?;
        Ok(self.in_order(comments))
    }

    pub(super) fn list_recent_comments(&self, since: Timestamp) -> Result<Vec<PostedComment>> {
        let call = self.call(Route::RecentComments, &[]).query("since", whole_seconds(since));
        Ok(self.in_order(self.list::<Vec<wire::Comment>>(call)?))
    }

    /// Each once: one that was made while pages were read may stand on two.
    fn in_order(&self, comments: Vec<wire::Comment>) -> Vec<PostedComment> {
        let mut comments: Vec<PostedComment> = comments.into_iter().map(|comment| self.posted(comment)).collect();
        comments.sort_by_key(|comment| comment.id);
        comments.dedup_by_key(|comment| comment.id);
        comments
    }

    fn comments_since(&self, pull: PullNumber, since: Option<Timestamp>) -> Result<Vec<wire::Comment>> {
        let call = self.call(Route::Comments, &[&pull]);
        self.list::<Vec<wire::Comment>>(match since {
            Some(since) => call.query("since", whole_seconds(since)),
            None => call,
        })
    }

    pub(super) fn hide_comment(&self, id: u64) -> Result<()> {
        let known = self.nodes.lock().unwrap_or_else(PoisonError::into_inner).get(&id).cloned();
        let node = match known {
            Some(node) => node,
            None => {
                let comment: wire::Comment = self.ask(&self.call(Route::Comment, &[&id]))?;
                comment.node_id.ok_or_else(|| Error::Server(format!("comment {id} has no id in GraphQL")))?
            }
        };
        self.minimize_node(&node)
    }

    fn posted(&self, comment: wire::Comment) -> PostedComment {
        if let Some(node) = comment.node_id {
            self.nodes.lock().unwrap_or_else(PoisonError::into_inner).insert(comment.id, node);
        }
        let number = comment.issue_url.rsplit('/').next().and_then(|number| number.parse().ok());
        PostedComment {
            id: comment.id,
            pull: PullNumber(number.unwrap_or_default()),
            author: comment.user.map_or_else(String::new, |user| user.login),
            body: comment.body.unwrap_or_default(),
            created_at: comment.created_at,
            updated_at: comment.updated_at,
            url: comment.html_url,
            minimized: comment.minimized.is_some(),
        }
    }
}

/// A moment as GitHub tells it.
fn whole_seconds(moment: Timestamp) -> impl Display {
    moment.strftime("%Y-%m-%dT%H:%M:%SZ")
}
