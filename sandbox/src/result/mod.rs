//! The result of a job, derived from the runner's report.

pub(crate) mod report;
mod signal_names;
mod test_case;

use std::time::Duration;

use runner::cgroup::CgroupCounters;
use runner::protocol::{FileFrame, Finished, LeftOut};
use serde::{Deserialize, Serialize};

use crate::job::{Command, Job, JobFile};

pub use signal_names::signal_text;
pub use test_case::{TestCase, TestOutcome};

/// The reason why a job ended. The first reason that applies and explains the end, in this order: cancelled, memory,
/// CPU time, wall time, processes, disk, signal, output, exit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Exited with an exit code of any value.
    Exited,
    /// Exited; output beyond the limit was dropped.
    OutputTruncated,
    /// Exceeded the wall time limit.
    TimedOut,
    /// Exceeded the CPU limit. The reported usage may be lower, because the kernel ticks more coarsely than the limit.
    OutOfCpu,
    OomKilled,
    KilledBySignal,
    /// Failed after the kernel refused to create a process or thread.
    PidsExhausted,
    /// Failed with a full work directory.
    DiskFull,
    Cancelled,
}

/// Resource usage of all processes of a job.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    pub cpu_ms: u64,
    pub wall_ms: u64,
    /// Peak memory charged to the job, including the work directory; without a cgroup, that of its largest process.
    pub max_rss_bytes: u64,
}

/// An ended job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobResult {
    pub outcome: Outcome,
    pub exit_code: Option<i32>,
    pub signal: Option<i32>,
    /// First bytes of the output up to the limit, unchanged; a cut is never inside a character.
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
    /// True if output of either stream was dropped.
    pub truncated: bool,
    /// Tests in the order of their start, for [`Command::Tests`].
    pub tests: Option<Vec<TestCase>>,
    pub usage: Usage,
    /// Regular files that the job left below its folder `outputs`, with their paths below it.
    pub output_files: Vec<JobFile>,
    /// The first 20 of those that were not collected.
    pub left_out: Vec<LeftOut>,
    /// Time from the call until a sandbox was ready.
    pub wait: Duration,
}

/// State of a sandbox, for people and probes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SandboxHealth {
    /// `docker` or `bubblewrap`.
    pub backend: String,
    pub ok: bool,
    /// The problem, or the restrictions that are weaker than possible.
    pub detail: String,
    /// Landlock ABI inside the sandbox; 0 if the kernel has none.
    pub landlock_abi: u32,
    pub runtimes: Vec<String>,
    /// Idle pre-started sandboxes.
    pub warm: usize,
}

impl Outcome {
    /// Returns whether the job exited, so that its exit code is meaningful.
    pub fn is_normal_exit(self) -> bool {
        matches!(self, Self::Exited | Self::OutputTruncated)
    }

    /// Returns whether the wall or the CPU time limit ended the job.
    pub fn is_timeout(self) -> bool {
        matches!(self, Self::TimedOut | Self::OutOfCpu)
    }
}

impl JobResult {
    /// Returns whether the test runner found no tests.
    pub fn found_no_tests(&self) -> bool {
        let ended = matches!(self.exit_code, Some(0 | report::NO_TESTS_FOUND));
        self.tests.is_some() && ended && !self.has_tests()
    }

    /// Returns whether the report names a test.
    pub fn has_tests(&self) -> bool {
        self.tests.iter().flatten().any(|test| test.name != report::WHOLE_RUN)
    }

    /// Builds the result from the runner's frames; `host_counters` are the host's own readings of the job's cgroup.
    pub(crate) fn from_frames(
        job: &Job,
        finished: Finished,
        files: Vec<FileFrame>,
        host_counters: CgroupCounters,
        wait: Duration,
    ) -> Self {
        let outcome = classify(job, &finished, &host_counters);
        let tests = (job.command == Command::Tests)
            .then(|| report::read(&finished.report, finished.report_truncated, finished.exit_code, finished.signal));
        let usage = Usage {
            cpu_ms: finished.cpu_ms.max(host_counters.cpu_us.unwrap_or(0) / 1000),
            wall_ms: finished.wall_ms,
            max_rss_bytes: finished.max_rss_bytes.max(host_counters.peak_bytes.unwrap_or(0)),
        };
        Self {
            outcome,
            exit_code: finished.exit_code,
            signal: finished.signal,
            stdout: finished.stdout,
            stderr: finished.stderr,
            truncated: finished.truncated,
            tests,
            usage,
            output_files: files.into_iter().map(|file| JobFile { path: file.path, content: file.content }).collect(),
            left_out: finished.left_out,
            wait,
        }
    }

    /// Builds the result of a job whose sandbox ended without a frame. It may have used one CPU for its whole run.
    pub(crate) fn without_frame(job: &Job, outcome: Outcome, wait: Duration, wall: Duration) -> Self {
        let wall_ms = u64::try_from(wall.as_millis()).unwrap_or(u64::MAX);
        Self {
            outcome,
            exit_code: None,
            signal: None,
            stdout: Vec::new(),
            stderr: Vec::new(),
            truncated: false,
            tests: (job.command == Command::Tests).then(Vec::new),
            usage: Usage { cpu_ms: wall_ms, wall_ms, ..Usage::default() },
            output_files: Vec::new(),
            left_out: Vec::new(),
            wait,
        }
    }
}

fn classify(job: &Job, finished: &Finished, host_counters: &CgroupCounters) -> Outcome {
    const SIGKILL: i32 = 9;
    const SIGXCPU: i32 = 24;
    let failed = finished.exit_code != Some(0);
    let cpu_limit_ms = u64::try_from(job.limits.cpu.as_millis()).unwrap_or(u64::MAX);
    let out_of_cpu = finished.cpu_exceeded
        || finished.signal == Some(SIGXCPU)
        || (finished.signal == Some(SIGKILL) && finished.cpu_ms >= cpu_limit_ms && !finished.wall_exceeded);
    if finished.cancelled {
        Outcome::Cancelled
    } else if failed && finished.oom_kills.max(host_counters.oom_kills.unwrap_or(0)) > 0 {
        Outcome::OomKilled
    } else if out_of_cpu {
        Outcome::OutOfCpu
    } else if finished.wall_exceeded {
        Outcome::TimedOut
    } else if failed && finished.pids_refused.max(host_counters.pids_refused.unwrap_or(0)) > 0 {
        Outcome::PidsExhausted
    } else if failed && finished.disk_full {
        Outcome::DiskFull
    } else if finished.signal.is_some() {
        Outcome::KilledBySignal
    } else if finished.truncated {
        Outcome::OutputTruncated
    } else {
        Outcome::Exited
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::{IsolationLevel, JobInput, Limits, Owner};

    #[track_caller]
    fn check(finished: Finished, expect: Outcome) {
        let level = IsolationLevel::Standard;
        let job = Job {
            owner: Owner::new("someone"),
            level,
            runtime: "python".into(),
            command: Command::Tests,
            files: Vec::new(),
            input: JobInput::default(),
            limits: Limits::for_level(level, Duration::from_secs(2)),
            live_output: None,
        };
        assert_eq!(classify(&job, &finished, &CgroupCounters::default()), expect, "{finished:?}");
    }

    #[test]
    fn the_first_fact_that_explains_the_end_names_it() {
        let finished = Finished::default();
        let exited = |code| Finished { exit_code: Some(code), ..Finished::default() };
        let killed = |signal| Finished { signal: Some(signal), ..Finished::default() };
        check(exited(0), Outcome::Exited);
        check(exited(3), Outcome::Exited);
        check(Finished { truncated: true, ..exited(0) }, Outcome::OutputTruncated);
        check(Finished { truncated: true, ..killed(9) }, Outcome::KilledBySignal);
        check(killed(11), Outcome::KilledBySignal);
        check(killed(9), Outcome::KilledBySignal);
        check(killed(24), Outcome::OutOfCpu);
        check(Finished { cpu_ms: 2000, ..killed(9) }, Outcome::OutOfCpu);
        check(Finished { wall_exceeded: true, ..killed(9) }, Outcome::TimedOut);
        check(Finished { cpu_exceeded: true, ..killed(9) }, Outcome::OutOfCpu);
        check(Finished { oom_kills: 1, ..killed(9) }, Outcome::OomKilled);
        check(Finished { oom_kills: 1, wall_exceeded: true, ..killed(9) }, Outcome::OomKilled);
        check(Finished { oom_kills: 1, ..exited(0) }, Outcome::Exited);
        check(Finished { pids_refused: 1, ..exited(1) }, Outcome::PidsExhausted);
        check(Finished { pids_refused: 1, ..exited(0) }, Outcome::Exited);
        check(Finished { pids_refused: 9, wall_exceeded: true, ..killed(9) }, Outcome::TimedOut);
        check(Finished { disk_full: true, ..exited(1) }, Outcome::DiskFull);
        check(Finished { disk_full: true, ..exited(0) }, Outcome::Exited);
        check(Finished { cancelled: true, oom_kills: 1, ..finished }, Outcome::Cancelled);
    }
}
