use proptest::prelude::*;

use super::{Diagnostic, Format, report};
use crate::model::span::{Source, Span};

const TEXT: &str = "version = 1\n\n[stages.plan]\nname = \"Plan\"\ncolour = \"grün\"\n\n[rules]\r\n\trun = \"plam\"\n";

fn source() -> Source {
    Source::new("ci.toml", TEXT)
}

fn span(of: &str) -> Span {
    let start = TEXT.find(of).unwrap();
    start..start + of.len()
}

/// One of each kind, in no order.
fn problems() -> Vec<Diagnostic> {
    let source = source();
    vec![
        Diagnostic::warning("unused-stage", &source, span("plan"), "no handler reports stage `plan`"),
        Diagnostic::error("unknown-handler", &source, span("\"plam\""), "there is no handler `plam`")
            .label("unknown, 100% sure")
            .help("did you mean `plan`?")
            .related(span("stages.plan"), "the stage stands here"),
        Diagnostic::error("unknown-key", &source, span("colour"), "unknown key `colour`").help("remove it"),
        Diagnostic::error("missing-table", &source, TEXT.len()..TEXT.len(), "there is no `[dashboard]`"),
    ]
}

#[test]
fn people_see_the_lines_in_order_and_a_count() {
    insta::assert_snapshot!(report(&problems(), Format::Human, false), @"");
}

#[test]
fn one_line_each() {
    insta::assert_snapshot!(report(&problems(), Format::Short, false), @"");
}

#[test]
fn nothing_in_a_short_line_can_move_the_cursor_or_begin_a_line() {
    let bad = Diagnostic::error("unknown-key", &source(), 0..1, "unknown key `\u{1b}[2J\nok`");
    insta::assert_snapshot!(report(&[bad], Format::Short, false), @"");
}

#[test]
fn a_json_document_with_a_version() {
    insta::assert_snapshot!(report(&problems()[1..2], Format::Json, false), @"");
    insta::assert_snapshot!(report(&[], Format::Json, false), @"");
}

#[test]
fn workflow_commands_are_escaped() {
    insta::assert_snapshot!(report(&problems(), Format::Github, false), @"");
    let odd = Source::new("a,b:c%.toml", "x\ny\n");
    let two_lines = Diagnostic::warning("odd", &odd, 0..3, "a: b, c");
    insta::assert_snapshot!(report(&[two_lines], Format::Github, false), @"");
}

#[test]
fn sarif_names_each_rule_once() {
    insta::assert_snapshot!(report(&problems()[..2], Format::Sarif, false), @"");
}

#[test]
fn far_places_are_drawn_apart_and_long_ones_are_cut() {
    let text: String = (1..=60_000).map(|line| format!("key-{line} = {line}\n")).collect();
    let source = Source::new("ci.toml", text);
    let at = |line: usize| source.line_start(line)..source.line_start(line) + 3;
    let far = Diagnostic::error("duplicate", &source, at(50_000), "twice").related(at(7), "first here");
    let long = Diagnostic::error("long", &source, source.line_start(3)..source.line_start(50_000), "all of it");
    insta::assert_snapshot!(report(&[far, long], Format::Human, false), @"");
}

#[test]
fn nothing_to_say_is_no_text() {
    for format in [Format::Human, Format::Short, Format::Github] {
        assert_eq!(report(&[], format, true), "");
    }
}

proptest! {
    #[test]
    fn no_text_and_no_span_panics(text in "(?s)[a-zö\t\r\n \u{200d}👨]{0,60}", spans in proptest::collection::vec((0usize..80, 0usize..80), 1..4)) {
        let source = Source::new("ci.toml", text);
        let mut problem = Diagnostic::error("code", &source, spans[0].0..spans[0].1, "message").label("label");
        for (start, end) in &spans[1..] {
            problem = problem.related(*start..*end, "related");
        }
        for format in [Format::Human, Format::Short, Format::Json, Format::Github, Format::Sarif] {
            prop_assert!(report(std::slice::from_ref(&problem), format, false).contains("message"));
        }
    }

    #[test]
    fn the_order_they_came_in_does_not_matter(problems in Just(problems()).prop_shuffle()) {
        prop_assert_eq!(report(&problems, Format::Human, false), report(&self::problems(), Format::Human, false));
    }
}
