//! matcher.
