//! One started container with a ready runner.

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

use crate::background_tasks::BackgroundTasks;
use crate::docker::container_spec::ContainerSpec;
use crate::docker::engine::{Engine, engine_failed};
use crate::error::SandboxError;
use crate::session::transport::{RunnerTransport, handshake, write_frame};

/// Timeout for a new container's runner to become ready.
const READY_TIMEOUT: Duration = Duration::from_secs(15);

/// Timeout for the runner's exit after its result; later the container is removed by force.
const EXIT_TIMEOUT: Duration = Duration::from_secs(2);

pub(crate) struct Container {
    pub(crate) spec: ContainerSpec,
    pub(crate) ready: Ready,
    pub(crate) transport: RunnerTransport,
    /// Number of jobs served.
    pub(crate) jobs_served: u32,
    handle: ContainerHandle,
}

/// The container on the engine; dropping the handle kills and removes it.
struct ContainerHandle {
    name: String,
    engine: Arc<Engine>,
    released: bool,
}

impl Container {
    /// Creates and starts a container and waits until its runner is ready.
    ///
    /// Not cancel safe: a drop during an engine request could leak a container. Call it in a separate task.
    pub(crate) async fn start(engine: Arc<Engine>, spec: ContainerSpec) -> Result<Self, SandboxError> {
        let body = engine.create_body(&spec)?;
        let handle = ContainerHandle { name: engine.container_name(), engine, released: false };
        let attached = handle.engine.start(&handle.name, body).await.map_err(|error| engine_failed(&error))?;
        let output = StreamReader::new(Box::pin(stdout_only(attached.output)));
        let mut transport = RunnerTransport { writer: attached.input, reader: Box::pin(output) };
        match timeout(READY_TIMEOUT, handshake(&mut transport.reader)).await {
            Ok(Ok(ready)) => Ok(Self { spec, ready, transport, jobs_served: 0, handle }),
            Ok(Err(error)) => {
                Err(SandboxError::retry("sandbox_unavailable", format!("a container failed to start: {error}")))
            }
            Err(_) => {
                Err(SandboxError::retry("sandbox_unavailable", "a container's runner sent no ready frame within 15 s"))
            }
        }
    }

    /// Returns the tasks that outlive their caller.
    pub(crate) fn background(&self) -> BackgroundTasks {
        self.handle.engine.background.clone()
    }

    /// Makes the runner start an interpreter for a later job.
    pub(crate) async fn prestart(&mut self, start: StartFrame) -> Result<(), SandboxError> {
        let failed = |error: &dyn std::fmt::Display| SandboxError::retry("sandbox_unavailable", error.to_string());
        let frame = protocol::encode(&HostFrame::Prestart(start)).map_err(|error| failed(&error))?;
        write_frame(&mut self.transport.writer, &frame).await.map_err(|error| failed(&error))
    }

    /// Calls [`Self::prestart`] if there is a frame; returns `false` if the runner has exited.
    pub(crate) async fn prestart_if_some(&mut self, start: Option<StartFrame>) -> bool {
        match start {
            Some(start) => self.prestart(start).await.is_ok(),
            None => true,
        }
    }

    /// Waits until the runner has wiped the work directory; returns `false` if it exits instead.
    pub(crate) async fn wait_for_wipe(&mut self) -> bool {
        const WIPE_TIMEOUT: Duration = Duration::from_secs(1);
        self.jobs_served += 1;
        matches!(timeout(WIPE_TIMEOUT, handshake(&mut self.transport.reader)).await, Ok(Ok(_)))
    }

    /// Returns whether the runner still waits: it sends nothing before it has a job.
    pub(crate) fn is_idle(&mut self) -> bool {
        let mut byte = [0];
        self.transport.reader.read(&mut byte).now_or_never().is_none()
    }

    /// Lets the runner exit after its result; the engine then removes the container.
    pub(crate) fn retire(self) {
        let Self { mut transport, handle, .. } = self;
        let background = handle.engine.background.clone();
        drop(background.spawn(async move {
            let mut rest = [0; 64];
            let exited = timeout(EXIT_TIMEOUT, transport.reader.read(&mut rest)).await;
            if matches!(exited, Ok(Ok(0))) {
                handle.release();
            }
        }));
    }
}

impl ContainerHandle {
    fn release(mut self) {
        self.released = true;
        self.engine.untrack(&self.name);
    }
}

impl Drop for ContainerHandle {
    fn drop(&mut self) {
        if !self.released {
            let (engine, name) = (Arc::clone(&self.engine), std::mem::take(&mut self.name));
            drop(self.engine.background.spawn(async move { engine.remove(&name).await }));
        }
    }
}

/// Returns the runner's frames. Its stderr contains its own errors, never a job's output, and is logged.
fn stdout_only(
    output: impl Stream<Item = Result<LogOutput, bollard::errors::Error>> + Send,
) -> impl Stream<Item = io::Result<Bytes>> + Send {
    output.filter_map(|chunk| async {
        match chunk {
            Ok(LogOutput::StdOut { message }) => Some(Ok(message)),
            Ok(LogOutput::StdErr { message } | LogOutput::Console { message }) => {
                tracing::warn!(stderr = %String::from_utf8_lossy(&message).trim(), "Sandbox runner wrote to stderr");
                None
            }
            Ok(LogOutput::StdIn { .. }) => None,
            Err(error) => Some(Err(io::Error::other(error))),
        }
    })
}
