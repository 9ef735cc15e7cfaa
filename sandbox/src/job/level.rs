//! The security level of a job.

use serde::{Deserialize, Serialize};

/// How much a job is granted; the README lists the walls of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SecurityLevel {
    /// Threads but no processes, no network sockets at all, a sandbox used once.
    Strict,
    /// Processes of the runtime itself, sockets inside the sandbox.
    Standard,
    /// Any program of the runtime's root, larger limits.
    Permissive,
}
