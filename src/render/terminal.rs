//! The board for a terminal: aligned columns, colours where they are wanted, and the next step. Signs are one column
//! wide, since terminals disagree about emoji. It prints nothing itself.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::next::{NextKind, next_step};
use super::{Page, escape, time};
use crate::model::board::{Row, Status};

/// The widest that the column of titles gets.
const TITLE: usize = 40;

/// The least that is left to a note on a narrow terminal.
const NOTE: usize = 16;

/// The page as text, lines at most `width` columns wide where the titles allow it.
pub(crate) fn terminal(page: &Page<'_>, width: usize, color: bool) -> String {
    let rows: Vec<&Row> = page.board.rows.iter().filter(|row| row.shown).collect();
    let lines: Vec<[String; 3]> = rows.iter().map(|row| columns(row)).collect();
    let widest = |at: usize| lines.iter().map(|line| line[at].width()).max().unwrap_or_default();
    let (title, clock) = (widest(0).min(TITLE), widest(2));
    let room = width.saturating_sub(2 + 3 + title + 2 + 2 + clock).max(NOTE);
    let note = widest(1).min(room);
    let mut text = heading(page, color);
    for (row, line) in rows.iter().zip(&lines) {
        let (sign, paint) = sign(row.status);
        let cells = format!(
            "  {}  {}  {}  {}",
            painted(sign, paint, color),
            padded(&line[0], title),
            padded(&line[1], note),
            painted(&line[2], "2", color)
        );
        text.push_str(cells.trim_end());
        text.push('\n');
    }
    text + &footer(page, color)
}

fn heading(page: &Page<'_>, color: bool) -> String {
    let pr = page.pr.map_or_else(String::new, |pr| format!(" · #{pr}"));
    let title = painted(&escape::one_line(&page.rules.dashboard.title), "1", color);
    format!("{title} {}{pr}\n\n", page.sha.short())
}

fn footer(page: &Page<'_>, color: bool) -> String {
    let next = next_step(page.rules, page.board);
    let (sign, paint) = match next.kind {
        NextKind::Failed => sign(Status::Failure),
        NextKind::Running => sign(Status::Running),
        NextKind::Ready => sign(Status::Success),
        NextKind::Dropped => sign(Status::Dropped),
        NextKind::Waiting | NextKind::Nothing => sign(Status::Pending),
    };
    let sentence = escape::one_line(&next.sentence());
    let link =
        next.link.map_or_else(String::new, |link| format!("  {}\n", painted(&escape::one_line(&link), "2", color)));
    format!("\n{} {sentence}\n{link}", painted(sign, paint, color))
}

/// Title, note and time of a row.
fn columns(row: &Row) -> [String; 3] {
    let note = if row.note.is_empty() { row.status.word() } else { &row.note };
    [escape::one_line(&row.title), escape::one_line(note), time::of_row(row.at, row.seconds)]
}

/// The sign of a status, and the code of its colour.
fn sign(status: Status) -> (&'static str, &'static str) {
    match status {
        Status::Pending => ("○", "2"),
        Status::Running => ("●", "33"),
        Status::Success => ("✓", "32"),
        Status::Failure => ("✗", "31;1"),
        Status::Skipped => ("–", "2"),
        Status::Dropped => ("–", "33"),
    }
}

pub(super) fn painted(text: &str, code: &str, color: bool) -> String {
    if color && !text.is_empty() { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
}

/// The text in exactly `columns` columns, cut with an ellipsis or filled up with spaces.
fn padded(text: &str, columns: usize) -> String {
    let mut shown = text.to_owned();
    if text.width() > columns {
        shown.clear();
        for c in text.chars() {
            if shown.width() + c.width().unwrap_or_default() + 1 > columns {
                break;
            }
            shown.push(c);
        }
        shown.push('…');
    }
    let missing = columns.saturating_sub(shown.width());
    shown + &" ".repeat(missing)
}

#[cfg(test)]
mod tests {
    use unicode_width::UnicodeWidthStr;

    use super::super::{Page, fixture};
    use super::terminal;
    use crate::model::board::{Board, Status};
    use crate::model::ids::PullNumber;

    fn draw(board: &Board, width: usize, color: bool) -> String {
        let (rules, sha) = (fixture::rules(), fixture::sha());
        terminal(&Page { rules: &rules, board, recorded: &[], sha: &sha, pr: Some(PullNumber(7)) }, width, color)
    }

    #[test]
    fn columns_are_aligned() {
        let board = fixture::board(&[
            ("plan-bootstrap", Status::Success, "変更なし"),
            ("plan-platform", Status::Failure, "`terraform plan` exited with 1: a very long reason that goes on"),
        ]);
        insta::assert_snapshot!(draw(&board, 80, false), @r"
        ⚙️ Commit Dashboard abc1234 · #7

          ✓  Plan: bootstrap  変更なし                                         14:01 UTC
          ✗  Plan: platform   `terraform plan` exited with 1: a very long re…  14:02 UTC
          ○  Apply            pending
          ○  E2E Tests        pending
          ○  AI Review        pending

        ✗ Plan: platform failed: `terraform plan` exited with 1: a very long reason that goes on; fix it and push, or type /plan platform
          https://github.com/acme/infra/actions/runs/102
        ");
        assert!(draw(&board, 80, false).lines().all(|line| line.starts_with('✗') || line.width() <= 80));
    }

    #[test]
    fn what_strangers_write_cannot_steer_the_terminal() {
        let board = fixture::board(&[("plan-platform", Status::Failure, "\u{1b}[2J\u{1b}]0;owned\u{7}\r\nnext")]);
        assert!(!draw(&board, 80, false).contains(['\u{1b}', '\u{7}', '\r']));
        assert_eq!(draw(&board, 80, true).matches('\u{1b}').count() % 2, 0);
    }
}
