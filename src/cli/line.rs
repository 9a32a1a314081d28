//! Calls of `ci` as they are typed in a shell, for people to repeat.

use super::board::Dashboard;
use super::update;
use crate::model::board::{Entry, Status};
use crate::model::ids::{PullNumber, RunId};
use crate::model::journal::one_line;

/// The `ci update` that reports what an entry says.
pub(super) fn report(dashboard: &Dashboard<'_>, pull: PullNumber, entry: &Entry) -> String {
    // The word of what was dropped is that of work with nothing to do, too.
    let status = if entry.status == Status::Dropped { "cancelled" } else { entry.status.word() };
    // Where each layer has a row, the row names it.
    let layer = entry.layer.as_deref().filter(|_| dashboard.is_for_all_layers(&entry.row));
    let page = Some(entry.url.as_str()).filter(|page| !page.is_empty());
    let note = Some(one_line(&entry.note)).filter(|note| !note.is_empty());
    let link = entry.link.as_deref().filter(|link| update::is_address(link));
    // Typed late, it must not take the row from newer work.
    let (pull, sha, run) = (pull.to_string(), &dashboard.sha, run(entry.run));
    let options = [
        ("--pr", Some(pull.as_str())),
        ("--sha", Some(sha.as_str())),
        ("--stage", Some(&*entry.row)),
        ("--layer", layer),
        ("--status", Some(status)),
        ("--changes", entry.changes.map(|changes| if changes { "true" } else { "false" })),
        ("--link", link.or(page)),
        ("--run", run.as_deref()),
        ("--note", note.as_deref()),
    ];
    let options = options.iter().filter_map(|(name, value)| Some([*name, (*value)?]));
    typed(["ci", "update"].into_iter().chain(options.flatten()))
}

/// A run as `--run` takes it.
pub(super) fn run(run: Option<RunId>) -> Option<String> {
    run.map(|run| format!("{}/{}", run.id, run.attempt))
}

/// This call once more, with these options in the place of its own.
pub(super) fn again(options: &[(&str, Option<String>)]) -> String {
    let own: Vec<String> = std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned()).collect();
    typed(["ci"].into_iter().chain(with(&own, options)))
}

fn with<'a>(words: &'a [String], options: &'a [(&'a str, Option<String>)]) -> impl Iterator<Item = &'a str> {
    let mut words = words.iter().map(String::as_str);
    let kept = std::iter::from_fn(move || {
        loop {
            let word = words.next()?;
            match options.iter().find(|(name, value)| value.is_some() && word.split('=').next() == Some(name)) {
                Some((name, _)) if word == *name => drop(words.next()),
                Some(_) => {}
                None => return Some(word),
            }
        }
    });
    kept.chain(options.iter().filter_map(|(name, value)| Some([*name, value.as_deref()?])).flatten())
}

/// Words as a shell takes them.
fn typed<'a>(words: impl Iterator<Item = &'a str>) -> String {
    words.map(quoted).collect::<Vec<_>>().join(" ")
}

fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@%+=,#".contains(c);
    if !word.is_empty() && !word.starts_with('#') && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::{typed, with};

    #[test]
    fn words_are_taken_by_a_shell_as_they_are() {
        let words = ["ci", "--note", "it's `x` $HOME", "", "https://h/i#j", "a&b"];
        assert_eq!(typed(words.into_iter()), r"ci --note 'it'\''s `x` $HOME' '' https://h/i#j 'a&b'");
    }

    #[test]
    fn options_take_the_place_of_those_that_were_typed() {
        let own = ["update", "--run", "7", "--pr=1", "--link=a"].map(str::to_owned);
        let options = [("--run", Some("7/2".to_owned())), ("--sha", None), ("--link", Some("b".to_owned()))];
        let line: Vec<&str> = with(&own, &options).collect();
        assert_eq!(line, ["update", "--pr=1", "--run", "7/2", "--link", "b"]);
    }
}
