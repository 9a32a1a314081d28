//! Values that look like secrets: whoever can read the repository can read them.

use std::sync::LazyLock;

use regex::RegexSet;
use toml::de::{DeTable, DeValue};

use crate::config::report::Report;
use crate::diagnostic::Code;
use crate::model::rules::{Handler, Kind, Rules, Table, Template};
use crate::model::span::Span;

/// How well-known secrets look, and whose they are.
const KNOWN: [(&str, &str); 10] = [
    (r"\b(?:ghp|gho|ghu|ghs|ghr)_[A-Za-z0-9]{30,}", "a GitHub token"),
    (r"\bgithub_pat_[A-Za-z0-9_]{30,}", "a GitHub token"),
    (r"\bglpat-[A-Za-z0-9_-]{20,}", "a GitLab token"),
    (r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b", "an AWS access key"),
    (r"\bAIza[0-9A-Za-z_-]{35}", "a Google API key"),
    (r"\bxox[abprs]-[0-9A-Za-z-]{10,}", "a Slack token"),
    (r"\bsk_live_[0-9A-Za-z]{16,}", "a Stripe key"),
    (r"\bhvs\.[A-Za-z0-9_-]{20,}", "a Vault token"),
    (r"-----BEGIN [A-Z ]*PRIVATE KEY-----", "a private key"),
    (r"\b[a-z][a-z0-9+.-]*://[^/\s:@{}]+:[^/\s:@{}]{6,}@", "a URL with a password"),
];

/// Compiled once; `None` only if one of the patterns above were wrong, which a test would show.
static LOOKS: LazyLock<Option<RegexSet>> = LazyLock::new(|| RegexSet::new(KNOWN.map(|(pattern, _)| pattern)).ok());

/// Looks at every text of the file.
pub(in crate::config) fn values(document: &DeTable<'_>, report: &mut Report) {
    document.values().for_each(|value| look(value.get_ref(), &value.span(), report));
}

fn look(value: &DeValue<'_>, span: &Span, report: &mut Report) {
    match value {
        DeValue::String(text) => {
            let found = LOOKS.as_ref().and_then(|looks| looks.matches(text).iter().next());
            if let Some((_, whose)) = found.and_then(|index| KNOWN.get(index)) {
                tell(span, &format!("this looks like {whose}"), report);
            }
        }
        DeValue::Array(array) => array.iter().for_each(|value| look(value.get_ref(), &value.span(), report)),
        DeValue::Table(table) => table.values().for_each(|value| look(value.get_ref(), &value.span(), report)),
        DeValue::Integer(_) | DeValue::Float(_) | DeValue::Boolean(_) | DeValue::Datetime(_) => {}
    }
}

/// Looks at environment variables whose names say that they hold secrets.
pub(super) fn environment(rules: &Rules, report: &mut Report) {
    for Handler { env, kind, .. } in rules.handlers.values() {
        variables(env, rules, report);
        if let Kind::Steps(steps) = kind {
            steps.iter().for_each(|step| variables(&step.env, rules, report));
        }
    }
}

fn variables(env: &Table<Template>, rules: &Rules, report: &mut Report) {
    for (name, value) in env {
        let literal = !value.source.trim().is_empty() && !value.source.contains("{{");
        let secret = rules.redact.iter().find(|glob| glob.matches(name));
        let known = LOOKS.as_ref().is_some_and(|looks| looks.is_match(&value.source));
        if let (Some(glob), true, false) = (secret, literal, known) {
            let message =
                format!("`{name}` holds a secret, by its name (`{}`), and its value stands here", glob.as_str());
            tell(&value.span, &message, report);
        }
    }
}

fn tell(span: &Span, message: &str, report: &mut Report) {
    let help = "keep it in the environment of the job, name it in `require-env`, and revoke what was committed";
    report.error(Code::Secret, span, message).help(help);
}
