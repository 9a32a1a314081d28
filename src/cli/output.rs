//! `GITHUB_OUTPUT` and `GITHUB_STEP_SUMMARY`: names and values in the form that nothing in a value can break out of. See
//! <https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands#setting-an-output-parameter>.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

use serde_json::Value;

use super::environment;
use super::stop::Stop;

/// 32 hexadecimal digits that nobody can guess.
pub(super) fn random() -> String {
    let mut bytes = [0_u8; 16];
    if getrandom::fill(&mut bytes).is_err() {
        // Without a source of randomness the time and the process still tell entries apart.
        let now = jiff::Timestamp::now().as_nanosecond().to_le_bytes();
        bytes.copy_from_slice(&now);
        bytes[12..].copy_from_slice(&std::process::id().to_le_bytes());
    }
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _infallible = write!(text, "{byte:02x}");
        text
    })
}

/// Writes outputs to `GITHUB_OUTPUT`, where it is set. Control characters are refused: no value of ours has any.
pub(super) fn write(outputs: &[(&str, String)]) -> Result<(), Stop> {
    let Some(path) = environment::variable("GITHUB_OUTPUT") else { return Ok(()) };
    let mut text = String::new();
    for (name, value) in outputs {
        if let Some(control) = value.chars().find(|c| c.is_control()) {
            return Err(Stop::failed(format!("the output `{name}` holds the control character {control:?}")));
        }
        let delimiter = format!("ci_{}", random());
        let _infallible = write!(text, "{name}<<{delimiter}\n{value}\n{delimiter}\n");
    }
    append(Path::new(&path), &text)
}

/// JSON in one line, as it may stand in an output or be printed: see [`harmless`].
pub(super) fn json(value: &Value) -> String {
    harmless(&value.to_string())
}

/// The same JSON without control characters (but line feeds between values), and without `##[`, which the runner takes
/// for the begin of a command wherever it stands in a line.
pub(super) fn harmless(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for c in json.chars() {
        if c.is_control() && c != '\n' {
            let _infallible = write!(text, "\\u{:04x}", u32::from(c));
        } else if c == '[' && text.ends_with("##") {
            text.push_str("\\u005b");
        } else {
            text.push(c);
        }
    }
    text
}

/// Appends to the job summary, where there is one.
pub(super) fn summary(markdown: &str) -> Result<(), Stop> {
    match environment::variable("GITHUB_STEP_SUMMARY") {
        Some(path) => append(Path::new(&path), &format!("{markdown}\n")),
        None => Ok(()),
    }
}

fn append(path: &Path, text: &str) -> Result<(), Stop> {
    let file = std::fs::OpenOptions::new().create(true).append(true).open(path);
    file.and_then(|mut file| file.write_all(text.as_bytes()))
        .map_err(|error| Stop::failed(format!("cannot write `{}`: {error}", path.display())))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::harmless;

    #[test]
    fn what_is_harmless_is_the_same_json() {
        let value = json!({ "line": "/plan \u{7f}\u{85}\u{1b} ##[set-output name=x]y # #[ ##", "list": ["##", []] });
        for text in [value.to_string(), format!("{value:#}")] {
            let shown = harmless(&text);
            assert!(!shown.contains("##[") && !shown.chars().any(|c| c.is_control() && c != '\n'), "{shown}");
            assert_eq!(serde_json::from_str::<Value>(&shown).unwrap(), value);
        }
    }
}
