//! The stories: each runs the real binary in a folder of its own, on the local forge, with real processes.

mod project;
mod quickstart;
