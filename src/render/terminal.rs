//! terminal.
use super::Page;
pub(crate) fn terminal(_page: &Page<'_>, _width: usize, _color: bool) -> String {
    String::new()
}
