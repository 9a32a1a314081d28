//! One value of everything that the built-in templates see. Overrides are drawn with it once where they are read, so that
//! an unknown key, filter or test is found before it is needed.

use minijinja::Value;
use minijinja::value::Serde;
use serde_json::json;

/// The sample. A test compares its keys with those of a real page.
pub(super) fn sample() -> Value {
    let link = "https://github.com/acme/infra/actions/runs/1";
    Value::from(Serde(json!({
        "title": "Commit Dashboard",
        "sha": "abc1234def5678900000000000000000000000ff",
        "short_sha": "abc1234",
        "pr": 7,
        "rows": [{
            "id": "plan-platform", "title": "Plan: platform", "status": "success", "icon": "✅", "run_page": link,
            "note": "no changes", "output": "no changes", "link": link, "time": "14:23 UTC · 41 s",
        }],
        "rows_left_out": 1,
        "next": {
            "kind": "failed", "icon": "❌", "title": "Plan: platform", "note": "cancelled", "link": link, "more": 1,
            "advice": "fix it and push", "joint": ", or",
            "command": "/plan platform",
        },
        "history": [{
            "action": "/plan", "by": "alice", "icon": "✅", "title": "Plan: platform", "note": "no changes",
            "link": link, "time": "2026-11-23 14:23 UTC",
        }],
        "history_left_out": 1,
        "commands": [{
            "usage": "/plan [layer…]", "help": "Preview the changes",
            "needs": [{ "when": "args.action == 'plan'", "parts": [{ "text": "a successful plan", "holds": true }] }],
        }],
        "sections": [{
            "title": "platform", "icon": "❌", "status": "failure", "failed": true, "note": "exit code 1", "body": "text",
        }],
        "action": "/plan",
        "by": "alice",
        "run_page": link,
        "dashboard": link,
        "command": "/apply",
        "partly": false,
        "reasons": [{ "code": "permission", "message": "write access is needed", "remedy": "ask", "layer": "platform" }],
    })))
}

#[cfg(test)]
mod tests {
    use minijinja::Value;

    use super::super::{Page, Section, dashboard, fixture};
    use super::sample;
    use crate::model::board::Status;

    fn keys(value: &Value) -> Vec<String> {
        let mut keys: Vec<String> = value.try_iter().unwrap().map(|key| key.to_string()).collect();
        keys.sort();
        keys
    }

    fn first(value: &Value, name: &str) -> Value {
        value.get_attr(name).unwrap().get_item_by_index(0).unwrap()
    }

    #[test]
    fn the_sample_has_the_keys_of_a_real_page() {
        let (rules, sha) = (fixture::rules(), fixture::sha());
        let board = fixture::board(&[("plan-platform", Status::Failure, "x")]);
        let page = Page { rules: &rules, board: &board, recorded: &[], sha: &sha, pr: None };
        let section = Section {
            title: "t",
            status: Status::Failure,
            note: "n",
            text: "x",
            language: "",
            details: "",
            whole: None,
        };
        let (real, sample) = (dashboard::values(&page, 60_000, &[section]), sample());
        for list in ["rows", "history", "commands", "sections"] {
            assert_eq!(keys(&first(&real, list)), keys(&first(&sample, list)), "{list}");
        }
        assert_eq!(keys(&real.get_attr("next").unwrap()), keys(&sample.get_attr("next").unwrap()));
        let needs = |value: &Value| first(&first(value, "commands"), "needs");
        assert_eq!(keys(&needs(&real)), keys(&needs(&sample)));
        assert_eq!(keys(&first(&needs(&real), "parts")), keys(&first(&needs(&sample), "parts")));
    }
}
