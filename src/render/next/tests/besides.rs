//! What a command does besides what is wanted: nothing, or what does no harm.

use super::line::said_of;
use super::{by_rules, rules};
use crate::model::board::Status;

/// A command that does more than what is wanted is not the line for that.
#[test]
fn a_line_is_not_named_that_does_something_else_as_well() {
    let rules = |first: &str, second: &str| {
        rules(&format!(
            "version = 1\n[layers.a]\ndir = 'a'\n[layers.b]\ndir = 'b'\n\
             [stages.plan]\neach = 'layer'\n[stages.apply]\nafter = ['plan']\n[stages.destroy]\noptional = true\n\
             [commands.plan]\npattern = '/plan(\\s+(?<layers>.+))?'\nargs.layers = {{ type = 'layers' }}\n\
             [commands.apply]\npattern = '/apply(\\s+(?<layers>.+))?'\nargs.layers = {{ type = 'layers' }}\n\
             [commands.recreate]\npattern = '/recreate(\\s+(?<layers>.+))?'\nargs.layers = {{ type = 'layers' }}\n\
             [commands.deploy]\npattern = '/deploy(\\s+(?<layers>.+))?'\nargs.layers = {{ type = 'layers' }}\n\
             [[rules]]\ncommand = '{first}'\ngate = 'anyone'\nrun = {second}\n\
             [[rules]]\ncommand = 'plan'\ngate = 'anyone'\nrun = 'plan'\n\
             [[rules]]\ncommand = 'apply'\ngate = 'anyone'\nrun = 'apply'\n\
             [handlers.plan]\neach = 'layer'\nstage = 'plan'\nsteps = [{{ run = ['true'] }}]\n\
             [handlers.destroy]\neach = 'layer'\nstage = 'destroy'\nsteps = [{{ run = ['true'] }}]\n\
             [handlers.apply]\neach = 'layer'\nstage = 'apply'\nsteps = [{{ run = ['true'] }}]\n"
        ))
    };
    let (a, b) = (("plan-a", Some("a"), Status::Success, ""), ("plan-b", Some("b"), Status::Success, ""));
    let deploys = rules("deploy", "['plan', 'apply']");
    let recreates = rules("recreate", "['destroy', 'apply']");
    let said = [
        by_rules(&deploys, &[a]),
        deploys.line_for_stage("plan", Some("b")).unwrap(),
        by_rules(&recreates, &[a, b, ("apply", Some("a"), Status::Success, "")]),
    ];
    assert_eq!(said, ["Next: plan: b; type /plan b", "/plan b", "Next: apply; type /apply b"]);
}

/// What comes later is taken along where nothing does without it, but nothing that applies, nor anything that comes before.
#[test]
fn a_line_may_do_more_where_no_other_does_less() {
    let of = |rules_of_work: &str| {
        rules(&format!(
            "version = 1\n[stages.plan]\n[stages.apply]\nafter = ['plan']\n\
             [commands.go]\npattern = '/go'\n[commands.plan]\npattern = '/plan'\n{rules_of_work}\
             [handlers.plan]\nstage = 'plan'\nrecord = {{ changes = 'plan' }}\n\
             steps = [{{ run = ['true'], capture = 'plan' }}]\n\
             [handlers.notify]\nsteps = [{{ run = ['true'] }}]\n[handlers.help]\nreply = 'help'\n\
             [handlers.apply]\nstage = 'apply'\n\
             steps = [{{ run = ['true'], capture = 'plan', matches = 'plan' }}, {{ run = ['true'] }}]\n"
        ))
    };
    let rule = |command: &str, run: &str| format!("[[rules]]\ncommand = '{command}'\ngate = 'anyone'\nrun = [{run}]\n");
    let named = |rules_of_work: &str| of(rules_of_work).line_for_stage("plan", None);
    for run in ["'plan', 'notify'", "'help', 'plan'", "'plan', 'help'"] {
        assert_eq!(named(&rule("go", run)).as_deref(), Some("/go"), "{run}");
    }
    for run in ["'notify', 'plan'", "'plan', 'apply'", "'apply', 'plan'", "'plan', 'notify', 'apply'"] {
        assert_eq!(named(&rule("go", run)), None, "{run}");
    }
    let both = rule("go", "'plan', 'notify'") + &rule("plan", "'plan'");
    assert_eq!(named(&both).as_deref(), Some("/plan"));
}

/// Only the first word of what was asked for is known, so that either verb may be meant: a command that does both, one after
/// the other, is neither.
#[test]
fn what_was_to_be_applied_is_not_to_be_destroyed_first() {
    let of = |more: &str| {
        rules(&format!(
            "version = 1\n[layers.a]\ndir = 'a'\n[layers.b]\ndir = 'b'\n[stages.wipe]\n[stages.apply]\n\
             [commands.infra]\npattern = '/infra (?<verb>apply|destroy)(\\s+(?<layers>.+))?'\n\
             usage = '/infra apply|destroy [layer…]'\nargs.verb = {{}}\nargs.layers = {{ type = 'layers', default = 'all' }}\n\
             [commands.recreate]\npattern = '/recreate(\\s+(?<layers>.+))?'\nusage = '/recreate [layer…]'\n\
             args.layers = {{ type = 'layers', default = 'all' }}\n\
             [[rules]]\ncommand = 'recreate'\ngate = 'anyone'\nrun = ['wipe', 'apply']\n{more}\
             [handlers.apply]\neach = 'layer'\nstage = 'apply'\nlock = true\nsteps = [{{ run = ['true'] }}]\n\
             [handlers.destroy]\neach = 'layer'\nstage = 'apply'\nlock = true\nsteps = [{{ run = ['true'] }}]\n\
             [handlers.wipe]\neach = 'layer'\nstage = 'wipe'\nlock = true\nsteps = [{{ run = ['true'] }}]\n"
        ))
    };
    let verbs = "[[rules]]\ncommand = 'infra'\nif = \"args.verb == 'apply'\"\ngate = 'anyone'\nrun = 'apply'\n\
                 [[rules]]\ncommand = 'infra'\nif = \"args.verb == 'destroy'\"\ngate = 'anyone'\nrun = 'destroy'\n";
    let push = "[[rules]]\non = 'push'\nrun = 'apply'\n";
    let asked = [
        (verbs, &[("apply", "a", Status::Failure, "/infra")][..]),
        // One layer was created anew, and that failed; the other was applied, and is not to be destroyed.
        (push, &[("apply", "a", Status::Failure, "/recreate"), ("apply", "b", Status::Failure, "push")]),
    ];
    let said = asked.map(|(more, reports)| said_of(&of(more), reports));
    assert!(said.iter().all(|said| !said.contains("/recreate")), "{said:#?}");
}

/// What only looks, and comes first because it is cheap, does no harm.
#[test]
fn a_plan_is_named_that_is_linted_first() {
    let rules = rules(
        "version = 1\n[stages.lint]\n[stages.plan]\nafter = ['lint']\n[commands.plan]\npattern = '/plan'\n\
         [[rules]]\ncommand = 'plan'\ngate = 'anyone'\nrun = ['lint', 'plan']\n\
         [handlers.lint]\nstage = 'lint'\nsteps = [{ run = ['true'] }]\n\
         [handlers.plan]\nstage = 'plan'\nrecord = { changes = 'plan' }\nsteps = [{ run = ['true'], capture = 'plan' }]\n",
    );
    assert_eq!(by_rules(&rules, &[]), "Next: lint; type /plan");
    assert_eq!(rules.line_for_stage("plan", None).as_deref(), Some("/plan"));
    let cancelled = [("lint", None, Status::Success, ""), ("plan", None, Status::Dropped, "cancelled")];
    assert_eq!(by_rules(&rules, &cancelled), "plan is not done: cancelled; type /plan");
}

/// What was applied already may be looked at alone, and nothing says that what comes first did not apply.
#[test]
fn a_check_is_not_asked_for_by_what_applies_first() {
    let named = |of_apply: &str, of_check: &str| {
        let rules = rules(&format!(
            "version = 1\n[layers.a]\ndir = 'a'\n[stages.apply]\n[stages.check]\nafter = ['apply']\n\
             [commands.apply]\npattern = '/apply'\n\
             [[rules]]\ncommand = 'apply'\ngate = 'anyone'\nrun = ['apply', 'check']\n\
             [handlers.apply]\neach = 'layer'\nstage = 'apply'\n{of_apply}steps = [{{ run = ['true'] }}]\n\
             [handlers.check]\neach = 'layer'\nstage = 'check'\n{of_check}\
             steps = [{{ run = ['true'], capture = 'plan', changed = [2] }}]\n"
        ));
        rules.line_for_stage("check", None)
    };
    for of_check in ["", "fail-on-changed = true\n", "record = { changes = 'plan' }\n"] {
        assert_eq!(named("lock = true\n", of_check), None, "{of_check}");
    }
    assert_eq!(named("", "fail-on-changed = true\n"), None);
}

/// What plans and then applies, without any review between, is not how to plan what a pull request plans by itself.
#[test]
fn a_plan_that_failed_is_not_asked_for_by_what_applies_at_once() {
    let said = |command: &str, run: &str, gate: &str, of_plan: &str| {
        let rules = rules(&format!(
            "version = 1\n[stages.plan]\n[stages.apply]\nafter = ['plan']\n[stages.policy]\nafter = ['plan']\n\
             [commands.{command}]\npattern = '/{command}'\n[gates.reviewed]\n{gate}\n\
             [[rules]]\non = 'pull_request'\nrun = 'plan'\n\
             [[rules]]\ncommand = '{command}'\ngate = 'reviewed'\nrun = {run}\n\
             [handlers.plan]\nstage = 'plan'\n{of_plan}\nsteps = [{{ run = ['true'], capture = 'plan' }}]\n\
             [handlers.policy]\nstage = 'policy'\nsteps = [{{ run = ['true'] }}]\n\
             [handlers.apply]\nstage = 'apply'\nsteps = [{{ run = ['true'] }}]\n"
        ));
        by_rules(&rules, &[("plan", None, Status::Dropped, "cancelled")])
    };
    let (any, planned, records) = ("permission = 'write'", "planned = 'plan'", "record = { changes = 'plan' }");
    for (gate, of_plan) in [(any, records), (planned, records)] {
        assert_eq!(said("apply", "['plan', 'apply']", gate, of_plan), "plan is not done: cancelled");
        // What is named a plan may check it as well.
        let checked = said("plan", "['plan', 'policy']", gate, of_plan);
        assert_eq!(checked, "plan is not done: cancelled; type /plan");
    }
}

/// A rule that only answers, where a draft or a fork is told that it may not, does nothing that is not wanted.
#[test]
fn a_line_is_named_though_a_draft_is_only_answered() {
    for only in ["draft = true", "fork = true", "labels = ['hold']"] {
        let rules = rules(&format!(
            "version = 1\n[stages.apply]\n[commands.apply]\npattern = '/apply'\n\
             [[rules]]\ncommand = 'apply'\n{only}\nrun = 'not-yet'\n\
             [[rules]]\ncommand = 'apply'\ngate = 'anyone'\nrun = 'apply'\n\
             [handlers.not-yet]\nreply = 'help'\n\
             [handlers.apply]\nstage = 'apply'\nsteps = [{{ run = ['true'] }}]\n"
        ));
        assert_eq!(by_rules(&rules, &[]), "Next: apply; type /apply", "{only}");
    }
}

/// One command applies and then tests; the tests may be asked for alone too, once it was applied.
#[test]
fn an_apply_and_then_its_tests_are_named_though_a_gate_asks_for_the_apply() {
    let of = |gate: &str, name: &str| {
        rules(&format!(
            "version = 1\n[stages.plan]\n[stages.apply]\nafter = ['plan']\n[stages.e2e]\nafter = ['apply']\n\
             [commands.plan]\npattern = '/plan'\n[commands.{name}]\npattern = '/{name}'\n[commands.e2e]\npattern = '/e2e'\n\
             [gates.apply]\npermission = 'write'\nplanned = 'plan'\n\
             [gates.e2e]\npermission = 'write'\n{gate}\
             [[rules]]\ncommand = 'plan'\ngate = 'anyone'\nrun = 'plan'\n\
             [[rules]]\ncommand = '{name}'\ngate = 'apply'\nrun = ['apply', 'e2e']\n\
             [[rules]]\ncommand = 'e2e'\ngate = 'e2e'\nrun = 'e2e'\n\
             [handlers.plan]\nstage = 'plan'\nrecord = {{ changes = 'plan' }}\n\
             steps = [{{ run = ['true'], capture = 'plan' }}]\n\
             [handlers.apply]\nstage = 'apply'\n\
             steps = [{{ run = ['true'], capture = 'plan', matches = 'plan' }}, {{ run = ['true'] }}]\n\
             [handlers.e2e]\nstage = 'e2e'\nsteps = [{{ run = ['true'] }}]\n"
        ))
    };
    let plan = ("plan", None, Status::Success, "");
    let said = |gate: &str, name: &str| by_rules(&of(gate, name), &[plan]);
    let asked = "planned = 'apply'\n";
    assert_eq!(said("", "apply"), "Next: apply; type /apply");
    assert_eq!(said("", "deploy"), "Next: apply; type /deploy");
    assert_eq!(said(asked, "apply"), "Next: apply; type /apply");
    assert_eq!(said(asked, "deploy"), "Next: apply; type /deploy");
}

/// One command plans and tells what it costs; nothing applies there.
#[test]
fn a_plan_and_then_its_costs_are_named() {
    let rules = rules(
        "version = 1\n[stages.plan]\n[stages.cost]\nafter = ['plan']\noptional = true\n[stages.apply]\nafter = ['plan']\n\
         [commands.preview]\npattern = '/preview'\n[commands.apply]\npattern = '/apply'\n\
         [[rules]]\ncommand = 'preview'\ngate = 'anyone'\nrun = ['plan', 'cost']\n\
         [[rules]]\ncommand = 'apply'\ngate = 'anyone'\nrun = 'apply'\n\
         [handlers.plan]\nstage = 'plan'\nrecord = { changes = 'plan' }\n\
         steps = [{ run = ['true'], capture = 'plan' }]\n\
         [handlers.cost]\nstage = 'cost'\nsteps = [{ run = ['infracost'] }]\n\
         [handlers.apply]\nstage = 'apply'\n\
         steps = [{ run = ['true'], capture = 'plan', matches = 'plan' }, { run = ['true'] }]\n",
    );
    assert_eq!(by_rules(&rules, &[]), "Next: plan; type /preview");
}

/// One command builds and tests; a gate of the deployment asks that it was built.
#[test]
fn a_build_and_then_its_tests_are_named_though_the_deployment_asks_for_the_build() {
    let of = |gate: &str| {
        rules(&format!(
            "version = 1\n[stages.build]\n[stages.test]\nafter = ['build']\n[stages.deploy]\nafter = ['test']\n\
             [commands.ci]\npattern = '/ci'\n[commands.deploy]\npattern = '/deploy'\n\
             [gates.deploy]\npermission = 'write'\n{gate}\
             [[rules]]\non = 'pull_request'\nrun = ['build', 'test']\n\
             [[rules]]\ncommand = 'ci'\ngate = 'anyone'\nrun = ['build', 'test']\n\
             [[rules]]\ncommand = 'deploy'\ngate = 'deploy'\nrun = 'deploy'\n\
             [handlers.build]\nstage = 'build'\nsteps = [{{ run = ['make'] }}]\n\
             [handlers.test]\nstage = 'test'\nsteps = [{{ run = ['make', 'test'] }}]\n\
             [handlers.deploy]\nstage = 'deploy'\nsteps = [{{ run = ['make', 'deploy'] }}]\n"
        ))
    };
    let failed = ("build", None, Status::Failure, "`make` exited with 2");
    let said = |gate: &str| by_rules(&of(gate), &[failed]);
    assert_eq!(said(""), "build failed: `make` exited with 2; fix it and push, or type /ci");
    assert_eq!(said("planned = 'build'\n"), said(""));
}

/// What ci.toml says of a stage decides what is taken along with it, whatever its handlers tell.
#[test]
fn what_is_read_only_is_taken_along_and_what_is_not_is_never() {
    let named = |wanted: &str, [first, second]: [(&str, &str); 2]| {
        let rules = rules(&format!(
            "version = 1\n[stages.{0}]\n{1}\n[stages.{2}]\n{3}\n[commands.go]\npattern = '/go'\n\
             [[rules]]\ncommand = 'go'\ngate = 'anyone'\nrun = ['{0}', '{2}']\n\
             [handlers.{0}]\nstage = '{0}'\nsteps = [{{ run = ['true'] }}]\n\
             [handlers.{2}]\nstage = '{2}'\nsteps = [{{ run = ['true'] }}]\n",
            first.0, first.1, second.0, second.1,
        ));
        rules.line_for_stage(wanted, None)
    };
    let (looks, changes) = ("read-only = true", "read-only = false");
    let after = |says: &str| format!("after = ['diff']\n{says}");
    for (second, is_named) in [
        (after(""), false),
        (after(looks), true),
        (after(changes), false),
        (String::new(), true),
        (changes.to_owned(), false),
    ] {
        let line = named("diff", [("diff", looks), ("later", &second)]);
        assert_eq!(line.as_deref(), is_named.then_some("/go"), "{second:?}");
    }
    for (lint, drift, is_named) in
        [(looks, looks, true), ("", looks, false), (looks, "", false), (changes, looks, false)]
    {
        let line = named("drift", [("lint", lint), ("drift", drift)]);
        assert_eq!(line.as_deref(), is_named.then_some("/go"), "{lint:?} {drift:?}");
    }
}

/// What is planned is applied by what comes after it, also where a check of policies stands between, which may be held to the
/// plan itself.
#[test]
fn what_applies_behind_a_check_is_not_taken_along_with_the_plan() {
    let named = |run: &str, policy: &str, apply: &str| {
        let rules = rules(&format!(
            "version = 1\n[stages.plan]\n[stages.policy]\nafter = ['plan']\nread-only = true\n[stages.apply]\nafter = {apply}\n\
             [commands.go]\npattern = '/go'\n[commands.policy]\npattern = '/policy'\n\
             [[rules]]\ncommand = 'go'\ngate = 'anyone'\nrun = {run}\n\
             [[rules]]\ncommand = 'policy'\ngate = 'anyone'\nrun = 'policy'\n\
             [handlers.plan]\nstage = 'plan'\nrecord = {{ changes = 'plan' }}\n\
             steps = [{{ run = ['true'], capture = 'plan' }}]\n\
             [handlers.policy]\nstage = 'policy'\nsteps = [{{ run = ['true'], capture = 'plan'{policy} }}]\n\
             [handlers.apply]\nstage = 'apply'\nsteps = [{{ run = ['true'] }}]\n",
        ));
        rules.line_for_stage("plan", None)
    };
    for after in ["['plan', 'policy']", "['policy']"] {
        assert_eq!(named("['plan', 'policy', 'apply']", "", after), None, "{after}");
    }
    for policy in ["", ", matches = 'plan'"] {
        assert_eq!(named("['plan', 'apply']", policy, "['plan']"), None, "{policy}");
    }
}
