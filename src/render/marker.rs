//! What a comment of ours begins with: the marker that names the commit, then the state for readers. Both are made here
//! and stand before anything a template or a stranger wrote. The state is never trusted for a decision.

use serde::{Deserialize, Serialize};

use super::Page;
use crate::model::board::{Recorded, Row};
use crate::model::ids::{PullNumber, Sha};
use crate::model::rules::Rules;

/// The first line of the dashboard of a commit.
pub(crate) fn marker(rules: &Rules, sha: &Sha) -> String {
    format!("<!-- {}:{sha} -->", name(rules))
}

/// Whether a comment is the dashboard of a commit: the marker counts only at the very start.
pub(crate) fn marked(body: &str, rules: &Rules, sha: &Sha) -> bool {
    body.starts_with(&marker(rules, sha))
}

/// The commit whose dashboard a comment is.
pub(crate) fn marked_commit(body: &str, rules: &Rules) -> Option<Sha> {
    let after = body.strip_prefix("<!-- ")?.strip_prefix(&name(rules))?.strip_prefix(':')?;
    Sha::parse(after.split_once(" -->")?.0)
}

/// Whether a comment begins as one of ours does, of whichever commit.
pub(crate) fn claimed(body: &str, rules: &Rules) -> bool {
    let after = body.trim_start().strip_prefix("<!--").map(str::trim_start);
    after.and_then(|after| after.strip_prefix(&name(rules))).is_some_and(|rest| rest.starts_with([':', '-']))
}

/// The first line of another comment of ours, so that it can be found again: `what` is its purpose, such as `output`,
/// and `key` which one of them.
pub(crate) fn tag(rules: &Rules, what: &str, key: &str) -> String {
    let key: String = key.chars().map(|c| if c.is_alphanumeric() || "._".contains(c) { c } else { '-' }).collect();
    format!("<!-- {}-{what}:{} -->", name(rules), single_dashes(&key))
}

/// The marker's name without anything that could end an HTML comment.
fn name(rules: &Rules) -> String {
    let name: String = rules.dashboard.marker.chars().filter(|c| !c.is_control() && !"<>&".contains(*c)).collect();
    single_dashes(&name)
}

fn single_dashes(text: &str) -> String {
    text.split('-').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-")
}

/// What the comment says, as data: for scripts and for people who look for the reason.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct State {
    /// The version of this form.
    pub(crate) version: u32,
    pub(crate) sha: Sha,
    #[serde(default)]
    pub(crate) pr: Option<PullNumber>,
    /// The rows that are shown.
    pub(crate) rows: Vec<StateRow>,
    /// What was recorded, newest first.
    pub(crate) entries: Vec<Recorded>,
    /// How many rows found no room.
    #[serde(default)]
    pub(crate) rows_left_out: usize,
    /// How many entries found no room.
    #[serde(default)]
    pub(crate) entries_left_out: usize,
}

/// A row of the dashboard in the state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StateRow {
    pub(crate) row: String,
    pub(crate) status: crate::model::board::Status,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) note: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) link: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) at: Option<jiff::Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) seconds: Option<i64>,
}

impl From<&Row> for StateRow {
    fn from(row: &Row) -> Self {
        Self {
            row: row.id.clone(),
            status: row.status,
            note: row.note.clone(),
            link: row.link.clone(),
            at: row.at,
            seconds: row.seconds,
        }
    }
}

/// The most bytes that one entry takes of the state; a journal of commit statuses has none that is larger.
const ENTRY: usize = 4_000;

/// The second line of the dashboard, at most `budget` bytes long. Rows go first, up to half of it, then entries from the
/// newest on.
pub(super) fn state(page: &Page<'_>, budget: usize) -> String {
    let shown: Vec<StateRow> = page.board.rows.iter().filter(|row| row.shown).map(StateRow::from).collect();
    let mut newest: Vec<&Recorded> = page.recorded.iter().collect();
    let total = newest.len();
    newest.retain(|record| json(record).len() <= ENTRY);
    newest.sort_by_key(|record| std::cmp::Reverse(record.seq));
    let mut state = State {
        version: 1,
        sha: page.sha.clone(),
        pr: page.pr,
        rows: Vec::new(),
        entries: Vec::new(),
        rows_left_out: shown.len(),
        entries_left_out: total,
    };
    let mut room = budget.saturating_sub(comment(page.rules, &json(&state)).len());
    state.rows = fitting(shown.into_iter(), room / 2);
    room -= state.rows.iter().map(|row| json(row).len() + 1).sum::<usize>().min(room);
    state.entries = fitting(newest.into_iter().cloned(), room);
    state.rows_left_out -= state.rows.len();
    state.entries_left_out -= state.entries.len();
    comment(page.rules, &json(&state))
}

/// The first values whose JSON, with a comma each, fits into `room` bytes.
fn fitting<T: Serialize>(values: impl Iterator<Item = T>, room: usize) -> Vec<T> {
    let mut left = room;
    let fits = |value: &T| {
        let rest = left.checked_sub(json(value).len() + 1);
        left = rest.unwrap_or(left);
        rest.is_some()
    };
    values.take_while(fits).collect()
}

fn comment(rules: &Rules, json: &str) -> String {
    format!("<!-- {}-state:{json} -->", name(rules))
}

/// JSON in which nothing stands that could end an HTML comment or look like a marker.
fn json<T: Serialize>(value: &T) -> String {
    let plain = serde_json::to_string(value).unwrap_or_default();
    let mut escaped = String::with_capacity(plain.len());
    // Outside of texts JSON has none of these but the minus of a negative number, of which the state holds none.
    for c in plain.chars() {
        match c {
            '<' | '>' | '&' | '-' => escaped.push_str(&format!("\\u{:04x}", u32::from(c))),
            '\u{2028}' | '\u{2029}' | '\u{7f}'..='\u{9f}' => escaped.push_str(&format!("\\u{:04x}", u32::from(c))),
            _ => escaped.push(c),
        }
    }
    escaped
}

/// Reads the state of a dashboard, as other programs do. `None` where there is none, or one that cannot be read.
#[cfg(test)]
pub(crate) fn decode_state(body: &str, rules: &Rules) -> Option<State> {
    let start = format!("<!-- {}-state:", name(rules));
    let line = body.lines().take(2).find_map(|line| line.strip_prefix(&start))?;
    serde_json::from_str(line.trim_end().strip_suffix("-->")?).ok()
}

#[cfg(test)]
mod tests {
    use super::super::fixture;
    use super::{decode_state, marked, marker, tag};

    #[test]
    fn the_marker_counts_only_at_the_start() {
        let (rules, sha) = (fixture::rules(), fixture::sha());
        let body = format!("{}\nmore", marker(&rules, &sha));
        assert!(marked(&body, &rules, &sha));
        assert!(!marked(&format!("> {body}"), &rules, &sha));
        assert!(!marked(&format!("\n{body}"), &rules, &sha));
    }

    #[test]
    fn what_is_no_state_is_none() {
        let rules = fixture::rules();
        for body in [
            "",
            "x",
            "<!-- infra-dashboard-state:{} -->",
            "<!-- infra-dashboard-state:{",
            "a\nb\n<!-- infra-dashboard-state:",
        ] {
            assert!(decode_state(body, &rules).is_none(), "{body}");
        }
    }

    #[test]
    fn a_tag_stays_a_comment() {
        assert_eq!(tag(&fixture::rules(), "output", "1--><b>"), "<!-- infra-dashboard-output:1-b -->");
    }
}
