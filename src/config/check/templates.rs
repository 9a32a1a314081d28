//! The answers that handlers name. What stands in the files of the templates folder is the renderer's business.

use std::collections::BTreeMap;

use crate::config::report::{Report, hint};
use crate::diagnostic::Code;
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
