//! Entry points for the fuzz targets; compiled only with `--cfg fuzzing`.

use std::time::Duration;

use crate::job::{Command, IsolationLevel, Job, JobFile, JobInput, Limits, Owner};
use crate::result::{TestCase, report};
use crate::runtime::source_encoding::{SourceForm, normalize};

/// Parses a test report.
#[must_use]
pub fn read_report(lines: &[u8], exit_code: Option<i32>) -> Vec<TestCase> {
    report::read(lines, exit_code.is_none(), exit_code, None)
}

/// Returns whether a job with these files passes the job check.
#[must_use]
pub fn accepts(files: Vec<JobFile>) -> bool {
    let level = IsolationLevel::Strict;
    let limits = Limits::for_level(level, Duration::from_secs(1));
    let (owner, runtime) = (Owner::new("fuzzer"), "python".into());
    let (command, input, live_output) = (Command::Tests, JobInput::default(), None);
    Job { owner, level, runtime, command, files, input, limits, live_output }.check().is_ok()
}

/// Normalizes a source file for each kind of interpreter.
#[must_use]
pub fn source_texts(content: &[u8]) -> [Vec<u8>; 2] {
    [SourceForm::Utf8WithEncodingComment, SourceForm::Plain].map(|form| normalize(content.to_vec(), form))
}
