//! What a process writes into. It does not know who reads it, or what it means.

use std::io::{self, PipeReader, PipeWriter};
use std::os::fd::OwnedFd;

use crate::inherited::inherited;

/// How many bytes a pipe holds: as many as Linux lets anybody have (`/proc/sys/fs/pipe-max-size`).
#[cfg(target_os = "linux")]
const HELD: usize = 1 << 20;

/// A pipe that outlives us who read it. A process that is left alone with one whose reader was killed breaks off at its
/// next line: Terraform does so without recording what it has made. So it holds the reading end too, and goes on.
pub(super) struct Output {
    pub(super) reader: PipeReader,
    pub(super) writer: PipeWriter,
    /// The reading end which the process inherits. So may another that is started meanwhile, which does no harm.
    pub(super) inherited: OwnedFd,
}

impl Output {
    pub(super) fn new() -> io::Result<Self> {
        let (reader, writer) = io::pipe()?;
        // A process that is left alone writes on until the pipe is full, and waits then. It works with less as well.
        #[cfg(target_os = "linux")]
        let _ = rustix::pipe::fcntl_setpipe_size(&writer, HELD);
        let inherited = inherited(&reader)?;
        Ok(Self { reader, writer, inherited })
    }
}
