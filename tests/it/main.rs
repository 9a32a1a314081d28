//! The stories: each runs the real binary in a folder of its own, on the local forge, with real processes.

#![allow(clippy::unwrap_used, reason = "a story that cannot go on fails")]

mod decisions;
mod many;
mod project;
mod quickstart;
mod terraform;
