//! The text of a ci.toml to the rules that it means, or to everything that is wrong with it at once. Nothing here reads a
//! file or asks a forge: who calls brings the texts.

mod check;
mod read;
mod report;
mod resolve;
mod schema;
mod shape;

use std::collections::BTreeMap;

use crate::diagnostic::Diagnostic;
use crate::model::rules::Rules;
use crate::model::span::Source;
pub(crate) use check::folders::missing_folders;
pub(crate) use read::Outline;
use report::Report;
pub(crate) use schema::{reference, schema};

/// The pipeline that `ci new` writes.
pub(crate) const DEFAULT: &str = include_str!("../../ci.toml");

/// What became of a ci.toml.
#[derive(Debug)]
pub(crate) struct Loaded {
    /// There where nothing is wrong but warnings.
    pub(crate) rules: Option<Rules>,
    /// Everything that is wrong, in the order of the file.
    pub(crate) diagnostics: Vec<Diagnostic>,
}

/// The folder of templates that a ci.toml names, as it stands there; `None` where it names none. Who calls [`load`] reads
/// it first, for a file whose templates are elsewhere is wrong without them.
pub(crate) fn templates_folder(source: &Source) -> Option<String> {
    read::text_at_top(&source.text, "templates")
}

/// What a ci.toml is about, as far as that can be told, however much is wrong with it.
pub(crate) fn outline(source: &Source) -> Outline {
    read::outline(&source.text)
}

/// What is odd about an event by its name and its type: problems, each with what to write.
pub(crate) fn event_problems(event: &str, action: Option<&str>) -> Vec<(String, String)> {
    let of_type = || check::events::unknown_type(&[event], action?);
    check::events::unknown(event).or_else(of_type).into_iter().collect()
}

/// Reads and checks a ci.toml. `templates` are the files of its templates folder by name, such as `help.md.j2`.
pub(crate) fn load(source: Source, templates: &BTreeMap<String, Source>) -> Loaded {
    let mut report = Report::new(source);
    let file = read::document::<shape::File>(&mut report, check::secret::values);
    let mut unused = Vec::new();
    let rules = file.map(|file| {
        let resolved = resolve::file(&file, &mut report);
        check::all(&resolved, templates, &mut report);
        unused = check::unused_templates(&resolved, templates);
        resolved.rules
    });
    let rules = rules.filter(|_| !report.has_errors());
    let mut diagnostics = report.into_diagnostics();
    diagnostics.append(&mut unused);
    Loaded { rules, diagnostics }
}

#[cfg(test)]
mod tests;
