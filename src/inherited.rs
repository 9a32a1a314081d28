//! Files that the processes we start inherit, so that they have them even after our own end. It does not know what for.

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use rustix::io::{FdFlags, fcntl_dupfd_cloexec, fcntl_setfd};

/// The least number of such a file, beyond those that shell scripts choose for theirs (`exec 3>&1`).
const BEYOND: i32 = 64;

/// The same open file, which every process inherits that is started while this lives.
///
/// # Errors
/// If there can be no more open files.
pub(crate) fn inherited(file: impl AsFd) -> io::Result<OwnedFd> {
    let file = fcntl_dupfd_cloexec(file, BEYOND)?;
    fcntl_setfd(&file, FdFlags::empty())?;
    Ok(file)
}
