//! The stories: each runs the real binary in a folder of its own, on the local forge, with real processes.

#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a story that cannot go on fails, and says what it passed over"
)]

mod decisions;
mod delegated;
mod locks;
mod many;
mod project;
mod quickstart;
mod show;
mod signals;
mod sources;
mod terraform;
