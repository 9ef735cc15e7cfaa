//! `promptcraft guard` (hidden): runs a program that the kernel kills when its parent process dies.

use std::ffi::OsString;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use rustix::process::{Signal, getppid, set_parent_process_death_signal};

/// Run a program that is killed when its parent dies (used by `up`)
#[derive(clap::Args)]
pub struct Guard {
    /// Process id of the parent
    parent: i32,
    program: OsString,
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<OsString>,
}

impl Guard {
    /// Replaces this process by the program; returns only if that fails.
    pub fn run(self) -> io::Error {
        if let Err(error) = set_parent_process_death_signal(Some(Signal::KILL)) {
            return error.into();
        }
        // The parent may have died before the kernel registered the signal.
        if getppid().map(|pid| pid.as_raw_nonzero().get()) != Some(self.parent) {
            return io::Error::other("the parent process has ended");
        }
        Command::new(self.program).args(self.arguments).exec()
    }
}
