//! The token and the way to GitHub: is it there, whose token is it, what may it do, do the clocks agree.

use jiff::SignedDuration;

use super::Finding;
use crate::forge::github::{GitHub, Probe, Rate};
use crate::forge::{self, Error, Forge as _};
use crate::model::ids::PullNumber;
use crate::model::rules::{Kind, Rules};

/// A clock that is this much off makes times of rows wrong, and approvals older than the plan that they approve.
const SKEW: SignedDuration = SignedDuration::from_secs(30);
/// What one command with a few layers may cost, generously.
const FEW: i64 = 100;

/// Whether GitHub can be reached with this token, and what it says about itself.
pub(super) fn connection(github: &GitHub) -> Vec<Finding> {
    let (rate, account) = forge::both(|| github.reach(), || github.account());
    let rate = match rate {
        Ok(rate) => rate,
        Err(error) => return vec![out_of_reach(github, &error)],
    };
    let mut findings = vec![Finding::good("api", format!("{} answers", reached(github)))];
    findings.push(match account {
        Ok(login) => Finding::good("token", format!("{}, which writes as `{login}`", github.token_kind())),
        Err(error) => Finding::problem(
            "token",
            format!("{}, whose account cannot be told: {error}", github.token_kind()),
            "check that `GITHUB_GRAPHQL_URL` is right, and that the token may use GraphQL",
        ),
    });
    findings.extend(rate.map(left));
    findings.extend(github.clock_ahead().map(clock));
    findings
}

fn out_of_reach(github: &GitHub, error: &Error) -> Finding {
    let remedy = match error {
        Error::Denied(_) => "set GITHUB_TOKEN to a token that is valid and may read pull requests",
        Error::NotFound(_) => "check the name of the repository, and that the token may see it",
        Error::Limited { .. } => "wait until then, or use another token",
        Error::Transport(_) => {
            "check `GITHUB_API_URL`, the proxy (`HTTPS_PROXY`), and for a private authority `SSL_CERT_FILE`"
        }
        Error::Here(_) => "mend that on this machine",
        Error::Server(_) | Error::Conflict(_) | Error::Invalid(_) => {
            "check `GITHUB_API_URL`, and https://www.githubstatus.com"
        }
    };
    let message = format!("{}, with {}: {error}", reached(github), github.token_kind());
    Finding { outage: error.is_outage(), ..Finding::problem("api", message, remedy) }
}

/// What is asked: the API may stand elsewhere than the pages.
fn reached(github: &GitHub) -> String {
    format!("`{}` at `{}`", github.repository(), github.api_address())
}

fn left(rate: Rate) -> Finding {
    let Rate { left, limit, reset } = rate;
    let until = reset.map_or_else(String::new, |reset| format!(" until {reset}"));
    let message = format!("{left} of {limit} requests are left{until}");
    if left < FEW {
        Finding::warning("rate", message, "find out what else uses this token, or give ci one of its own")
    } else {
        Finding::good("rate", message)
    }
}

fn clock(ahead: SignedDuration) -> Finding {
    if ahead.abs() <= SKEW {
        return Finding::good("clock", "it agrees with GitHub's");
    }
    let (seconds, side) = (ahead.abs().as_secs(), if ahead.is_negative() { "ahead of" } else { "behind" });
    Finding::warning("clock", format!("this machine is {seconds} s {side} GitHub"), "let NTP set its clock")
}

/// What the rules ask of the token, each tried.
pub(super) fn permissions(github: &GitHub, rules: &Rules, pull: Option<PullNumber>) -> Vec<Finding> {
    let probes = needed(rules, pull);
    let tried = forge::side_by_side(&probes, |probe| github.try_out(probe));
    let finding = |(probe, tried): (&Probe, forge::Result<()>)| match tried {
        Ok(()) => Finding::good("permissions", format!("`{}`", probe.needs())),
        Err(Error::Denied(said)) => Finding::problem(
            "permissions",
            format!("the token may not {}: {said}", probe.purpose()),
            format!("add `{}` to `permissions` of the job, or to the token", probe.needs()),
        ),
        Err(error) => Finding::problem(
            "permissions",
            format!("whether the token may {} cannot be told: {error}", probe.purpose()),
            "try again later",
        ),
    };
    probes.iter().zip(tried).map(finding).collect()
}

fn needed(rules: &Rules, pull: Option<PullNumber>) -> Vec<Probe> {
    let handlers = || rules.handlers.values();
    let mut probes = vec![Probe::Statuses, Probe::Runs];
    probes.extend(pull.map(Probe::Comments));
    if handlers().any(|handler| handler.lock) {
        probes.push(Probe::References);
    }
    if handlers().any(|handler| handler.issue.is_some()) {
        probes.push(Probe::Issues);
    }
    if rules.gates.values().any(|gate| gate.checks.is_some()) {
        probes.push(Probe::Checks);
    }
    for handler in handlers() {
        if let Kind::Dispatch { workflow, .. } = &handler.kind {
            probes.push(Probe::Dispatch(workflow.clone()));
        }
    }
    probes.dedup();
    probes
}
