//! `ci`: a declarative rules engine for infrastructure pull requests.
//!
//! How an event becomes a dashboard:
//!
//! ```text
//! payload ─► Event ─┐
//! ci.toml ─► Rules ─┴─► matcher ─► Decision ─► gate ─► schedule ─► Job… ─► Entry… ─► Board ─► markdown
//!                       (pure, with reasons)          (pure)    (processes)   (journal)  (fold)   (templates)
//! ```
//!
//! What is decided is a value that can be printed, tested as a file and carried out later. Only `forge`, `exec` and
//! `cli` touch the world.
//!
//! | module | what it holds |
//! |---|---|
//! | `model` | the words of the domain, plain data: event, rules, board, ids |
//! | `diagnostic` | what is wrong in a file, and how it is shown |
//! | `expr` | the expressions and templates that stand in values of ci.toml |
//! | `command` | comment text to invocations, and the line to type for some work |
//! | `matcher` | rules and event to a decision, with a reason for every rule |
//! | `gate` | gate and facts to open, or reason codes with remedies |
//! | `schedule` | decision to jobs in layer order |
//! | `decide` | all of these together: what follows from an event |
//! | `cases` | the `[[tests]]` of ci.toml |
//! | `terraform` | Terraform's plans as data: summary, changes, digest |
//! | `sync` | the dashboard's writer, a state machine without IO |
//! | `config` | ci.toml to rules, or to every diagnostic at once |
//! | `render` | the board and the rules to markdown, HTML and terminal text |
//! | `forge` | where pull requests live: the trait, GitHub, and the local forge of files |
//! | `inherited` | files that processes inherit |
//! | `exec` | processes: argv, environment, redaction, time-outs, signals |
//! | `cli` | the command line, one file a command |
//!
//! Imports go one way: `model inherited` ← `diagnostic terraform expr` ← `command gate matcher schedule decide sync` ← `config render cases` ←
//! `forge exec` ← `cli`. The standard library's files, environment, processes, network and clock appear under
//! `forge`, `exec` and `cli` alone; a test reads the sources and fails on a breach.

mod cases;
mod cli;
mod command;
mod config;
mod decide;
mod diagnostic;
mod exec;
mod expr;
mod forge;
mod gate;
mod inherited;
mod matcher;
mod model;
mod render;
mod schedule;
mod sync;
mod terraform;

pub use cli::{ExitStatus, run};
