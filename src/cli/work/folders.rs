//! The folders of layers that this process works in. Another process may not work there meanwhile: Terraform's plan is a file
//! in that folder, and what one plans the other would apply.

use std::collections::BTreeMap;
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::inherited::inherited;

/// Folders that are ours until this goes. Should we be killed they are our children's until the last of them ends.
#[derive(Default)]
pub(super) struct Folders(Mutex<BTreeMap<PathBuf, File>>);

impl Folders {
    /// Enters a folder, unless another process is in it. One that cannot be locked, or is not there, is free.
    pub(super) fn enter(&self, folder: &Path) -> bool {
        let mut ours = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Ok(folder) = folder.canonicalize() else { return true };
        if ours.contains_key(&folder) {
            return true;
        }
        let Ok(file) = File::open(&folder) else { return true };
        if matches!(file.try_lock(), Err(TryLockError::WouldBlock)) {
            return false;
        }
        if let Ok(file) = inherited(file) {
            ours.insert(folder, file.into());
        }
        true
    }
}

impl Drop for Folders {
    fn drop(&mut self) {
        let ours = self.0.get_mut().unwrap_or_else(PoisonError::into_inner);
        // Children that are left behind would hold them too.
        ours.values().for_each(|folder| drop(folder.unlock()));
    }
}
