//! A process that kills the child of a killed bubblewrap.
//!
//! Bubblewrap's child waits for a message of its parent before it does anything, including setting its parent-death
//! signal. If the parent is killed in between, by a cancel or with its worker, the child would wait forever. At that
//! time it is still in its parent's process group.

use std::io::{Result, stdin};
use std::os::fd::{AsFd, BorrowedFd};

use crate::sys;

/// Makes this process a group leader, with a companion process that kills the group when this process ends, also after
/// an exec.
///
/// Call it while the process has one thread. The companion is a child of this process and ends with it; it holds none
/// of its descriptors and reads no input.
pub(crate) fn start() -> Result<()> {
    sys::create_process_group()?;
    let this = sys::open_pidfd(std::process::id())?;
    sys::fork_and_run(|| {
        // Otherwise its copies of the worker's pipes would keep them open.
        if sys::duplicate_onto(&this, 0).and_then(|()| sys::close_from(1)).is_ok() {
            wait_until_readable(stdin().as_fd());
        }
        sys::kill_own_process_group();
    })
}

fn wait_until_readable(descriptor: BorrowedFd<'_>) {
    const NO_TIMEOUT: i32 = -1;
    // A signal interrupts the poll. An error ends the wait and with it the sandbox, which the worker notices.
    while sys::poll(&[Some(descriptor)], NO_TIMEOUT).is_ok_and(|ready| ready == [false]) {}
}
