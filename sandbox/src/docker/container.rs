//! One started container with its runner ready for a job.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bollard::container::LogOutput;
use bytes::Bytes;
use futures_util::{FutureExt, Stream, StreamExt};
use runner::protocol::{self, HostFrame, Ready, StartFrame};
use tokio::io::AsyncReadExt;
use tokio::time::timeout;
use tokio_util::io::StreamReader;

use crate::background_tasks::Background;
use crate::docker::container_spec::Shape;
use crate::docker::engine::{Engine, engine_failed};
use crate::error::SandboxError;
use crate::session::transport::{self, RunnerLink};

/// A container that is not ready after this long will not be.
const READY_WITHIN: Duration = Duration::from_secs(15);

/// A runner exits right after its result; one that does not in this time is removed.
const EXITS_WITHIN: Duration = Duration::from_secs(2);

pub(crate) struct Container {
    pub(crate) shape: Shape,
    pub(crate) ready: Ready,
    pub(crate) link: RunnerLink,
    /// Jobs that it has served.
    pub(crate) served: u32,
    life: Life,
}

/// The container's life on the engine: dropping it kills and removes.
struct Life {
    name: String,
    engine: Arc<Engine>,
    over: bool,
}

impl Container {
    /// Creates and starts a container and waits until its runner is ready.
    ///
    /// Not cancel safe: dropped during the engine's own work it could leave a container that nobody knows. Call it
    /// in a task of its own.
    pub(crate) async fn start(engine: Arc<Engine>, shape: Shape) -> Result<Self, SandboxError> {
        let body = engine.body(&shape)?;
        let life = Life { name: engine.container_name(), engine, over: false };
        let attached = life.engine.start(&life.name, body).await.map_err(|error| engine_failed(&error))?;
        let output = StreamReader::new(Box::pin(stdout_only(attached.output)));
        let mut link = RunnerLink { input: attached.input, output: Box::pin(output) };
        match timeout(READY_WITHIN, transport::receive_ready(&mut link.output)).await {
            Ok(Ok(ready)) => Ok(Self { shape, ready, link, served: 0, life }),
            Ok(Err(error)) => Err(SandboxError::retry("sandbox_unavailable", format!("a container failed: {error}"))),
            Err(_) => Err(SandboxError::retry("sandbox_unavailable", "a container's runner is not ready after 15 s")),
        }
    }

    /// Where work goes that outlives its caller.
    pub(crate) fn background(&self) -> Background {
        self.life.engine.background.clone()
    }

    /// Has the runner start an interpreter for the job that is to come.
    pub(crate) async fn start_ahead(&mut self, start: StartFrame) -> Result<(), SandboxError> {
        let failed = |error: &dyn std::fmt::Display| SandboxError::retry("sandbox_unavailable", error.to_string());
        let frame = protocol::encode(&HostFrame::StartAhead(start)).map_err(|error| failed(&error))?;
        transport::send(&mut self.link.input, &frame).await.map_err(|error| failed(&error))
    }

    /// The same where there is something to start; `false` when the runner is gone.
    pub(crate) async fn start_ahead_if_any(&mut self, start: Option<StartFrame>) -> bool {
        match start {
            Some(start) => self.start_ahead(start).await.is_ok(),
            None => true,
        }
    }

    /// Waits until the runner has wiped what its job left; `false` when it exits instead.
    pub(crate) async fn is_ready_again(&mut self) -> bool {
        const WIPED_WITHIN: Duration = Duration::from_secs(1);
        self.served += 1;
        matches!(timeout(WIPED_WITHIN, transport::receive_ready(&mut self.link.output)).await, Ok(Ok(_)))
    }

    /// Whether the runner still waits: nothing is to be read from it until it has a job.
    pub(crate) fn is_waiting(&mut self) -> bool {
        let mut byte = [0];
        self.link.output.read(&mut byte).now_or_never().is_none()
    }

    /// Lets a runner that has given its result exit by itself, which the engine follows by removing the container.
    pub(crate) fn retire(self) {
        let Self { mut link, life, .. } = self;
        let background = life.engine.background.clone();
        drop(background.spawn(async move {
            let mut rest = [0; 64];
            let exited = timeout(EXITS_WITHIN, link.output.read(&mut rest)).await;
            if matches!(exited, Ok(Ok(0))) {
                life.end_without_kill();
            }
        }));
    }
}

impl Life {
    fn end_without_kill(mut self) {
        self.over = true;
        self.engine.forget(&self.name);
    }
}

impl Drop for Life {
    fn drop(&mut self) {
        if !self.over {
            let (engine, name) = (Arc::clone(&self.engine), std::mem::take(&mut self.name));
            drop(self.engine.background.spawn(async move { engine.remove(&name).await }));
        }
    }
}

/// The runner's frames; what it writes to stderr is its own complaint, never a job's output, and goes to the log.
fn stdout_only(
    output: impl Stream<Item = Result<LogOutput, bollard::errors::Error>> + Send,
) -> impl Stream<Item = io::Result<Bytes>> + Send {
    output.filter_map(|chunk| async {
        match chunk {
            Ok(LogOutput::StdOut { message }) => Some(Ok(message)),
            Ok(LogOutput::StdErr { message } | LogOutput::Console { message }) => {
                tracing::warn!(complaint = %String::from_utf8_lossy(&message).trim(), "a sandbox's runner complains");
                None
            }
            Ok(LogOutput::StdIn { .. }) => None,
            Err(error) => Some(Err(io::Error::other(error))),
        }
    })
}
