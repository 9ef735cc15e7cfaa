//! One test of a test run.

use serde::{Deserialize, Serialize};

/// How one test ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TestOutcome {
    Passed,
    Failed,
    /// Broke outside its own assertions: while being collected, set up or torn down, or cut short.
    Error,
    Skipped,
}

/// One test, as the job's own process claims it: a hostile job can lie about its own tests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestCase {
    pub name: String,
    pub outcome: TestOutcome,
    pub duration_ms: u64,
    pub message: Option<String>,
}
