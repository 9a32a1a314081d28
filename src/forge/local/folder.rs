//! A project's folder without git: an id for its contents in place of a commit, and which files steps wrote. It does
//! not know which steps ran.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io;
use std::path::Path;

use jiff::Timestamp;
use sha2::{Digest, Sha256};

use crate::model::ids::Sha;
use crate::model::pattern::Wildcard;

/// What tells that a file was written to, without reading it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stamp {
    length: u64,
    modified: Option<Timestamp>,
}

/// The id of a folder's contents: ci.toml and the files that match `globs`, by name and content, but those that steps
/// wrote. It stands where a commit's sha would.
pub(crate) fn folder_sha(
    root: &Path,
    ci_toml: &Path,
    globs: &[Wildcard],
    written: &BTreeSet<String>,
) -> io::Result<Sha> {
    let mut whole = Sha256::new();
    let mut add = |name: &str, content: [u8; 32]| {
        // The length goes first, so that no two lists of names read alike.
        whole.update(u64::try_from(name.len()).unwrap_or(u64::MAX).to_be_bytes());
        whole.update(name);
        whole.update(content);
    };
    add("ci.toml", content(ci_toml)?);
    for name in files(root, globs)?.iter().filter(|name| !written.contains(*name)) {
        if let Some(content) = there(content(&root.join(name)))? {
            add(name, content);
        }
    }
    let hex: String = whole.finalize().iter().take(20).map(|byte| format!("{byte:02x}")).collect();
    Sha::parse(&hex).ok_or_else(|| io::Error::other("the folder's digest is zero"))
}

/// The files that match `globs`, as they stand.
pub(crate) fn snapshot(root: &Path, globs: &[Wildcard]) -> io::Result<BTreeMap<String, Stamp>> {
    let mut stamps = BTreeMap::new();
    for name in files(root, globs)? {
        let Some(metadata) = there(fs::symlink_metadata(root.join(&name)))? else { continue };
        let modified = metadata.modified().ok().and_then(|time| Timestamp::try_from(time).ok());
        stamps.insert(name, Stamp { length: metadata.len(), modified });
    }
    Ok(stamps)
}

/// The files that are new or changed between two snapshots.
pub(crate) fn written(before: &BTreeMap<String, Stamp>, after: &BTreeMap<String, Stamp>) -> BTreeSet<String> {
    after.iter().filter(|(name, stamp)| before.get(*name) != Some(stamp)).map(|(name, _)| name.clone()).collect()
}

/// The files below `root` that match, sorted; `.git`, and `.ci` at the top, are left out.
fn files(root: &Path, globs: &[Wildcard]) -> io::Result<BTreeSet<String>> {
    let mut found = BTreeSet::new();
    let mut folders = vec![String::new()];
    while let Some(folder) = folders.pop() {
        for entry in there(fs::read_dir(root.join(&folder)))?.into_iter().flatten() {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if name == ".git" || (folder.is_empty() && name == ".ci") {
                continue;
            }
            let path = if folder.is_empty() { name } else { format!("{folder}/{name}") };
            // A link is a leaf, so that none leads out of the folder or round in a circle.
            if entry.file_type()?.is_dir() {
                folders.push(path);
            } else if globs.iter().any(|glob| glob.matches(&path)) {
                found.insert(path);
            }
        }
    }
    Ok(found)
}

/// `None` for what somebody removed meanwhile: the steps of another run make and remove files as we look.
fn there<T>(answer: io::Result<T>) -> io::Result<Option<T>> {
    match answer {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// The digest of a file's content, or of where a link leads.
fn content(path: &Path) -> io::Result<[u8; 32]> {
    let mut hash = Sha256::new();
    let kind = fs::symlink_metadata(path)?.file_type();
    if kind.is_symlink() {
        hash.update(fs::read_link(path)?.as_os_str().as_encoded_bytes());
    } else if kind.is_file() {
        io::copy(&mut File::open(path)?, &mut Hash(&mut hash))?;
    }
    Ok(hash.finalize().into())
}

/// Feeds what is written to it into a digest.
struct Hash<'a>(&'a mut Sha256);

impl io::Write for Hash<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    use super::{folder_sha, snapshot, written};
    use crate::model::pattern::Wildcard;

    fn project() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for name in ["web", "other", ".ci/forge", ".git"] {
            fs::create_dir_all(folder.path().join(name)).unwrap();
            fs::write(folder.path().join(name).join("file"), name).unwrap();
        }
        fs::write(folder.path().join("ci.toml"), "version = 1").unwrap();
        folder
    }

    fn sha(root: &Path, glob: &str, written: &[&str]) -> String {
        let written: BTreeSet<String> = written.iter().map(|&name| name.to_owned()).collect();
        folder_sha(root, &root.join("ci.toml"), &[Wildcard::new(glob).unwrap()], &written).unwrap().to_string()
    }

    #[test]
    fn the_id_follows_names_and_contents_of_what_matches() {
        let folder = project();
        let root = folder.path();
        let first = sha(root, "web/**", &[]);
        assert_eq!(first.len(), 40);
        fs::write(root.join("other/file"), "changed").unwrap();
        assert_eq!(sha(root, "web/**", &[]), first);
        fs::write(root.join("web/tfplan"), "made").unwrap();
        assert_eq!(sha(root, "web/**", &["web/tfplan"]), first);
        assert_ne!(sha(root, "web/**", &[]), first);
        fs::rename(root.join("web/file"), root.join("web/renamed")).unwrap();
        assert_ne!(sha(root, "web/**", &["web/tfplan"]), first);
    }

    #[test]
    fn a_change_of_ci_toml_is_another_id_and_the_tools_own_files_are_not() {
        let folder = project();
        let root = folder.path();
        let first = sha(root, "**", &[]);
        fs::write(root.join(".ci/forge/file"), "changed").unwrap();
        fs::write(root.join(".git/file"), "changed").unwrap();
        assert_eq!(sha(root, "**", &[]), first);
        fs::write(root.join("ci.toml"), "version = 1 #").unwrap();
        assert_ne!(sha(root, "web/**", &[]), first);
    }

    #[test]
    fn what_was_written_between_two_snapshots_is_known() {
        let folder = project();
        let globs = [Wildcard::new("**").unwrap()];
        let before = snapshot(folder.path(), &globs).unwrap();
        fs::write(folder.path().join("web/file"), "longer than before").unwrap();
        fs::write(folder.path().join("web/new"), "").unwrap();
        fs::remove_file(folder.path().join("other/file")).unwrap();
        let after = snapshot(folder.path(), &globs).unwrap();
        assert_eq!(written(&before, &after).into_iter().collect::<Vec<_>>(), ["web/file", "web/new"]);
    }
}
