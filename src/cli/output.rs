//! `GITHUB_OUTPUT` and `GITHUB_STEP_SUMMARY`: names and values in the form that nothing in a value can break out of. See
//! <https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands#setting-an-output-parameter>.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

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
