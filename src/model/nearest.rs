//! "Did you mean": the known name that a word was probably meant to be.

/// How alike two names must be, from 0 to 1.
const ALIKE: f64 = 0.7;

/// The most alike of the known names, where one is alike enough.
pub(crate) fn nearest<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let alike = |name: &&str| strsim::jaro_winkler(word, name);
    known.into_iter().max_by(|a, b| alike(a).total_cmp(&alike(b))).filter(|name| alike(name) > ALIKE)
}
