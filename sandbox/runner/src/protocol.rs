//! Frames between a host and a runner: a big-endian `u32` length, then MessagePack with named fields.
//!
//! The runner says [`RunnerFrame::Ready`], the host answers with one [`JobFrame`], the runner ends with
//! [`RunnerFrame::Finished`] or [`RunnerFrame::Refused`]. The host closing the runner's stdin is a cancel. Before the job
//! the host may have an interpreter started for it ([`StartFrame`]); after a job that allows it ([`JobFrame::reusable`]) the
//! runner wipes what the job left and says that it is ready once more, or exits.

use std::io::Read;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// Version of the frames; a host refuses a runner that speaks another one. A limit that older runners do not know needs a new one.
pub const PROTOCOL: u32 = 5;

/// Largest payload of a frame, in bytes; both sides refuse a larger one before allocating for it.
pub const MAX_FRAME_BYTES: usize = 64 << 20;

/// Directory of the job's files and its working directory.
pub const JOB_DIR: &str = "/work/job";

/// Directory for temporary files; `/tmp` of a runtime's root links here, so one size limit covers both.
pub const TMP_DIR: &str = "/work/tmp";

/// Mount point of the writable file system.
pub const WORK_DIR: &str = "/work";

/// File descriptor on which a test reporter writes its lines.
pub const REPORT_FD: i32 = 3;

/// What a host says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HostFrame {
    Prestart(StartFrame),
    Job(Box<JobFrame>),
}

/// How a process is started; one that was started ahead serves the job that wants exactly this.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StartFrame {
    pub argv: Vec<String>,
    pub env: Vec<(String, String)>,
    pub walls: Walls,
}

/// One job: everything a runner needs, and nothing of who asked for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobFrame {
    pub start: StartFrame,
    pub files: Vec<FileFrame>,
    pub limits: JobLimits,
    /// Whether another job of the same owner may follow, after a wipe.
    pub reusable: bool,
}

/// A file to write below [`JOB_DIR`] before the job starts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileFrame {
    /// Relative path; see [`path_problem`].
    pub path: String,
    #[serde(with = "serde_bytes")]
    pub content: Vec<u8>,
}

/// What the runner itself enforces; memory, process count and disk are the container's or the cgroup's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobLimits {
    pub wall_ms: u64,
    /// CPU time of all processes together.
    pub cpu_ms: u64,
    /// CPU seconds of each process: the kernel's own limit.
    pub cpu_seconds: u64,
    /// Set where the host has no cgroup to limit memory and processes in.
    pub without_cgroup: Option<WithoutCgroup>,
    /// Largest single file.
    pub file_bytes: u64,
    /// Kept bytes of each of stdout and stderr; the rest is read and dropped.
    pub output_bytes: u64,
    /// Kept bytes of the test report.
    pub report_bytes: u64,
}

/// Limits that the runner watches over itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WithoutCgroup {
    pub memory_bytes: u64,
    /// Of the whole user namespace, which must be the job's own.
    pub processes: u64,
}

/// What the job may reach.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Walls {
    /// Below this Landlock version the runner refuses the job.
    pub minimum_landlock_abi: u32,
    /// Paths that may be read, beside the work directory.
    pub read: Vec<String>,
    /// Paths that may be executed; they may be read too.
    pub exec: Vec<String>,
    pub processes: ProcessRule,
    pub sockets: SocketRule,
}

/// Whether the job may start processes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProcessRule {
    ThreadsOnly,
    Allowed,
}

/// Which socket families the job may open; there is no network behind any of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SocketRule {
    UnixOnly,
    Loopback,
}

/// What a runner says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunnerFrame {
    Ready(Ready),
    Finished(Box<Finished>),
    Refused(Refused),
}

/// The runner stands and waits for its job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ready {
    pub protocol: u32,
    /// Landlock version of the kernel; 0 where there is none.
    pub landlock_abi: u32,
}

/// The job was not started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    pub code: String,
    pub detail: String,
}

/// The facts of an ended job; what they amount to is the host's to say.
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
    pub wall_ms: u64,
    pub cpu_ms: u64,
    pub max_rss_bytes: u64,
    /// Kernel out-of-memory kills in the job's cgroup, where the runner can see one.
    pub oom_kills: u64,
    /// Processes the cgroup refused to create, where the runner can see one.
    pub pids_refused: u64,
}

/// Why a frame could not be read or written.
#[derive(Debug)]
pub enum FrameError {
    TooLarge { bytes: usize },
    Malformed(String),
    Io(std::io::Error),
}

impl std::fmt::Display for FrameError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::TooLarge { bytes } => write!(formatter, "a frame of {bytes} bytes is over {MAX_FRAME_BYTES}"),
            Self::Malformed(reason) => write!(formatter, "a frame does not decode: {reason}"),
            Self::Io(error) => write!(formatter, "the frame pipe failed: {error}"),
        }
    }
}

impl std::error::Error for FrameError {}

/// Encodes a value as one frame, length included.
pub fn encode<T: Serialize>(value: &T) -> Result<Vec<u8>, FrameError> {
    let mut frame = vec![0; 4];
    rmp_serde::encode::write_named(&mut frame, value).map_err(|error| FrameError::Malformed(error.to_string()))?;
    let length = frame.len() - 4;
    let prefix = checked_length(length)?;
    frame[..4].copy_from_slice(&prefix.to_be_bytes());
    Ok(frame)
}

/// Decodes a payload, without its length.
pub fn decode<T: DeserializeOwned>(payload: &[u8]) -> Result<T, FrameError> {
    rmp_serde::from_slice(payload).map_err(|error| FrameError::Malformed(error.to_string()))
}

/// Checks a received length prefix.
pub fn payload_length(prefix: [u8; 4]) -> Result<usize, FrameError> {
    let length = u32::from_be_bytes(prefix) as usize;
    checked_length(length).map(|_| length)
}

/// Reads one frame; `None` when the other side closed before the first byte. Blocks.
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

/// Says what is wrong with a job file's path, or `None` when it is relative, plain and bounded.
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
        return Some("holds a control character");
    }
    if path.contains('\\') {
        return Some("holds a backslash; separate folders with `/`");
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
