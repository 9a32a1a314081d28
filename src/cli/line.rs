//! Calls of `ci` as they are typed in a shell, for people to repeat.

use super::board::Dashboard;
use super::update;
use crate::model::board::{Entry, Status};
use crate::model::ids::{PullNumber, RunId};

/// The `ci update` that reports what an entry says.
pub(super) fn report(dashboard: &Dashboard<'_>, pull: PullNumber, entry: &Entry) -> String {
    // The word of what was dropped is that of work with nothing to do, too.
    let status = if entry.status == Status::Dropped { "cancelled" } else { entry.status.word() };
    // Where each layer has a row, the row names it.
    let layer = entry.layer.as_deref().filter(|_| dashboard.is_for_all_layers(&entry.row));
    let page = Some(entry.url.as_str()).filter(|page| !page.is_empty());
    let note = Some(entry.note.as_str()).filter(|note| !note.is_empty());
    let link = entry.link.as_deref().filter(|link| update::is_address(link));
    // Typed late, it must not take the row from newer work.
    let (pull, sha, run) = (pull.to_string(), &dashboard.sha, run(entry.run));
    let options = [
        ("--pr", Some(pull.as_str())),
        ("--sha", Some(sha.as_str())),
        ("--stage", Some(&*entry.row)),
        ("--layer", layer),
        ("--status", Some(status)),
        ("--link", link.or(page)),
        ("--run", run.as_deref()),
        ("--note", note),
    ];
    let options = options.iter().filter_map(|(name, value)| Some([*name, (*value)?]));
    typed(["ci", "update"].into_iter().chain(options.flatten()))
}

/// A run as `--run` takes it.
pub(super) fn run(run: Option<RunId>) -> Option<String> {
    run.map(|run| format!("{}/{}", run.id, run.attempt))
}

/// This call once more, with these options where it does not name them.
pub(super) fn again(options: &[(&str, Option<String>)]) -> String {
    let own: Vec<String> = std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned()).collect();
    let names = |name: &str| own.iter().any(|word| word.split('=').next() == Some(name));
    let lacking = options.iter().filter(|(name, _)| !names(name));
    let lacking = lacking.filter_map(|(name, value)| Some([*name, value.as_deref()?]));
    typed(["ci"].into_iter().chain(own.iter().map(String::as_str)).chain(lacking.flatten()))
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
    use super::typed;

    #[test]
    fn words_are_taken_by_a_shell_as_they_are() {
        let words = ["ci", "--note", "it's `x` $HOME", "", "https://h/i#j", "a&b"];
        assert_eq!(typed(words.into_iter()), r"ci --note 'it'\''s `x` $HOME' '' https://h/i#j 'a&b'");
    }
}
