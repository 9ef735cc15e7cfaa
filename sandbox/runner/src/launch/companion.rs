//! A process outside of the sandbox that lives as long as its bubblewrap.
//!
//! It kills the child of a killed bubblewrap. Bubblewrap's child waits for a message of its parent before it does
//! anything, including setting its parent-death signal. If the parent is killed in between, by a cancel or with its
//! worker, the child would wait forever. At that time it is still in its parent's process group.
//!
//! For a sandbox without `/proc` it also measures the job's processes, and sends the runner a sample at every interval.

use std::fs::File;
use std::io::{PipeWriter, Result, Write, stdin, stdout};
use std::os::fd::{AsFd, BorrowedFd};

use crate::process_table::{SAMPLE_INTERVAL, sample_from_outside};
use crate::sys;

/// Makes this process a group leader, with a companion process that kills the group when this process ends, also after
/// an exec.
///
/// Call it while the process has one thread. The companion is a child of this process and ends with it; it holds none
/// of its descriptors but `samples` and reads no input.
pub(crate) fn start(samples: Option<PipeWriter>) -> Result<()> {
    sys::create_process_group()?;
    let bubblewrap = std::process::id();
    let this = sys::open_pidfd(bubblewrap)?;
    sys::fork_and_run(|| {
        // Otherwise its copies of the worker's pipes would keep them open.
        let kept = sys::duplicate_onto(&this, 0).and_then(|()| match &samples {
            // Samples that the runner does not read yet are dropped.
            Some(pipe) => sys::duplicate_onto(pipe, 1).and_then(|()| sys::do_not_block(pipe)).map(|()| 2),
            None => Ok(1),
        });
        if kept.and_then(sys::close_from).is_ok() {
            match samples {
                Some(_) => send_samples_until_readable(stdin().as_fd(), bubblewrap),
                None => wait_until_readable(stdin().as_fd()),
            }
        }
        sys::kill_own_process_group();
    })
}

fn wait_until_readable(descriptor: BorrowedFd<'_>) {
    const NO_TIMEOUT: i32 = -1;
    // A signal interrupts the poll. An error ends the wait and with it the sandbox, which the worker notices.
    while sys::poll(&[Some(descriptor)], NO_TIMEOUT).is_ok_and(|ready| ready == [false]) {}
}

fn send_samples_until_readable(descriptor: BorrowedFd<'_>, bubblewrap: u32) {
    let Ok(pipe) = stdout().as_fd().try_clone_to_owned() else { return };
    let mut pipe = File::from(pipe);
    let interval_ms = i32::try_from(SAMPLE_INTERVAL.as_millis()).unwrap_or(i32::MAX);
    while sys::poll(&[Some(descriptor)], interval_ms).is_ok_and(|ready| ready == [false]) {
        // Without samples nothing would limit the job, so the sandbox ends.
        let Some(sample) = sample_from_outside(bubblewrap) else { return };
        // The pipe is full, or the runner has ended, which the poll notices.
        drop(pipe.write_all(&sample.encode()));
    }
}
