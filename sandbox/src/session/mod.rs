//! The exchange with one runner for one job, from the job frame to the result frame, for every backend.

pub(crate) mod transport;

use std::time::Duration;

use runner::protocol::{self, Finished, FrameError, HostFrame, JobFrame, RunnerFrame};
use tokio::io::AsyncWriteExt;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use crate::error::SandboxError;
use crate::session::transport::{FrameWriter, RunnerTransport, read_frame, write_frame};

/// Extra time after the wall limit for the runner's result. The runner enforces the limit itself.
const RESULT_GRACE: Duration = Duration::from_secs(3);

/// Timeout for sending the job frame (about 32 MiB at most).
const SEND_TIMEOUT: Duration = Duration::from_secs(10);

/// Time to wait for the result of a cancelled job.
const CANCEL_GRACE: Duration = Duration::from_millis(200);

/// The end of a session; the caller kills the sandbox in every case.
pub(crate) enum SessionEnd {
    Finished(Box<Finished>),
    Cancelled,
    /// The runner closed the connection without a result.
    Disconnected,
    /// The runner sent no result after the wall limit.
    Unresponsive,
}

/// Sends the job and waits for its result; a cancel closes the runner's stdin.
pub(crate) async fn run_session(
    transport: &mut RunnerTransport,
    job: JobFrame,
    cancel: &CancellationToken,
) -> Result<SessionEnd, SandboxError> {
    let wall = Duration::from_millis(job.limits.wall_ms);
    let frame = protocol::encode(&HostFrame::Job(Box::new(job)))
        .map_err(|error| SandboxError::fail("files_too_large", error.to_string()))?;
    let deadline = Instant::now() + wall.saturating_add(RESULT_GRACE);
    tokio::select! {
        biased;
        () = cancel.cancelled() => return Ok(SessionEnd::Cancelled),
        sent = write_frame(&mut transport.writer, &frame) => if sent.is_err() { return Ok(SessionEnd::Disconnected) },
        // A runner that does not read the job cannot run it; another sandbox may.
        () = sleep_until(Instant::now() + SEND_TIMEOUT) => return Ok(SessionEnd::Disconnected),
    }
    drop(frame);
    let mut receive = std::pin::pin!(read_frame(&mut transport.reader));
    tokio::select! {
        biased;
        received = &mut receive => interpret_frame(received),
        () = cancel.cancelled() => {
            close_writer(&mut transport.writer).await;
            match timeout(CANCEL_GRACE, receive).await {
                Ok(Ok(RunnerFrame::Finished(finished))) => {
                    Ok(SessionEnd::Finished(Box::new(Finished { cancelled: true, ..*finished })))
                }
                Ok(_) | Err(_) => Ok(SessionEnd::Cancelled),
            }
        }
        () = sleep_until(deadline) => Ok(SessionEnd::Unresponsive),
    }
}

fn interpret_frame(received: Result<RunnerFrame, FrameError>) -> Result<SessionEnd, SandboxError> {
    match received {
        Ok(RunnerFrame::Finished(finished)) => Ok(SessionEnd::Finished(finished)),
        Ok(RunnerFrame::Refused(refused)) => Err(refused.into()),
        Ok(RunnerFrame::Ready(_)) => Err(SandboxError::retry("runner_failed", "the runner sent a second ready frame")),
        Err(FrameError::Io(_)) => Ok(SessionEnd::Disconnected),
        Err(error @ (FrameError::Malformed(_) | FrameError::TooLarge { .. })) => {
            Err(SandboxError::retry("runner_failed", error.to_string()))
        }
    }
}

/// A container's stream closes by a shutdown, a child's pipe by a drop.
async fn close_writer(writer: &mut FrameWriter) {
    if let Err(error) = writer.shutdown().await {
        tracing::debug!(%error, "The runner's stdin was already closed");
    }
    *writer = Box::pin(tokio::io::sink());
}
