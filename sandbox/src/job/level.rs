//! The isolation level of a job.

use serde::{Deserialize, Serialize};

/// The privileges of a job; the README lists the restrictions of each level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IsolationLevel {
    /// Threads but no processes, no network sockets, a sandbox used once.
    Strict,
    /// Processes of the runtime's interpreter, sockets inside the sandbox.
    Standard,
    /// Any program in the runtime's root, larger limits.
    Permissive,
}
