//! What is said on a closed pull request, where nothing but an unlock does anything: all else is ignored without a word.

use super::{answers, confused, says};
use crate::github::{Fault, GitHub};
use crate::on_github::{CONFIG, github};

#[test]
fn a_closed_pull_request_is_told_once() {
    let github = github();
    github.state(|state| state.pull(7).open = false);
    let (ran, comment) = says(&github, "alice", "/plan");
    let told = ran.exits(0).stderr;
    assert!(comment.reactions.is_empty(), "{comment:#?}");
    assert_eq!(told.matches("nothing to do").count(), 1, "{told}");
    assert!(told.contains("nothing to do: the pull request is closed"), "{told}");
}

/// A closed pull request 7, and a command that does something on it.
fn closed() -> GitHub {
    let unlock = "[commands.unlock]\npattern = '/unlock'\n[[rules]]\ncommand = \"unlock\"\ngate = \"writers\"\n\
                  run = \"unlock\"\n[handlers.unlock]\nunlock = \"all\"\n";
    let github = GitHub::start(&format!("{CONFIG}\n{unlock}"));
    github.state(|state| state.pull(7).open = false);
    github
}

#[test]
fn an_unlock_beside_another_command_is_answered_in_an_outage() {
    for text in ["/plan\n\n/unlock", "/unlock\n\n/plan"] {
        let github = closed();
        github.fail_on("/statuses", Fault::Exhausted(403, 3_000));
        let (ran, comment) = says(&github, "alice", text);
        let (ran, said) = (ran.exits(3), answers(&github));
        assert!(confused(&comment) && said[0].contains("`/unlock` of alice was not run"), "{said:#?}");
        assert!(!said[0].contains("`/plan`") && !ran.stderr.contains("/plan"), "{said:#?} {ran:#?}");
    }
}

#[test]
fn what_is_ignored_behind_an_unlock_that_broke_off_is_not_told_as_not_reached() {
    let github = closed();
    github.fail_on("/issues/7/comments", Fault::Exhausted(403, 3_000));
    let ran = says(&github, "mallory", "/unlock\n\n/plan").0.exits(3);
    assert!(!ran.stderr.contains("/plan"), "{ran:#?}");
}

#[test]
fn nobody_is_answered_on_a_closed_pull_request_where_the_rules_or_the_journal_cannot_be_had() {
    let github = github();
    github.state(|state| state.pull(7).open = false);
    let event = github.comment(7, "alice", "/plan platform");
    github.fail_on("/statuses?", Fault::Exhausted(403, 3_000));
    github.job().on(event).ci(["run"]).exits(3);
    github.commit("main", "ci.toml", &CONFIG.replace("[[rules]]\ncommand = \"plan\"", "[[rules]]\ncomand = \"plan\""));
    for (login, text) in [("alice", "/plan platform"), ("alice", "/apply"), ("mallory", "/plan")] {
        let (ran, comment) = says(&github, login, text);
        ran.exits(2);
        assert!(!confused(&comment), "{login}: {text}");
    }
    assert!(github.comments(7).iter().all(|comment| !confused(comment)));
    assert!(answers(&github).is_empty(), "{:#?}", answers(&github));
}
