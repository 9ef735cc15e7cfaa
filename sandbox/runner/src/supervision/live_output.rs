//! Output to the host while a job runs. It never waits for the host, which would keep the job's limits from being
//! enforced: what does not fit now is sent later, and at the end the result holds all of it.

use std::fs::File;
use std::io::{Error, Write};
use std::os::fd::AsFd;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::protocol::{self, OutputChunk, OutputStream, RunnerFrame};
use crate::supervision::capture::Capture;

/// Time from a job's start to the first send: most jobs have ended by then, and cost no frame.
const FIRST_SEND_DELAY: Duration = Duration::from_millis(200);
/// Minimum time between two sends, so that many short writes become few frames.
const SEND_INTERVAL: Duration = Duration::from_millis(100);
/// Maximum bytes of a chunk. A pipe that is ready takes a page without waiting: the frame, with its names, fits it.
const MAX_CHUNK_BYTES: usize = 3_900;
/// Maximum chunks of one send, so that a job that prints without an end does not delay the checks of its limits.
const MAX_CHUNKS: usize = 16;

const STREAMS: [OutputStream; 2] = [OutputStream::Stdout, OutputStream::Stderr];

pub(crate) struct LiveOutputSender {
    host: File,
    next: Duration,
}

impl LiveOutputSender {
    pub(crate) fn to(host: File) -> Self {
        Self { host, next: FIRST_SEND_DELAY }
    }

    /// Returns the time since the job's start at which unsent output is due; `None` if there is none.
    pub(crate) fn due(&self, captures: [&Capture; 2]) -> Option<Duration> {
        captures.iter().any(|capture| !capture.unsent(1).is_empty()).then_some(self.next)
    }

    /// Sends what is unsent, if it is due and the host can take it.
    pub(crate) fn send(&mut self, elapsed: Duration, captures: [&mut Capture; 2]) -> Result<(), Error> {
        if elapsed < self.next || captures.iter().all(|capture| capture.unsent(1).is_empty()) {
            return Ok(());
        }
        self.next = elapsed + SEND_INTERVAL;
        for (stream, capture) in STREAMS.into_iter().zip(captures) {
            for _ in 0..MAX_CHUNKS {
                let bytes = capture.unsent(MAX_CHUNK_BYTES).to_vec();
                if bytes.is_empty() || !self.is_writable()? {
                    break;
                }
                capture.mark_sent(bytes.len());
                let frame = protocol::encode(&RunnerFrame::Output(OutputChunk { stream, bytes }));
                self.host.write_all(&frame.map_err(Error::other)?)?;
            }
        }
        Ok(())
    }

    /// Returns whether the pipe takes a page now.
    fn is_writable(&self) -> Result<bool, Error> {
        let mut fds = [PollFd::from_borrowed_fd(self.host.as_fd(), PollFlags::OUT)];
        match poll(&mut fds, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })) {
            Ok(ready) => Ok(ready > 0 && fds[0].revents().contains(PollFlags::OUT)),
            Err(rustix::io::Errno::INTR) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::fd::OwnedFd;

    use super::*;

    fn capture_of(text: &[u8]) -> Capture {
        let (reader, mut writer) = std::io::pipe().expect("opens a pipe");
        let mut capture = Capture::new(reader, 1 << 20);
        // A pipe holds 64 KiB.
        for part in text.chunks(50_000) {
            writer.write_all(part).expect("writes");
            capture.read_ready(&mut vec![0; part.len()]);
        }
        capture
    }

    /// Reads what a host that never blocked the sender got.
    fn received(mut host: std::io::PipeReader) -> Vec<(OutputStream, Vec<u8>)> {
        let mut chunks = Vec::new();
        while let Some(frame) = protocol::read_frame(&mut host).expect("whole frames") {
            let RunnerFrame::Output(chunk) = frame else { panic!("{frame:?}") };
            chunks.push((chunk.stream, chunk.bytes));
        }
        chunks
    }

    #[test]
    fn output_is_sent_once_and_at_intervals() {
        let (host, writer) = std::io::pipe().expect("opens a pipe");
        let mut live = LiveOutputSender::to(File::from(OwnedFd::from(writer)));
        let (mut stdout, mut stderr) = (capture_of(b"one"), capture_of(b"two"));
        live.send(FIRST_SEND_DELAY / 2, [&mut stdout, &mut stderr]).expect("is not due");
        assert_eq!(live.due([&stdout, &stderr]), Some(FIRST_SEND_DELAY));
        live.send(FIRST_SEND_DELAY, [&mut stdout, &mut stderr]).expect("sends");
        assert_eq!(live.due([&stdout, &stderr]), None, "all is sent");
        let mut more = capture_of(b"more");
        assert_eq!(live.due([&stdout, &more]), Some(FIRST_SEND_DELAY + SEND_INTERVAL));
        live.send(FIRST_SEND_DELAY + SEND_INTERVAL / 2, [&mut stdout, &mut more]).expect("is not due");
        live.send(FIRST_SEND_DELAY + SEND_INTERVAL, [&mut stdout, &mut more]).expect("sends");
        drop(live);
        let streams = [OutputStream::Stdout, OutputStream::Stderr, OutputStream::Stderr];
        let texts = ["one", "two", "more"].map(|text| text.as_bytes().to_vec());
        assert_eq!(received(host), streams.into_iter().zip(texts).collect::<Vec<_>>());
    }

    #[test]
    fn a_host_that_reads_nothing_does_not_stop_the_runner() {
        let (host, writer) = std::io::pipe().expect("opens a pipe");
        let mut live = LiveOutputSender::to(File::from(OwnedFd::from(writer)));
        let text: Vec<u8> = (0..400_000_u32).map(|number| (number % 251) as u8).collect();
        let (mut stdout, mut stderr) = (capture_of(&text), capture_of(b""));
        for turn in 0..20 {
            live.send(FIRST_SEND_DELAY + SEND_INTERVAL * turn, [&mut stdout, &mut stderr]).expect("does not block");
        }
        assert!(live.due([&stdout, &stderr]).is_some(), "the pipe is full");
        drop(live);
        let sent: Vec<u8> = received(host).into_iter().flat_map(|(_, bytes)| bytes).collect();
        assert!(sent.len() > 40_000 && text.starts_with(&sent), "{} bytes", sent.len());
    }
}
