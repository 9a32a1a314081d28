//! The board and the rules as people read them: the dashboard's markdown and every other comment, from templates that a
//! repository may override; the same page as HTML, for a terminal and as JSON. Everything untrusted is escaped for its
//! place. It decides nothing and reads no file.

mod dashboard;
mod escape;
mod fit;
mod gates;
mod html;
mod json;
mod marker;
mod needs;
mod next;
mod replies;
mod sample;
mod templates;
mod terminal;
mod time;

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod tests;

use crate::model::board::{Board, Recorded};
use crate::model::ids::{PullNumber, Sha};
use crate::model::rules::Rules;

#[cfg(test)]
use fit::{COMMENT, SUMMARY};
#[cfg(test)]
use marker::{decode_state, marker};

pub(crate) use dashboard::{dashboard, summary};
pub(crate) use gates::{Found, gates};
pub(crate) use html::html;
pub(crate) use json::json;
pub(crate) use marker::{claimed, marked, marked_commit, tag};
pub(crate) use next::next_step;
pub(crate) use replies::{Output, Reason, Refusal, Section, drift, escaped, output, refusal, reply};
pub(crate) use templates::{Templates, builtin_names};
pub(crate) use terminal::terminal;
pub(crate) use time::date_and_time;

/// What the dashboard of one commit is drawn from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Page<'a> {
    pub(crate) rules: &'a Rules,
    pub(crate) board: &'a Board,
    /// The entries that the board is the fold of, in any order.
    pub(crate) recorded: &'a [Recorded],
    pub(crate) sha: &'a Sha,
    pub(crate) pr: Option<PullNumber>,
}
