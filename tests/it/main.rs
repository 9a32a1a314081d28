//! The stories: each runs the real binary in a folder of its own, on the local forge, with real processes.

#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a story that cannot go on fails, and says what it passed over"
)]

mod answers;
mod apart;
mod cases;
mod damage;
mod decisions;
mod delegated;
mod doctor;
mod earlier_tool;
mod further;
mod github;
mod github_cancelled;
mod github_endpoints;
mod github_killed;
mod github_lag;
mod github_limits;
mod github_outage;
mod github_rows;
mod github_times;
mod github_token;
mod github_trouble;
mod github_trust;
mod lives;
mod locks;
mod looks;
mod many;
mod on_github;
mod place;
mod project;
mod quickstart;
mod readme;
mod repeated;
mod said_again;
mod show;
mod signals;
mod slips;
mod sources;
mod terraform;
mod typed;
mod webhooks;
mod workflow;
