//! The folders of layers that this process works in, one job at a time. Another process may not work there meanwhile:
//! Terraform's plan is a file in that folder, and what one plans the other would apply.

use std::collections::BTreeMap;
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use crate::inherited::inherited;

/// Folders that are ours until this goes. Should we be killed they are our children's until the last of them ends.
#[derive(Default)]
pub(super) struct Folders(Mutex<BTreeMap<PathBuf, Folder>>);

struct Folder {
    /// Locked, where that can be.
    file: Option<File>,
    turn: Turn,
}

/// Whoever holds it works in a folder; the others of this process wait.
pub(super) type Turn = Arc<Mutex<()>>;

impl Folders {
    /// Enters a folder, unless another process is in it. One that cannot be locked, or is not there, is free.
    pub(super) fn enter(&self, folder: &Path) -> Option<Turn> {
        let mut ours = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
        if let Some(known) = ours.get(&folder) {
            return Some(known.turn.clone());
        }
        let file = File::open(&folder).ok();
        if file.as_ref().is_some_and(|file| matches!(file.try_lock(), Err(TryLockError::WouldBlock))) {
            return None;
        }
        let file = file.and_then(|file| inherited(file).ok()).map(File::from);
        Some(ours.entry(folder).or_insert(Folder { file, turn: Turn::default() }).turn.clone())
    }
}

impl Drop for Folders {
    fn drop(&mut self) {
        let ours = self.0.get_mut().unwrap_or_else(PoisonError::into_inner);
        // Children that are left behind would hold them too.
        ours.values().filter_map(|folder| folder.file.as_ref()).for_each(|file| drop(file.unlock()));
    }
}
