//! The stable codes of everything that can be wrong in a ci.toml, its templates and its tests, each with a line on what it means. People search for
//! them and tools filter by them, so a code is never given another meaning.

macro_rules! codes {
    ($($variant:ident $code:literal $meaning:literal)*) => {
        /// What kind of problem it is.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Code {
            $(#[doc = $meaning] $variant,)*
        }

        impl Code {
            /// Every code, in the order of the reference.
            pub(crate) const ALL: &[Self] = &[$(Self::$variant),*];

            /// The code as it is printed.
            pub(crate) const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $code,)*
                }
            }

            /// What it means, in a line.
            pub(crate) const fn meaning(self) -> &'static str {
                match self {
                    $(Self::$variant => $meaning,)*
                }
            }
        }
    };
}

codes! {
    Syntax "syntax" "the text is not TOML"
    VersionTooNew "version-too-new" "the file is written for a newer `ci`"
    UnknownKey "unknown-key" "a key that means nothing where it stands"
    MissingKey "missing-key" "a key that must be there is not"
    MisplacedKey "misplaced-key" "a key that means nothing beside the others of its entry"
    WrongType "wrong-type" "a value of another type than the key takes, or a number out of range"
    UnknownValue "unknown-value" "a word that is none of those that the key takes"
    BadName "bad-name" "a name with characters that cannot stand in an output, a ref or a commit status"
    ReservedName "reserved-name" "a name that already means something else"
    NoKind "no-kind" "a handler that does not say how its work is done"
    TwoKinds "two-kinds" "keys of which only one may stand, such as two kinds in one handler"
    UnknownLayer "unknown-layer" "a layer that is not there"
    UnknownStage "unknown-stage" "a stage that is not there"
    UnknownCommand "unknown-command" "a command that is not there"
    UnknownGate "unknown-gate" "a gate that is not there"
    UnknownHandler "unknown-handler" "a handler that is not there"
    UnknownTemplate "unknown-template" "a template file that is not there"
    UnusedTemplate "unused-template" "a template file that nothing draws, named almost as a built-in one (a warning)"
    UnknownCapture "unknown-capture" "a capture that no step makes"
    UnknownEvent "unknown-event" "an event, or a type of it, that GitHub does not send (a warning)"
    DuplicateRow "duplicate-row" "two stages that would write the same row of the dashboard"
    Cycle "cycle" "an `after` that leads back to where it began"
    NoShell "no-shell" "a line for a shell, where a program and its arguments are run without one (a warning)"
    BadRegex "bad-regex" "a pattern that is no regular expression"
    MatchesEmpty "matches-empty" "a pattern that matches the empty line"
    BadGlob "bad-glob" "a glob that cannot be read, or that no path can match"
    BadDuration "bad-duration" "a time that cannot be read"
    ArgumentWithoutGroup "argument-without-group" "an argument that no named group of the pattern fills"
    GroupWithoutArgument "group-without-argument" "a group without a name, whose text reaches no argument (a warning)"
    PlainLayers "plain-layers" "an argument called `layer` or `layers` that is a plain word, so that it names none"
    AmbiguousCommand "ambiguous-command" "two commands that match the same line"
    TemplateSyntax "template-syntax" "a template or an expression that cannot be read"
    UnknownVariable "unknown-variable" "a name that no template has"
    UnavailableVariable "unavailable-variable" "a name that the event of the rule, or this place, cannot have"
    UnknownFilter "unknown-filter" "a filter that is not there"
    UnknownTest "unknown-test" "a test (`is …`) that is not there"
    UnknownFunction "unknown-function" "a function that is not there"
    LayerAsText "layer-as-text" "`layer` compared with a text: it is an object, its name is `layer.key`"
    BadSay "bad-say" "a `say` that is not one line with a command"
    UnreachableRule "unreachable-rule" "a rule that can never match, for those before it take all that it could"
    UnreachableHandler "unreachable-handler" "a handler that waits for work which `ci run` begins and does not end (a warning)"
    UnusedHandler "unused-handler" "a handler that no rule runs (a warning)"
    MisleadingUsage "misleading-usage" "a usage that its command's pattern does not take (a warning)"
    UnusedCommand "unused-command" "a command that no rule answers (a warning)"
    UnusedGate "unused-gate" "a gate that nothing is held to (a warning)"
    UnreportedStage "unreported-stage" "a stage that no handler reports to (a warning)"
    OpenGate "open-gate" "a gate that asks for nothing"
    Ungated "ungated" "a command that does something, open to everybody, not said to be so on purpose"
    NothingToCompare "nothing-to-compare" "changed files asked for where an event has none"
    NothingPlanned "nothing-planned" "the planned layers asked for where nothing says which stage plans them"
    NothingRecorded "nothing-recorded" "a `matches` with a stage for which nothing is recorded, or not for what it compares"
    TwoMatches "two-matches" "a handler whose steps are held to two stages"
    CountsForAll "counts-for-all" "work that runs once for the layers that a command names, in a row for all of them (a warning)"
    EarlierRecord "earlier-record" "work that is held to a record which its rule makes anew before it (a warning)"
    LateMatches "late-matches" "a `matches` in the last step, so that it holds nothing back (a warning)"
    WaitsForItself "waits-for-itself" "a gate that waits for a stage of which all work is held to it (a warning)"
    SharedRow "shared-row" "two handlers of a rule that write the same row, where the second would hide what the first says"
    UnknownEffect "unknown-effect" "a stage that a gate waits for, or between a plan and others, of which nothing says whether it only looks (a warning)"
    UnsafeDir "unsafe-dir" "a path that leads out of the work tree"
    MissingDir "missing-dir" "a layer's folder that is not there, where those of others are (a warning)"
    UnsafePath "unsafe-path" "a REST call outside of this repository, or one that cannot be read"
    TemplateError "template-error" "a template file that cannot be drawn"
    FailingTest "failing-test" "one of the `[[tests]]` does not hold"
    Secret "secret" "a value that looks like a secret"
}
