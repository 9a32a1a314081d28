//! The answers that handlers name. What stands in the files of the templates folder is the renderer's business.

use std::collections::BTreeMap;

use crate::config::report::{Report, hint};
use crate::config::resolve::{Of, Resolved};
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::model::nearest::nearest;
use crate::model::rules::{Kind, Rules};
use crate::model::span::Source;
use crate::render::builtin_names;

/// What the names of all templates end with.
const ENDING: &str = ".md.j2";

/// A `reply` names a template that is there.
pub(super) fn replies(rules: &Rules, templates: &BTreeMap<String, Source>, report: &mut Report) {
    for handler in rules.handlers.values() {
        let Kind::Reply(name) = &handler.kind else { continue };
        let file = format!("{}{ENDING}", name.value);
        if !templates.contains_key(&file) && !builtin_names().any(|known| known == file) {
            let own = templates.keys().filter_map(|file| file.strip_suffix(ENDING));
            let mut known: Vec<&str> = own.collect();
            known.extend(builtin_names().filter_map(|file| file.strip_suffix(ENDING)));
            let help = hint(&name.value, "templates", known);
            report
                .error(Code::UnknownTemplate, &name.span, format!("there is no template `{file}`"))
                .help(format!("{help}; or add the file to the templates folder"));
        }
    }
}

/// Warns of files that nothing draws, named almost as a built-in template: they are meant to stand in its place. Others may
/// be there for what is to come.
pub(in crate::config) fn unused(resolved: &Resolved, templates: &BTreeMap<String, Source>) -> Vec<Diagnostic> {
    let Resolved { rules, names, .. } = resolved;
    if !names.are_whole(Of::Handler) {
        return Vec::new();
    }
    let reply = |stem: &str| {
        rules.handlers.values().any(|handler| matches!(&handler.kind, Kind::Reply(name) if name.value == stem))
    };
    let warning = |(file, source): (&String, &Source)| {
        let stem = file.strip_suffix(ENDING)?;
        let named = || templates.values().any(|other| other.text.contains(file.as_str()));
        if builtin_names().any(|known| known == file) || reply(stem) || named() {
            return None;
        }
        let open = builtin_names().filter(|known| !templates.contains_key(*known));
        let meant = nearest(stem, open.filter_map(|known| known.strip_suffix(ENDING)))?;
        let head = 0..source.text.lines().next().unwrap_or_default().len();
        let message = format!("nothing draws `{file}`");
        let warning = Diagnostic::new(Severity::Warning, Code::UnusedTemplate, source, head, message);
        Some(warning.help(format!("did you mean `{meant}{ENDING}`?")))
    };
    templates.iter().filter_map(warning).collect()
}
