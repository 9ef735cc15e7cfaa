//! Outlives a killed bubblewrap for a moment, to kill the child it had just started.
//!
//! Bubblewrap's child waits for a word of its parent before it does anything, also before it binds its life to its
//! parent's. A parent that is killed in between, by a cancel or by the end of its worker, says that word never, and
//! the child would wait for ever. It is still in its parent's process group, though: it leaves that only later.

use std::io::{Result, stdin};
use std::os::fd::{AsFd, BorrowedFd};

use crate::sys;

/// Makes this process the leader of a group, with a companion that kills the whole group when this process ends, also
/// after an exec.
///
/// To be called while there is one thread. The companion is this process's child and ends with it; it holds none of
/// its descriptors and takes no input.
pub(crate) fn start() -> Result<()> {
    sys::create_process_group()?;
    let this = sys::open_pidfd(std::process::id())?;
    sys::fork_and_run(|| {
        // With its ends of the worker's pipes open, nobody would see those close.
        if sys::duplicate_onto(&this, 0).and_then(|()| sys::close_from(1)).is_ok() {
            wait_until_readable(stdin().as_fd());
        }
        sys::kill_own_process_group();
    })
}

fn wait_until_readable(descriptor: BorrowedFd<'_>) {
    const NO_TIMEOUT: i32 = -1;
    // A signal interrupts; an error ends the wait, and with it the sandbox, which is seen.
    while sys::poll(&[Some(descriptor)], NO_TIMEOUT).is_ok_and(|ready| ready == [false]) {}
}
