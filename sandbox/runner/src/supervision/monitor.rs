//! The running totals of a job where no cgroup counts them.

use std::io::{Error, PipeReader, Read};
use std::os::fd::{AsFd, BorrowedFd};

use crate::process_table::{self, SAMPLE_BYTES, Sample};

/// The source of the totals of the job's processes.
#[derive(Debug)]
pub(crate) enum Monitor {
    /// The sandbox's own `/proc`.
    OwnProc,
    /// The companion outside, which writes a sample at every interval; for a sandbox without `/proc`.
    Companion { samples: PipeReader, latest: Sample, partial: Vec<u8> },
}

impl Monitor {
    /// Reads samples from a pipe in which they may have accumulated before the job.
    pub(crate) fn of_companion(samples: PipeReader) -> Self {
        Self::Companion { samples, latest: Sample::default(), partial: Vec::new() }
    }

    /// Returns the totals: the present ones, or the companion's latest.
    pub(crate) fn sample(&self) -> Sample {
        match self {
            Self::OwnProc => process_table::sample_sandbox(),
            Self::Companion { latest, .. } => *latest,
        }
    }

    /// Returns the descriptor that becomes readable with the next sample.
    pub(crate) fn fd(&self) -> Option<BorrowedFd<'_>> {
        match self {
            Self::OwnProc => None,
            Self::Companion { samples, .. } => Some(samples.as_fd()),
        }
    }

    /// Reads the samples of a pipe that is ready. Fails if the companion has ended: nothing would limit the job.
    pub(crate) fn read_ready(&mut self, buffer: &mut [u8]) -> Result<(), Error> {
        let Self::Companion { samples, latest, partial } = self else { return Ok(()) };
        let count = match samples.read(buffer) {
            Ok(0) => return Err(Error::other("the companion that measures the job has ended")),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => return Ok(()),
            read => read?,
        };
        partial.extend_from_slice(&buffer[..count]);
        let (whole, rest) = partial.as_chunks::<SAMPLE_BYTES>();
        if let Some(last) = whole.last() {
            *latest = Sample::decode(*last);
        }
        *partial = rest.to_vec();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn the_latest_sample_counts_and_the_end_of_the_companion_is_an_error() {
        let (reader, mut writer) = std::io::pipe().expect("opens a pipe");
        let (mut monitor, mut buffer) = (Monitor::of_companion(reader), [0; 20]);
        for memory_bytes in [1, 2, 3] {
            writer.write_all(&Sample { memory_bytes, cpu_ms: 0 }.encode()).expect("writes");
        }
        drop(writer);
        let mut seen = Vec::new();
        while monitor.read_ready(&mut buffer).is_ok() {
            seen.push(monitor.sample().memory_bytes);
        }
        assert_eq!(seen, [1, 2, 3]);
    }
}
