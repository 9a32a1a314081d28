use proptest::prelude::*;

use super::{Code, Diagnostic, Format, Severity, report};
use crate::model::span::{Source, Span};

const TEXT: &str = "version = 1\n\n[stages.plan]\nname = \"Plan\"\ncolour = \"grün\"\n\n[rules]\r\n\trun = \"plam\"\n";

fn source() -> Source {
    Source::new("ci.toml", TEXT)
}

fn span(of: &str) -> Span {
    let start = TEXT.find(of).unwrap();
    start..start + of.len()
}

fn warning(code: Code, source: &Source, span: Span, message: &str) -> Diagnostic {
    Diagnostic::new(Severity::Warning, code, source, span, message.to_owned())
}

fn related(mut problem: Diagnostic, span: Span, what: &str) -> Diagnostic {
    problem.related.push((span, what.to_owned()));
    problem
}

/// One of each kind, in no order.
fn problems() -> Vec<Diagnostic> {
    let source = source();
    vec![
        warning(Code::UnreportedStage, &source, span("plan"), "no handler reports stage `plan`"),
        related(
            Diagnostic::error(Code::UnknownHandler, &source, span("\"plam\""), "there is no handler `plam`")
                .label("unknown, 100% sure")
                .help("did you mean `plan`?"),
            span("stages.plan"),
            "the stage stands here",
        ),
        Diagnostic::error(Code::UnknownKey, &source, span("colour"), "unknown key `colour`").help("remove it"),
        Diagnostic::error(Code::MissingKey, &source, TEXT.len()..TEXT.len(), "there is no `[dashboard]`"),
    ]
}

#[test]
fn people_see_the_lines_in_order_and_a_count() {
    insta::assert_snapshot!(report(&problems(), Format::Human, false), @r#"
    warning[unreported-stage]: no handler reports stage `plan`
     --> ci.toml:3:9
      |
    3 | [stages.plan]
      |         ^^^^

    error[unknown-key]: unknown key `colour`
     --> ci.toml:5:1
      |
    5 | colour = "grün"
      | ^^^^^^
      |
      = help: remove it

    error[unknown-handler]: there is no handler `plam`
     --> ci.toml:8:8
      |
    3 | [stages.plan]
      |  ----------- the stage stands here
    ...
    8 |     run = "plam"
      |           ^^^^^^ unknown, 100% sure
      |
      = help: did you mean `plan`?

    error[missing-key]: there is no `[dashboard]`
     --> ci.toml:9:1
      |
    9 |
      | ^

    3 errors, 1 warning in ci.toml
    "#);
}

#[test]
fn one_line_each() {
    insta::assert_snapshot!(report(&problems(), Format::Short, false), @"
    ci.toml:3:9: warning[unreported-stage]: no handler reports stage `plan`
    ci.toml:5:1: error[unknown-key]: unknown key `colour` (remove it)
    ci.toml:8:8: error[unknown-handler]: there is no handler `plam` (did you mean `plan`?)
    ci.toml:9:1: error[missing-key]: there is no `[dashboard]`
    ");
}

#[test]
fn nothing_in_a_short_line_can_move_the_cursor_or_begin_a_line() {
    let bad = Diagnostic::error(Code::UnknownKey, &source(), 0..1, "unknown key `\u{1b}[2J\nok`");
    insta::assert_snapshot!(report(&[bad], Format::Short, false), @"ci.toml:1:1: error[unknown-key]: unknown key `␛[2J ok`");
}

#[test]
fn a_json_document_with_a_version() {
    insta::assert_snapshot!(report(&problems()[1..2], Format::Json, false), @r#"
    {
      "version": 1,
      "diagnostics": [
        {
          "code": "unknown-handler",
          "severity": "error",
          "file": "ci.toml",
          "line": 8,
          "column": 8,
          "end_line": 8,
          "end_column": 14,
          "message": "there is no handler `plam`",
          "label": "unknown, 100% sure",
          "help": "did you mean `plan`?",
          "related": [
            {
              "line": 3,
              "column": 2,
              "end_line": 3,
              "end_column": 13,
              "message": "the stage stands here"
            }
          ]
        }
      ]
    }
    "#);
    insta::assert_snapshot!(report(&[], Format::Json, false), @r#"
    {
      "version": 1,
      "diagnostics": []
    }
    "#);
}

#[test]
fn workflow_commands_are_escaped() {
    insta::assert_snapshot!(report(&problems(), Format::Github, false), @"
    ::warning file=ci.toml,line=3,endLine=3,col=9,endColumn=12,title=unreported-stage::no handler reports stage `plan`
    ::error file=ci.toml,line=5,endLine=5,col=1,endColumn=6,title=unknown-key::unknown key `colour`%0Ahelp: remove it
    ::error file=ci.toml,line=8,endLine=8,col=8,endColumn=13,title=unknown-handler::there is no handler `plam`: unknown, 100%25 sure%0Ahelp: did you mean `plan`?
    ::error file=ci.toml,line=9,endLine=9,col=1,endColumn=1,title=missing-key::there is no `[dashboard]`
    ");
    let odd = Source::new("a,b:c%.toml", "x\ny\n");
    let two_lines = warning(Code::UnknownEvent, &odd, 0..3, "a: b, c");
    insta::assert_snapshot!(report(&[two_lines], Format::Github, false), @"::warning file=a%2Cb%3Ac%25.toml,line=1,endLine=2,title=unknown-event::a: b, c");
}

#[test]
fn sarif_names_each_rule_once() {
    insta::assert_snapshot!(report(&problems()[..2], Format::Sarif, false), @r#"
    {
      "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
      "version": "2.1.0",
      "runs": [
        {
          "tool": {
            "driver": {
              "name": "ci",
              "semanticVersion": "0.1.0",
              "rules": [
                {
                  "id": "unknown-handler",
                  "shortDescription": {
                    "text": "unknown handler"
                  },
                  "fullDescription": {
                    "text": "a handler that is not there"
                  },
                  "help": {
                    "text": "Each result says what to write instead."
                  }
                },
                {
                  "id": "unreported-stage",
                  "shortDescription": {
                    "text": "unreported stage"
                  },
                  "fullDescription": {
                    "text": "a stage that no handler reports to (a warning)"
                  },
                  "help": {
                    "text": "Each result says what to write instead."
                  }
                }
              ]
            }
          },
          "columnKind": "unicodeCodePoints",
          "results": [
            {
              "ruleId": "unreported-stage",
              "ruleIndex": 1,
              "level": "warning",
              "message": {
                "text": "no handler reports stage `plan`"
              },
              "locations": [
                {
                  "physicalLocation": {
                    "artifactLocation": {
                      "uri": "ci.toml"
                    },
                    "region": {
                      "startLine": 3,
                      "startColumn": 9,
                      "endLine": 3,
                      "endColumn": 13
                    }
                  }
                }
              ]
            },
            {
              "ruleId": "unknown-handler",
              "ruleIndex": 0,
              "level": "error",
              "message": {
                "text": "there is no handler `plam`\nhelp: did you mean `plan`?"
              },
              "locations": [
                {
                  "physicalLocation": {
                    "artifactLocation": {
                      "uri": "ci.toml"
                    },
                    "region": {
                      "startLine": 8,
                      "startColumn": 8,
                      "endLine": 8,
                      "endColumn": 14
                    }
                  },
                  "message": {
                    "text": "unknown, 100% sure"
                  }
                }
              ],
              "relatedLocations": [
                {
                  "physicalLocation": {
                    "artifactLocation": {
                      "uri": "ci.toml"
                    },
                    "region": {
                      "startLine": 3,
                      "startColumn": 2,
                      "endLine": 3,
                      "endColumn": 13
                    }
                  },
                  "message": {
                    "text": "the stage stands here"
                  }
                }
              ]
            }
          ]
        }
      ]
    }
    "#);
}

#[test]
fn far_places_are_drawn_apart_and_long_ones_are_cut() {
    let text: String = (1..=60_000).map(|line| format!("key-{line} = {line}\n")).collect();
    let source = Source::new("ci.toml", text);
    let at = |line: usize| source.line_start(line)..source.line_start(line) + 3;
    let far = Diagnostic::error(Code::DuplicateRow, &source, at(50_000), "twice");
    let far = related(far, at(7), "first here");
    let long = Diagnostic::error(Code::Cycle, &source, source.line_start(3)..source.line_start(50_000), "all of it");
    insta::assert_snapshot!(report(&[far, long], Format::Human, false), @"
    error[cycle]: all of it
     --> ci.toml:3:1
      |
    3 | key-3 = 3
      | ^^^^^^^^^

    error[duplicate-row]: twice
         --> ci.toml:50000:1
          |
    50000 | key-50000 = 50000
          | ^^^
          |
         ::: ci.toml:7:1
          |
        7 | key-7 = 7
          | --- first here

    2 errors in ci.toml
    ");
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
        let mut problem = Diagnostic::error(Code::Syntax, &source, spans[0].0..spans[0].1, "message").label("label");
        for (start, end) in &spans[1..] {
            problem = related(problem, *start..*end, "related");
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
