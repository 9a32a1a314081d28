//! The words of the domain as plain data. Nothing here reads a file, asks a forge or knows how it is shown.

pub(crate) mod board;
pub(crate) mod decision;
pub(crate) mod event;
pub(crate) mod ids;
pub(crate) mod journal;
pub(crate) mod nearest;
pub(crate) mod pattern;
pub(crate) mod rules;
pub(crate) mod span;
