//! The code of a workflow, and its output.

use std::time::Duration;

use domain::ids::Digest;

/// Number of lines of code over 8 KiB, and of words in such an output.
const LARGE_LINES: usize = 3_000;

/// The code of one workflow. Its output holds the workflow's number, so that outputs cannot be confused.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Script {
    number: usize,
    pub(crate) runs: Duration,
}

impl Script {
    pub(crate) fn new(number: usize, runs: Duration) -> Self {
        Self { number, runs }
    }

    /// Returns whether code and output are too large to be stored in the log itself.
    fn is_large(self) -> bool {
        self.number % 4 == 1
    }

    pub(crate) fn text(self) -> String {
        let Self { number, runs } = self;
        let padding = if self.is_large() {
            format!("print('{number} ' * {LARGE_LINES})\n") + &format!("# {number}\n").repeat(LARGE_LINES)
        } else {
            String::new()
        };
        format!("import time\ntime.sleep({})\nprint('run {number}')\n{padding}", runs.as_secs_f64())
    }

    pub(crate) fn output(self) -> Digest {
        let Self { number, .. } = self;
        let padding = if self.is_large() { format!("{number} ").repeat(LARGE_LINES) + "\n" } else { String::new() };
        Digest::of(format!("run {number}\n{padding}").as_bytes())
    }
}
