//! Starts a stack in order and drains it in reverse.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio_util::task::TaskTracker;

use super::process_specs::StackConfig;
use super::seed::{self, SeedError, SeedReport};
use super::supervise::child::ChildSpec;
use super::supervise::{ProcessEvent, ProcessState, Reporter, StopSignals, supervise};

/// Maximum time until a process is ready; a first start may build caches.
const START_TIMEOUT: Duration = Duration::from_secs(60);
/// Maximum starts of a process that has not been ready yet.
const MAX_START_ATTEMPTS: u32 = 3;

#[derive(Debug, thiserror::Error)]
pub enum StackError {
    #[error("cannot write a file of the stack: {0}. Check space and permissions of the data directory")]
    Files(#[from] io::Error),
    #[error("{name} did not start: {reason}. End of its log {log}:\n{log_tail}")]
    NotReady { name: String, reason: String, log: String, log_tail: String },
    #[error("cannot provision the broker: {0}")]
    Seed(#[from] SeedError),
}

/// The processes of a stack. [`Stack::drain`] stops them in order; otherwise they are killed when this process ends.
pub struct Stack {
    config: Arc<StackConfig>,
    components: Vec<Component>,
    kill: tokio_util::sync::CancellationToken,
    tasks: TaskTracker,
    events: mpsc::UnboundedSender<ProcessEvent>,
}

struct Component {
    spec: ChildSpec,
    stop_signals: StopSignals,
    state: watch::Receiver<ProcessState>,
    task: JoinHandle<()>,
}

impl Stack {
    /// Creates a stack without processes. Starts and losses are sent to `events`.
    pub fn new(config: Arc<StackConfig>, events: mpsc::UnboundedSender<ProcessEvent>) -> Self {
        let kill = tokio_util::sync::CancellationToken::new();
        Self { config, components: Vec::new(), kill, tasks: TaskTracker::new(), events }
    }

    /// Starts broker and Redis and waits until both are ready.
    pub async fn start_servers(&mut self) -> Result<(), StackError> {
        self.launch(self.config.broker_spec()?);
        self.launch(self.config.redis_spec()?);
        self.wait_until_ready().await
    }

    /// Creates streams, the signing key and demo users on the broker. Idempotent.
    pub async fn seed(&self) -> Result<SeedReport, StackError> {
        let broker = seed::connect_operator(&self.config).await?;
        Ok(seed::seed(&broker, 1, &self.config.lanes(), self.config.demo).await?)
    }

    /// Starts the services and waits until all are ready.
    pub async fn start_services(&mut self) -> Result<(), StackError> {
        self.launch(self.config.approver_spec()?);
        for number in 1..=self.config.ports.worker_metrics.len() {
            self.launch(self.config.worker_spec(number)?);
        }
        self.launch(self.config.api_spec()?);
        self.wait_until_ready().await
    }

    /// Stops the processes in the order api, workers, approver, Redis, broker, so that each stops before those it uses.
    pub async fn drain(&mut self) {
        while let Some(component) = self.components.pop() {
            // All workers stop together.
            let mut together = vec![component];
            while together[0].is_worker() && self.components.last().is_some_and(Component::is_worker) {
                together.extend(self.components.pop());
            }
            for component in &together {
                component.stop_signals.stop.cancel();
            }
            for component in together {
                // The kernel kills the process of a panicked supervisor when this process ends.
                drop(component.task.await);
            }
        }
    }

    /// Returns the token that makes [`Stack::drain`] kill the processes.
    pub fn kill_token(&self) -> tokio_util::sync::CancellationToken {
        self.kill.clone()
    }

    fn launch(&mut self, spec: ChildSpec) {
        let stop_signals = StopSignals { stop: tokio_util::sync::CancellationToken::new(), kill: self.kill.clone() };
        let (sender, state) = watch::channel(ProcessState::default());
        let reporter = Reporter { events: self.events.clone(), state: sender };
        let task = self.tasks.spawn(supervise(spec.clone(), stop_signals.clone(), reporter));
        self.components.push(Component { spec, stop_signals, state, task });
    }

    async fn wait_until_ready(&mut self) -> Result<(), StackError> {
        for component in &mut self.components {
            component.wait_until_ready().await?;
        }
        Ok(())
    }
}

impl Component {
    fn is_worker(&self) -> bool {
        self.spec.name.starts_with("worker-")
    }

    async fn wait_until_ready(&mut self) -> Result<(), StackError> {
        let settled = self.state.wait_for(|state| state.ready || state.losses >= MAX_START_ATTEMPTS);
        let reason = match tokio::time::timeout(START_TIMEOUT, settled).await {
            Ok(Ok(state)) if state.ready => return Ok(()),
            Ok(_) => format!("it ended {MAX_START_ATTEMPTS} times in a row"),
            Err(_) => format!("not ready after {} s", START_TIMEOUT.as_secs()),
        };
        Err(StackError::NotReady {
            name: self.spec.name.clone(),
            reason,
            log: self.spec.log.display().to_string(),
            log_tail: self.spec.log_tail(),
        })
    }
}
