//! Being cancelled: a flag that signals, or anybody else, raise, and that wakes those who wait. It does not know what is
//! being cancelled.

use std::io;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// Shared by all who may be cancelled; clones are the same one.
#[derive(Clone, Default)]
pub(crate) struct Cancel {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    /// How often it was asked for.
    asked: AtomicUsize,
    next: AtomicU64,
    watchers: Mutex<Vec<(u64, Wake)>>,
}

/// Wakes somebody, without blocking.
type Wake = Box<dyn Fn() + Send>;

impl Cancel {
    /// One that nothing raises but [`Self::trigger`].
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// From now on SIGINT, SIGTERM and SIGHUP to this process raise it, instead of ending the process.
    pub(crate) fn listen(&self) -> io::Result<()> {
        let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP])?;
        let cancel = self.clone();
        let wait = move || signals.forever().for_each(|_| cancel.trigger());
        thread::Builder::new().name("signals".to_owned()).spawn(wait).map(drop)
    }

    /// Raises it; once more means more urgently.
    pub(crate) fn trigger(&self) {
        self.shared.asked.fetch_add(1, Ordering::SeqCst);
        self.shared.watchers().iter().for_each(|(_, wake)| wake());
    }

    /// Whether it was raised.
    pub(crate) fn is_set(&self) -> bool {
        self.asked() > 0
    }

    /// How often it was raised.
    pub(crate) fn asked(&self) -> usize {
        self.shared.asked.load(Ordering::SeqCst)
    }

    /// Calls `wake`, which must not block, whenever it is raised until the watch is dropped. Whoever looks at
    /// [`Self::asked`] after this call and before it waits misses nothing.
    pub(crate) fn watch(&self, wake: impl Fn() + Send + 'static) -> Watch<'_> {
        let id = self.shared.next.fetch_add(1, Ordering::SeqCst);
        self.shared.watchers().push((id, Box::new(wake)));
        Watch { shared: &self.shared, id }
    }
}

impl Shared {
    fn watchers(&self) -> MutexGuard<'_, Vec<(u64, Wake)>> {
        self.watchers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Somebody who wants to be woken, for as long as this lives.
pub(crate) struct Watch<'c> {
    shared: &'c Shared,
    id: u64,
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        self.shared.watchers().retain(|(id, _)| *id != self.id);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

    use super::Cancel;

    #[test]
    fn watchers_are_woken_until_they_leave() {
        let cancel = Cancel::new();
        let (sender, receiver) = mpsc::channel();
        let watch = cancel.watch(move || sender.send(()).unwrap());
        assert!(!cancel.is_set());
        cancel.clone().trigger();
        receiver.recv().unwrap();
        assert!(cancel.is_set());
        drop(watch);
        cancel.trigger();
        assert_eq!(cancel.asked(), 2);
        // The sender went with the watch.
        assert!(receiver.recv().is_err());
    }

    #[test]
    fn signals_raise_it() {
        let cancel = Cancel::new();
        let (sender, receiver) = mpsc::channel();
        let _watch = cancel.watch(move || sender.send(()).unwrap());
        cancel.listen().unwrap();
        for (count, signal) in [SIGTERM, SIGINT, SIGHUP].into_iter().enumerate() {
            signal_hook::low_level::raise(signal).unwrap();
            receiver.recv().unwrap();
            assert_eq!(cancel.asked(), count + 1);
        }
    }
}
