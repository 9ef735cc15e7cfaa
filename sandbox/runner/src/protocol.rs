//! Frames between a host and a runner: a big-endian `u32` length, then MessagePack with named fields.
//!
//! The runner sends [`RunnerFrame::Ready`], the host sends one [`JobFrame`], the runner replies with
//! [`RunnerFrame::Finished`] or [`RunnerFrame::Refused`]. Before `Finished` it sends one [`RunnerFrame::OutputFile`] for
//! each file that the job left, and while the job runs [`RunnerFrame::Output`] if the host wants it. Closing the
//! runner's stdin cancels the job. Before the job the host may request an interpreter for it ([`StartFrame`]). After a
//! job with [`JobFrame::reusable`] the runner wipes the work directory and sends ready again, or exits.

use std::io::Read;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// Version of the frames; a host rejects a runner with another one. A new limit requires a new version, because older
/// runners ignore it.
pub const PROTOCOL: u32 = 7;

/// Maximum payload of a frame; both sides reject a larger one before allocating.
pub const MAX_FRAME_BYTES: usize = 64 << 20;

/// Directory of the job's files and its working directory.
pub const JOB_DIR: &str = "/work/job";

/// Directory below [`JOB_DIR`] whose files are the job's output files. The job creates it.
pub const OUTPUT_DIR: &str = "outputs";

/// Directory for temporary files. `/tmp` of every root links to it, so that one size limit covers both.
pub const TMP_DIR: &str = "/work/tmp";

/// Name of the file that holds a job's stdin until the job has opened it; jobs cannot see it.
pub const STDIN_FILE: &str = "/work/stdin";

/// Directory that `/dev/shm` of a bubblewrap sandbox links to.
pub const SHARED_MEMORY_DIR: &str = "/work/shm";

/// Directory of POSIX shared memory and semaphores: a small file system of its own in a container, else a link.
pub const SHARED_MEMORY: &str = "/dev/shm";

/// Mount point of a second writable file system, whose files may be executed; only roots of compiled languages have it.
pub const PROGRAMS_DIR: &str = "/programs";

/// Mount point of the writable file system.
pub const WORK_DIR: &str = "/work";

/// File descriptor of the test report.
pub const REPORT_FD: i32 = 3;

/// Frames of the host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HostFrame {
    Prestart(StartFrame),
    Job(Box<JobFrame>),
}

/// The start of a process; a prestarted process serves only a job with an equal frame.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StartFrame {
    pub argv: Vec<String>,
    pub env: Vec<(String, String)>,
    /// The whole content of stdin; without any, stdin is empty.
    #[serde(with = "serde_bytes")]
    pub stdin: Vec<u8>,
    pub walls: Walls,
}

/// One job: everything that the runner needs, without the owner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobFrame {
    pub start: StartFrame,
    pub files: Vec<FileFrame>,
    pub limits: JobLimits,
    /// True if another job of the same owner may follow after a wipe.
    pub reusable: bool,
    /// True if the host wants the output while the job runs.
    pub live_output: bool,
}

/// A file to write below [`JOB_DIR`] before the job starts, or one that the job left below [`OUTPUT_DIR`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileFrame {
    /// Relative path; see [`path_problem`].
    pub path: String,
    #[serde(with = "serde_bytes")]
    pub content: Vec<u8>,
}

/// Limits that the runner enforces; the container or the cgroup enforces memory, process count and disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobLimits {
    pub wall_ms: u64,
    /// CPU time of all processes together.
    pub cpu_ms: u64,
    /// CPU seconds of each process, enforced by the kernel.
    pub cpu_seconds: u64,
    /// Set if the host has no cgroup to limit memory and processes.
    pub without_cgroup: Option<WithoutCgroup>,
    /// Largest single file.
    pub file_bytes: u64,
    /// Bytes kept of each of stdout and stderr; the rest is read and dropped.
    pub output_bytes: u64,
    /// Bytes kept of the test report.
    pub report_bytes: u64,
    pub output_files: OutputFileLimits,
}

/// Limits of the files that are collected after the job; the others are named in [`Finished::left_out`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutputFileLimits {
    /// Maximum number of files; 0 collects none.
    pub files: u32,
    /// Maximum bytes of one file.
    pub file_bytes: u64,
    /// Maximum bytes of all files together.
    pub total_bytes: u64,
}

/// Limits that the runner monitors itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WithoutCgroup {
    pub memory_bytes: u64,
    /// Limit of the kernel for the data of one process, beyond that of the monitor.
    pub data_bytes: u64,
    /// Processes of the user namespace, which must be the job's own.
    pub processes: u64,
}

/// Restrictions of the job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Walls {
    /// Minimum Landlock ABI; below it the runner refuses the job.
    pub minimum_landlock_abi: u32,
    /// Readable paths in addition to the work directory.
    pub read: Vec<String>,
    /// Executable paths; they are readable as well.
    pub exec: Vec<String>,
    pub processes: ProcessRule,
    pub sockets: SocketRule,
}

/// Permission to start processes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProcessRule {
    ThreadsOnly,
    Allowed,
}

/// Permitted socket families; none of them reaches a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SocketRule {
    UnixOnly,
    Loopback,
}

/// Frames of the runner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunnerFrame {
    Ready(Ready),
    /// Output of the running job, in the order in which it was read.
    Output(OutputChunk),
    /// A file that the job left, with its path below [`OUTPUT_DIR`].
    OutputFile(FileFrame),
    Finished(Box<Finished>),
    Refused(Refused),
}

/// A stream of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutputStream {
    Stdout,
    Stderr,
}

/// The next bytes of a stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutputChunk {
    pub stream: OutputStream,
    #[serde(with = "serde_bytes")]
    pub bytes: Vec<u8>,
}

/// A file or folder below [`OUTPUT_DIR`] that was not collected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    /// Its path, shortened and without control characters.
    pub name: String,
    pub reason: String,
}

/// The runner is ready for a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ready {
    pub protocol: u32,
    /// Landlock ABI of the kernel; 0 without Landlock.
    pub landlock_abi: u32,
}

/// The job was not started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    pub code: String,
    pub detail: String,
}

/// The measurements of an ended job; the host derives the outcome.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finished {
    pub exit_code: Option<i32>,
    pub signal: Option<i32>,
    pub wall_exceeded: bool,
    #[serde(default)]
    pub cpu_exceeded: bool,
    pub cancelled: bool,
    pub disk_full: bool,
    #[serde(with = "serde_bytes")]
    pub stdout: Vec<u8>,
    #[serde(with = "serde_bytes")]
    pub stderr: Vec<u8>,
    pub truncated: bool,
    #[serde(with = "serde_bytes")]
    pub report: Vec<u8>,
    #[serde(default)]
    pub report_truncated: bool,
    pub wall_ms: u64,
    pub cpu_ms: u64,
    pub max_rss_bytes: u64,
    /// Kernel out-of-memory kills in the job's cgroup, if the runner can see one.
    pub oom_kills: u64,
    /// Process creations that the cgroup refused, if the runner can see one.
    pub pids_refused: u64,
    /// The first of the files that were not collected.
    pub left_out: Vec<LeftOut>,
}

/// Errors of reading or writing a frame.
#[derive(Debug)]
pub enum FrameError {
    TooLarge { bytes: usize },
    Malformed(String),
    Io(std::io::Error),
}

impl std::fmt::Display for FrameError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::TooLarge { bytes } => {
                write!(formatter, "a frame has {bytes} bytes, the maximum is {MAX_FRAME_BYTES}")
            }
            Self::Malformed(reason) => write!(formatter, "cannot decode a frame: {reason}"),
            Self::Io(error) => write!(formatter, "the frame pipe failed: {error}"),
        }
    }
}

impl std::error::Error for FrameError {}

/// Encodes a value as one frame with its length prefix.
pub fn encode<T: Serialize>(value: &T) -> Result<Vec<u8>, FrameError> {
    let mut frame = vec![0; 4];
    rmp_serde::encode::write_named(&mut frame, value).map_err(|error| FrameError::Malformed(error.to_string()))?;
    let length = frame.len() - 4;
    let prefix = checked_length(length)?;
    frame[..4].copy_from_slice(&prefix.to_be_bytes());
    Ok(frame)
}

/// Decodes a payload without its length prefix.
pub fn decode<T: DeserializeOwned>(payload: &[u8]) -> Result<T, FrameError> {
    rmp_serde::from_slice(payload).map_err(|error| FrameError::Malformed(error.to_string()))
}

/// Checks a received length prefix.
pub fn payload_length(prefix: [u8; 4]) -> Result<usize, FrameError> {
    let length = u32::from_be_bytes(prefix) as usize;
    checked_length(length).map(|_| length)
}

/// Reads one frame; `None` if the other side closed before the first byte. Blocks.
pub fn read_frame<T: DeserializeOwned>(reader: &mut impl Read) -> Result<Option<T>, FrameError> {
    let mut prefix = [0; 4];
    let first = reader.read(&mut prefix[..1]).map_err(FrameError::Io)?;
    if first == 0 {
        return Ok(None);
    }
    reader.read_exact(&mut prefix[1..]).map_err(FrameError::Io)?;
    let mut payload = vec![0; payload_length(prefix)?];
    reader.read_exact(&mut payload).map_err(FrameError::Io)?;
    decode(&payload).map(Some)
}

fn checked_length(bytes: usize) -> Result<u32, FrameError> {
    if bytes > MAX_FRAME_BYTES {
        return Err(FrameError::TooLarge { bytes });
    }
    u32::try_from(bytes).map_err(|_| FrameError::TooLarge { bytes })
}

/// Returns the problem of a job file's path, or `None` if it is relative, plain and bounded.
pub fn path_problem(path: &str) -> Option<&'static str> {
    if path.is_empty() {
        return Some("is empty");
    }
    if path.len() > 255 {
        return Some("is longer than 255 bytes");
    }
    if path.starts_with('/') {
        return Some("is absolute; give it relative to the job's directory");
    }
    if path.chars().any(char::is_control) {
        return Some("contains a control character");
    }
    if path.contains('\\') {
        return Some("contains a backslash; separate folders with `/`");
    }
    if path.split('/').count() > 16 {
        return Some("has more than 16 parts");
    }
    if path.split('/').any(|part| part.is_empty() || part == "." || part == "..") {
        return Some("has an empty, `.` or `..` part");
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(path: &str, accepted: bool) {
        assert_eq!(path_problem(path).is_none(), accepted, "{path:?}: {:?}", path_problem(path));
    }

    #[test]
    fn a_path_stays_below_the_job_directory() {
        check("main.py", true);
        check("package/__init__.py", true);
        check("..hidden", true);
        check("", false);
        check("/etc/passwd", false);
        check("../main.py", false);
        check("a/../../b", false);
        check("a//b", false);
        check("a/./b", false);
        check("a/", false);
        check("nul\0", false);
        check("line\nbreak", false);
        check("a\\b", false);
        check(&"a/".repeat(20), false);
        check(&"a".repeat(256), false);
    }

    #[test]
    fn an_announced_length_over_the_limit_is_refused_before_allocating() {
        let prefix = u32::MAX.to_be_bytes();
        let error = read_frame::<Refused>(&mut prefix.as_slice()).expect_err("4 GiB must be refused");
        assert!(matches!(error, FrameError::TooLarge { .. }), "{error}");
    }

    #[test]
    fn a_closed_pipe_is_no_frame_and_a_cut_one_is_an_error() {
        assert!(read_frame::<Refused>(&mut [].as_slice()).expect("closed").is_none());
        let whole = encode(&Refused { code: "c".into(), detail: "d".into() }).expect("encodes");
        for cut in 1..whole.len() {
            read_frame::<Refused>(&mut &whole[..cut]).expect_err("a cut frame is an error");
        }
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_read_back(stdout in proptest::collection::vec(any::<u8>(), 0..2000), code in any::<Option<i32>>()) {
            let finished = Finished { stdout, exit_code: code, ..Finished::default() };
            let frame = encode(&RunnerFrame::Finished(Box::new(finished.clone()))).expect("encodes");
            let back = read_frame::<RunnerFrame>(&mut frame.as_slice()).expect("reads").expect("a frame");
            prop_assert_eq!(back, RunnerFrame::Finished(Box::new(finished)));
        }

        #[test]
        fn noise_is_an_error_and_no_panic(noise in proptest::collection::vec(any::<u8>(), 0..200)) {
            drop(decode::<RunnerFrame>(&noise));
        }
    }
}
