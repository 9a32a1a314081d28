//! What a rule says, where it is the same every time.

use super::names::is_template;
use crate::command;
use crate::config::report::{Report, listed};
use crate::config::resolve::{Of, Resolved};
use crate::diagnostic::Code;
use crate::model::rules::{Action, Rules, Template};

/// A line that is said is a command.
pub(super) fn commands(resolved: &Resolved, report: &mut Report) {
    let Resolved { rules, names, .. } = resolved;
    if ![Of::Command, Of::Layer].into_iter().all(|of| names.are_whole(of)) {
        return;
    }
    for rule in &rules.rules {
        if let Action::Say(line) = &rule.action
            && !is_template(&line.source)
        {
            line_is_a_command(line, rules, report);
        }
    }
}

fn line_is_a_command(line: &Template, rules: &Rules, report: &mut Report) {
    let said = line.source.trim();
    match command::read_line(rules, said) {
        Some(Ok(_)) => {}
        Some(Err(misfit)) => {
            let code = match misfit.code {
                "unknown-layer" => Code::UnknownLayer,
                "unknown-command" => Code::UnknownCommand,
                _ => Code::BadSay,
            };
            report.error(code, &line.span, misfit.problem).help(misfit.remedy);
        }
        None => {
            let meant = format!("/{said}");
            let help = match command::read_line(rules, &meant) {
                Some(Ok(_)) => format!("write `{meant}`"),
                Some(Err(_)) | None => listed("commands", rules.commands.values().map(|command| &*command.usage)),
            };
            report.error(Code::BadSay, &line.span, format!("`{said}` is no command")).help(help);
        }
    }
}
