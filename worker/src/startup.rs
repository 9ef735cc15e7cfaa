//! Builds the worker and runs it until it is stopped.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use domain::ids::Digest;
use domain::workflow::PhaseKind;
use generator::{CatalogueError, Generator};
use messaging::{
    Blobs, Broker, BrokerError, BucketError, Buckets, Cancellations, Catalogues, Charges, Consumer, DeadLetters,
    Heartbeats, LiveOutputChannel, MessagingError, ProvisionError, Queue, Requirements, WorkflowLog, consume, verify,
};
use read_model::{ReadModel, ReadModelError, StepLeases};
use sandbox::SandboxError;
use service::clock::Clock;
use service::lifecycle::Lifecycle;
use service::telemetry::{ProbeServer, Process, export_metrics};
use tokio::sync::watch;
use tracing::Instrument;

use crate::attempts::Attempts;
use crate::cancellation::CancelRegistry;
use crate::catalogue::publish_catalogue;
use crate::config::Config;
use crate::context::WorkerContext;
use crate::daily_budget::DailyBudget;
use crate::heartbeat::{Heartbeat, send_heartbeats};
use crate::interactive_analysis::{InteractiveAnalyses, handle_analysis};
use crate::metrics::StepMetrics;
use crate::scheduling::backoff::RequeueBackoff;
use crate::scheduling::fair_slots::{FairSlots, PREFETCH};
use crate::scheduling::leases::UserLeases;
use crate::steps::{StepRunner, handle_step};
use crate::user_namespace;

/// Time after which a lease that is not renewed expires, because its worker has died.
const LEASE_TTL: Duration = Duration::from_secs(10);
/// Maximum time of cancelled steps to return to their queues.
const RELEASE_TIMEOUT: Duration = Duration::from_secs(5);

/// Niceness of the thread that loads the embedding model.
const LOADER_NICENESS: i32 = 10;

/// The reason for which a worker does not start or continue.
#[derive(Debug, thiserror::Error)]
pub enum StartupError {
    #[error(transparent)]
    Broker(#[from] BrokerError),
    #[error(transparent)]
    Streams(#[from] ProvisionError),
    #[error(transparent)]
    Bucket(#[from] BucketError),
    #[error(transparent)]
    View(#[from] ReadModelError),
    #[error(transparent)]
    Catalogue(#[from] CatalogueError),
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
    #[error("{0}")]
    UserNamespace(String),
    #[error("cannot serve metrics: {0}")]
    Metrics(String),
    #[error("cannot subscribe to cancel signals: {0}")]
    Cancels(MessagingError),
}

/// A worker that is ready to run.
pub struct Application {
    context: Arc<WorkerContext>,
    runner: Arc<StepRunner>,
    broker: Broker,
    catalogues: Catalogues,
    phases: Vec<PhaseKind>,
    analyses: bool,
    concurrency: usize,
    execute_slots: FairSlots,
    drain: Duration,
    metrics: ProbeServer,
    view: ReadModel,
    lifecycle: Lifecycle,
}

impl Application {
    /// Connects to the broker and Redis, warms the sandbox, and verifies the streams; takes no step yet.
    pub async fn build(mut config: Config, lifecycle: Lifecycle) -> Result<Self, StartupError> {
        if config.require_user_namespace {
            user_namespace::check().map_err(StartupError::UserNamespace)?;
        }
        export_metrics(Process::Worker);
        let broker = Broker::connect(&config.broker).await?;
        verify(&broker, &Requirements::of_worker(queues_of(&config))).await?;
        let runs_code = config.phases.contains(&PhaseKind::Execute);
        let slots = config.sandbox.concurrency;
        let execute_slots = FairSlots::with_reserve(slots, slots - config.execute_concurrency);
        let sandbox = if runs_code { Some(sandbox::open(config.sandbox).await?) } else { None };
        for runtime in &mut config.generator.runtimes {
            runtime.version = sandbox.as_ref().and_then(|sandbox| sandbox.version(&runtime.name)).map(str::to_owned);
        }
        let attempts = Attempts::new(Buckets::new(&broker).attempts().await?, config.max_attempts);
        let view = ReadModel::open(config.redis_url.expose())?;
        let charges = Charges::open(&broker).await?;
        let context = Arc::new(WorkerContext {
            blobs: Blobs::new(&broker),
            live_output: LiveOutputChannel::new(&broker),
            generator: Arc::new(Generator::open(config.generator)?),
            sandbox,
            prices: config.budget.prices,
            daily_budget: DailyBudget::new(view.clone(), charges, config.budget.per_user_day),
            instance: config.instance,
            clock: Clock::system(),
        });
        let runner = StepRunner {
            context: context.clone(),
            log: WorkflowLog::new(&broker),
            dead_letters: DeadLetters::new(&broker),
            attempts,
            cancels: CancelRegistry::default(),
            leases: UserLeases(StepLeases::new(view.clone(), config.steps_per_user, LEASE_TTL)),
            backoff: RequeueBackoff::default(),
            metrics: StepMetrics::new(),
        };
        let metrics = ProbeServer::bind(&config.metrics_listen, lifecycle.health().clone());
        let metrics = metrics.map_err(|error| StartupError::Metrics(error.to_string()))?;
        Ok(Self {
            context,
            runner: Arc::new(runner),
            catalogues: Catalogues::open(&broker).await?,
            broker,
            phases: config.phases,
            analyses: config.analyses,
            concurrency: config.concurrency,
            execute_slots,
            drain: config.drain,
            metrics,
            view,
            lifecycle,
        })
    }

    /// Returns the address at which metrics are served.
    pub fn metrics_address(&self) -> SocketAddr {
        self.metrics.address()
    }

    /// Runs steps until the process stops; then finishes them, or returns them to their queues after the drain timeout.
    pub async fn run_until_stopped(self) -> Result<(), StartupError> {
        self.broker.watch(&self.lifecycle);
        self.view.watch(&self.lifecycle);
        let cancels = &self.runner.cancels;
        let signals = Cancellations::new(&self.broker).subscribe().await.map_err(StartupError::Cancels)?;
        self.lifecycle.spawn_main("cancel signals", cancels.clone().listen(signals, self.lifecycle.stopping()));
        for phase in &self.phases {
            self.serve(*phase);
        }
        if self.phases.contains(&PhaseKind::Generate) {
            prepare_embeddings(self.context.generator.clone());
        }
        if self.analyses {
            self.serve_analyses();
        }
        let heartbeats = Heartbeats::new(&self.broker);
        self.lifecycle.spawn(send_heartbeats(self.heartbeat(), heartbeats, self.lifecycle.clone()));
        let instance = &self.context.instance;
        tracing::info!(worker = instance, metrics = %self.metrics.address(), "Worker {instance} ready");
        let Self { metrics, lifecycle, context, broker, drain, runner, .. } = self;
        let stopped = metrics.run_during(drained(&lifecycle, drain, &runner, &context, &broker)).await;
        stopped.map_err(|error| StartupError::Metrics(error.to_string()))
    }

    fn heartbeat(&self) -> Heartbeat {
        let mut phases: Vec<String> = self.phases.iter().map(|phase| phase.as_str().to_owned()).collect();
        phases.extend(self.analyses.then(|| "analyses".to_owned()));
        let (context, running) = (self.context.clone(), self.runner.cancels.clone());
        Heartbeat { context, running, phases, catalogue: self.publish_catalogue() }
    }

    /// Publishes the recipes of a worker that generates; returns the receiver of their digest.
    fn publish_catalogue(&self) -> watch::Receiver<Option<Digest>> {
        let (published, catalogue) = watch::channel(None);
        if self.phases.contains(&PhaseKind::Generate) {
            let (generator, catalogues) = (self.context.generator.clone(), self.catalogues.clone());
            self.lifecycle.spawn(publish_catalogue(generator, catalogues, published, self.lifecycle.stopping()));
        }
        catalogue
    }

    fn serve(&self, phase: PhaseKind) {
        let (consumers, fair) = match (phase, &self.context.sandbox) {
            // The lanes share the slots, as they share the cores.
            (PhaseKind::Execute, Some(sandbox)) => {
                (sandbox.runtimes().into_iter().map(Consumer::Execute).collect(), self.execute_slots.clone())
            }
            (_, _) => (vec![Consumer::Steps(phase)], FairSlots::new(self.concurrency)),
        };
        let slots = fair.count();
        for consumer in consumers {
            let lane = if let Consumer::Execute(runtime) = &consumer { runtime.as_str() } else { "std" };
            self.runner.metrics.export_slots(phase.as_str(), lane, slots);
            let queue = Queue::new(&self.broker, consumer);
            let (reader, runner, fair) = (queue.clone(), self.runner.clone(), fair.clone());
            self.lifecycle.spawn(consume(queue, slots + PREFETCH, self.lifecycle.clone(), move |delivery| {
                let (reader, runner, fair) = (reader.clone(), runner.clone(), fair.clone());
                async move {
                    if let Some(delivery) = reader.read_entry(delivery).await {
                        let span = delivery.body().span();
                        handle_step(runner, fair, delivery).instrument(span).await;
                    }
                }
            }));
        }
    }

    fn serve_analyses(&self) {
        let queue = Queue::new(&self.broker, Consumer::Analyses);
        self.runner.metrics.export_slots("analyses", "std", self.concurrency);
        let analyses = Arc::new(InteractiveAnalyses {
            broker: self.broker.clone(),
            queue: queue.clone(),
            dead_letters: DeadLetters::new(&self.broker),
            instance: self.context.instance.clone(),
            clock: self.context.clock.clone(),
            metrics: self.runner.metrics.clone(),
        });
        self.lifecycle.spawn(consume(queue, self.concurrency, self.lifecycle.clone(), move |delivery| {
            handle_analysis(analyses.clone(), delivery)
        }));
    }
}

/// Waits for the stop, then for the running steps or the drain timeout, and closes everything.
async fn drained(
    lifecycle: &Lifecycle,
    timeout: Duration,
    runner: &StepRunner,
    context: &WorkerContext,
    broker: &Broker,
) {
    lifecycle.stopping().cancelled().await;
    if !lifecycle.drained(timeout).await {
        let (count, seconds) = (runner.cancels.count(), timeout.as_secs());
        tracing::warn!(count, "Returning {count} unfinished steps to their queues after a drain of {seconds} s");
        runner.cancels.release_all();
        lifecycle.drained(RELEASE_TIMEOUT).await;
    }
    if let Some(sandbox) = &context.sandbox {
        sandbox.shutdown().await;
    }
    broker.flush().await;
}

/// Loads the embedding model on a thread of low priority; until then goals are matched by keywords.
fn prepare_embeddings(generator: Arc<Generator>) {
    let load = move || {
        if let Err(error) = rustix::process::nice(LOADER_NICENESS) {
            tracing::debug!(%error, "Failed to lower the priority of the embedding loader: {error}");
        }
        generator.prepare_embeddings();
        let status = generator.matching();
        tracing::info!(
            generator.matching = status.matching,
            generator.recipes = status.recipes,
            "Goals are matched by {}{}{}",
            status.matching,
            if status.detail.is_empty() { "" } else { ": " },
            status.detail
        );
    };
    if let Err(error) = std::thread::Builder::new().name("embeddings".to_owned()).spawn(load) {
        tracing::warn!(%error, "Failed to start the embedding loader; goals are matched by keywords: {error}");
    }
}

/// Returns the queues that a worker with this configuration consumes.
fn queues_of(config: &Config) -> Vec<Consumer> {
    let lanes = || config.sandbox.runtimes.iter().cloned().map(Consumer::Execute).collect();
    let of_phase =
        |phase: &PhaseKind| if *phase == PhaseKind::Execute { lanes() } else { vec![Consumer::Steps(*phase)] };
    let steps = config.phases.iter().flat_map(of_phase);
    steps.chain(config.analyses.then_some(Consumer::Analyses)).collect()
}
