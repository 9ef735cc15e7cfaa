//! Becomes another program that dies when the process dies that started it, however that dies.

use std::ffi::OsString;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use rustix::process::{Signal, getppid, set_parent_process_death_signal};

/// Start a program that dies with its parent (used by `up`).
#[derive(clap::Args)]
pub struct Guard {
    /// The process id of the parent.
    parent: i32,
    program: OsString,
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<OsString>,
}

impl Guard {
    /// Returns only when the program cannot be started.
    pub fn run(self) -> io::Error {
        if let Err(error) = set_parent_process_death_signal(Some(Signal::KILL)) {
            return error.into();
        }
        // It may have died before the kernel was asked to tell us.
        if getppid().map(|pid| pid.as_raw_nonzero().get()) != Some(self.parent) {
            return io::Error::other("the parent is gone");
        }
        Command::new(self.program).args(self.arguments).exec()
    }
}
