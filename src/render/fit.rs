//! Markdown that must not grow beyond a size: the middle goes, the head with the summary and the tail with the error stay.
//! It cuts between lines, closes and opens again what the cut falls into (fence, table, details), and says what went.

use super::escape;

/// What a comment holds. GitHub counts characters; bytes are never fewer, so this holds however it counts.
pub(crate) const COMMENT: usize = 65_536;

/// What a job summary holds, in bytes.
pub(crate) const SUMMARY: usize = 1 << 20;

/// Room for the words that say what was left out.
const NOTICE: usize = 120;

/// The longest line that is repeated behind the cut, to open a fence or a table again.
const OPENING: usize = 1_000;

/// What is open where a line begins.
#[derive(Clone, Copy, Default)]
struct Place<'t> {
    /// The line that opened the fence around it.
    fence: Option<&'t str>,
    /// The heading and the ruler of the table around it.
    table: Option<(&'t str, &'t str)>,
    /// How many `<details>` are open.
    details: usize,
}

/// The markdown in at most `limit` bytes. `whole` is the address at which all of it can be read.
pub(crate) fn fit(markdown: &str, limit: usize, whole: Option<&str>) -> String {
    if markdown.len() <= limit {
        return markdown.to_owned();
    }
    let whole = whole.map(|address| escape::link("the whole text", Some(address))).filter(|link| link.len() <= OPENING);
    let Some(room) = limit.checked_sub(NOTICE + whole.as_ref().map_or(0, String::len)) else { return String::new() };
    let lines: Vec<&str> = markdown.lines().collect();
    let places = places(&lines);
    let (head, used) = head(&lines, &places, room / 3);
    let (tail, kept) = tail(&lines[used..], &places[used..], room - head.len());
    // Of a line that was cut both ends may be kept; it is left out in part.
    let left_out = (lines.len() - used).saturating_sub(kept).max(1);
    let lines = if left_out == 1 { "line" } else { "lines" };
    let pointer = whole.map_or_else(String::new, |link| format!("; {link}"));
    format!("{head}\n… {left_out} {lines} left out here{pointer} …\n\n{tail}")
}

/// What is open at the begin of each line, and behind the last one.
fn places<'t>(lines: &[&'t str]) -> Vec<Place<'t>> {
    let mut place = Place::default();
    let mut places = Vec::with_capacity(lines.len() + 1);
    for (at, line) in lines.iter().enumerate() {
        if place.fence.is_none() && !line.starts_with('|') {
            place.table = None;
        }
        places.push(place);
        if let Some(opened) = place.fence {
            if closes(line, opened) {
                place.fence = None;
            }
        } else if !marks(line).is_empty() {
            place.fence = Some(line);
        } else if line.starts_with("<details") {
            place.details += 1;
        } else if line.starts_with("</details") {
            place.details = place.details.saturating_sub(1);
        } else if line.starts_with("|:") || line.starts_with("|-") || line.starts_with("| -") {
            place.table = at.checked_sub(1).map(|before| (lines[before], *line));
        }
    }
    places.push(place);
    places
}

/// The marks that open a fence on this line; empty where none do.
fn marks(line: &str) -> &str {
    let length = line.len() - line.trim_start_matches('`').len();
    if length >= 3 { &line[..length] } else { "" }
}

fn closes(line: &str, opened: &str) -> bool {
    let ticks = marks(line);
    ticks.len() >= marks(opened).len() && line[ticks.len()..].trim().is_empty()
}

impl Place<'_> {
    /// What closes all that is open.
    fn close(&self) -> String {
        let fence = self.fence.map_or_else(String::new, |opened| format!("{}\n", marks(opened)));
        format!("{fence}{}", "\n</details>\n".repeat(self.details))
    }

    /// What opens it again.
    fn open(&self) -> String {
        let fence = self.fence.map_or_else(String::new, |opened| format!("{opened}\n"));
        let table = self.table.map_or_else(String::new, |(heading, ruler)| format!("{heading}\n{ruler}\n"));
        format!("{}{table}{fence}", "<details open>\n\n".repeat(self.details))
    }
}

/// Whether a line is the ruler of a table, which nothing may part from its heading.
fn is_ruler(places: &[Place<'_>], at: usize) -> bool {
    places[at].table.is_none() && places.get(at + 1).is_some_and(|after| after.table.is_some())
}

/// The first lines, closed, in at most `room` bytes, and how many lines they are.
fn head(lines: &[&str], places: &[Place<'_>], room: usize) -> (String, usize) {
    let mut size = 0;
    let mut end = 0;
    for (at, line) in lines.iter().enumerate() {
        size += line.len() + 1;
        if size > room {
            break;
        }
        if !is_ruler(places, at + 1) && size + places[at + 1].close().len() <= room {
            end = at + 1;
        }
    }
    let mut head: String = lines[..end].iter().flat_map(|line| [line, "\n"]).collect();
    let left = room.saturating_sub(head.len() + places[end].close().len() + "…\n".len());
    let mut used = end;
    if let (Some(opened), Some(line)) = (places[end].fence, lines.get(end))
        && !closes(line, opened)
        && left > 200
    {
        head.extend([escape::prefix(line, left), "…\n"]);
        used += usize::from(line.len() <= left);
    }
    head.push_str(&places[end].close());
    (head, used)
}

/// The last lines, opened, in at most `room` bytes, and how many lines they are.
fn tail(lines: &[&str], places: &[Place<'_>], room: usize) -> (String, usize) {
    let mut size = 0;
    let mut begin = lines.len();
    for (at, line) in lines.iter().enumerate().rev() {
        size += line.len() + 1;
        if size > room {
            break;
        }
        if !is_ruler(places, at) && size + places[at].open().len() <= room {
            begin = at;
        }
    }
    let rest: String = lines[begin..].iter().flat_map(|line| [line, "\n"]).collect();
    let place = &places[begin];
    let mut tail = place.open();
    let left = room.saturating_sub(rest.len() + tail.len() + "…\n".len());
    if let (Some(_), Some(before)) = (place.fence, begin.checked_sub(1))
        && places[before].fence.is_some()
        && left > 200
    {
        tail.extend(["…", escape::suffix(lines[before], left), "\n"]);
    }
    tail.push_str(&rest);
    (tail, lines.len() - begin)
}

#[cfg(test)]
#[expect(clippy::wildcard_enum_match_arm, reason = "only what carries text or cells is looked at")]
mod tests {
    use proptest::prelude::*;
    use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

    use super::fit;

    fn block() -> impl Strategy<Value = String> {
        let fence = (3..7_usize, 1..40_usize, 1..300_usize).prop_map(|(ticks, lines, width)| {
            let ticks = "`".repeat(ticks);
            format!("{ticks}diff\n{}{ticks}\n\n", format!("IN ``{}\n", "x".repeat(width)).repeat(lines))
        });
        let table = (1..40_usize).prop_map(|rows| format!("| A | B |\n|:--|:--|\n{}\n", "| OUT | y |\n".repeat(rows)));
        let details =
            fence.clone().prop_map(|inside| format!("<details>\n<summary>OUT</summary>\n\n{inside}</details>\n\n"));
        prop_oneof![fence, table, details, Just("OUT text\n\n".to_owned())]
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn a_cut_leaves_every_fence_and_table_whole(
            blocks in proptest::collection::vec(block(), 1..8),
            limit in 0..6_000_usize,
        ) {
            let whole = blocks.concat();
            let cut = fit(&whole, limit, Some("https://github.com/a/b/actions/runs/1"));
            prop_assert!(cut.len() <= limit, "{} > {limit}", cut.len());
            prop_assert!(cut == whole || cut.is_empty() || cut.contains("[the whole text](https://github.com/a/b/actions/runs/1)"));
            let mut code = false;
            let mut cells = 0;
            for event in Parser::new_ext(&cut, Options::ENABLE_TABLES) {
                match event {
                    Event::Start(Tag::CodeBlock(_)) => code = true,
                    Event::End(TagEnd::CodeBlock) => code = false,
                    Event::Text(text) if code => prop_assert!(!text.contains("OUT"), "{}", cut),
                    Event::Text(text) => prop_assert!(!text.contains("IN") && !text.contains('|'), "{}", cut),
                    Event::Start(Tag::TableCell) => cells += 1,
                    _ => {}
                }
            }
            prop_assert_eq!(cells % 2, 0);
            prop_assert_eq!(cut.matches("<details").count(), cut.matches("</details").count(), "{}", cut);
        }
    }

    #[test]
    fn head_and_tail_of_a_long_output_stay() {
        let lines: String = (0..100_000).map(|at| format!("line {at}\n")).collect();
        let cut = fit(&format!("```\n{lines}```\n"), 2_000, None);
        assert!(cut.starts_with("```\nline 0\n") && cut.ends_with("line 99999\n```\n"), "{cut}");
        assert!(cut.contains("lines left out here …"));
        let one = fit(&format!("```\n{}end\n```\n", "ä".repeat(5_000_000)), 2_000, None);
        assert!(one.starts_with("```\nää") && one.ends_with("ääend\n```\n") && one.len() <= 2_000, "{one}");
    }
}
