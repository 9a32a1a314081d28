//! Slips that are told where they are, once, and what stands beside them that is right and is not told.

use super::{lines, load, load_text};
use crate::model::span::Source;

/// `LINE: CODE` of each problem.
fn told(text: &str) -> Vec<String> {
    let found = load_text(text).diagnostics;
    found.iter().map(|one| format!("{}: {}", one.source.line(one.span.start), one.code.as_str())).collect()
}

#[test]
fn one_wrong_after_is_one_circle_where_it_stands() {
    let layers = |net: &str, stg: &str, prd: &str| {
        let layer = |name: &str, after: &str| format!("[layers.{name}]\ndir = '{name}'\nafter = [{after}]\n");
        format!("version = 1\n{}{}{}", layer("net", net), layer("stg", stg), layer("prd", prd))
    };
    assert_eq!(told(&layers("'prd'", "'net'", "'net', 'stg'")), ["4: cycle"]);
    assert_eq!(told(&layers("'stg', 'prd'", "", "'net'")), ["10: cycle"], "the highest first");
    assert_eq!(told(&layers("", "'stg'", "'net'")), ["7: cycle"]);
    assert_eq!(told(&layers("'stg'", "", "'net', 'stg'")), Vec::<String>::new(), "in whatever order, it is no circle");
    let found = load_text(&layers("'prd'", "'net'", "'net', 'stg'")).diagnostics;
    let (message, parts) = (&found[0].message, &found[0].related);
    assert!(message.ends_with("`net` after `prd` after `net`") && parts.len() == 1, "{message} {parts:?}");
}

#[test]
fn a_rule_for_an_event_and_a_command_is_one_mistake() {
    let text = "version = 1\n[commands.plan]\npattern = '/plan'\n[gates.x]\napprovals = 1\n\
        [[rules]]\non = 'push'\ncommand = 'plan'\nrun = 'plan'\n\
        [[rules]]\ncommand = 'plan'\ngate = 'x'\nrun = 'plan'\n[handlers.plan]\nsteps = [{ run = ['true'] }]\n";
    assert_eq!(told(text), ["8: two-kinds"]);
}

#[test]
fn what_is_wrong_in_itself_is_not_called_unused() {
    for (table, wrong) in [("gates.x", "permision = 'write'"), ("handlers.x", "reply = 1"), ("commands.x", "paten = 1")]
    {
        let found = load_text(&format!("version = 1\n[{table}]\n{wrong}\n")).diagnostics;
        assert!(found.iter().all(|one| !one.code.as_str().starts_with("unused")), "{:#?}", lines(&found));
    }
}

#[test]
fn a_line_that_is_said_is_a_command() {
    let said = |line: &str| {
        format!(
            "version = 1\n[layers.net]\ndir = 'net'\n[commands.plan]\npattern = '/plan(\\s+(?<layers>.+))?'\n\
             args.layers = {{ type = 'layers' }}\n[[rules]]\non = 'schedule'\nsay = \"{line}\"\n\
             [[rules]]\ncommand = 'plan'\nrun = 'plan'\n[handlers.plan]\nreply = 'help'\n"
        )
    };
    for (line, code) in [
        ("plan", "bad-say"),
        ("/deploy", "bad-say"),
        ("/plann", "unknown-command"),
        ("/plan nett", "unknown-layer"),
        ("/plan all net", "bad-say"),
    ] {
        assert_eq!(told(&said(line)), [format!("9: {code}")], "{line}");
    }
    for right in ["/plan", " /plan net ", "{{ event.line }}", "plan{% if true %}{% endif %}"] {
        assert_eq!(told(&said(right)), Vec::<String>::new(), "{right}");
    }
    let help = load_text(&said("plan net")).diagnostics[0].help.clone();
    assert_eq!(help.as_deref(), Some("write `/plan net`"));
    let broken = said("/plan nett").replace("dir = 'net'", "dir = 1");
    assert_eq!(told(&broken), ["3: wrong-type"], "what the layers are is not known");
}

/// A file of rules for events, the n-th one with its `on` in line 3n - 1.
fn rules(rules: &[&str]) -> String {
    let rules = rules.iter().map(|keys| format!("[[rules]]\n{keys}\nrun = 'x'\n"));
    format!("version=1{}[handlers.x]\nreply = 'help'\n", rules.collect::<String>()).replacen(
        "version=1",
        "version = 1\n",
        1,
    )
}

#[test]
fn what_earlier_rules_take_no_later_one_gets() {
    for (first, second) in [
        ("on = 'pull_request', types = ['closed']", "on = 'pull_request', types = ['closed']"),
        ("on = 'pull_request', types = ['opened', 'closed']", "on = 'pull_request', types = ['opened']"),
        ("on = 'pull_request', types = ['closed']", "on = 'pull_request', types = ['closed'], draft = true"),
        ("on = 'push', branches = ['main', 'x']", "on = 'push', branches = ['main']"),
        ("on = ['push', 'schedule'], if = 'actor'", "on = 'push', if = 'actor '"),
        ("on = 'pull_request', draft = true", "on = 'pull_request', draft = true, paths = ['x']"),
    ] {
        let text = rules(&[first, second]).replace(", ", "\n").replace("'\n'", "', '");
        let found = told(&text);
        assert!(matches!(&found[..], [one] if one.ends_with("unreachable-rule")), "{text}: {found:?}");
    }
    for (first, second) in [
        ("on = 'pull_request', types = ['closed']", "on = 'pull_request', types = ['closed', 'opened']"),
        ("on = 'pull_request', types = ['closed']", "on = 'pull_request'"),
        ("on = 'pull_request', types = ['closed'], draft = true", "on = 'pull_request', types = ['closed']"),
        ("on = 'pull_request', draft = true", "on = 'pull_request', draft = false"),
        ("on = 'push', branches = ['main']", "on = 'push', branches = ['rel']"),
        ("on = 'push', if = 'actor'", "on = ['push', 'schedule'], if = 'actor'"),
        ("on = 'pull_request', labels = ['a']", "on = 'pull_request', labels = ['b', 'a']"),
    ] {
        let text = rules(&[first, second]).replace(", ", "\n").replace("'\n'", "', '");
        assert_eq!(told(&text), Vec::<String>::new(), "{text}");
    }
    let together = ["types = ['opened']", "types = ['closed']", "types = ['closed', 'opened']"];
    let text = rules(&together.map(|types| format!("on = 'pull_request'\n{types}")).each_ref().map(|one| &**one));
    assert_eq!(told(&text), ["11: unreachable-rule"]);
    let wrong = rules(&["on = 'pull_request'\ndraft = 0.5", "on = 'pull_request'\ndraft = false"]);
    assert_eq!(told(&wrong), ["4: wrong-type"]);
}

#[test]
fn a_condition_that_can_never_hold_is_told() {
    for (on, condition) in [
        ("'push'", "draft = true"),
        ("'push'", "labels = ['x']"),
        ("'push'", "types = ['opened']"),
        ("['push', 'schedule']", "fork = false"),
        ("'schedule'", "types = ['opened']"),
        ("'schedule'", "branches = ['main']"),
    ] {
        assert_eq!(told(&rules(&[&format!("on = {on}\n{condition}")])), ["4: misplaced-key"], "{on} {condition}");
    }
    assert_eq!(told(&rules(&["on = 'push'\nif = 'pr.number > 1'"])), ["4: unavailable-variable"]);
    for (on, condition) in [
        ("['push', 'pull_request']", "draft = true"),
        ("'repository_dispatch'", "types = ['deploy']"),
        ("'workflow_run'", "branches = ['main']"),
        ("['push', 'pull_request']", "if = 'pr.draft'"),
        ("'push'", "paths = ['net/**']\nbranches = ['main']"),
    ] {
        assert_eq!(told(&rules(&[&format!("on = {on}\n{condition}")])), Vec::<String>::new(), "{on} {condition}");
    }
}

#[test]
fn a_placeholder_that_nothing_fills_in_is_told() {
    let call = |path: &str| {
        format!(
            "version = 1\n[[rules]]\non = 'pull_request'\nrun = 'x'\n\
             [handlers.x]\napi = 'POST /repos/{{owner}}/{{repo}}/{path}'\n"
        )
    };
    for wrong in ["pulls/{pr_number}/merge", "pulls/{pr}/{{ repo }}/{layer}", "issues/{number}/labels"] {
        assert_eq!(told(&call(wrong)), ["6: unsafe-path"], "{wrong}");
    }
    for right in ["pulls/{pr}/merge", "pulls/{{pr.number}}/merge", "{% if true %}labels{% endif %}", "x{}", "x{"] {
        assert_eq!(told(&call(right)), Vec::<String>::new(), "{right}");
    }
}

#[test]
fn what_stands_behind_work_of_others_is_never_got_to() {
    let lists = |run: &str| {
        format!(
            "version = 1\n[[rules]]\non = 'push'\nrun = [{run}]\n[handlers.own]\nsteps = [{{ run = ['true'] }}]\n\
             [handlers.lint]\ndelegate = 'lint'\n[handlers.e2e]\ndispatch = 'e2e.yml'\n"
        )
    };
    let of_run = |run: &str| told(&lists(run)).into_iter().filter(|one| one.starts_with("4:")).collect::<Vec<_>>();
    for wrong in ["'lint', 'own'", "'e2e', 'own'", "'own', 'lint', 'e2e'"] {
        assert_eq!(of_run(wrong), ["4: unreachable-handler"], "{wrong}");
    }
    for right in ["'own', 'lint'", "'own', 'e2e'", "'own'", "'lint'"] {
        assert_eq!(of_run(right), Vec::<String>::new(), "{right}");
    }
}

#[test]
fn a_line_for_a_shell_is_warned_of_and_an_argument_is_not() {
    let steps = |run: &str| {
        format!("version = 1\n[[rules]]\non = 'push'\nrun = 'x'\n[handlers.x]\nsteps = [{{ run = [{run}] }}]\n")
    };
    for wrong in
        ["'terraform state list'", "'make plan', 'x'", "'a', '&&', 'bcd'", "'echo', 'x', '||', 'true'", "'a', '2>&1'"]
    {
        assert_eq!(told(&steps(wrong)), ["6: no-shell"], "{wrong}");
    }
    for right in [
        "'./my tool', 'x'",
        "'{{ repo | replace(\"a\", \"b\") }}'",
        "'sh', '-c', 'a | b'",
        "'cut', '-d', '|', 'file'",
        "'sort', '-t', '|', 'file'",
        "'expr', '1', '>', '2'",
        "'/usr/bin/grep', '|', 'file'",
        "'timeout', '5', 'tr', '|', 'newline'",
        "'git', 'grep', '&&', 'src'",
        "'xargs', 'rg', '2>&1', 'src'",
        "'find', '.', '-exec', 'ls', '{}', ';'",
        "'jq', '.a | .b'",
    ] {
        assert_eq!(told(&steps(right)), Vec::<String>::new(), "{right}");
    }
}

#[test]
fn a_glob_that_no_path_matches_is_told() {
    for (glob, right) in
        [("/net/**", false), ("./net/**", false), ("**/net/**", true), ("net/**", true), (".github/**", true)]
    {
        let layer = format!("version = 1\n[layers.net]\ndir = 'net'\npaths = ['{glob}']\n");
        let rule = rules(&[&format!("on = 'push'\npaths = ['{glob}']")]);
        let expected = if right { Vec::new() } else { vec!["4: bad-glob"] };
        assert_eq!(
            (told(&layer), told(&rule)),
            (expected.iter().map(|s| (*s).to_owned()).collect(), expected.iter().map(|s| (*s).to_owned()).collect()),
            "{glob}"
        );
    }
    assert_eq!(told(&rules(&["on = 'push'\nbranches = ['/x']"])), Vec::<String>::new());
}

#[test]
fn a_template_that_nothing_draws_is_told_where_it_is_nearly_a_built_in_one() {
    let text = "version = 1\n[[rules]]\non = 'push'\nrun = 'x'\n[handlers.x]\nreply = 'helpp'\n";
    let files = ["hlp", "helpp", "dashbord", "summry", "other", "refusal"].map(|stem| format!("{stem}.md.j2"));
    let source = |name: &String| {
        let text = if name.starts_with("refusal") { "{% include 'summry.md.j2' %}" } else { "" };
        (name.clone(), Source::new(format!("templates/{name}"), text))
    };
    let found = load(Source::new("ci.toml", text), &files.iter().map(source).collect()).diagnostics;
    let files: Vec<_> = found.iter().map(|one| (&*one.source.name, one.help.as_deref().unwrap())).collect();
    assert_eq!(
        files,
        [
            ("templates/dashbord.md.j2", "did you mean `dashboard.md.j2`?"),
            ("templates/hlp.md.j2", "did you mean `help.md.j2`?"),
        ]
    );
}

#[test]
fn a_pattern_without_its_sign_and_an_argument_that_is_none_are_told_with_what_to_write() {
    let help = |text: &str| load_text(text).diagnostics[0].help.clone().unwrap_or_default();
    let command = |pattern: &str| format!("version = 1\n[commands.lint]\npattern = '{pattern}'\n");
    assert_eq!(help(&command("lint( now)?")), "begin the pattern with `/`: `pattern = '/lint( now)?'`");
    assert_eq!(help(&command("/linter")), "write `usage = \"/linter …\"`, as people are to type it");
    let rule = "[[rules]]\ncommand = 'lint'\nif = \"args.foo == 'x'\"\nrun = 'x'\n[handlers.x]\nreply = 'help'\n";
    assert_eq!(
        help(&(command("/lint") + rule)),
        "no argument is there: a group of the command's pattern is one, `(?<foo>…)`"
    );
    assert!(help(&(command("/lint (?<fo>.)") + rule)).contains("did you mean `fo`?"));
}

/// Work that runs once is compared with what is recorded once.
#[test]
fn what_is_recorded_for_each_layer_is_not_compared_once_for_all() {
    let text = |plan_rows: &str, plan_runs: &str, apply_runs: &str| {
        format!(
            "version = 1\n[layers.net]\ndir = 'net'\n[stages.plan]\n{plan_rows}\n[stages.apply]\nafter = ['plan']\n\
             [commands.plan]\npattern = '/plan'\n[commands.apply]\npattern = '/apply'\n\
             [[rules]]\ncommand = 'plan'\ngate = 'anyone'\nrun = 'plan'\n\
             [[rules]]\ncommand = 'apply'\ngate = 'anyone'\nrun = 'apply'\n\
             [handlers.plan]\n{plan_runs}\nstage = 'plan'\nrecord = {{ changes = 'plan' }}\n\
             steps = [{{ run = ['true'], capture = 'plan' }}]\n\
             [handlers.apply]\n{apply_runs}\nstage = 'apply'\n\
             steps = [{{ run = ['true'], capture = 'plan', matches = 'plan' }}, {{ run = ['true'] }}]\n"
        )
    };
    let each = "each = 'layer'";
    for (rows, plan) in [(each, each), (each, ""), ("", each)] {
        assert_eq!(told(&text(rows, plan, "")), ["28: nothing-recorded"], "{rows:?} {plan:?}");
        assert_eq!(told(&text(rows, each, each)), Vec::<String>::new());
    }
    assert_eq!(told(&text("", "", "")), Vec::<String>::new());
}

#[test]
fn layers_that_are_planned_are_so_by_a_stage_that_there_is() {
    let text = |stage: &str, command: &str, rule: &str| {
        format!(
            "version = 1\n[layers.net]\ndir = 'net'\n[stages.{stage}]\neach = 'layer'\nread-only = true\n[gates.seen]\nplanned = '{stage}'\n\
             [commands.apply]\npattern = '/apply(\\s+(?<layers>.+))?'\nargs.layers = {{ type = 'layers'{command} }}\n\
             [commands.look]\npattern = '/look'\n\
             [[rules]]\non = 'push'\nrun = 'look'\n[[rules]]\ncommand = 'look'\ngate = 'seen'\nrun = 'look'\n\
             [[rules]]\ncommand = 'apply'\n{rule}\nrun = 'apply'\n\
             [handlers.look]\neach = 'layer'\nstage = '{stage}'\nsteps = [{{ run = ['true'] }}]\n\
             [handlers.apply]\neach = 'layer'\nsteps = [{{ run = ['true'] }}]\n"
        )
    };
    let planned = ", default = 'planned'";
    assert_eq!(told(&text("preview", planned, "gate = 'anyone'")), ["22: nothing-planned"]);
    assert_eq!(told(&text("preview", "", "gate = 'anyone'\nlayers = 'planned'")), ["24: nothing-planned"]);
    for (stage, command, rule) in [
        ("plan", planned, "gate = 'anyone'"),
        ("preview", planned, "gate = 'seen'"),
        ("preview", "", "gate = 'anyone'\nlayers = 'changed'\n"),
    ] {
        assert_eq!(told(&text(stage, command, rule)), Vec::<String>::new(), "{stage} {command} {rule}");
    }
}
