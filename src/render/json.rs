//! The page as JSON, for `ci show --format json`. The form is versioned: keys are added, never changed.

use serde_json::{Value, json as value};

use super::Page;
use super::next::next_step;

/// The page as JSON.
pub(crate) fn json(page: &Page<'_>) -> Value {
    let next = next_step(page.rules, page.board);
    let shown: Vec<_> = page.board.rows.iter().filter(|row| row.shown).collect();
    value!({
        "version": 1,
        "sha": page.sha,
        "pr": page.pr,
        "overall": page.board.overall(),
        "next": { "kind": next.kind, "text": next.sentence(), "command": next.command, "link": next.link },
        "rows": shown,
        "history": page.board.history,
    })
}
