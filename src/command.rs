//! Comment text to invocations. A comment is read as CommonMark, and only a whole line of plain paragraph text can be
//! a command: prose, code, quotes, links and HTML never are. It knows the commands of ci.toml, not what they do.

mod args;
mod line;
mod text;

use indexmap::IndexMap;

use crate::model::rules::{Command, Rules};

pub(crate) use args::Layers;

/// A line that is a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Invocation {
    /// The command's key.
    pub(crate) command: String,
    /// The line as it was written, trimmed.
    pub(crate) line: String,
    /// Every named group of the pattern; absent ones hold their default, else nothing.
    pub(crate) args: IndexMap<String, String>,
    /// What its argument of type `layers` or `layer` asks for, where it has one.
    pub(crate) layers: Option<Layers>,
}

/// A line that was meant as a command and is none.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub(crate) struct Misfit {
    pub(crate) line: String,
    /// The key of the command that was probably meant.
    pub(crate) command: String,
    /// What is wrong, naming the word.
    pub(crate) problem: String,
    /// What to type instead.
    pub(crate) remedy: String,
    /// Stable: `usage`, `unknown-command`, `unknown-layer`, `argument`.
    pub(crate) code: &'static str,
}

/// What was made of a line.
pub(crate) type Reading = Result<Invocation, Misfit>;

/// The most characters that a line may have to be read.
const LINE: usize = 1_000;

/// The lines of a comment that can be commands by how they are written.
pub(crate) fn lines(body: &str) -> Vec<String> {
    text::plain_lines(body)
}

/// Those of an edited comment that it did not hold before.
pub(crate) fn new_lines(before: &str, body: &str) -> Vec<String> {
    let mut old = text::plain_lines(before);
    let mut new = text::plain_lines(body);
    new.retain(|line| match old.iter().position(|known| known == line) {
        Some(at) => {
            old.swap_remove(at);
            false
        }
        None => true,
    });
    new
}

/// Reads every line that is a command, or was meant as one, in order.
pub(crate) fn read(rules: &Rules, lines: &[String]) -> Vec<Reading> {
    lines.iter().filter_map(|line| read_line(rules, line)).collect()
}

/// Whether a line looks like a command to whoever knows no ci.toml: a word with a `/` before it begins it.
pub(crate) fn looks_like_one(line: &str) -> bool {
    line.strip_prefix('/').is_some_and(|word| word.starts_with(char::is_alphabetic))
}

/// Reads one line. `None` where it is nothing of ours.
pub(crate) fn read_line(rules: &Rules, line: &str) -> Option<Reading> {
    let line = line.trim();
    if line.is_empty() || line.chars().count() > LINE {
        return None;
    }
    let mut misfit = None;
    for command in rules.commands.values() {
        if let Some(groups) = command.pattern.captures(line) {
            match args::typed(rules, command, line, &groups) {
                Ok(invocation) => return Some(Ok(invocation)),
                // Another command's pattern may still take the line.
                Err(problem) => misfit = misfit.or(Some(problem)),
            }
        }
    }
    misfit.or_else(|| almost(rules, line)).map(Err)
}

/// A line whose first word is a command's, or nearly.
fn almost(rules: &Rules, line: &str) -> Option<Misfit> {
    let word = line.split_whitespace().next()?;
    let told = |command: &Command, code, problem: String| Misfit {
        line: line.to_owned(),
        command: command.key.value.clone(),
        problem,
        remedy: format!("write `{}`", command.usage),
        code,
    };
    let exact = rules.commands.values().find(|command| first_word(command) == word);
    if let Some(command) = exact {
        let rest = line[word.len()..].trim();
        let problem = if rest.is_empty() {
            format!("`{word}` needs more words")
        } else {
            format!("`{rest}` does not fit after `{word}`")
        };
        return Some(told(command, "usage", problem));
    }
    let near = rules.commands.values().filter(|command| is_near(word, first_word(command)));
    let nearest = near.min_by_key(|command| strsim::osa_distance(word, first_word(command)))?;
    Some(told(nearest, "unknown-command", format!("there is no command `{word}`")))
}

fn first_word(command: &Command) -> &str {
    command.usage.split_whitespace().next().unwrap_or_default()
}

/// One letter off, two from six letters on. Only words that begin with the same sign (such as `/`) are compared, so
/// that prose is never taken for a slip.
fn is_near(word: &str, known: &str) -> bool {
    let sign = |text: &str| text.chars().take_while(|c| !c.is_alphanumeric()).collect::<String>();
    let mark = sign(known);
    if mark.is_empty() || sign(word) != mark {
        return false;
    }
    let letters = known.chars().count() - mark.chars().count();
    let most = if letters >= 6 { 2 } else { 1 };
    strsim::osa_distance(word, known) <= most
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::{ProptestConfig, any, proptest};

    use super::{Layers, Reading, lines, looks_like_one, new_lines};
    use crate::config::{DEFAULT, load};
    use crate::model::rules::Rules;
    use crate::model::span::Source;

    fn rules() -> Rules {
        load(Source::new("ci.toml", DEFAULT), &BTreeMap::new()).rules.unwrap()
    }

    fn read(rules: &Rules, body: &str) -> Vec<Reading> {
        super::read(rules, &lines(body))
    }

    fn commands(body: &str) -> Vec<String> {
        let read = read(&rules(), body);
        read.into_iter().map(|reading| reading.map_or_else(|misfit| misfit.code.to_owned(), |is| is.command)).collect()
    }

    #[test]
    fn lines_are_commands_and_prose_is_not() {
        assert_eq!(commands("/plan\n\n/apply platform"), ["plan", "apply"]);
        assert!(commands("please do not /bootstrap until we apply the fix").is_empty());
        assert!(commands("I would not /apply this").is_empty());
        assert!(commands("/retest").is_empty());
        assert_eq!(commands("/plna"), ["unknown-command"]);
        assert_eq!(commands("/bootstrap destroy"), ["usage"]);
        assert_eq!(commands("/plan platfrom"), ["unknown-layer"]);
    }

    #[test]
    fn what_needs_more_words_says_which() {
        let text = "version = 1\n[commands.e2e]\npattern = '/e2e (?<scope>\\w+)'\nargs.scope = {}\n";
        let rules = load(Source::new("ci.toml", text), &BTreeMap::new()).rules.unwrap();
        let Some(Err(misfit)) = super::read_line(&rules, "/e2e") else { panic!("it is a slip") };
        assert_eq!((&*misfit.problem, &*misfit.remedy), ("`/e2e` needs more words", "write `/e2e <scope>`"));
    }

    #[test]
    fn a_slash_before_a_word_looks_like_a_command() {
        for (line, looks) in [("/plan", true), ("/lgtm now", true), ("/", false), ("/ plan", false), ("// x", false)] {
            assert_eq!(looks_like_one(line), looks, "{line}");
        }
        assert!(!looks_like_one("I would not /plan this") && !looks_like_one("/1"));
    }

    #[test]
    fn an_unknown_layer_runs_nothing_whatever_stands_beside_it() {
        assert_eq!(commands("/apply all platfrom"), ["unknown-layer"]);
        assert_eq!(commands("/apply all platform@abcdef1"), ["argument"]);
        assert_eq!(commands("/apply platform planned"), ["argument"]);
        let read = read(&rules(), "/apply platform, platform@abcdef1 platform");
        let Some(Layers::Named(named)) = &read[0].as_ref().unwrap().layers else { panic!("{read:?}") };
        assert_eq!(named.len(), 2, "the commit that is named is not forgotten: {named:?}");
    }

    #[test]
    fn a_word_is_no_option() {
        let config = "version = 1\n[commands.x]\npattern = '/x (?<word>.+)'\nargs.word = {}\n";
        let rules = load(Source::new("ci.toml", config), &BTreeMap::new()).rules.unwrap();
        for (body, fits) in [("/x a-b", true), ("/x -destroy", false), ("/x a;b", false)] {
            assert_eq!(read(&rules, body)[0].is_ok(), fits, "{body}");
        }
    }

    #[test]
    fn an_edit_runs_only_what_is_new() {
        let new = super::read(&rules(), &new_lines("/plan", "/plan\n/apply planned"));
        assert_eq!(new.len(), 1);
        assert_eq!(new[0].as_ref().unwrap().layers, Some(Layers::Planned));
    }

    #[test]
    fn no_comment_panics() {
        let rules = rules();
        proptest!(ProptestConfig::with_cases(300), |(body in any::<String>(), markup in "[/a-z `>*_\\[\\]()<!#|\\n\\\\&;-]{0,80}")| {
            read(&rules, &body);
            read(&rules, &markup);
            super::read(&rules, &new_lines(&body, &markup));
        });
    }
}
