//! Resource limits of a job.

use std::time::Duration;

use crate::error::SandboxError;
use crate::job::level::IsolationLevel;

const MIB: u64 = 1 << 20;

/// Maximum total size of a job's files; a frame must hold them.
pub(crate) const MAX_FILES_BYTES: usize = 32 << 20;

/// Maximum bytes of one output file.
pub(crate) const MAX_OUTPUT_FILE_BYTES: u64 = 8_000_000;
const MAX_OUTPUT_FILES: u32 = 50;

const MIN_DISK_BYTES: u64 = 64 << 10;
const MIN_INODES: u64 = 16;

/// Returns the bytes and inodes of a container's `/dev/shm`, a quarter of the work directory's and in addition to them: an
/// engine cannot link one into the other.
pub(crate) fn shared_memory(disk_bytes: u64, inodes: u64) -> (u64, u64) {
    ((disk_bytes / 4).max(MIN_DISK_BYTES), (inodes / 4).max(MIN_INODES))
}

/// Returns the bytes and inodes of the folder of written programs, a quarter of the work directory's and in addition to them.
pub(crate) fn written_programs(disk_bytes: u64, inodes: u64) -> (u64, u64) {
    shared_memory(disk_bytes, inodes)
}

/// Resource limits of one job. There is no `Default`: each limit is a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Time from the start of the job's process to its kill.
    pub wall: Duration,
    /// CPU time of all processes together; checked every 10 ms when little is left.
    pub cpu: Duration,
    /// Memory of all processes together, including files in the work directory.
    pub memory_bytes: u64,
    /// Concurrent processes and threads.
    pub pids: u32,
    /// Bytes kept of each of stdout and stderr; the rest is dropped.
    pub output_bytes: u64,
    /// Size of the work directory, including temporary files.
    pub disk_bytes: u64,
    /// Files and folders in the work directory.
    pub inodes: u64,
    /// Maximum number of output files to collect; 0 collects none.
    pub output_files: u32,
    /// Bytes of all output files together, at most a sixteenth of the memory limit; one may have
    /// [`MAX_OUTPUT_FILE_BYTES`].
    pub output_files_bytes: u64,
}

impl Limits {
    /// Returns the limits of a level.
    ///
    /// `strict` and `standard` differ in privileges only, so that one warm pool serves both.
    pub fn for_level(level: IsolationLevel, wall: Duration) -> Self {
        match level {
            IsolationLevel::Strict | IsolationLevel::Standard => Self {
                wall,
                cpu: wall,
                memory_bytes: 512 * MIB,
                pids: 64,
                output_bytes: MIB,
                disk_bytes: 64 * MIB,
                inodes: 4096,
                output_files: MAX_OUTPUT_FILES,
                output_files_bytes: 16 * MIB,
            },
            IsolationLevel::Permissive => Self {
                wall,
                cpu: wall.saturating_mul(2),
                memory_bytes: 2048 * MIB,
                pids: 256,
                output_bytes: 4 * MIB,
                disk_bytes: 512 * MIB,
                inodes: 65536,
                output_files: MAX_OUTPUT_FILES,
                output_files_bytes: 32 * MIB,
            },
        }
    }

    pub(crate) fn check(&self) -> Result<(), SandboxError> {
        let rejected = |detail: &str| Err(SandboxError::fail("limits_rejected", detail));
        if self.wall < Duration::from_millis(10) || self.wall > Duration::from_hours(2) {
            return rejected("the wall limit must be from 10 ms to 2 hours");
        }
        if self.cpu.is_zero() {
            return rejected("the CPU limit must be greater than 0");
        }
        if self.memory_bytes < 64 * MIB {
            return rejected("the memory limit must be at least 64 MiB");
        }
        if !(4..=4096).contains(&self.pids) {
            return rejected("the process limit must be from 4 to 4096");
        }
        if self.output_bytes > 16 * MIB {
            return rejected("the output limit must be at most 16 MiB a stream");
        }
        // The runner holds the kept output and its result frame in addition to the job's files.
        if self.output_bytes > self.memory_bytes / 16 {
            return rejected("the output limit must be at most a sixteenth of the memory limit");
        }
        if self.output_files > MAX_OUTPUT_FILES {
            return rejected("there may be at most 50 output files");
        }
        // Files count as memory; alone they must not exhaust the runner's.
        let (shared_bytes, _) = shared_memory(self.disk_bytes, self.inodes);
        let (program_bytes, _) = written_programs(self.disk_bytes, self.inodes);
        if self.disk_bytes.saturating_add(shared_bytes).saturating_add(program_bytes) > self.memory_bytes / 2 {
            return rejected("the disk limit and half of it must be at most half of the memory limit");
        }
        if self.disk_bytes < MIN_DISK_BYTES || self.inodes < MIN_INODES {
            return rejected("the disk limit must be at least 64 KiB and 16 files");
        }
        Ok(())
    }
}
