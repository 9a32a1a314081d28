//! Where a step runs: a folder inside the work tree, whatever the values in ci.toml are made of. It does not know what
//! runs there.

use std::io::ErrorKind;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context as _, anyhow, bail};

/// The real path of `root` joined with each of `parts`.
///
/// # Errors
/// If a part is absolute or goes up, or if what it names is no folder, is not there, or is outside of `root` by a link.
pub(super) fn inside(root: &Path, parts: &[&str]) -> anyhow::Result<PathBuf> {
    let mut relative = PathBuf::new();
    for part in parts {
        let stays = |component| matches!(component, Component::Normal(_) | Component::CurDir);
        if part.contains('\0') || !Path::new(part).components().all(stays) {
            bail!("`{}` leaves the work tree: `dir` is a path below it, without `..`", part.escape_debug());
        }
        relative.extend(Path::new(part).components().filter(|component| *component != Component::CurDir));
    }
    let name = if relative.as_os_str().is_empty() { Path::new(".") } else { &relative };
    let root = root.canonicalize().with_context(|| format!("cannot open the work tree `{}`", root.display()))?;
    let folder = root.join(name).canonicalize().map_err(|error| {
        if error.kind() == ErrorKind::NotFound {
            anyhow!("there is no folder `{}`", name.display())
        } else {
            anyhow!("cannot open the folder `{}`: {error}", name.display())
        }
    })?;
    if !folder.starts_with(&root) {
        bail!("`{}` is a link that leaves the work tree", name.display());
    }
    if !folder.is_dir() {
        bail!("`{}` is not a folder", name.display());
    }
    Ok(folder)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::inside;

    #[test]
    fn folders_stay_inside() {
        let outside = tempfile::tempdir().unwrap();
        let tree = tempfile::tempdir().unwrap();
        let root = tree.path();
        fs::create_dir_all(root.join("envs/prod")).unwrap();
        fs::write(root.join("file"), "").unwrap();
        symlink(outside.path(), root.join("out")).unwrap();
        symlink("envs", root.join("in")).unwrap();

        assert_eq!(inside(root, &["."]).unwrap(), root.canonicalize().unwrap());
        assert_eq!(inside(root, &["envs", "./prod/"]).unwrap(), root.canonicalize().unwrap().join("envs/prod"));
        assert!(inside(root, &["in/prod"]).is_ok());

        let refused = |parts: &[&str]| format!("{:#}", inside(root, parts).unwrap_err());
        assert!(refused(&["envs", ".."]).contains("`..` leaves the work tree"));
        assert!(refused(&["/"]).contains("`/` leaves the work tree"));
        assert!(refused(&["out"]).contains("`out` is a link that leaves the work tree"));
        assert!(refused(&["file"]).contains("`file` is not a folder"));
        assert!(refused(&["envs", "gone"]).contains("there is no folder `envs/gone`"));
        assert!(refused(&["a\0b"]).contains("a\\0b"));
    }
}
