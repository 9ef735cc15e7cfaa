//! Artifacts of a workflow. Content over 8 KiB is in the blob stream; the state holds its digest.

use serde::{Deserialize, Serialize};

use super::output_file::OutputFile;
use super::submission::Submission;
use crate::ids::Digest;

/// A text by its digest, and the text itself while it is inline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    pub digest: Digest,
    pub size_bytes: u64,
    pub inline: Option<String>,
}

impl Content {
    /// Maximum size of inline content. Larger content is in the blob stream, stored once.
    pub const INLINE_LIMIT_BYTES: usize = 8 * 1024;

    /// Returns a text with its digest.
    pub fn new(text: String) -> Self {
        Self { digest: Digest::of(text.as_bytes()), size_bytes: text.len() as u64, inline: Some(text) }
    }
}

/// A file of the job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeFile {
    pub path: String,
    pub content: Content,
    pub is_test: bool,
    /// The caller's file, unchanged: it runs, but is not delivered back.
    pub from_caller: bool,
}

/// The command that runs the files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunCommand {
    Script {
        path: String,
    },
    /// Runs the tests; an error if there are none.
    Tests,
    /// Runs the file as a program if the test runner finds no tests.
    TestsOrScript {
        path: String,
    },
}

impl RunCommand {
    /// Returns the file that runs as a program.
    pub fn path(&self) -> Option<&String> {
        match self {
            Self::Script { path } | Self::TestsOrScript { path } => Some(path),
            Self::Tests => None,
        }
    }
}

impl std::fmt::Display for RunCommand {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Script { path } => write!(f, "run {path}"),
            Self::Tests => f.write_str("run the tests"),
            Self::TestsOrScript { path } => write!(f, "run the tests, or {path}"),
        }
    }
}

/// The kind of work done for the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    Ran,
    Tested,
    TestsWritten,
    Generated,
    Changed,
    Documented,
    Explained,
}

impl Action {
    /// Returns the action's name in responses.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ran => "ran",
            Self::Tested => "tested",
            Self::TestsWritten => "tests_written",
            Self::Generated => "generated",
            Self::Changed => "changed",
            Self::Documented => "documented",
            Self::Explained => "explained",
        }
    }
}

/// A completed run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ran {
    /// The action; `None` means the planned one.
    pub action: Option<Action>,
    /// Version of the interpreter, if the sandbox knows it.
    pub runtime_version: Option<String>,
    pub end: Option<RunEnd>,
    /// The files that the run left, sorted by name.
    pub output_files: Vec<OutputFile>,
}

/// The end of a run, for people who decide on its result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunEnd {
    /// `None` if the run was killed.
    pub exit_code: Option<i32>,
    pub timed_out: bool,
    /// False for a run that counts as one test because it has none.
    pub has_tests: bool,
    pub skipped: u32,
}

/// The counts of a run, for decisions and metrics; the whole result is content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct TestSummary {
    pub total: u32,
    pub passed: u32,
}

impl TestSummary {
    /// Returns true if there was at least one test and all passed.
    pub fn all_passed(self) -> bool {
        self.total > 0 && self.passed == self.total
    }

    /// Returns the share of passed tests, 0..=1; 0 without tests.
    pub fn success_rate(self) -> f64 {
        if self.total == 0 { 0.0 } else { f64::from(self.passed) / f64::from(self.total) }
    }
}

/// Everything produced so far; a later round replaces the results of an earlier one.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Artifacts {
    pub files: Vec<CodeFile>,
    pub run: Option<RunCommand>,
    pub runtime: Option<String>,
    /// Version of the interpreter that ran the files.
    #[serde(default)]
    pub runtime_version: Option<String>,
    /// The purpose of the files and their run; done once there are results.
    #[serde(default)]
    pub action: Option<Action>,
    /// The producer of the files, e.g. `recipe jwt-auth 1.0.0`.
    pub origin: Option<String>,
    /// True if another round with feedback would yield a different result.
    pub repairable: bool,
    /// Remarks on the choice of the runtime and the form of the code, shown if the run fails.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remark: Option<String>,
    pub documentation: Option<Content>,
    /// A unified diff between the caller's files and their replacements.
    #[serde(default)]
    pub changes: Option<Content>,
    pub security_report: Option<Content>,
    pub test_results: Option<Content>,
    pub tests: TestSummary,
    /// The end of the run that `tests` counts; `None` before it, and in results of an older build.
    #[serde(default)]
    pub run_end: Option<RunEnd>,
    /// The files that the run left, sorted by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub output_files: Vec<OutputFile>,
}

impl Artifacts {
    /// Returns every part that would be released or was run, by name and digest, in a fixed order.
    ///
    /// The command and the input of a run are parts where a submission of an older build had none.
    pub fn parts(&self, submission: &Submission) -> Vec<(String, String)> {
        let files = self.files.iter().map(|file| (format!("file:{}", file.path), file.content.digest.to_string()));
        let reports = [
            ("documentation", &self.documentation),
            ("changes", &self.changes),
            ("security_report", &self.security_report),
            ("test_results", &self.test_results),
        ];
        let reports = reports.into_iter().filter_map(|(name, content)| {
            content.as_ref().map(|content| (name.to_owned(), content.digest.to_string()))
        });
        let command = self.run.as_ref().filter(|_| !submission.files.is_empty());
        let command = command.map(|run| ("run".to_owned(), Digest::of(run.to_string().as_bytes()).to_string()));
        let input = [("stdin", &submission.stdin), ("invocation", &submission.invocation)];
        let input = input.into_iter().filter_map(|(name, content)| {
            content.as_ref().map(|content| (name.to_owned(), content.digest.to_string()))
        });
        let output = self.output_files.iter().map(|file| (format!("output:{}", file.name), file.digest.to_string()));
        files.chain(reports).chain(command).chain(input).chain(output).collect()
    }

    /// Returns the completed action, once the files have run.
    pub fn done(&self) -> Option<Action> {
        self.action.filter(|_| self.test_results.is_some())
    }

    /// Describes the end of the run: `2 of 3 tests passed`, or `exit code 0, no tests`.
    pub fn evidence(&self) -> String {
        let ran_as_program = matches!(self.run, Some(RunCommand::Script { .. }));
        // A state of an older build has no end; a program then passed by its exit code.
        let has_tests = self.run_end.map_or(!ran_as_program, |end| end.has_tests);
        let is_success = self.tests.all_passed();
        let end = match self.run_end {
            Some(end) if end.timed_out => "timed out".to_owned(),
            Some(RunEnd { exit_code: Some(code), .. }) => format!("exit code {code}"),
            Some(RunEnd { exit_code: None, .. }) => "killed".to_owned(),
            None if is_success => "exit code 0".to_owned(),
            None => "failed".to_owned(),
        };
        if !has_tests {
            return format!("{end}, no tests");
        }
        let skipped = self.run_end.map_or(0, |end| end.skipped);
        let skipped = if skipped > 0 { format!(", {skipped} skipped") } else { String::new() };
        let counts = format!("{} of {} tests passed{skipped}", self.tests.passed, self.tests.total);
        if is_success || self.run_end.is_none() { counts } else { format!("{counts}, {end}") }
    }

    /// Returns true if the code that runs is the caller's, unchanged.
    pub fn is_callers_code(&self) -> bool {
        !self.files.is_empty() && self.files.iter().all(|file| file.from_caller)
    }
}
