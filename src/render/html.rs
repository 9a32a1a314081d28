//! html.
pub(crate) fn html(markdown: &str, title: &str) -> String {
    format!("{title}{markdown}")
}
