//! The local forge: a folder of files that behaves as GitHub does.
