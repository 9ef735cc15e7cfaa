//! The error of a failed command.

use std::error::Error;

/// How a command ends when it does not succeed: one sentence that says what to do.
pub type CommandError = Box<dyn Error>;
