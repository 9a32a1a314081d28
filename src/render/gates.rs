//! What the gates find right now, for a terminal: each command that has one, and every part of it with what was found and
//! what to do. It asks nothing itself.

use super::escape;
use super::terminal::painted;
use crate::model::decision::Part;

/// What the gate of a rule finds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    /// What people type, with the rule's `if` where it has one.
    pub(crate) command: String,
    pub(crate) parts: Vec<Part>,
}

/// A part, for all the layers of which the same was found.
struct Asked<'p> {
    part: &'p Part,
    layers: Vec<&'p str>,
    remedies: Vec<&'p str>,
}

/// The gates as text. Commands of which the same was found share it.
pub(crate) fn gates(found: &[Found], actor: &str, color: bool) -> String {
    let mut groups: Vec<(Vec<&str>, Vec<String>)> = Vec::new();
    for found in found {
        let lines: Vec<String> = asked(&found.parts).iter().flat_map(|asked| lines(asked, color)).collect();
        match groups.iter_mut().find(|(_, known)| *known == lines) {
            Some((commands, _)) => commands.push(&found.command),
            None => groups.push((vec![&found.command], lines)),
        }
    }
    let mut text = String::new();
    for (commands, lines) in groups {
        let commands = escape::one_line(&commands.join(", "));
        text += &format!("\n{} for {}\n", painted(&commands, "1", color), escape::one_line(actor));
        text.extend(lines);
    }
    text
}

/// The parts, layers of which the same was found together.
fn asked(parts: &[Part]) -> Vec<Asked<'_>> {
    let mut all: Vec<Asked<'_>> = Vec::new();
    for part in parts {
        let same = |asked: &&mut Asked<'_>| {
            let known = asked.part;
            (known.code, &known.gate, &known.wanted, &known.found) == (part.code, &part.gate, &part.wanted, &part.found)
        };
        let layer = part.layer.as_deref();
        match all.iter_mut().find(same) {
            Some(asked) => {
                asked.layers.extend(layer);
                if !asked.remedies.contains(&part.remedy.as_str()) {
                    asked.remedies.push(&part.remedy);
                }
            }
            None => all.push(Asked { part, layers: layer.into_iter().collect(), remedies: vec![&part.remedy] }),
        }
    }
    all
}

fn lines(asked: &Asked<'_>, color: bool) -> Vec<String> {
    let Asked { part, layers, remedies } = asked;
    let (sign, paint) = if part.holds { ("✓", "32") } else { ("✗", "31;1") };
    let layers = if layers.is_empty() { String::new() } else { format!(" for {}", layers.join(", ")) };
    let said = format!("{} ({}){layers}: wants {}, found {}", part.code, part.gate, part.wanted, part.found);
    let mut lines = vec![format!("  {}  {}\n", painted(sign, paint, color), escape::one_line(&said))];
    if !part.holds {
        lines.extend(remedies.iter().map(|remedy| format!("     → {}\n", escape::one_line(remedy))));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::{Found, gates};
    use crate::model::decision::Part;

    fn part(code: &'static str, layer: Option<&str>, holds: bool, found: &str, remedy: &str) -> Part {
        Part {
            code,
            gate: "apply".to_owned(),
            layer: layer.map(str::to_owned),
            holds,
            wanted: "1".to_owned(),
            found: found.to_owned(),
            remedy: remedy.to_owned(),
        }
    }

    #[test]
    fn what_is_the_same_is_said_once() {
        let apply = vec![
            part("permission", None, true, "admin", ""),
            part("planned", Some("db"), false, "not yet", "comment `/plan db`"),
            part("planned", Some("web"), false, "not yet", "comment `/plan web`"),
            part("planned", Some("dns"), true, "succeeded", ""),
        ];
        let may = vec![part("permission", None, true, "admin", "")];
        let found = [("/plan", &may), ("/apply [layer…]", &apply), ("/verify", &may)];
        let found = found.map(|(command, parts)| Found { command: command.to_owned(), parts: parts.clone() });
        insta::assert_snapshot!(gates(&found, "alice", false), @"
        /plan, /verify for alice
          ✓  permission (apply): wants 1, found admin

        /apply [layer…] for alice
          ✓  permission (apply): wants 1, found admin
          ✗  planned (apply) for db, web: wants 1, found not yet
             → comment `/plan db`
             → comment `/plan web`
          ✓  planned (apply) for dns: wants 1, found succeeded
        ");
    }

    #[test]
    fn what_was_found_cannot_steer_the_terminal() {
        let parts = vec![part("checks", None, false, "failing: \u{1b}[2J\r\nx", "mend it")];
        let shown = gates(&[Found { command: "/apply".to_owned(), parts }], "a\u{7}b", false);
        assert!(!shown.contains(['\u{1b}', '\u{7}', '\r']), "{shown:?}");
    }
}
