//! The error of a failed command.

use std::error::Error;

/// The failure of a command: one sentence that says what happened and what to do.
pub type CommandError = Box<dyn Error>;
