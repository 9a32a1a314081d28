//! Which layers a command is named for: those that are left to do, as far as one line takes them.

use super::{by_rules, rules};
use crate::model::board::{Entry, Status, fold};
use crate::model::rules::Rules;
use crate::render::fixture;
use crate::render::next::next_step;
use crate::schedule::layout;

/// A line of more than a thousand characters is not read.
#[test]
fn a_line_names_as_many_layers_as_are_read() {
    let names: Vec<String> = (0..100).map(|number| format!("layer-in-region-{number:02}")).collect();
    let layers: String = names.iter().map(|name| format!("[layers.{name}]\ndir = '{name}'\n")).collect();
    let rules = rules(&format!(
        "version = 1\n{layers}[stages.apply]\n[commands.apply]\npattern = '/apply(\\s+(?<layers>.+))?'\n\
         args.layers = {{ type = 'layers', default = 'all' }}\n\
         [[rules]]\ncommand = 'apply'\ngate = 'anyone'\nrun = 'apply'\n\
         [handlers.apply]\neach = 'layer'\nstage = 'apply'\nsteps = [{{ run = ['true'] }}]\n"
    ));
    let entries = (1..).zip(&names).map(|(id, layer)| Entry {
        layer: Some(layer.clone()),
        ..fixture::entry(id, "apply", Status::Failure, "exit 1")
    });
    let next = next_step(&rules, &fold(&layout(&rules), &fixture::recorded(entries.collect())));
    assert_eq!(next.command, Some(format!("/apply {}", names[..50].join(" "))));
}

/// What a command says of layers counts, and not what its rule says of those that it does not name.
#[test]
fn a_layer_is_named_though_the_rule_is_for_others() {
    let of = |default: &str| {
        let rules = rules(&format!(
            "version = 1\n[layers.dev]\ndir = 'dev'\n[layers.prod]\ndir = 'prod'\n[stages.apply]\neach = 'layer'\n\
             [commands.apply]\npattern = '/apply(\\s+(?<layers>.+))?'\nusage = '/apply [layer…]'\n\
             args.layers = {{ type = 'layers'{default} }}\n\
             [[rules]]\ncommand = 'apply'\ngate = 'anyone'\nlayers = ['prod']\nrun = 'apply'\n\
             [handlers.apply]\neach = 'layer'\nstage = 'apply'\nsteps = [{{ run = ['true'] }}]\n"
        ));
        let prod = ("apply-prod", Some("prod"), Status::Success, "");
        [by_rules(&rules, &[prod]), by_rules(&rules, &[])]
    };
    assert_eq!(
        of(", default = 'all'"),
        ["Next: apply: dev; type /apply dev", "Next: apply: dev and 1 more; type /apply"]
    );
    let without = of("");
    assert_eq!(without[0], "Next: apply: dev; type /apply dev");
    assert!(!without[1].ends_with("type /apply"), "{without:?}");
}

/// Plans and applies, each by a command for each of these layers, or by one for all.
fn by_layer(plans: &[&str], applies: &[&str]) -> Rules {
    let command = |verb: &str, layer: &str| {
        let (command, layers) = match layer {
            "" => (verb.to_owned(), String::new()),
            layer => (format!("{verb}-{layer}"), format!("layers = ['{layer}']\n")),
        };
        format!(
            "[commands.{command}]\npattern = '/{command}'\n\
             [[rules]]\ncommand = '{command}'\ngate = 'anyone'\nrun = '{verb}'\n{layers}"
        )
    };
    let plans: String = plans.iter().map(|layer| command("plan", layer)).collect();
    let applies: String = applies.iter().map(|layer| command("apply", layer)).collect();
    rules(&format!(
        "version = 1\n[layers.dev]\ndir = 'dev'\n[layers.prod]\ndir = 'prod'\n\
         [stages.plan]\neach = 'layer'\n[stages.apply]\nafter = ['plan']\n{plans}{applies}\
         [handlers.plan]\neach = 'layer'\nstage = 'plan'\nrecord = {{ changes = 'plan' }}\n\
         steps = [{{ run = ['true'], capture = 'plan', changed = [2] }}]\n\
         [handlers.apply]\neach = 'layer'\nstage = 'apply'\n\
         steps = [{{ run = ['true'], capture = 'plan', matches = 'plan' }}, {{ run = ['true'] }}]\n"
    ))
}

/// One command for each layer, and nothing was done yet: the first layer's leads on.
#[test]
fn the_first_of_several_commands_is_named_where_each_is_for_one_layer() {
    let rules = by_layer(&["dev", "prod"], &[""]);
    let dev = ("plan-dev", Some("dev"), Status::Success, "");
    assert_eq!(by_rules(&rules, &[dev]), "Next: plan: prod; type /plan-prod");
    assert_eq!(by_rules(&rules, &[]), "Next: plan: dev and 1 more; type /plan-dev");
}

/// The same where one row is for all layers, and the whole failed.
#[test]
fn the_first_of_several_commands_is_named_where_the_whole_failed() {
    let planned = ["plan-dev", "plan-prod"].map(|row| (row, row.strip_prefix("plan-"), Status::Success, ""));
    let applied = ["dev", "prod"].map(|layer| ("apply", Some(layer), Status::Success, ""));
    let (each, plans) = (["dev", "prod"], [("/plan-dev", &planned[..1]), ("/plan-prod", &planned[1..])]);
    let one_by_one = [plans[0], ("/apply-dev", &applied[..1]), plans[1], ("/apply-prod", &applied[1..])];
    let at_once = [plans[0], plans[1], ("/apply", &applied[..])];
    for (applies, typed) in [(&each[..], &one_by_one[..]), (&[""], &at_once)] {
        let rules = by_layer(&each, applies);
        let mut journal = [&planned[..], &[("apply", None, Status::Failure, "exit 1")]].concat();
        for (line, done) in typed {
            let said = by_rules(&rules, &journal);
            assert!(said.ends_with(&format!("type {line}")), "{line}: {said}");
            journal.extend(*done);
        }
        assert_eq!(by_rules(&rules, &journal), "Ready to merge");
    }
}

/// One command for each layer, in one row for all, held to no plan: the first layer's leads on.
#[test]
fn the_first_of_several_commands_is_named_though_nothing_is_recorded() {
    let rules = rules(
        "version = 1\n[layers.dev]\ndir = 'dev'\n[layers.prod]\ndir = 'prod'\n[stages.deploy]\n\
         [commands.deploy-dev]\npattern = '/deploy-dev'\n[commands.deploy-prod]\npattern = '/deploy-prod'\n\
         [[rules]]\ncommand = 'deploy-dev'\ngate = 'anyone'\nlayers = ['dev']\nrun = 'deploy'\n\
         [[rules]]\ncommand = 'deploy-prod'\ngate = 'anyone'\nlayers = ['prod']\nrun = 'deploy'\n\
         [handlers.deploy]\neach = 'layer'\nstage = 'deploy'\nsteps = [{ run = ['true'] }]\n",
    );
    let dev = ("deploy", Some("dev"), Status::Success, "");
    assert_eq!(by_rules(&rules, &[dev]), "Next: deploy; type /deploy-prod");
    assert_eq!(by_rules(&rules, &[]), "Next: deploy; type /deploy-dev");
}

/// A layer that has nothing to do is not the one to begin with.
#[test]
fn the_first_of_several_commands_is_not_named_where_that_has_nothing_to_do() {
    let rules = rules(
        "version = 1\n[layers.dev]\ndir = 'dev'\n[layers.prod]\ndir = 'prod'\n\
         [stages.look]\neach = 'layer'\n[stages.deploy]\nafter = ['look']\n\
         [commands.deploy-dev]\npattern = '/deploy-dev'\n[commands.deploy-prod]\npattern = '/deploy-prod'\n\
         [[rules]]\non = 'pull_request'\nrun = 'look'\n\
         [[rules]]\ncommand = 'deploy-dev'\ngate = 'anyone'\nlayers = ['dev']\nrun = 'deploy'\n\
         [[rules]]\ncommand = 'deploy-prod'\ngate = 'anyone'\nlayers = ['prod']\nrun = 'deploy'\n\
         [handlers.look]\neach = 'layer'\nstage = 'look'\nsteps = [{ run = ['true'] }]\n\
         [handlers.deploy]\neach = 'layer'\nstage = 'deploy'\nsteps = [{ run = ['true'] }]\n",
    );
    let idle = ("look-dev", Some("dev"), Status::Skipped, "");
    let looked = ("look-prod", Some("prod"), Status::Success, "");
    assert_eq!(by_rules(&rules, &[idle, looked]), "Next: deploy; type /deploy-prod");
}
