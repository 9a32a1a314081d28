//! Slips that are told where they are, once, and what stands beside them that is right and is not told.

use super::{lines, load_text};

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
