//! A job and the checks it must pass before a sandbox is started.

mod input;
mod level;
mod limits;

use std::collections::HashSet;

use runner::protocol::{OutputChunk, path_problem};
use tokio::sync::mpsc::UnboundedSender;

use crate::error::SandboxError;
use crate::job::limits::MAX_FILES_BYTES;

pub use input::JobInput;
pub use level::IsolationLevel;
pub use limits::Limits;
pub(crate) use limits::{MAX_OUTPUT_FILE_BYTES, shared_memory, written_programs};

const MAX_FILES: usize = 256;

/// The owner of a job. Jobs of different owners never share a live container, file or process.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Owner(String);

impl Owner {
    /// Wraps a stable identifier, such as a user id.
    pub fn new(id: impl Into<String>) -> Self {
        Self(id.into())
    }

    /// Returns the identifier.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The command of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Runs one of the job's files with the runtime's interpreter, in the job's directory.
    Script { path: String },
    /// Runs the runtime's test runner over all files of the job.
    Tests,
}

/// A file to write to the job's directory, or one that the job left in its folder `outputs`.
#[derive(Clone, PartialEq, Eq)]
pub struct JobFile {
    /// Relative path with `/` separators and without `.` or `..`.
    pub path: String,
    pub content: Vec<u8>,
}

/// Prints the size only, so that logs do not quote submitted content.
impl std::fmt::Debug for JobFile {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "JobFile({} bytes)", self.content.len())
    }
}

/// One run of code.
#[derive(Debug, Clone)]
pub struct Job {
    pub owner: Owner,
    pub level: IsolationLevel,
    /// Name of an offered runtime, such as `python`.
    pub runtime: String,
    pub command: Command,
    pub files: Vec<JobFile>,
    pub input: JobInput,
    pub limits: Limits,
    /// Receives the output of a job that runs longer than 200 ms while it runs; the result holds all of it in any case.
    /// At most the kept output, in chunks of a few KiB, so that no bound of its own is needed.
    pub live_output: Option<UnboundedSender<OutputChunk>>,
}

impl Job {
    pub(crate) fn check(&self) -> Result<(), SandboxError> {
        self.limits.check()?;
        let rejected = |detail: String| Err(SandboxError::fail("file_rejected", detail));
        if self.files.len() > MAX_FILES {
            return rejected(format!("a job has at most {MAX_FILES} files, got {}", self.files.len()));
        }
        let mut seen = HashSet::new();
        for (index, file) in self.files.iter().enumerate() {
            if let Some(problem) = path_problem(&file.path) {
                return rejected(format!("the path of file {} {problem}", index + 1));
            }
            if !seen.insert(file.path.as_str()) {
                return rejected(format!("file {} has the same path as an earlier file", index + 1));
            }
        }
        if let Some(index) =
            self.files.iter().position(|file| parents_of(&file.path).any(|folder| seen.contains(folder)))
        {
            return rejected(format!("file {} is below a path that is a file of the same job", index + 1));
        }
        let total: usize = self.files.iter().map(|file| file.content.len()).sum();
        if total > MAX_FILES_BYTES {
            return Err(SandboxError::fail(
                "files_too_large",
                format!("the files of a job have {total} bytes in total, the maximum is {MAX_FILES_BYTES}"),
            ));
        }
        self.input.check()?;
        match &self.command {
            Command::Script { path } if !seen.contains(path.as_str()) => {
                rejected("the script is not among the job's files".into())
            }
            Command::Script { .. } | Command::Tests => Ok(()),
        }
    }
}

fn parents_of(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/').map(|(end, _)| &path[..end])
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn job(paths: &[&str], script: &str) -> Job {
        Job {
            owner: Owner::new("someone"),
            level: IsolationLevel::Standard,
            runtime: "python".into(),
            command: Command::Script { path: script.into() },
            files: paths.iter().map(|path| JobFile { path: (*path).into(), content: b"secret()".into() }).collect(),
            input: JobInput::default(),
            limits: Limits::for_level(IsolationLevel::Standard, Duration::from_secs(1)),
            live_output: None,
        }
    }

    #[track_caller]
    fn check(paths: &[&str], script: &str, expect: &str) {
        let result = job(paths, script).check();
        match result {
            Ok(()) => assert_eq!(expect, ""),
            Err(error) => {
                assert!(!expect.is_empty() && error.to_string().contains(expect), "{error}");
                assert!(!error.is_retryable(), "{error}");
            }
        }
    }

    #[test]
    fn a_job_is_judged_before_it_is_run() {
        check(&["main.py", "a/b.py"], "main.py", "");
        check(&["main.py"], "other.py", "not among");
        check(&["/main.py"], "/main.py", "absolute");
        check(&["../main.py"], "../main.py", "`..`");
        check(&["main.py", "main.py"], "main.py", "earlier");
        check(&["a", "a/b.py"], "a", "path that is a file");
        check(&["a/b.py", "a"], "a", "path that is a file");
    }

    #[test]
    fn too_many_files_are_refused() {
        let names: Vec<_> = (0..=MAX_FILES).map(|number| format!("f{number}")).collect();
        check(&names.iter().map(String::as_str).collect::<Vec<_>>(), "f0", "at most 256");
    }

    #[test]
    fn debug_output_holds_no_content() {
        assert!(!format!("{:?}", job(&["main.py"], "main.py")).contains("secret"));
    }

    #[test]
    fn limits_out_of_range_are_refused() {
        let mut job = job(&["main.py"], "main.py");
        job.limits.wall = Duration::ZERO;
        assert_eq!(job.check().expect_err("no time").code(), "limits_rejected");
        job.limits.wall = Duration::from_secs(1);
        job.check().expect("is in range");
        (job.limits.memory_bytes, job.limits.disk_bytes) = (64 << 20, 22 << 20);
        assert!(
            job.check().expect_err("with shared memory and programs it is too much").to_string().contains("half of it")
        );
        (job.limits.disk_bytes, job.limits.output_bytes) = (21 << 20, 5 << 20);
        assert!(
            job.check().expect_err("the output could exhaust the runner's memory").to_string().contains("sixteenth")
        );
    }
}
