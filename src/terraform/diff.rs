//! The text of a plan, so that markdown's ```` ```diff ```` colours it: marks go to the first column, and `~` becomes
//! `!`. The rest of a line keeps its column.

/// Moves the marks of every line. Inside a block of text only the block's own marks count: its content may well be a
/// list that begins with `- `.
pub(super) fn colourable(text: &str) -> String {
    let mut block: Option<usize> = None;
    let mut lines = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let indent = line.len() - line.trim_start_matches(' ').len();
        if block == Some(indent) && line[indent..].starts_with("EOT") {
            block = None;
        }
        // Terraform writes content 4 columns into the block, and its marks 2.
        match mark(&line[indent..]) {
            Some((mark, shown)) if block.is_none_or(|column| indent == column + 2) => {
                lines.push_str(shown);
                lines.push_str(&line[..indent]);
                lines.push_str(&line[indent + mark.len()..]);
            }
            Some(_) | None => lines.push_str(line),
        }
        if block.is_none() && opens_block(line) {
            block = Some(if mark(&line[indent..]).is_some() { indent + 2 } else { indent });
        }
    }
    lines
}

/// The mark that a line begins with, and how a diff writes it.
fn mark(line: &str) -> Option<(&'static str, &'static str)> {
    let marks = [("-/+", "-/+"), ("+/-", "+/-"), ("+", "+"), ("-", "-"), ("~", "!")];
    marks.into_iter().find(|(mark, _)| line.strip_prefix(mark).is_some_and(|rest| rest.starts_with(' ')))
}

fn opens_block(line: &str) -> bool {
    line.trim_end().trim_end_matches(" # forces replacement").ends_with("<<-EOT")
}
