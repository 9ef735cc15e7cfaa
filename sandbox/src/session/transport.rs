//! The pipes to a runner and the frames on them, for every backend.

use std::io;
use std::pin::Pin;

use runner::protocol::{self, FrameError, PROTOCOL, Ready, RunnerFrame};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// Stream to the runner's stdin; closing it cancels the job.
pub(crate) type FrameWriter = Pin<Box<dyn AsyncWrite + Send>>;

/// Stream from the runner's stdout.
pub(crate) type FrameReader = Pin<Box<dyn AsyncRead + Send>>;

pub(crate) struct RunnerTransport {
    pub(crate) writer: FrameWriter,
    pub(crate) reader: FrameReader,
}

/// Errors of the handshake with a runner.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HandshakeError {
    /// The root was built by another version of this program.
    #[error(
        "{0}: rebuild the sandbox roots with `sandbox/build-root.sh DIR`, or start with `make run`, which rebuilds them"
    )]
    Outdated(String),
    #[error(transparent)]
    Frame(#[from] FrameError),
}

/// Reads one frame; `UnexpectedEof` if the runner has exited. Not cancel safe: a dropped read loses bytes.
pub(crate) async fn read_frame(reader: &mut FrameReader) -> Result<RunnerFrame, FrameError> {
    let mut prefix = [0; 4];
    reader.read_exact(&mut prefix).await.map_err(FrameError::Io)?;
    let mut payload = vec![0; protocol::payload_length(prefix)?];
    reader.read_exact(&mut payload).await.map_err(FrameError::Io)?;
    protocol::decode(&payload)
}

/// Writes one whole frame.
pub(crate) async fn write_frame(writer: &mut FrameWriter, frame: &[u8]) -> io::Result<()> {
    writer.write_all(frame).await?;
    writer.flush().await
}

/// Waits for the runner's ready frame and checks its protocol version.
pub(crate) async fn handshake(reader: &mut FrameReader) -> Result<Ready, HandshakeError> {
    let first = read_frame(reader).await.map_err(|error| match error {
        FrameError::Malformed(reason) => {
            HandshakeError::Outdated(format!("cannot decode the first frame of the root's runner ({reason})"))
        }
        error @ (FrameError::TooLarge { .. } | FrameError::Io(_)) => HandshakeError::Frame(error),
    })?;
    match first {
        RunnerFrame::Ready(ready) if ready.protocol == PROTOCOL => Ok(ready),
        RunnerFrame::Ready(ready) => {
            let reason = format!("the root's runner uses protocol {}, this program uses {PROTOCOL}", ready.protocol);
            Err(HandshakeError::Outdated(reason))
        }
        RunnerFrame::Output(_) | RunnerFrame::OutputFile(_) | RunnerFrame::Finished(_) | RunnerFrame::Refused(_) => {
            Err(HandshakeError::Outdated("the root's runner did not send a ready frame".into()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn first_frame(frame: Vec<u8>) -> Result<Ready, HandshakeError> {
        handshake(&mut (Box::pin(std::io::Cursor::new(frame)) as FrameReader)).await
    }

    #[tokio::test]
    async fn a_root_of_another_version_names_the_command_that_builds_it_again() {
        let ready =
            |protocol| protocol::encode(&RunnerFrame::Ready(Ready { protocol, landlock_abi: 1 })).expect("encodes");
        assert!(first_frame(ready(PROTOCOL)).await.is_ok());
        let unknown = [&[0, 0, 0, 2], &b"\xa1x"[..]].concat();
        for frame in [ready(PROTOCOL + 1), unknown] {
            let said = first_frame(frame).await.expect_err("another version").to_string();
            assert!(said.contains("sandbox/build-root.sh") && said.contains("make run"), "{said}");
            assert!(!said.contains(": :") && !said.contains("cannot decode a frame"), "{said}");
        }
        let closed = first_frame(Vec::new()).await.expect_err("nothing came").to_string();
        assert!(!closed.contains("build-root"), "{closed}");
    }
}
