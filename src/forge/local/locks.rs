//! The locks of layers as files: `locks/LAYER.json`, there while it is held.

use super::Local;
use super::store::file_name;
use crate::forge::{Lock, Result, Taken};
use crate::model::ids::PullNumber;

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
            if same_holder(&held, lock) {
                return Ok(Taken::Ours);
            }
            if self.stale(&held)? {
                self.store.replace(&name, lock)?;
                return Ok(Taken::Over(held));
            }
            Ok(Taken::Held(held))
        })
    }

    pub(super) fn read_lock(&self, layer: &str) -> Result<Option<Lock>> {
        self.store.read(&name(layer))
    }

    pub(super) fn release(&self, layer: &str, pull: Option<PullNumber>) -> Result<bool> {
        self.store.alone("locks", || {
            let name = name(layer);
            let ours = self.store.read::<Lock>(&name)?.is_some_and(|held| held.pull == pull);
            if ours {
                self.store.remove(&name)?;
            }
            Ok(ours)
        })
    }

    /// A lock outlives its pull request only by accident.
    fn stale(&self, held: &Lock) -> Result<bool> {
        let Some(number) = held.pull else { return Ok(false) };
        Ok(self.find_pull(number)?.is_some_and(|pull| pull.closed || pull.merged))
    }
}

/// A pull request holds its locks from run to run; work without one holds them for its run alone.
fn same_holder(held: &Lock, lock: &Lock) -> bool {
    held.pull == lock.pull && (lock.pull.is_some() || held.run == lock.run)
}

fn name(layer: &str) -> String {
    format!("locks/{}.json", file_name(layer))
}
