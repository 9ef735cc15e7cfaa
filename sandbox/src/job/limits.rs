//! How much one job may use.

use std::time::Duration;

use crate::error::SandboxError;
use crate::job::level::SecurityLevel;

const MIB: u64 = 1 << 20;

/// Largest total of a job's files, in bytes: both directions must fit a frame.
pub(crate) const MAX_FILES_BYTES: usize = 32 << 20;

/// Bounds of one job; there is no default, because each is a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// From the start of the job's process to its kill.
    pub wall: Duration,
    /// CPU time of all processes together; looked at every 10 ms when little is left.
    pub cpu: Duration,
    /// Memory of all processes together, files in the work directory included.
    pub memory_bytes: u64,
    /// Processes and threads at one time.
    pub pids: u32,
    /// ReusePool bytes of each of stdout and stderr; the rest is dropped.
    pub output_bytes: u64,
    /// Size of the work directory, temporary files included.
    pub disk_bytes: u64,
    /// Files and folders in the work directory.
    pub inodes: u64,
}

impl Limits {
    /// The limits of a level.
    ///
    /// `strict` and `standard` differ in what is allowed, not in how much, so that one pool serves both.
    pub fn for_level(level: SecurityLevel, wall: Duration) -> Self {
        match level {
            SecurityLevel::Strict | SecurityLevel::Standard => Self {
                wall,
                cpu: wall,
                memory_bytes: 512 * MIB,
                pids: 64,
                output_bytes: MIB,
                disk_bytes: 64 * MIB,
                inodes: 4096,
            },
            SecurityLevel::Permissive => Self {
                wall,
                cpu: wall.saturating_mul(2),
                memory_bytes: 2048 * MIB,
                pids: 256,
                output_bytes: 4 * MIB,
                disk_bytes: 512 * MIB,
                inodes: 65536,
            },
        }
    }

    pub(crate) fn check(&self) -> Result<(), SandboxError> {
        let rejected = |detail: &str| Err(SandboxError::fail("limits_rejected", detail));
        if self.wall < Duration::from_millis(10) || self.wall > Duration::from_hours(2) {
            return rejected("the wall limit must be from 10 ms to 2 hours");
        }
        if self.cpu.is_zero() {
            return rejected("the CPU limit must be over 0");
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
        // The runner holds what it kept, and its result frame, beside what the job has left in the work directory.
        if self.output_bytes > self.memory_bytes / 16 {
            return rejected("the kept output of a stream may take at most a sixteenth of the memory limit");
        }
        // Files in the work directory are memory: they alone must not be able to take the runner's.
        if self.disk_bytes > self.memory_bytes / 2 {
            return rejected("the work directory may take at most half of the memory limit");
        }
        if self.disk_bytes < 64 << 10 || self.inodes < 16 {
            return rejected("the work directory needs at least 64 KiB and 16 files");
        }
        Ok(())
    }
}
