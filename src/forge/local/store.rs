//! A folder of JSON files that many processes read and write at once. Files appear whole or not at all: they are
//! written under `tmp/` and then linked or renamed to their name. It does not know what the files say.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write as _};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::forge::{Error, Result};

/// Where files are written before they get their name. Nobody reads it; what a killed process leaves there is lost work.
const TEMPORARY: &str = "tmp";

/// The folder.
#[derive(Debug)]
pub(super) struct Store {
    dir: PathBuf,
}

impl Store {
    /// Creates the folder where it is missing.
    pub(super) fn open(dir: &Path) -> Result<Self> {
        let failed = |error| failure(dir, &error);
        fs::create_dir_all(dir.join(TEMPORARY)).map_err(failed)?;
        // Nothing here belongs into a commit. A decoration: a forge that can only be read does without.
        let _decoration = File::create_new(dir.join(".gitignore")).and_then(|mut file| file.write_all(b"*\n"));
        Ok(Self { dir: dir.canonicalize().map_err(failed)? })
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// The file's value; `None` where there is no such file.
    pub(super) fn read<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>> {
        let path = self.path(name);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failure(&path, &error)),
        };
        let unreadable = |error| {
            let dir = self.dir.display();
            Error::Server(format!(
                "cannot read `{}`: {error}; mend it, or delete `{dir}` to start anew",
                path.display()
            ))
        };
        serde_json::from_slice(&text).map(Some).map_err(unreadable)
    }

    /// The numbers of the files `FAMILY/N.json`, lowest first; other names are not ours to read.
    pub(super) fn numbers(&self, family: &str) -> Result<Vec<u64>> {
        let stems = self.names(family)?;
        let mut numbers: Vec<u64> = stems.iter().filter_map(|stem| stem.parse().ok()).collect();
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// The names of the files and folders in a folder, without the ending of ours, in no order.
    pub(super) fn names(&self, folder: &str) -> Result<Vec<String>> {
        let path = self.path(folder);
        let entries = match fs::read_dir(&path) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(failure(&path, &error)),
        };
        let mut names = Vec::new();
        for entry in entries {
            let name = entry.map_err(|error| failure(&path, &error))?.file_name();
            names.extend(name.to_str().map(|name| name.strip_suffix(".json").unwrap_or(name).to_owned()));
        }
        Ok(names)
    }

    /// The numbers that [`Store::append`] may have given out, lowest first. Listing a folder into which others write may
    /// show a file and miss an earlier one; whoever then reads each of these numbers misses none.
    pub(super) fn appended(&self, family: &str) -> Result<RangeInclusive<u64>> {
        Ok(1..=self.numbers(family)?.last().copied().unwrap_or(0))
    }

    /// Writes the value to the next free `FAMILY/N.json`. A number is given out only when all below it are.
    pub(super) fn append<T: Serialize>(&self, family: &str, value: &T) -> Result<u64> {
        self.folder(family)?;
        let temporary = self.temporary(value)?;
        let mut number = self.appended(family)?.end() + 1;
        loop {
            if temporary.link(&self.path(&format!("{family}/{number}.json")))? {
                return Ok(number);
            }
            number += 1;
        }
    }

    /// Creates the next free folder `FAMILY/N`.
    pub(super) fn append_folder(&self, family: &str) -> Result<u64> {
        self.folder(family)?;
        let mut number = self.appended(family)?.end() + 1;
        loop {
            let path = self.path(&format!("{family}/{number}"));
            match fs::create_dir(&path) {
                Ok(()) => return Ok(number),
                Err(error) if error.kind() == ErrorKind::AlreadyExists => number += 1,
                Err(error) => return Err(failure(&path, &error)),
            }
        }
    }

    /// Writes the value to a new file; `false` where there is one of that name.
    pub(super) fn create<T: Serialize>(&self, name: &str, value: &T) -> Result<bool> {
        self.parent(name)?;
        self.temporary(value)?.link(&self.path(name))
    }

    /// Writes the value to the file, new or not.
    pub(super) fn replace<T: Serialize>(&self, name: &str, value: &T) -> Result<()> {
        self.parent(name)?;
        let temporary = self.temporary(value)?;
        let path = self.path(name);
        fs::rename(&temporary.path, &path).map_err(|error| failure(&path, &error))
    }

    /// Deletes the file, if it is there.
    pub(super) fn remove(&self, name: &str) -> Result<()> {
        let path = self.path(name);
        match fs::remove_file(&path) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            Err(error) => Err(failure(&path, &error)),
        }
    }

    /// Does `edit` while no other process or thread does one of the same name: for files that are read, changed and
    /// written back. The system lets go of the lock when a process dies.
    pub(super) fn alone<T>(&self, name: &str, edit: impl FnOnce() -> Result<T>) -> Result<T> {
        let path = self.path(&format!("{TEMPORARY}/{name}.lock"));
        let lock = File::create(&path).and_then(|file| file.lock().map(|()| file));
        let lock = lock.map_err(|error| failure(&path, &error))?;
        let done = edit();
        drop(lock);
        done
    }

    fn folder(&self, name: &str) -> Result<()> {
        let path = self.path(name);
        fs::create_dir_all(&path).map_err(|error| failure(&path, &error))
    }

    fn parent(&self, name: &str) -> Result<()> {
        name.rsplit_once('/').map_or(Ok(()), |(parent, _)| self.folder(parent))
    }

    fn temporary<T: Serialize>(&self, value: &T) -> Result<Temporary> {
        let mut text = serde_json::to_vec_pretty(value).map_err(|error| Error::Server(error.to_string()))?;
        text.push(b'\n');
        let random = getrandom::u64().map_err(|error| Error::Server(error.to_string()))?;
        let path = self.path(&format!("{TEMPORARY}/{}-{random:016x}", std::process::id()));
        let temporary = Temporary { path };
        fs::write(&temporary.path, text).map_err(|error| failure(&temporary.path, &error))?;
        Ok(temporary)
    }
}

/// A file that has no name yet; it goes away with this value.
struct Temporary {
    path: PathBuf,
}

impl Temporary {
    /// Gives it a name that is not taken; `false` where it is.
    fn link(&self, path: &Path) -> Result<bool> {
        match fs::hard_link(&self.path, path) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
            Err(error) => Err(failure(path, &error)),
        }
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // Renamed, it is no longer here; and where it cannot be removed, nobody reads it.
        let _ = fs::remove_file(&self.path);
    }
}

/// What the system said about a file.
pub(super) fn failure(path: &Path, error: &io::Error) -> Error {
    let text = format!("`{}`: {error}", path.display());
    if error.kind() == ErrorKind::PermissionDenied { Error::Denied(text) } else { Error::Server(text) }
}

/// The address of a file, for links.
pub(super) fn file_url(path: &Path) -> String {
    format!("file://{}", escape(&path.to_string_lossy(), b"/"))
}

/// A name as one file name: what is not plain stands as `%XX`.
pub(super) fn file_name(name: &str) -> String {
    escape(name, b"")
}

fn escape(text: &str, keep: &[u8]) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        // A first dot would hide the file, and `..` lead elsewhere.
        let hides = byte == b'.' && escaped.is_empty();
        if !hides && (byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) || keep.contains(&byte)) {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}
