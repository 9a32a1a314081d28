//! Single values: durations, globs, folders, templates.

use std::time::Duration;

use super::Resolver;
use super::names::is_plain_name;
use crate::config::check::names::ROOTS;
use crate::config::shape::{Given, Named};
use crate::diagnostic::Code;
use crate::model::pattern::Wildcard;
use crate::model::rules::{Condition, Table, Template};
use crate::model::span::{At, Span};

/// A list of texts as it stands in the file.
pub(super) type List = Given<Vec<Given<At<String>>>>;

/// The texts of a list that are right.
pub(super) fn texts(list: &List) -> impl Iterator<Item = &At<String>> {
    list.value().into_iter().flatten().filter_map(Given::value)
}

/// The same without their places.
pub(super) fn plain(list: &List) -> Vec<String> {
    texts(list).map(|text| text.value.clone()).collect()
}

/// The text of a key, if it is there.
pub(super) fn text(given: &Given<At<String>>) -> Option<String> {
    given.value().map(|text| text.value.clone())
}

pub(super) fn template(text: &At<String>) -> Template {
    Template { source: text.value.clone(), span: text.span.clone() }
}

pub(super) fn template_of(given: &Given<At<String>>) -> Option<Template> {
    given.value().map(template)
}

pub(super) fn condition(given: &Given<At<String>>) -> Option<Condition> {
    given.value().map(|text| Condition { source: text.value.clone(), span: text.span.clone() })
}

pub(super) fn templates(table: Option<&Named<At<String>>>) -> Table<Template> {
    let entries = table.into_iter().flat_map(Named::values);
    entries.map(|(name, text)| (name.value.clone(), template(text))).collect()
}

/// The texts of a table by its keys.
pub(super) fn pairs(table: &Given<Named<At<String>>>) -> Table<String> {
    let entries = table.value().into_iter().flat_map(Named::values);
    entries.map(|(name, text)| (name.value.clone(), text.value.clone())).collect()
}

impl Resolver<'_> {
    pub(super) fn glob(&mut self, text: &At<String>) -> Option<Wildcard> {
        match Wildcard::new(&text.value) {
            Ok(glob) => Some(glob),
            Err(error) => {
                let message = format!("`{}` is no glob: {}", text.value, error.kind());
                self.report
                    .error(Code::BadGlob, &text.span, message)
                    .help("`*` stands for any letters within a folder, `**` for any folders, `?` for a letter");
                None
            }
        }
    }

    pub(super) fn globs(&mut self, list: &[Given<At<String>>]) -> Vec<Wildcard> {
        list.iter().filter_map(Given::value).filter_map(|text| self.glob(text)).collect()
    }

    /// Globs over paths of files, which begin at the root of the repository.
    pub(super) fn path_globs(&mut self, list: &[Given<At<String>>]) -> Vec<Wildcard> {
        for text in list.iter().filter_map(Given::value) {
            if let Some(rest) = ["/", "./"].iter().find_map(|root| text.value.strip_prefix(root)) {
                let message = format!("`{}` matches no file: paths begin at the root of the repository", text.value);
                self.report.error(Code::BadGlob, &text.span, message).help(format!("write `{rest}`"));
            }
        }
        self.globs(list)
    }

    pub(super) fn redact(&mut self, list: &List) -> Vec<Wildcard> {
        match list {
            Given::Value(list) => self.globs(list),
            Given::Absent | Given::Wrong => {
                let default = ["*TOKEN*", "*SECRET*", "*PASSWORD*", "*_KEY"];
                default.iter().filter_map(|glob| Wildcard::new(glob).ok()).collect()
            }
        }
    }

    pub(super) fn duration(&mut self, given: &Given<At<String>>) -> Option<Duration> {
        let text = given.value()?;
        let read = duration(&text.value);
        if read.is_none() {
            self.report
                .error(Code::BadDuration, &text.span, format!("`{}` is no time", text.value))
                .help("write hours, minutes and seconds, more than none, such as `2h`, `1h30m`, `30m`, `45s`");
        }
        read
    }

    /// A folder within the repository, without a `/` at its end.
    pub(super) fn folder(&mut self, text: &At<String>) -> Option<String> {
        self.check_inside(text)?;
        let plain = text.value.trim_start_matches("./").trim_end_matches('/');
        Some(if plain.is_empty() { ".".to_owned() } else { plain.to_owned() })
    }

    /// Reports a path, or a template of one, that leads out of the work tree.
    pub(super) fn check_inside(&mut self, text: &At<String>) -> Option<()> {
        let path = text.value.replace('\\', "/");
        let drive = path.as_bytes().get(1) == Some(&b':');
        let up = path.split('/').any(|part| part == "..");
        if !(path.is_empty() || path.starts_with(['/', '~']) || drive || up) {
            return Some(());
        }
        let why = if path.is_empty() { "is empty" } else { "leads out of the repository" };
        self.report
            .error(Code::UnsafeDir, &text.span, format!("`{}` {why}", text.value))
            .help("write a path relative to the root of the repository, without `..`; `.` is the root");
        None
    }

    /// A word that is written where nothing but a plain word can stand: a marker, a commit status, an output, a URL.
    pub(super) fn plain_word(&mut self, key: &str, given: &Given<At<String>>) -> Option<String> {
        let text = given.value()?;
        if !is_plain_name(&text.value) {
            self.report
                .error(Code::BadName, &text.span, format!("`{key}` takes a plain word, and `{}` is none", text.value))
                .help("use letters, digits, `_`, `-` and `.`, a letter or a digit first, 64 at most");
        }
        Some(text.value.clone())
    }

    /// Environment variables; an operating system takes no `=` in their names.
    pub(super) fn environment(&mut self, table: Option<&Named<At<String>>>) -> Table<Template> {
        for (name, _) in table.into_iter().flat_map(Named::values) {
            if name.value.is_empty() || name.value.contains(['=', '\0']) {
                let message = format!("`{}` cannot name an environment variable", name.value);
                self.report.error(Code::BadName, &name.span, message).help("use letters, digits and `_`");
            }
        }
        templates(table)
    }

    /// The name of a capture: a name in templates that is not taken.
    pub(super) fn capture(&mut self, given: &Given<At<String>>) -> Option<String> {
        let name = given.value()?;
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        if !name.value.bytes().all(plain) || !name.value.starts_with(|first: char| first.is_ascii_alphabetic()) {
            self.report
                .error(Code::BadName, &name.span, format!("templates cannot name the capture `{}`", name.value))
                .help("use letters, digits and `_`, a letter first");
        }
        if let Some((_, meaning)) = ROOTS.iter().find(|(root, _)| *root == name.value) {
            self.report
                .error(Code::ReservedName, &name.span, format!("`{}` is {meaning}", name.value))
                .help("give the capture another name");
        }
        Some(name.value.clone())
    }

    /// Keys that mean nothing beside the others of their entry.
    pub(super) fn misplaced(&mut self, key: &str, span: &Span, why: &str) {
        self.report
            .error(Code::MisplacedKey, span, format!("`{key}` means nothing here: {why}"))
            .help(format!("take `{key}` away"));
    }
}

/// `1h30m`, `45s`: numbers with units, the larger first. `None` where it is none, or nothing.
fn duration(text: &str) -> Option<Duration> {
    let units = [('h', 3600), ('m', 60), ('s', 1)];
    let mut seconds: u64 = 0;
    let mut rest = text;
    for (unit, worth) in units {
        let Some((number, after)) = rest.split_once(unit) else { continue };
        if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        seconds = seconds.checked_add(number.parse::<u64>().ok()?.checked_mul(worth)?)?;
        rest = after;
    }
    // A year is longer than any run; what is longer could overflow where it is added to the time of day.
    let sensible = rest.is_empty() && (1..=365 * 86_400).contains(&seconds);
    sensible.then(|| Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::duration;

    #[test]
    fn durations_are_hours_minutes_and_seconds() {
        assert_eq!(duration("1h30m"), Some(Duration::from_secs(5400)));
        assert_eq!(duration("45s"), Some(Duration::from_secs(45)));
        for wrong in ["", "0s", "30", "m", "30m1h", "1.5h", "-1h", "1h ", "99999999999999999999h", "30mm"] {
            assert_eq!(duration(wrong), None, "{wrong}");
        }
    }
}
