//! Whether the usage of a command is named, where there is something to fill in.

use super::{by_rules, rules};
use crate::model::board::Status;

/// What stands in a usage for people to replace is no argument, though the pattern would take it for one.
#[test]
fn a_usage_is_named_though_it_could_be_read_as_a_command() {
    let rules = |pattern: &str| {
        rules(&format!(
            "version = 1\n[stages.staging]\n[stages.prod]\nafter = ['staging']\n\
             [commands.deploy]\npattern = '/deploy\\s+(?<env>{pattern})'\nusage = '/deploy ENV'\nargs.env = {{}}\n\
             [[rules]]\ncommand = 'deploy'\nif = \"args.env == 'staging'\"\ngate = 'anyone'\nrun = 'deploy-staging'\n\
             [[rules]]\ncommand = 'deploy'\nif = \"args.env == 'prod'\"\ngate = 'anyone'\nrun = 'deploy-prod'\n\
             [handlers.deploy-staging]\nstage = 'staging'\nsteps = [{{ run = ['true'] }}]\n\
             [handlers.deploy-prod]\nstage = 'prod'\nsteps = [{{ run = ['true'] }}]\n"
        ))
    };
    let said = ["staging|prod", "\\S+"].map(|pattern| by_rules(&rules(pattern), &[]));
    assert_eq!(said, ["Next: staging; type /deploy ENV", "Next: staging; type /deploy ENV"]);
}

/// The same where the last rule takes whatever is written: what is to be replaced is no argument for that either.
#[test]
fn a_usage_is_named_though_the_last_rule_takes_whatever_is_written() {
    let rules = |pattern: &str| {
        rules(&format!(
            "version = 1\n[stages.staging]\n[stages.prod]\nafter = ['staging']\n\
             [commands.deploy]\npattern = '/deploy\\s+(?<env>{pattern})'\nusage = '/deploy ENV'\nargs.env = {{}}\n\
             [[rules]]\ncommand = 'deploy'\nif = \"args.env == 'prod'\"\ngate = 'anyone'\nrun = 'deploy-prod'\n\
             [[rules]]\ncommand = 'deploy'\ngate = 'anyone'\nrun = 'deploy-staging'\n\
             [handlers.deploy-staging]\nstage = 'staging'\nsteps = [{{ run = ['true'] }}]\n\
             [handlers.deploy-prod]\nstage = 'prod'\nsteps = [{{ run = ['true'] }}]\n"
        ))
    };
    let staged = [("staging", None, Status::Success, "")];
    let said = ["staging|prod", "\\S+"].map(|pattern| by_rules(&rules(pattern), &staged));
    assert_eq!(said, ["Next: prod; type /deploy ENV", "Next: prod; type /deploy ENV"]);
}

/// What stands in it as it is to be typed is for what takes it, and for nothing else.
#[test]
fn a_usage_is_not_named_that_is_a_line_for_other_work() {
    let rules = rules(
        "version = 1\n[stages.staging]\n[stages.prod]\nafter = ['staging']\n\
         [commands.deploy]\npattern = '/deploy\\s+(?<env>\\S+)'\nusage = '/deploy staging'\nargs.env = {}\n\
         [[rules]]\ncommand = 'deploy'\nif = \"args.env == 'prod'\"\ngate = 'anyone'\nrun = 'deploy-prod'\n\
         [[rules]]\ncommand = 'deploy'\ngate = 'anyone'\nrun = 'deploy-staging'\n\
         [handlers.deploy-staging]\nstage = 'staging'\nsteps = [{ run = ['true'] }]\n\
         [handlers.deploy-prod]\nstage = 'prod'\nsteps = [{ run = ['true'] }]\n",
    );
    assert_eq!(by_rules(&rules, &[]), "Next: staging; type /deploy staging");
    assert_eq!(by_rules(&rules, &[("staging", None, Status::Success, "")]), "Waiting for prod");
}
