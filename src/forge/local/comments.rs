//! Comments as files: `comments/ID.json`. A deleted one keeps its file, so that its number is never given out again.

use indexmap::IndexMap;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::store::file_url;
use super::{Local, now, whole_seconds};
use crate::forge::{Error, PostedComment, Reaction, Result};
use crate::model::ids::PullNumber;

/// The most characters that GitHub takes in a comment.
const BODY: usize = 65_536;

/// What stands in `comments/ID.json`.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct File {
    pull: PullNumber,
    author: String,
    body: String,
    created_at: Timestamp,
    updated_at: Timestamp,
    #[serde(default)]
    minimized: bool,
    /// Who reacted how.
    #[serde(default)]
    reactions: IndexMap<String, Vec<String>>,
    #[serde(default)]
    deleted: bool,
}

impl Local {
    /// Posts a comment in somebody's name.
    pub(crate) fn post_comment_as(&self, author: &str, pull: PullNumber, body: &str) -> Result<PostedComment> {
        check_body(body)?;
        let at = now();
        let file = File {
            pull,
            author: author.to_owned(),
            body: body.to_owned(),
            created_at: at,
            updated_at: at,
            minimized: false,
            reactions: IndexMap::new(),
            deleted: false,
        };
        let id = self.store.append("comments", &file)?;
        Ok(self.posted(id, file))
    }

    #[cfg(test)]
    /// The comment's reactions, by who gave them, in the words of GitHub's API.
    pub(crate) fn reactions(&self, comment: u64) -> Result<IndexMap<String, Vec<String>>> {
        Ok(self.comment_file(comment)?.reactions)
    }

    pub(super) fn edit_comment_file(&self, id: u64, body: &str) -> Result<PostedComment> {
        check_body(body)?;
        self.change_comment(id, |file| {
            self.own(id, file)?;
            body.clone_into(&mut file.body);
            file.updated_at = now();
            Ok(())
        })
    }

    pub(super) fn delete_comment_file(&self, id: u64) -> Result<()> {
        self.change_comment(id, |file| {
            self.own(id, file)?;
            file.body.clear();
            file.deleted = true;
            Ok(())
        })?;
        Ok(())
    }

    pub(super) fn minimize_comment_file(&self, id: u64) -> Result<()> {
        self.change_comment(id, |file| {
            file.minimized = true;
            Ok(())
        })?;
        Ok(())
    }

    pub(super) fn react_to(&self, id: u64, reaction: Reaction) -> Result<()> {
        self.change_comment(id, |file| {
            let people = file.reactions.entry(reaction.word().to_owned()).or_default();
            if !people.contains(&self.account) {
                people.push(self.account.clone());
            }
            Ok(())
        })?;
        Ok(())
    }

    pub(super) fn take_reaction_back(&self, id: u64, reaction: Reaction) -> Result<()> {
        self.change_comment(id, |file| {
            if let Some(people) = file.reactions.get_mut(reaction.word()) {
                people.retain(|login| *login != self.account);
            }
            Ok(())
        })?;
        Ok(())
    }

    pub(super) fn read_comment(&self, id: u64) -> Result<PostedComment> {
        Ok(self.posted(id, self.comment_file(id)?))
    }

    /// The comments of one pull request, or of all, that were changed since then.
    pub(super) fn select_comments(
        &self,
        pull: Option<PullNumber>,
        since: Option<Timestamp>,
    ) -> Result<Vec<PostedComment>> {
        let since = since.map(whole_seconds);
        let mut comments = Vec::new();
        for id in self.store.appended("comments")? {
            let file = self.store.read::<File>(&name(id))?;
            let wanted = |file: &File| {
                let asked = pull.is_none_or(|pull| file.pull == pull) && since.is_none_or(|t| file.updated_at >= t);
                asked && !file.deleted
            };
            comments.extend(file.filter(wanted).map(|file| self.posted(id, file)));
        }
        Ok(comments)
    }

    /// Reads, changes and writes back, while nobody else does.
    fn change_comment(&self, id: u64, change: impl FnOnce(&mut File) -> Result<()>) -> Result<PostedComment> {
        self.store.alone("comments", || {
            let mut file = self.comment_file(id)?;
            change(&mut file)?;
            self.store.replace(&name(id), &file)?;
            Ok(self.posted(id, file))
        })
    }

    fn comment_file(&self, id: u64) -> Result<File> {
        let file = self.store.read::<File>(&name(id))?.filter(|file| !file.deleted);
        file.ok_or_else(|| Error::NotFound(format!("comment {id}")))
    }

    fn own(&self, id: u64, file: &File) -> Result<()> {
        if file.author == self.account {
            return Ok(());
        }
        Err(Error::Denied(format!("comment {id} is `{}`'s, not `{}`'s", file.author, self.account)))
    }

    pub(super) fn comment_page(&self, id: u64) -> String {
        file_url(&self.store.path(&name(id)))
    }

    fn posted(&self, id: u64, file: File) -> PostedComment {
        PostedComment {
            id,
            pull: file.pull,
            author: file.author,
            body: file.body,
            created_at: file.created_at,
            updated_at: file.updated_at,
            url: self.comment_page(id),
            minimized: file.minimized,
        }
    }
}

fn name(id: u64) -> String {
    format!("comments/{id}.json")
}

fn check_body(body: &str) -> Result<()> {
    let length = body.chars().count();
    if length > BODY {
        return Err(Error::Invalid(format!("the comment has {length} characters; at most {BODY} are taken")));
    }
    Ok(())
}
