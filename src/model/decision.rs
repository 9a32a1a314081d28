//! What was decided and why, as data.
