//! The exchange with one runner for one job, from the job frame to the result frame, for every backend.

pub(crate) mod transport;

use std::time::Duration;

use runner::protocol::{
    self, FileFrame, Finished, FrameError, HostFrame, JobFrame, JobLimits, OutputChunk, OutputFileLimits, RunnerFrame,
    path_problem,
};
use tokio::io::AsyncWriteExt;
use tokio::sync::mpsc::UnboundedSender;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use crate::error::SandboxError;
use crate::session::transport::{FrameReader, FrameWriter, RunnerTransport, read_frame, write_frame};

/// Extra time after the wall limit for the runner's result. The runner enforces the limit itself.
const RESULT_GRACE: Duration = Duration::from_secs(3);

/// Timeout for sending the job frame (about 32 MiB at most).
const SEND_TIMEOUT: Duration = Duration::from_secs(10);

/// Time to wait for the result of a cancelled job.
const CANCEL_GRACE: Duration = Duration::from_millis(200);

/// The end of a session; the caller kills the sandbox in every case.
pub(crate) enum SessionEnd {
    /// The result, and the files that the job left.
    Finished(Box<Finished>, Vec<FileFrame>),
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
    live_output: Option<&UnboundedSender<OutputChunk>>,
    cancel: &CancellationToken,
) -> Result<SessionEnd, SandboxError> {
    let (wall, limits) = (Duration::from_millis(job.limits.wall_ms), job.limits.clone());
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
    let mut receive = std::pin::pin!(receive_result(&mut transport.reader, &limits, live_output));
    tokio::select! {
        biased;
        received = &mut receive => received,
        () = cancel.cancelled() => {
            close_writer(&mut transport.writer).await;
            match timeout(CANCEL_GRACE, receive).await {
                Ok(Ok(SessionEnd::Finished(finished, files))) => {
                    Ok(SessionEnd::Finished(Box::new(Finished { cancelled: true, ..*finished }), files))
                }
                Ok(_) | Err(_) => Ok(SessionEnd::Cancelled),
            }
        }
        () = sleep_until(deadline) => Ok(SessionEnd::Unresponsive),
    }
}

/// Reads frames up to the result, and passes on the output in between.
async fn receive_result(
    reader: &mut FrameReader,
    limits: &JobLimits,
    live_output: Option<&UnboundedSender<OutputChunk>>,
) -> Result<SessionEnd, SandboxError> {
    let failed = |detail: String| Err(SandboxError::retry("runner_failed", detail));
    let OutputFileLimits { files: most_files, total_bytes: most_bytes, .. } = limits.output_files;
    let (mut files, mut file_bytes, mut output_bytes) = (Vec::new(), 0, 0);
    loop {
        match read_frame(reader).await {
            Ok(RunnerFrame::Output(chunk)) => {
                output_bytes += chunk.bytes.len() as u64;
                if output_bytes > limits.output_bytes.saturating_mul(2) {
                    return failed("the runner sent more output than it may keep".to_owned());
                }
                // The receiver may have stopped listening.
                if let Some(live_output) = live_output
                    && live_output.send(chunk).is_err()
                {
                    tracing::debug!("Output of a running job has no receiver");
                }
            }
            Ok(RunnerFrame::OutputFile(file)) => {
                file_bytes += file.content.len() as u64;
                if files.len() >= most_files as usize || file_bytes > most_bytes || path_problem(&file.path).is_some() {
                    return failed("the runner sent an output file that the limits do not permit".to_owned());
                }
                files.push(file);
            }
            Ok(RunnerFrame::Finished(finished)) => return Ok(SessionEnd::Finished(finished, files)),
            Ok(RunnerFrame::Refused(refused)) => return Err(refused.into()),
            Ok(RunnerFrame::Ready(_)) => return failed("the runner sent a second ready frame".to_owned()),
            Err(FrameError::Io(_)) => return Ok(SessionEnd::Disconnected),
            Err(error @ (FrameError::Malformed(_) | FrameError::TooLarge { .. })) => return failed(error.to_string()),
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
