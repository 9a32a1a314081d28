//! Every sample under tests/terraform is what Terraform 1.11 printed, less what is not read.

use minijinja::context;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{add_filters, digest, warnings};

macro_rules! sample {
    ($name:literal) => {
        include_str!(concat!("../../tests/terraform/", $name))
    };
}

fn plan(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// What a template makes of a capture, or why it cannot.
fn rendered(template: &str, capture: &Value) -> Result<String, minijinja::Error> {
    let mut environment = minijinja::Environment::new();
    environment.set_undefined_behavior(minijinja::UndefinedBehavior::Strict);
    add_filters(&mut environment);
    environment.render_str(template, context! { plan => minijinja::value::Serde(capture) })
}

fn summary(text: &str) -> String {
    rendered("{{ plan | terraform_summary }}", &plan(text)).unwrap()
}

fn changes(text: &str) -> String {
    rendered("{{ plan | terraform_changes }}", &plan(text)).unwrap()
}

#[test]
fn a_line_counts_what_is_done() {
    insta::assert_snapshot!(summary(sample!("everything.json")), @"1 to import, 2 to add, 3 to change, 1 to replace, 2 to destroy, 1 to move, 1 to forget, 1 check failed");
    insta::assert_snapshot!(summary(sample!("no-changes.json")), @"no changes");
    insta::assert_snapshot!(summary(sample!("empty.json")), @"no changes");
    insta::assert_snapshot!(summary(sample!("reads.json")), @"no changes");
    insta::assert_snapshot!(summary(sample!("moved.json")), @"1 to move");
    insta::assert_snapshot!(summary(sample!("imported.json")), @"1 to import");
    insta::assert_snapshot!(summary(sample!("refresh-only.json")), @"1 to refresh");
    insta::assert_snapshot!(summary(sample!("outputs.json")), @"1 output to change");
    insta::assert_snapshot!(summary(sample!("errored.json")), @"1 to add, plan failed, 1 check failed");
}

#[test]
fn a_table_names_what_is_lost_first_and_shows_no_value() {
    let table = changes(sample!("everything.json"));
    assert!(!table.contains("hunter"));
    insta::assert_snapshot!(table, @r#"
    | Action | Address | What changes |
    |:--|:--|:--|
    | **destroy** | <code>terraform&#95;data.each&#91;"&#96;c&#96;"&#93;</code> |  |
    | **destroy** | `terraform_data.gone` |  |
    | **replace** | `terraform_data.replaced` | `id`, `output`, `triggers_replace` (forces replacement) |
    | **forget** | `terraform_data.forgotten` |  |
    | change | `terraform_data.change` | `input`, `output` |
    | change | `terraform_data.imported` | imported from `abc-123`, `input`, `output` |
    | change | `terraform_data.secret` | `input` (sensitive), `output` |
    | add | `terraform_data.added` |  |
    | add | <code>terraform&#95;data.each&#91;"d&#92;nx"&#93;</code> |  |
    | move | `terraform_data.new` | moved from `terraform_data.old` |
    | **destroy** | `output.goes` |  |
    | change | `output.plain` |  |
    | change | `output.secret` | (sensitive) |
    | add | `output.unknown` |  |
    "#);
    insta::assert_snapshot!(changes(sample!("refresh-only.json")), @"
    | Action | Address | What changes |
    |:--|:--|:--|
    | refresh | `terraform_data.b` | moved from `terraform_data.a` |
    ");
    insta::assert_snapshot!(changes(sample!("no-changes.json")), @"No changes.");
}

/// The cells that a reader of GitHub's markdown sees, as HTML.
fn html(markdown: &str) -> String {
    let mut html = String::new();
    let options = pulldown_cmark::Options::ENABLE_TABLES;
    pulldown_cmark::html::push_html(&mut html, pulldown_cmark::Parser::new_ext(markdown, options));
    html
}

#[test]
fn an_address_cannot_leave_its_cell() {
    let address = "x[\"a|b\\\\|`c`\"] <!-- @you *z* -->\n| \u{202e}✅ |";
    let change = json!({ "actions": ["delete"], "before": {}, "after": null });
    let hostile = json!({
        "format_version": "1.2",
        "resource_changes": [{ "address": address, "change": change }],
    });
    let html = html(&rendered("{{ plan | terraform_changes }}", &hostile).unwrap());
    assert_eq!(html.matches("<td").count(), 3, "{html}");
    assert!(html.contains("<code>x[\"a|b\\\\|`c`\"] &lt;!-- @you *z* --&gt;\\n| \\u{202e}✅ |</code>"), "{html}");
}

#[test]
fn plans_of_the_same_code_and_state_have_one_digest() {
    let first = plan(sample!("everything.json"));
    let later = plan(sample!("everything-later.json"));
    assert_ne!(first["timestamp"], later["timestamp"]);
    assert_eq!(digest(&first), digest(&later));
    assert_ne!(digest(&first).hex, digest(&plan(sample!("everything-edited.json"))).hex);

    let mut other = first.clone();
    other["terraform_version"] = "1.12.0".into();
    other["resource_changes"].as_array_mut().unwrap().reverse();
    other["resource_changes"][0]["action_reason"] = "another".into();
    assert_eq!(digest(&first), digest(&other));
}

#[test]
fn sensitive_values_are_not_in_the_digest_and_all_others_are() {
    let first = plan(sample!("everything.json"));
    let edited = |from: &str, to: &str| plan(&sample!("everything.json").replace(from, to));
    // The attribute `output` of the sample holds the password unmarked; `after` has it under marks alone.
    assert_eq!(digest(&first), digest(&edited("hunter23", "hunter24")));
    for (from, to) in [
        ("terraform_data.old", "terraform_data.older"),
        ("abc-123", "abc-124"),
        ("\"forget\"", "\"delete\""),
        ("\"after\": \"y\"", "\"after\": \"z\""),
        ("\"password\": true", "\"password\": false"),
    ] {
        assert_ne!(digest(&first), digest(&edited(from, to)), "{from}");
    }
}

#[test]
fn whether_there_is_anything_to_apply() {
    let changes = |text: &str| digest(&plan(text)).changes;
    for text in [
        sample!("everything.json"),
        sample!("moved.json"),
        sample!("imported.json"),
        sample!("refresh-only.json"),
        sample!("outputs.json"),
        sample!("errored.json"),
        sample!("state.json"),
    ] {
        assert!(changes(text), "{text}");
    }
    let none = digest(&plan(sample!("empty.json")));
    for text in [sample!("no-changes.json"), sample!("reads.json"), sample!("empty.json")] {
        assert!(!changes(text), "{text}");
        assert_eq!(digest(&plan(text)), none);
    }
}

#[test]
fn what_is_not_understood_is_a_change() {
    let unexplained = json!({ "format_version": "1.9", "planned_values": {}, "applyable": true });
    assert!(digest(&unexplained).changes);
    let action = json!({ "format_version": "1.9", "output_changes": { "a": { "actions": ["transmogrify"] } } });
    assert!(digest(&action).changes);
    let invoked = json!({
        "format_version": "1.2",
        "planned_values": {},
        "action_invocations": [{ "address": "action.a.b", "config_values": { "k": "s" }, "config_sensitive": { "k": true } }],
    });
    assert!(digest(&invoked).changes);
    assert_eq!(rendered("{{ plan | terraform_summary }}", &invoked).unwrap(), "1 action to run");
}

#[test]
fn captures_that_are_no_plan() {
    assert_eq!(digest(&json!({ "b": 1, "a": [2] })), digest(&json!({ "a": [2], "b": 1 })));
    assert_ne!(digest(&json!([1, 2])).hex, digest(&json!([2, 1])).hex);
    assert!(digest(&json!(null)).changes);
    assert!(digest(&json!("Only in a: b\n")).changes);
    assert!(!digest(&json!("\n")).changes);
}

#[test]
fn what_a_reviewer_should_know() {
    insta::assert_snapshot!(warnings(&plan(sample!("everything.json"))).join("\n"), @"check `check.positive` failed: one is not two");
    insta::assert_snapshot!(warnings(&plan(sample!("errored.json"))).join("\n"), @"check `terraform_data.bad` failed: n must be 2");
    insta::assert_snapshot!(warnings(&plan(sample!("partial.json"))).join("\n"), @"the plan is partial: after it, another one is needed");
    assert!(warnings(&json!("text")).is_empty());
}

#[test]
fn filters_say_what_they_need() {
    let refused = |template: &str, capture: Value| rendered(template, &capture).unwrap_err().to_string();
    insta::assert_snapshot!(refused("{{ plan | terraform_summary }}", json!("Plan: 1 to add")), @"invalid operation: `terraform_summary`: this is no plan; give it what `terraform show -json PLANFILE` prints (in <string>:1)");
    insta::assert_snapshot!(refused("{{ plan | terraform_changes }}", plan(sample!("state.json"))), @"invalid operation: `terraform_changes`: this is no plan; give it what `terraform show -json PLANFILE` prints (in <string>:1)");
    insta::assert_snapshot!(refused("{{ plan | terraform_summary }}", json!({ "format_version": "2.0", "planned_values": {} })), @"invalid operation: `terraform_summary`: the plan's format is 2.0, and only formats 0 and 1 are known; a newer `ci` may know it (in <string>:1)");
    insta::assert_snapshot!(refused("{{ plan | terraform_summary }}", json!({ "format_version": "1.2", "resource_changes": [{ "address": "a", "change": 7 }] })), @"invalid operation: `terraform_summary`: the plan's `resource_changes[0].change` is not an object (in <string>:1)");
    insta::assert_snapshot!(refused("{{ nothing | terraform_summary }}", json!(null)), @"undefined value: `terraform_summary` has no value to read (in <string>:1)");
    insta::assert_snapshot!(refused("{{ plan | diff }}", json!(7)), @"invalid operation: `diff`: it needs the text of a plan, not number (in <string>:1)");
}

#[test]
fn the_text_of_a_plan_is_coloured() {
    insta::assert_snapshot!(rendered("{{ plan | diff }}", &json!(sample!("plan.txt"))).unwrap(), @r#"

    Terraform used the selected providers to generate the following execution
    plan. Resource actions are indicated with the following symbols:
    +   create
    !   update in-place
    -   destroy
    -/+ destroy and then create replacement

    Terraform will perform the following actions:

      # terraform_data.bye will be destroyed
      # (because terraform_data.bye is not in configuration)
    -   resource "terraform_data" "bye" {
    -       id     = "b3b1bbfc-d8ce-36a0-81c1-4bc2e8210cc2" -> null
    -       input  = "q" -> null
    -       output = "q" -> null
        }

      # terraform_data.h will be updated in-place
    !   resource "terraform_data" "h" {
            id     = "e602e4a3-c6bd-8760-d930-a4079fecee31"
    !       input  = <<-EOT
                a
    -           - b
    +           - b2
                c
            EOT
    !       output = <<-EOT
                a
                - b
                c
            EOT -> (known after apply)
        }

      # terraform_data.j must be replaced
    -/+ resource "terraform_data" "j" {
    !       id               = "72d7e916-7afa-6d94-09f1-ef2fc2163afc" -> (known after apply)
    !       output           = "x" -> (known after apply)
    +       triggers_replace = <<-EOT
                EOT
                - z
            EOT
            # (1 unchanged attribute hidden)
        }

      # terraform_data.new will be created
    +   resource "terraform_data" "new" {
    +       id     = (known after apply)
    +       input  = <<-EOT
                - x:
                    - y
            EOT
    +       output = (known after apply)
        }

    Plan: 2 to add, 1 to change, 2 to destroy.

    Changes to Outputs:
    +   o = [
    +       <<-EOT
                - 1
                - 2
            EOT,
        ]
    "#);
}

/// Any JSON, and JSON that is nearly a plan.
fn json_like() -> impl Strategy<Value = Value> {
    let key = prop::sample::select(vec![
        "format_version",
        "planned_values",
        "resource_changes",
        "resource_drift",
        "output_changes",
        "address",
        "change",
        "actions",
        "before",
        "after",
        "after_unknown",
        "before_sensitive",
        "after_sensitive",
        "importing",
        "id",
        "previous_address",
        "replace_paths",
        "checks",
        "status",
        "instances",
        "problems",
        "applyable",
        "é|`",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        prop::sample::select(vec!["1.2", "create", "delete", "update", "fail", "a|`\n"]).prop_map(Value::from),
        ".*".prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 64, 8, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((key.clone(), inner), 0..8)
                .prop_map(|fields| fields.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()),
        ]
    })
}

proptest! {
    #[test]
    fn no_json_panics(mut capture in json_like(), change in json_like(), as_plan: bool) {
        if as_plan {
            capture = json!({
                "format_version": "1.2",
                "resource_changes": [{
                    "address": "a", "change": { "actions": ["update"], "before": capture, "after": change, "after_sensitive": change }
                }],
            });
        }
        prop_assert_eq!(digest(&capture).hex.len(), 64);
        warnings(&capture);
        for template in ["{{ plan | terraform_summary }}", "{{ plan | terraform_changes }}", "{{ plan | diff }}"] {
            let result = rendered(template, &capture);
            prop_assert!(!as_plan || template.contains("diff") || result.is_ok());
        }
    }

    #[test]
    fn every_name_stays_in_its_cell(address in "(?s).{0,12}[|`\\\\<&\\[\n]{0,6}.{0,6}") {
        let change = json!({ "actions": ["create"] });
        let plan = json!({ "format_version": "1.2", "resource_changes": [{ "address": address, "change": change }] });
        let html = html(&rendered("{{ plan | terraform_changes }}", &plan).unwrap());
        prop_assert_eq!((html.matches("<td").count(), html.matches("<code>").count()), (3, 1), "{}", html);
    }

    #[test]
    fn colouring_moves_marks_and_nothing_else(lines in prop::collection::vec("( {2}){0,5}[-+~EOT<= a]{0,8}", 0..12)) {
        let text = lines.join("\n");
        let shown = super::diff::colourable(&text);
        for (line, shown) in text.split('\n').zip(shown.split('\n')) {
            let bare = |line: &str| line.replace([' ', '~', '!'], "");
            prop_assert_eq!(bare(line), bare(shown));
            prop_assert_eq!(line.len(), shown.len());
        }
    }
}
