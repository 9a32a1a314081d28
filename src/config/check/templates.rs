//! The files of the templates folder, and the answers that handlers name. What a template of the dashboard may use is
//! the renderer's business.

use std::collections::BTreeMap;

use super::syntax;
use crate::config::code::Code;
use crate::config::report::{Report, hint};
use crate::model::rules::{Kind, Rules};
use crate::model::span::Source;

/// What the names of all templates end with.
const ENDING: &str = ".md.j2";

/// Answers that are there without a templates folder.
const BUILT_IN: [&str; 1] = ["help"];

pub(super) fn all(rules: &Rules, templates: &BTreeMap<String, Source>, report: &mut Report) {
    for source in templates.values() {
        if let Err(wrong) = syntax::template(&source.text) {
            let place = wrong.place.unwrap_or(0..0);
            report
                .error_in(source, Code::TemplateSyntax, &place, wrong.reason)
                .help("see <https://docs.rs/minijinja/latest/minijinja/syntax>");
        }
    }
    for handler in rules.handlers.values() {
        let Kind::Reply(name) = &handler.kind else { continue };
        let file = format!("{}{ENDING}", name.value);
        if !templates.contains_key(&file) && !BUILT_IN.contains(&&*name.value) {
            let known = templates.keys().filter_map(|file| file.strip_suffix(ENDING)).chain(BUILT_IN);
            let help = hint(&name.value, "templates", known.collect::<Vec<_>>());
            report
                .error(Code::UnknownTemplate, &name.span, format!("there is no template `{file}`"))
                .help(format!("{help}; or add the file to the templates folder"));
        }
    }
}
