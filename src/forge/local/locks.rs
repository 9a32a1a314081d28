//! The locks of layers as files: `locks/LAYER.json`, there while it is held.

use std::collections::BTreeSet;

use super::Local;
use super::store::file_name;
use crate::forge::{Lock, Result, Taken};

impl Local {
    pub(super) fn take(&self, lock: &Lock) -> Result<Taken> {
        self.store.alone("locks", || {
            let name = name(&lock.layer);
            if self.store.create(&name, lock)? {
                return Ok(Taken::Ours);
            }
            let Some(held) = self.store.read::<Lock>(&name)? else {
                // Somebody deleted the file by hand between the two lines.
                self.store.replace(&name, lock)?;
                return Ok(Taken::Ours);
            };
            Ok(if held == *lock { Taken::Ours } else { Taken::Held(held) })
        })
    }

    pub(super) fn replace_held(&self, held: &Lock, lock: &Lock) -> Result<bool> {
        self.store.alone("locks", || {
            let name = name(&lock.layer);
            let still = self.store.read::<Lock>(&name)?.is_some_and(|now| now == *held);
            if still {
                self.store.replace(&name, lock)?;
            }
            Ok(still)
        })
    }

    pub(super) fn ever_held(&self) -> Result<BTreeSet<String>> {
        // What ci.toml may call a layer stands as it is in the name of a file.
        Ok(self.store.names("locks")?.into_iter().collect())
    }

    pub(super) fn held(&self, layer: &str) -> Result<Option<Lock>> {
        self.store.read(&name(layer))
    }

    pub(super) fn release(&self, held: &Lock) -> Result<bool> {
        self.store.alone("locks", || {
            let name = name(&held.layer);
            let still = self.store.read::<Lock>(&name)?.is_some_and(|now| now == *held);
            if still {
                self.store.remove(&name)?;
            }
            Ok(still)
        })
    }
}

pub(super) fn name(layer: &str) -> String {
    format!("locks/{}.json", file_name(layer))
}
