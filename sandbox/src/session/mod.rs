//! One job with one runner, from the job frame to the result frame, whatever the backend.

pub(crate) mod transport;

use std::time::Duration;

use runner::protocol::{self, Finished, FrameError, HostFrame, JobFrame, RunnerFrame};
use tokio::io::AsyncWriteExt;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use crate::error::SandboxError;
use crate::session::transport::{self, Input, RunnerLink};

/// The runner ends a job at its wall limit; this much later its host no longer believes it.
const GRACE: Duration = Duration::from_secs(3);

/// A job is at most some 32 MiB; a runner that has not taken it after this long has stopped reading.
const TAKES_WITHIN: Duration = Duration::from_secs(10);

/// How long a cancelled job's last facts are worth waiting for.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// How the conversation ended; in every case the caller kills the sandbox afterwards.
pub(crate) enum Ended {
    Finished(Box<Finished>),
    Cancelled,
    /// The runner went away without a result.
    Lost,
    /// The runner kept silent after the wall limit.
    Silent,
}

/// Hands the job over and waits for its end; a cancel closes the runner's stdin.
pub(crate) async fn hold(
    link: &mut RunnerLink,
    job: JobFrame,
    cancel: &CancellationToken,
) -> Result<Ended, SandboxError> {
    let wall = Duration::from_millis(job.limits.wall_ms);
    let frame = protocol::encode(&HostFrame::Job(Box::new(job)))
        .map_err(|error| SandboxError::fail("files_too_large", error.to_string()))?;
    let deadline = Instant::now() + wall.saturating_add(GRACE);
    tokio::select! {
        biased;
        () = cancel.cancelled() => return Ok(Ended::Cancelled),
        sent = transport::send(&mut link.input, &frame) => if sent.is_err() { return Ok(Ended::Lost) },
        // A runner that takes no job will not run it either; another sandbox may.
        () = sleep_until(Instant::now() + TAKES_WITHIN) => return Ok(Ended::Lost),
    }
    drop(frame);
    let mut receive = std::pin::pin!(transport::receive(&mut link.output));
    tokio::select! {
        biased;
        received = &mut receive => judge(received),
        () = cancel.cancelled() => {
            close(&mut link.input).await;
            match timeout(LAST_WORDS, receive).await {
                Ok(Ok(RunnerFrame::Finished(finished))) => {
                    Ok(Ended::Finished(Box::new(Finished { cancelled: true, ..*finished })))
                }
                Ok(_) | Err(_) => Ok(Ended::Cancelled),
            }
        }
        () = sleep_until(deadline) => Ok(Ended::Silent),
    }
}

fn judge(received: Result<RunnerFrame, FrameError>) -> Result<Ended, SandboxError> {
    match received {
        Ok(RunnerFrame::Finished(finished)) => Ok(Ended::Finished(finished)),
        Ok(RunnerFrame::Refused(refused)) => Err(refused.into()),
        Ok(RunnerFrame::Ready(_)) => Err(SandboxError::retry("runner_failed", "the runner said ready twice")),
        Err(FrameError::Io(_)) => Ok(Ended::Lost),
        Err(error @ (FrameError::Malformed(_) | FrameError::TooLarge { .. })) => {
            Err(SandboxError::retry("runner_failed", error.to_string()))
        }
    }
}

/// A container's stream closes by a shutdown, a child's pipe by a drop.
async fn close(input: &mut Input) {
    if let Err(error) = input.shutdown().await {
        tracing::debug!(%error, "the runner's input was closed before");
    }
    *input = Box::pin(tokio::io::sink());
}
