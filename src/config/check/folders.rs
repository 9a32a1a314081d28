//! Whether the folders that layers name are there. It reads none: who calls lists them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::model::nearest::nearest;
use crate::model::rules::Rules;

/// Warns of layers whose folder is not there. Where no layer has one, ci.toml is for another tree, or for one to come.
/// `list` returns the names of the folders in a folder.
pub(crate) fn missing_folders(rules: &Rules, list: impl Fn(&Path) -> BTreeSet<String>) -> Vec<Diagnostic> {
    let mut tree = Tree { list, known: BTreeMap::new() };
    let dirs = rules.layers.values().map(|layer| &layer.dir);
    let (there, missing): (Vec<_>, Vec<_>) = dirs.partition(|dir| tree.has(Path::new(&dir.value)));
    if there.is_empty() {
        return Vec::new();
    }
    let warnings = missing.into_iter().map(|dir| {
        let help = match tree.meant(Path::new(&dir.value)) {
            Some(meant) => format!("did you mean `{}`?", meant.display()),
            None => "write the path of a folder, from that of ci.toml".to_owned(),
        };
        let message = format!("there is no folder `{}`", dir.value);
        Diagnostic::new(Severity::Warning, Code::MissingDir, &rules.source, dir.span.clone(), message).help(help)
    });
    warnings.collect()
}

/// Folders, of which each is listed once.
struct Tree<L> {
    list: L,
    known: BTreeMap<PathBuf, BTreeSet<String>>,
}

impl<L: Fn(&Path) -> BTreeSet<String>> Tree<L> {
    fn names(&mut self, folder: &Path) -> &BTreeSet<String> {
        self.known.entry(folder.to_owned()).or_insert_with(|| (self.list)(folder))
    }

    fn has(&mut self, folder: &Path) -> bool {
        let Some(parent) = folder.parent().filter(|_| folder != Path::new(".")) else { return true };
        folder.file_name().and_then(|name| name.to_str()).is_some_and(|name| self.names(parent).contains(name))
    }

    /// The path that is there and differs in one name alone, which is almost the same.
    fn meant(&mut self, folder: &Path) -> Option<PathBuf> {
        let parent = folder.ancestors().skip(1).find(|parent| self.has(parent))?;
        let mut below = folder.strip_prefix(parent).ok()?.components();
        let wrong = below.next()?.as_os_str().to_str()?;
        let right = parent.join(nearest(wrong, self.names(parent).iter().map(String::as_str))?);
        let meant: PathBuf = right.components().chain(below).collect();
        self.has(&meant).then_some(meant)
    }
}
