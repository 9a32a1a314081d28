//! Any text, above all the kind that looks like markup.

#![expect(clippy::wildcard_enum_match_arm, reason = "only what carries text or links is told apart")]

use proptest::prelude::*;
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use super::{COMMENT, Output, Page, Section, Templates, dashboard, decode_state, fixture, marked, output};
use crate::model::board::{Entry, Recorded, RowSpec, Status, fold};
use crate::model::ids::PullNumber;
use crate::render::marker::State;
use crate::render::{SUMMARY, escape, summary};

const PIECES: [&str; 44] = [
    "|",
    "`",
    "``",
    "```",
    "~~~",
    "<",
    ">",
    "&",
    "&lt;",
    "@alice",
    "@acme/admins",
    "#1",
    "acme/infra#2",
    "GH-3",
    "*",
    "**",
    "_",
    "__",
    "[",
    "]",
    "[a](b)",
    "![a](https://b/c.png)",
    "(",
    ")",
    "\\",
    "\n",
    "\r\n",
    "\n\n",
    "\t",
    " ",
    "# ",
    "---",
    "-->",
    "<!-- infra-dashboard:",
    "<script>",
    "<img src=x>",
    "</details>",
    "https://evil.example/",
    "www.evil",
    "a@b.example",
    "\u{202e}",
    "\u{1b}[31m",
    "1. ",
    "$x$",
];

fn text() -> impl Strategy<Value = String> {
    let piece =
        prop_oneof![proptest::sample::select(&PIECES[..]).prop_map(str::to_owned), "[a-z0-9 ]{1,3}", any::<String>()];
    proptest::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

fn entry() -> impl Strategy<Value = Entry> {
    let row = proptest::sample::select(&["plan-bootstrap", "plan-platform", "apply", "review"][..]);
    let status = proptest::sample::select(&[Status::Running, Status::Success, Status::Failure, Status::Dropped][..]);
    let maybe = || proptest::option::of(text());
    (row, status, text(), text(), maybe(), maybe(), maybe(), 1..9_u64).prop_map(
        |(row, status, note, url, link, by, action, id)| Entry {
            url,
            link,
            by,
            action,
            ..fixture::entry(id, row, status, &note)
        },
    )
}

/// The dashboard whose title and first row have this title.
fn draw(recorded: &[Recorded], title: &str) -> String {
    let (mut rules, sha, mut layout) = (fixture::rules(), fixture::sha(), fixture::layout());
    title.clone_into(&mut rules.dashboard.title);
    title.clone_into(&mut layout.rows[0].title);
    let board = fold(&layout, recorded);
    let page = Page { rules: &rules, board: &board, recorded, sha: &sha, pr: Some(PullNumber(7)) };
    dashboard(&Templates::default(), &page)
}

/// The entries with every text replaced by a harmless one of the same kind: there or not, a link or not.
fn tamed(recorded: &[Recorded]) -> Vec<Recorded> {
    let word = |text: &String| if shows(text) { "x".to_owned() } else { String::new() };
    recorded
        .iter()
        .map(|record| {
            let entry = &record.entry;
            let entry = Entry {
                note: word(&entry.note),
                url: word(&entry.url),
                link: entry.link.as_ref().map(word),
                by: entry.by.as_ref().map(word),
                action: entry.action.as_ref().map(word),
                ..entry.clone()
            };
            Recorded { entry, ..record.clone() }
        })
        .collect()
}

fn shows(text: &str) -> bool {
    !escape::one_line(text).is_empty()
}

/// What a reader of the markdown sees of its structure, and the texts outside of code.
fn read(body: &str) -> (Vec<String>, Vec<String>) {
    let options =
        Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS | Options::ENABLE_FOOTNOTES;
    let (mut shape, mut texts, mut fresh) = (Vec::new(), Vec::new(), true);
    let mut code = false;
    for event in Parser::new_ext(body, options) {
        match &event {
            Event::Text(_) if code => {}
            Event::Text(text) => {
                if fresh {
                    texts.push(String::new());
                }
                texts.last_mut().unwrap().push_str(text);
                fresh = false;
                continue;
            }
            Event::InlineHtml(raw) if &**raw == "<code>" => code = true,
            Event::InlineHtml(raw) if &**raw == "</code>" => {
                code = false;
                shape.push("code".to_owned());
            }
            Event::Code(_) => shape.push("code".to_owned()),
            Event::Html(raw) if raw.starts_with("<!-- infra-dashboard") => {}
            Event::Start(Tag::Link { .. }) | Event::End(TagEnd::Link) => shape.push("link".to_owned()),
            other => shape.push(format!("{other:?}")),
        }
        fresh = true;
    }
    (shape, texts)
}

fn addresses(body: &str) -> Vec<String> {
    let link = |event| match event {
        Event::Start(Tag::Link { dest_url, .. }) => Some(dest_url.to_string()),
        _ => None,
    };
    Parser::new_ext(body, Options::ENABLE_TABLES).filter_map(link).collect()
}

/// Nothing that GitHub would turn into a mention, a reference or a link.
fn inert(text: &str) -> bool {
    let after = |mark: &str, found: fn(char) -> bool| text.split(mark).skip(1).any(|rest| rest.starts_with(found));
    let lower = text.to_ascii_lowercase();
    !after("@", char::is_alphanumeric)
        && !after("#", |c| c.is_ascii_digit())
        && !lower.split("gh-").skip(1).any(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
        && !text.contains("://")
        && !lower.contains("www.")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_changes_what_the_dashboard_is(entries in proptest::collection::vec(entry(), 0..6), title in text()) {
        let recorded = fixture::recorded(entries);
        let body = draw(&recorded, &title);
        let plain = draw(&tamed(&recorded), if shows(&title) { "x" } else { "" });
        let (shape, texts) = read(&body);
        prop_assert_eq!(without_links(&shape), without_links(&read(&plain).0), "{}", body);
        prop_assert!(body.len() <= COMMENT);
        for text in texts {
            prop_assert!(inert(&text), "{text:?}");
        }
        for address in addresses(&body) {
            prop_assert!(["http://", "https://", "file://"].iter().any(|scheme| address.to_ascii_lowercase().starts_with(scheme)));
        }
        let rules = fixture::rules();
        prop_assert!(marked(&body, &rules, &fixture::sha()));
        prop_assert_eq!(body.matches("<!-- infra-dashboard").count(), 2);
        let state: State = decode_state(&body, &rules).unwrap();
        let mut entries = state.entries;
        entries.reverse();
        prop_assert_eq!(entries, recorded);
    }

    #[test]
    fn output_never_leaves_its_fence(title in text(), note in text(), printed in text(), by in text()) {
        let rules = fixture::rules();
        let sha = fixture::sha();
        let draw = |title: &str, note: &str, printed: &str, by: &str| {
            let section = Section {
                title, note, text: printed, status: Status::Failure, language: "", details: "", whole: None,
            };
            output(&Templates::default(), &Output {
                rules: &rules, key: "1-plan", title, sha: &sha, action: Some("/plan"), by: Some(by),
                run_page: None, dashboard: Some("https://github.com/a/b/pull/7#issuecomment-1"), sections: vec![section],
            })
        };
        let x = |text: &str| if shows(text) { "x" } else { "" };
        let body = draw(&title, &note, &printed, &by);
        let plain = draw(x(&title), x(&note), if printed.trim().is_empty() { "" } else { "x" }, x(&by));
        let blocks = |body: &str| Parser::new(body).filter(|event| matches!(event, Event::Start(_))).map(|event| match event {
            Event::Start(Tag::Link { .. }) => "link".to_owned(),
            event => format!("{event:?}"),
        }).collect::<Vec<_>>();
        prop_assert_eq!(blocks(&body), blocks(&plain), "{}", body);
    }
}

/// Which texts are links depends on the addresses, which are looked at on their own; what stands in backticks is code.
fn without_links(shape: &[String]) -> Vec<String> {
    shape.iter().filter(|part| *part != "link" && *part != "code").cloned().collect()
}

#[test]
fn ten_thousand_rows_and_huge_texts_still_fit() {
    let rules = fixture::rules();
    let sha = fixture::sha();
    let mut layout = fixture::layout();
    let spec = layout.rows[0].clone();
    layout.rows =
        (0..10_000).map(|at| RowSpec { id: format!("r{at}"), title: format!("Row |{at}|"), ..spec.clone() }).collect();
    let entries = (0..10_000)
        .map(|at| {
            let status = if at == 7_000 { Status::Failure } else { Status::Success };
            fixture::entry(at, &format!("r{at}"), status, if at % 100 == 0 { "|@a" } else { "" })
        })
        .chain([fixture::entry(1, "r1", Status::Success, &"@`|\n".repeat(25_000))])
        .collect();
    let recorded = fixture::recorded(entries);
    let board = fold(&layout, &recorded);
    let page = Page { rules: &rules, board: &board, recorded: &recorded, sha: &sha, pr: Some(PullNumber(7)) };
    let body = dashboard(&Templates::default(), &page);
    assert!(body.len() <= COMMENT, "{}", body.len());
    assert!(body.contains("| Row &#124;7000&#124; |"), "the failure stays");
    assert!(body.contains("more rows for which there is no room here"));
    let state = decode_state(&body, &rules).unwrap();
    assert_eq!(state.entries.len() + state.entries_left_out, 10_001);
    assert!(state.entries.len() > 20, "{}", state.entries.len());
}

#[test]
fn a_summary_takes_ten_megabytes_of_output() {
    let (rules, sha) = (fixture::rules(), fixture::sha());
    let board = fixture::board(&[("plan-platform", Status::Failure, "x")]);
    let page = Page { rules: &rules, board: &board, recorded: &[], sha: &sha, pr: None };
    let printed = format!("first\n{}last: the error", "a line of `output`\n".repeat(600_000));
    let section = Section {
        title: "platform",
        status: Status::Failure,
        note: "",
        text: &printed,
        language: "",
        details: "",
        whole: None,
    };
    let body = summary(&Templates::default(), &page, &[section]);
    assert!(body.len() <= SUMMARY && body.len() > SUMMARY / 2, "{}", body.len());
    assert!(body.contains("```\nfirst\n") && body.contains("last: the error\n```"));
}
