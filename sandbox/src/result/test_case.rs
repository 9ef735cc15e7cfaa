//! The result of one test.

use serde::{Deserialize, Serialize};

/// The outcome of one test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TestOutcome {
    Passed,
    Failed,
    /// Failed outside its assertions: during collection, setup or teardown, or cut short.
    Error,
    Skipped,
}

/// One test as reported by the job's own process. A hostile job can report false results of its own tests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestCase {
    pub name: String,
    pub outcome: TestOutcome,
    pub duration_ms: u64,
    pub message: Option<String>,
}
