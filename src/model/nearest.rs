//! "Did you mean": the known name that a word was probably meant to be.

/// The most alike of the known names, where one is alike enough: a third of the letters may be wrong, or one of a short
/// name. Case counts for nothing, and `_` for `-`.
pub(crate) fn nearest<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let allowed = (word.chars().count() / 3).max(1);
    let plain = |name: &str| name.to_lowercase().replace('_', "-");
    let wanted = plain(word);
    known
        .into_iter()
        .filter(|name| name.len().abs_diff(word.len()) <= 4 * allowed)
        .map(|name| (strsim::damerau_levenshtein(&wanted, &plain(name)), name))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn a_slip_is_told_from_another_word() {
        let known = ["platform", "plan", "up-to-date", "data-staging"];
        let cases = [
            ("platfrom", Some("platform")),
            ("Plam", Some("plan")),
            ("up_to_date", Some("up-to-date")),
            ("data-stagign", Some("data-staging")),
            ("data", None),
            ("x", None),
        ];
        for (word, meant) in cases {
            assert_eq!(nearest(word, known), meant, "{word}");
        }
    }
}
