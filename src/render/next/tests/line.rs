//! Which command is named: that of the handler that does the work, never that of another, which may do the opposite.

use super::{by_rules, rules};
use crate::model::board::{Entry, Status, fold};
use crate::model::rules::Rules;
use crate::render::fixture;
use crate::render::next::next_step;
use crate::schedule::layout;

/// What is said of a stage whose work was asked for so, and failed.
fn failed(rules: &Rules, stage: &str, action: &str) -> String {
    let failed = Entry { action: Some(action.to_owned()), ..fixture::entry(1, stage, Status::Failure, "exit 1") };
    next_step(rules, &fold(&layout(rules), &fixture::recorded(vec![failed]))).description()
}

/// Two commands whose handlers work on one stage, the one that destroys first, and what else stands in ci.toml.
fn opposites(stage: &str, more: &str) -> Rules {
    rules(&format!(
        "version = 1\n[stages.{stage}]\n\
         [commands.destroy]\npattern = '/(destroy|down)'\n[commands.apply]\npattern = '/apply'\n\
         [[rules]]\ncommand = 'destroy'\ngate = 'anyone'\nrun = 'destroy'\n\
         [[rules]]\ncommand = 'apply'\ngate = 'anyone'\nrun = 'apply'\n\
         [handlers.destroy]\nstage = '{stage}'\nsteps = [{{ run = ['true'] }}]\n\
         [handlers.apply]\nstage = '{stage}'\nsteps = [{{ run = ['true'] }}]\n{more}"
    ))
}

#[test]
fn the_command_is_that_of_the_handler_that_did_it_or_is_named_as_the_stage_is() {
    let named = opposites("apply", "");
    assert_eq!(by_rules(&named, &[]), "Next: apply; type /apply");
    for (asked, command) in [("/destroy", "/destroy"), ("/down", "/destroy"), ("/apply", "/apply")] {
        let said = failed(&named, "apply", asked);
        assert_eq!(said, format!("apply failed: exit 1; fix it and push, or type {command}"));
    }
}

#[test]
fn what_an_event_asked_for_is_asked_for_again_by_the_command_that_does_the_same() {
    let on = |event: &str, run: &str| format!("[[rules]]\non = '{event}'\nrun = '{run}'\n");
    let one = opposites("infra", &on("push", "apply"));
    assert!(failed(&one, "infra", "push").ends_with("; fix it and push, or type /apply"));
    // Which of them is meant nobody knows.
    let torn_down = on("push", "destroy") + "branches = ['gone']\n";
    let both = opposites("infra", &(torn_down + &on("push", "apply")));
    assert!(failed(&both, "infra", "push").ends_with("; fix it and push"));
    assert_eq!(by_rules(&both, &[]), "Waiting for infra");
    // One that only reports did not do it.
    let report = "[handlers.told]\nstage = 'apply'\nreport = 'failure'\n";
    let told = opposites("apply", &[&*on("workflow_run", "told"), report].concat());
    assert!(failed(&told, "apply", "workflow_run").ends_with("or type /apply"));
}

#[test]
fn an_alias_that_is_none_without_its_layer_is_known() {
    let rules = rules(
        "version = 1\n[layers.dev]\ndir = 'dev'\n[stages.apply]\n\
         [commands.destroy]\npattern = '/(destroy|down)\\s+(?<layer>\\S+)'\nargs.layer = { type = 'layer' }\n\
         [commands.apply]\npattern = '/apply'\n\
         [[rules]]\ncommand = 'destroy'\ngate = 'anyone'\nrun = 'destroy'\n\
         [[rules]]\ncommand = 'apply'\ngate = 'anyone'\nrun = 'apply'\n\
         [handlers.destroy]\neach = 'layer'\nstage = 'apply'\nsteps = [{ run = ['true'] }]\n\
         [handlers.apply]\neach = 'layer'\nstage = 'apply'\nsteps = [{ run = ['true'] }]\n",
    );
    let said = failed(&rules, "apply", "/down");
    assert!(said.contains("/destroy") && !said.contains("/apply"), "{said}");
}

/// Which of them is meant nobody knows, as only the first word of what was asked for is: what is to be filled in is shown.
#[test]
fn the_usage_of_one_command_for_several_handlers_is_named() {
    let rules = rules(
        "version = 1\n[stages.e2e]\n[commands.e2e]\npattern = '/e2e(?<all> all)?'\nusage = '/e2e [all]'\n\
         [[rules]]\ncommand = 'e2e'\nif = 'args.all'\ngate = 'anyone'\nrun = 'all'\n\
         [[rules]]\ncommand = 'e2e'\ngate = 'anyone'\nrun = 'smoke'\n\
         [handlers.all]\nstage = 'e2e'\nsteps = [{ run = ['true'] }]\n\
         [handlers.smoke]\nstage = 'e2e'\nsteps = [{ run = ['true'] }]\n",
    );
    assert_eq!(by_rules(&rules, &[]), "Next: e2e; type /e2e [all]");
    assert!(failed(&rules, "e2e", "/e2e").ends_with("or type /e2e [all]"));
}

#[test]
fn no_command_is_named_where_the_right_one_is_for_other_layers() {
    let rules = rules(
        "version = 1\n[layers.dev]\ndir = 'dev'\n[layers.prod]\ndir = 'prod'\n[stages.apply]\neach = 'layer'\n\
         [commands.apply]\npattern = '/apply'\n[commands.destroy]\npattern = '/destroy'\n\
         [[rules]]\ncommand = 'apply'\ngate = 'anyone'\nlayers = ['dev']\nrun = 'apply'\n\
         [[rules]]\ncommand = 'destroy'\ngate = 'anyone'\nrun = 'destroy'\n\
         [handlers.apply]\neach = 'layer'\nstage = 'apply'\nsteps = [{ run = ['true'] }]\n\
         [handlers.destroy]\neach = 'layer'\nstage = 'apply'\nsteps = [{ run = ['true'] }]\n",
    );
    let dev = ("apply-dev", Some("dev"), Status::Success, "");
    let said = by_rules(&rules, &[dev, ("apply-prod", Some("prod"), Status::Failure, "exit 1")]);
    assert!(said.ends_with("; fix it and push"), "{said}");
    assert_eq!(by_rules(&rules, &[dev]), "Waiting for apply: prod");
}

#[test]
fn a_remedy_names_the_line_that_takes_the_layer_too() {
    let rules = rules(
        "version = 1\n[layers.dev]\ndir = 'dev'\n[layers.prod]\ndir = 'prod'\n[stages.plan]\neach = 'layer'\n\
         [commands.plan-prod]\npattern = '/plan-prod'\n[commands.free-prod]\npattern = '/free-prod'\n\
         [commands.plan]\npattern = '/plan now(\\s+(?<layers>.+))?'\nusage = '/plan now [layer…]'\n\
         args.layers = { type = 'layers', default = 'all' }\n[commands.free]\npattern = '/free'\n\
         [[rules]]\ncommand = 'plan-prod'\ngate = 'anyone'\nlayers = ['prod']\nrun = 'plan'\n\
         [[rules]]\ncommand = 'plan'\ngate = 'anyone'\nrun = 'plan'\n\
         [[rules]]\ncommand = 'free-prod'\ngate = 'anyone'\nlayers = ['prod']\nrun = 'unlock'\n\
         [[rules]]\ncommand = 'free'\ngate = 'anyone'\nrun = 'unlock'\n\
         [handlers.plan]\neach = 'layer'\nstage = 'plan'\nsteps = [{ run = ['true'] }]\n\
         [handlers.unlock]\nunlock = 'all'\n",
    );
    for (layer, plan, free) in [("dev", "/plan now dev", "/free"), ("prod", "/plan-prod", "/free-prod")] {
        let row = format!("plan-{layer}");
        let said = by_rules(&rules, &[(&row, Some(layer), Status::Failure, "exit 1")]);
        assert!(said.ends_with(&format!("type {plan}")), "{said}");
        assert_eq!(rules.line_for_stage("plan", Some(layer)).as_deref(), Some(plan));
        assert_eq!(rules.line_to_unlock(layer).as_deref(), Some(free));
    }
}

/// Two commands that do opposite things to layers, in a row for all or in one for each.
fn opposites_of_layers(each: &str) -> Rules {
    rules(&format!(
        "version = 1\n[layers.a]\ndir = 'a'\n[layers.b]\ndir = 'b'\n[layers.c]\ndir = 'c'\n[stages.apply]\n{each}\n\
         [commands.destroy]\npattern = '/destroy(\\s+(?<layers>.+))?'\nusage = '/destroy [layer…]'\n\
         args.layers = {{ type = 'layers', default = 'all' }}\n\
         [commands.apply]\npattern = '/apply(\\s+(?<layers>.+))?'\nusage = '/apply [layer…]'\n\
         args.layers = {{ type = 'layers', default = 'all' }}\n\
         [[rules]]\ncommand = 'apply'\ngate = 'anyone'\nrun = 'apply'\n\
         [[rules]]\ncommand = 'destroy'\ngate = 'anyone'\nrun = 'destroy'\n\
         [handlers.apply]\neach = 'layer'\nstage = 'apply'\nsteps = [{{ run = ['true'] }}]\n\
         [handlers.destroy]\neach = 'layer'\nstage = 'apply'\nsteps = [{{ run = ['true'] }}]\n"
    ))
}

pub(super) fn said_of(rules: &Rules, reports: &[(&str, &str, Status, &str)]) -> String {
    let entries = (1..).zip(reports).map(|(id, (row, layer, status, action))| Entry {
        layer: Some((*layer).to_owned()),
        action: Some((*action).to_owned()),
        ..fixture::entry(id, row, *status, "exit 1")
    });
    next_step(rules, &fold(&layout(rules), &fixture::recorded(entries.collect()))).description()
}

#[test]
fn a_layer_that_was_to_be_applied_is_not_to_be_destroyed() {
    let said = said_of(
        &opposites_of_layers(""),
        &[("apply", "a", Status::Failure, "/destroy"), ("apply", "b", Status::Failure, "/apply")],
    );
    assert!(!said.contains("/destroy a b"), "{said}");
    let said = said_of(
        &opposites_of_layers("each = 'layer'"),
        &[
            ("apply-a", "a", Status::Dropped, "/destroy"),
            ("apply-b", "b", Status::Dropped, "/apply"),
            ("apply-c", "c", Status::Success, "/apply"),
        ],
    );
    assert!(!said.ends_with("type /destroy"), "{said}");
}

/// Without layers it would be for what is done, too.
#[test]
fn what_is_done_is_not_part_of_the_command() {
    let said = said_of(
        &opposites_of_layers("each = 'layer'"),
        &[
            ("apply-a", "a", Status::Dropped, "/destroy"),
            ("apply-b", "b", Status::Dropped, "/destroy"),
            ("apply-c", "c", Status::Success, "/apply"),
        ],
    );
    assert!(said.ends_with("type /destroy a b"), "{said}");
}

#[test]
fn the_lock_of_a_layer_is_released_by_what_releases_no_other() {
    let rules = rules(
        "version = 1\n[layers.dev]\ndir = 'dev'\n[layers.prod]\ndir = 'prod'\n\
         [commands.free-all]\npattern = '/free-all'\n[commands.free-dev]\npattern = '/free-dev'\n\
         [[rules]]\ncommand = 'free-dev'\ngate = 'anyone'\nrun = 'free-dev'\n\
         [[rules]]\ncommand = 'free-all'\ngate = 'anyone'\nrun = 'free-all'\n\
         [handlers.free-all]\nunlock = 'all'\n[handlers.free-dev]\nunlock = ['dev']\n",
    );
    assert_eq!(rules.line_to_unlock("dev").as_deref(), Some("/free-dev"));
}

/// The first rule that matches wins, so a line without what a condition asks for is for the rule behind it.
#[test]
fn a_line_is_not_named_that_begins_another_handler() {
    let rules = rules(
        "version = 1\n[stages.apply]\n[stages.destroy]\n[commands.infra]\npattern = '/infra(?<down> down)?'\n\
         usage = '/infra [down]'\n\
         [[rules]]\ncommand = 'infra'\nif = 'args.down'\ngate = 'anyone'\nrun = 'destroy'\n\
         [[rules]]\ncommand = 'infra'\ngate = 'anyone'\nrun = 'apply'\n\
         [handlers.apply]\nstage = 'apply'\nsteps = [{ run = ['true'] }]\n\
         [handlers.destroy]\nstage = 'destroy'\nsteps = [{ run = ['true'] }]\n",
    );
    assert!(failed(&rules, "apply", "/infra").ends_with("or type /infra"));
    let said = failed(&rules, "destroy", "/infra");
    assert!(!said.ends_with("type /infra"), "{said}");
}

/// Of what nobody touched nobody asked for anything.
#[test]
fn what_is_untouched_is_not_to_be_destroyed_since_another_layer_was() {
    let rules = opposites_of_layers("after = ['plan']\n[stages.plan]\neach = 'layer'");
    let planned = |row, layer| (row, layer, Status::Success, "/plan");
    let destroyed = ("apply", "a", Status::Success, "/destroy");
    let idle = ("plan-c", "c", Status::Skipped, "/plan");
    let said = said_of(&rules, &[planned("plan-a", "a"), planned("plan-b", "b"), idle, destroyed]);
    assert_eq!(said, "Next: apply; type /apply b");
}

/// The layer is to be read as one, and not as another argument, or the line is for all of them.
#[test]
fn a_layer_is_named_where_the_command_takes_it_for_one() {
    let rules = |pattern: &str, usage: &str, more: &str| {
        rules(&format!(
            "version = 1\n[layers.a]\ndir = 'a'\n[layers.b]\ndir = 'b'\n[stages.apply]\neach = 'layer'\n\
             [commands.apply]\npattern = '{pattern}'\nusage = '{usage}'\n\
             args.layers = {{ type = 'layers', default = 'all' }}\n{more}\
             [[rules]]\ncommand = 'apply'\ngate = 'anyone'\nrun = 'apply'\n\
             [handlers.apply]\neach = 'layer'\nstage = 'apply'\nsteps = [{{ run = ['true'] }}]\n"
        ))
    };
    let slot = rules("/apply(\\s+(?<slot>\\S+))?(\\s+(?<layers>.+))?", "/apply [slot] [layer…]", "args.slot = {}\n");
    let words = rules("/apply\\s+(?<layers>.+)", "/apply LAYER…", "");
    let mut misread = Vec::new();
    for rules in [slot, words] {
        let said = by_rules(&rules, &[("apply-b", Some("b"), Status::Failure, "exit 1")]);
        let (_, line) = said.rsplit_once("type ").unwrap();
        let taken = rules.commands["apply"].pattern.captures(line);
        let layers = taken.and_then(|taken| taken.into_iter().find(|(name, _)| *name == "layers")?.1);
        // Where no line does, the usage is named, for people to fill in.
        if line != rules.commands["apply"].usage && layers != Some("b") {
            misread.push(format!("{line}: {layers:?}"));
        }
    }
    assert!(misread.is_empty(), "{misread:#?}");
}

/// The rule behind one that takes the bare line, or that takes it for what bears a label: the line is for another.
#[test]
fn a_line_is_not_named_that_another_rule_takes() {
    let of = |first: &str, second: &str| {
        rules(&format!(
            "version = 1\n[stages.apply]\n[stages.destroy]\n[commands.infra]\npattern = '/infra(?<up> up)?'\n\
             usage = '/infra [up]'\n\
             [[rules]]\ncommand = 'infra'\n{first}\ngate = 'anyone'\nrun = 'destroy'\n\
             [[rules]]\ncommand = 'infra'\n{second}\ngate = 'anyone'\nrun = 'apply'\n\
             [handlers.apply]\nstage = 'apply'\nsteps = [{{ run = ['true'] }}]\n\
             [handlers.destroy]\nstage = 'destroy'\nsteps = [{{ run = ['true'] }}]\n"
        ))
    };
    let mut wrong = Vec::new();
    for (stage, rules) in [("apply", of("if = 'not args.up'", "")), ("destroy", of("labels = ['teardown']", ""))] {
        let said = failed(&rules, stage, "/infra");
        if said.ends_with("type /infra") {
            wrong.push((stage, said));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Both do work of one stage, and the line without what the condition asks for is for the other.
#[test]
fn a_line_is_not_named_that_begins_the_opposite_of_the_same_stage() {
    let rules = rules(
        "version = 1\n[stages.infra]\n[commands.infra]\npattern = '/infra(?<down> down)?'\nusage = '/infra [down]'\n\
         [[rules]]\ncommand = 'infra'\nif = 'args.down'\ngate = 'anyone'\nrun = 'destroy'\n\
         [[rules]]\ncommand = 'infra'\ngate = 'anyone'\nrun = 'apply'\n\
         [handlers.apply]\nstage = 'infra'\nsteps = [{ run = ['true'] }]\n\
         [handlers.destroy]\nstage = 'infra'\nsteps = [{ run = ['true'] }]\n",
    );
    let said = failed(&rules, "infra", "/infra");
    assert!(!said.ends_with("type /infra"), "{said}");
}

/// Two rules take the line, as may be: where both do the work it is named all the same.
#[test]
fn a_line_is_named_whichever_rule_takes_it() {
    let rules = rules(
        "version = 1\n[stages.apply]\n[commands.apply]\npattern = '/apply'\n[gates.strict]\npermission = 'admin'\n\
         [[rules]]\ncommand = 'apply'\nlabels = ['careful']\ngate = 'strict'\nrun = 'apply'\n\
         [[rules]]\ncommand = 'apply'\ngate = 'anyone'\nrun = 'apply'\n\
         [handlers.apply]\nstage = 'apply'\nsteps = [{ run = ['true'] }]\n",
    );
    assert_eq!(by_rules(&rules, &[]), "Next: apply; type /apply");
}

/// Nobody has to fill in what may be left out.
#[test]
fn the_bare_line_is_named_whatever_its_usage_shows_besides() {
    let rules = rules(
        "version = 1\n[layers.dev]\ndir = 'dev'\n[layers.prod]\ndir = 'prod'\n[stages.plan]\neach = 'layer'\n\
         [commands.plan]\npattern = '/plan(\\s+(?<layers>.+))?'\nusage = '/plan LAYER…'\n\
         args.layers = { type = 'layers', default = 'all' }\n\
         [[rules]]\ncommand = 'plan'\ngate = 'anyone'\nrun = 'plan'\n\
         [handlers.plan]\neach = 'layer'\nstage = 'plan'\nsteps = [{ run = ['true'] }]\n",
    );
    assert_eq!(by_rules(&rules, &[]), "Next: plan: dev and 1 more; type /plan");
}

/// What no command begins is not what somebody is to type.
#[test]
fn the_one_command_of_a_stage_is_named_though_an_event_does_the_opposite() {
    let rules = rules(
        "version = 1\n[stages.preview]\n[commands.deploy]\npattern = '/deploy'\n\
         [[rules]]\ncommand = 'deploy'\ngate = 'anyone'\nrun = 'deploy'\n\
         [[rules]]\non = 'pull_request'\ntypes = ['closed']\nrun = 'tear-down'\n\
         [handlers.deploy]\nstage = 'preview'\nsteps = [{ run = ['true'] }]\n\
         [handlers.tear-down]\nstage = 'preview'\nsteps = [{ run = ['true'] }]\n",
    );
    assert_eq!(rules.line_for_stage("preview", None).as_deref(), Some("/deploy"));
    assert_eq!(by_rules(&rules, &[]), "Next: preview; type /deploy");
}

/// What is waited for may come of an event, and the one command do the opposite.
#[test]
fn the_one_command_of_a_stage_is_not_named_where_an_event_may_do_the_work() {
    let rules = rules(
        "version = 1\n[stages.preview]\n[commands.tear-down]\npattern = '/tear-down'\n\
         [[rules]]\non = 'push'\nrun = 'deploy'\n\
         [[rules]]\ncommand = 'tear-down'\ngate = 'anyone'\nrun = 'tear-down'\n\
         [handlers.deploy]\nstage = 'preview'\nsteps = [{ run = ['true'] }]\n\
         [handlers.tear-down]\nstage = 'preview'\nsteps = [{ run = ['true'] }]\n",
    );
    assert_eq!(rules.line_for_stage("preview", None), None);
    assert_eq!(by_rules(&rules, &[]), "Waiting for preview");
}

/// It was deployed since the pull request was opened, which is the same event as that it is closed.
#[test]
fn what_an_opened_pull_request_asked_for_is_not_what_a_closed_one_does() {
    let rules = rules(
        "version = 1\n[stages.preview]\n[commands.deploy]\npattern = '/deploy'\n\
         [[rules]]\non = 'pull_request'\ntypes = ['opened', 'synchronize', 'reopened']\nrun = 'deploy'\n\
         [[rules]]\ncommand = 'deploy'\ngate = 'anyone'\nrun = 'deploy'\n\
         [[rules]]\non = 'pull_request'\ntypes = ['closed']\nrun = 'tear-down'\n\
         [handlers.deploy]\nstage = 'preview'\nsteps = [{ run = ['true'] }]\n\
         [handlers.tear-down]\nstage = 'preview'\nsteps = [{ run = ['true'] }]\n",
    );
    assert_eq!(by_rules(&rules, &[]), "Next: preview; type /deploy");
    let said = failed(&rules, "preview", "pull_request");
    assert_eq!(said, "preview failed: exit 1; fix it and push, or type /deploy");
}
