//! The two pipes to one runner, whatever carries them, and the frames on them.

use std::io;
use std::pin::Pin;

use runner::protocol::{self, FrameError, PROTOCOL, Ready, RunnerFrame};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// Towards the runner; closing it cancels the job.
pub(crate) type Input = Pin<Box<dyn AsyncWrite + Send>>;

/// From the runner.
pub(crate) type Output = Pin<Box<dyn AsyncRead + Send>>;

pub(crate) struct RunnerLink {
    pub(crate) input: Input,
    pub(crate) output: Output,
}

/// Reads one frame; `UnexpectedEof` when the runner is gone. Not cancel safe: a dropped read loses bytes.
pub(crate) async fn receive(output: &mut Output) -> Result<RunnerFrame, FrameError> {
    let mut prefix = [0; 4];
    output.read_exact(&mut prefix).await.map_err(FrameError::Io)?;
    let mut payload = vec![0; protocol::payload_length(prefix)?];
    output.read_exact(&mut payload).await.map_err(FrameError::Io)?;
    protocol::decode(&payload)
}

/// Writes one whole frame.
pub(crate) async fn send(input: &mut Input, frame: &[u8]) -> io::Result<()> {
    input.write_all(frame).await?;
    input.flush().await
}

/// Waits for the runner's first word and checks that both speak the same protocol.
pub(crate) async fn receive_ready(output: &mut Output) -> Result<Ready, FrameError> {
    match receive(output).await? {
        RunnerFrame::Ready(ready) if ready.protocol == PROTOCOL => Ok(ready),
        RunnerFrame::Ready(ready) => Err(FrameError::Malformed(format!(
            "the root's runner speaks protocol {}, this program {PROTOCOL}: build the roots again",
            ready.protocol
        ))),
        RunnerFrame::Finished(_) | RunnerFrame::Refused(_) => {
            Err(FrameError::Malformed("the runner did not begin with ready".into()))
        }
    }
}
