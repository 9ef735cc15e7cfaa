//! Builds the worker and runs it until it is told to stop.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use generator::{CatalogueError, Generator};
use sandbox::SandboxError;
use shared::clock::Clock;
use shared::ids::Digest;
use shared::lifecycle::Lifecycle;
use shared::messaging::{
    Blobs, Broker, BrokerError, BucketError, Buckets, Catalogues, Charges, Consumer, Control, DeadLetters, Needs,
    ProvisionError, Queue, WorkflowLog, consume, verify,
};
use shared::read_model::{ReadModel, ReadModelError, StepLeases};
use shared::telemetry::MetricsServer;
use shared::workflow::PhaseKind;
use tokio::sync::watch;
use tracing::Instrument;

use crate::attempts::Attempts;
use crate::cancellation::Cancels;
use crate::catalogue::publish_catalogue;
use crate::config::Config;
use crate::context::Desk;
use crate::daily_budget::DayBudget;
use crate::heartbeat::report_presence;
use crate::interactive_analysis::handle_analysis;
use crate::metrics::Metrics;
use crate::scheduling::fair_slots::{LOOK_AHEAD, Line, Slots, Turns};
use crate::steps::handle_step;

/// A turn that is not renewed for this long was held by a worker that died.
const TURN: Duration = Duration::from_secs(10);
/// How long steps that were told to stop may take to hand themselves back.
const HAND_BACK: Duration = Duration::from_secs(5);

/// Priority of the thread that loads the embedding model, in steps below the others.
const LOADER_NICENESS: i32 = 10;

/// Why a worker does not start or go on.
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
    #[error("metrics cannot be served: {0}")]
    Metrics(String),
    #[error("cancel signals cannot be received: {0}")]
    Cancels(String),
}

/// A worker that is ready to run.
pub struct Application {
    desk: Arc<Desk>,
    broker: Broker,
    catalogues: Catalogues,
    phases: Vec<PhaseKind>,
    analyses: bool,
    concurrency: usize,
    execute_concurrency: usize,
    drain: Duration,
    metrics: MetricsServer,
    life: Lifecycle,
}

impl Application {
    /// Connects to everything, warms the sandbox, and checks that all is as it must be; no step is taken yet.
    pub async fn build(config: Config, life: Lifecycle) -> Result<Self, StartupError> {
        let broker = Broker::connect(&config.broker).await?;
        verify(&broker, &Needs::of_worker(queues_of(&config))).await?;
        let runs_code = config.phases.contains(&PhaseKind::Execute);
        let execute_concurrency = config.sandbox.concurrency;
        let sandbox = if runs_code { Some(sandbox::open(config.sandbox).await?) } else { None };
        let attempts = Attempts::new(Buckets::new(&broker).attempts().await?, config.max_attempts);
        let view = ReadModel::open(config.redis_url.expose())?;
        let desk = Desk {
            log: WorkflowLog::new(&broker),
            blobs: Blobs::new(&broker),
            letters: DeadLetters::new(&broker),
            attempts,
            cancels: Cancels::default(),
            day: DayBudget::new(view.clone(), Charges::open(&broker).await?, config.budget.per_user_day),
            line: Line::default(),
            turns: Turns::new(StepLeases::new(view, config.steps_per_user, TURN)),
            generator: Arc::new(Generator::open(config.generator)?),
            sandbox,
            prices: config.budget.prices,
            metrics: Metrics::register().map_err(|error| StartupError::Metrics(error.to_string()))?,
            instance: config.instance,
            clock: Clock::system(),
        };
        let metrics =
            MetricsServer::bind(&config.metrics_listen).map_err(|error| StartupError::Metrics(error.to_string()))?;
        Ok(Self {
            desk: Arc::new(desk),
            catalogues: Catalogues::open(&broker).await?,
            broker,
            phases: config.phases,
            analyses: config.analyses,
            concurrency: config.concurrency,
            execute_concurrency,
            drain: config.drain,
            metrics,
            life,
        })
    }

    /// Where metrics are served.
    pub fn metrics_address(&self) -> SocketAddr {
        self.metrics.address()
    }

    /// Takes steps until the life ends; then finishes what runs, or hands it back when that takes too long.
    pub async fn run_until_stopped(self) -> Result<(), StartupError> {
        let control = Control::new(&self.broker);
        let signals = control.cancels().await.map_err(StartupError::Cancels)?;
        self.life.spawn(self.desk.cancels.clone().obey(signals, self.life.stopping()));
        for phase in &self.phases {
            self.serve(*phase);
        }
        if self.phases.contains(&PhaseKind::Generate) {
            prepare_embeddings(self.desk.generator.clone());
        }
        if self.analyses {
            self.serve_analyses();
        }
        let mut names: Vec<String> = self.phases.iter().map(|phase| phase.as_str().to_owned()).collect();
        names.extend(self.analyses.then(|| "analyses".to_owned()));
        let catalogue = self.publish_catalogue();
        self.life.spawn(report_presence(self.desk.clone(), control, names, catalogue, self.life.stopping()));
        tracing::info!(worker = self.desk.instance, metrics = %self.metrics.address(), "the worker is ready");
        let stopped = self.metrics.run(self.life.stopping()).await;
        stopped.map_err(|error| StartupError::Metrics(error.to_string()))?;
        if !self.life.drained(self.drain).await {
            tracing::warn!("steps take longer than the drain; they are handed back");
            self.desk.cancels.hand_back();
            self.life.drained(HAND_BACK).await;
        }
        if let Some(sandbox) = &self.desk.sandbox {
            sandbox.shutdown().await;
        }
        self.broker.flush().await;
        Ok(())
    }

    /// Publishes the recipes of a worker that generates; returns where their digest is to be seen.
    fn publish_catalogue(&self) -> watch::Receiver<Option<Digest>> {
        let (published, catalogue) = watch::channel(None);
        if self.phases.contains(&PhaseKind::Generate) {
            let (desk, catalogues) = (self.desk.clone(), self.catalogues.clone());
            self.life.spawn(publish_catalogue(desk, catalogues, published, self.life.stopping()));
        }
        catalogue
    }

    fn serve(&self, phase: PhaseKind) {
        let (consumers, slots) = match (phase, &self.desk.sandbox) {
            (PhaseKind::Execute, Some(sandbox)) => {
                (sandbox.runtimes().into_iter().map(Consumer::Execute).collect(), self.execute_concurrency)
            }
            (_, _) => (vec![Consumer::Steps(phase)], self.concurrency),
        };
        for consumer in consumers {
            let queue = Queue::new(&self.broker, consumer);
            let (reader, desk, fair) = (queue.clone(), self.desk.clone(), Slots::new(slots));
            self.life.spawn(consume(queue, slots + LOOK_AHEAD, self.life.clone(), move |delivery| {
                let (reader, desk, fair) = (reader.clone(), desk.clone(), fair.clone());
                async move {
                    if let Some(delivery) = reader.read_entry(delivery).await {
                        let span = delivery.body().span();
                        handle_step(desk, fair, delivery).instrument(span).await;
                    }
                }
            }));
        }
    }

    fn serve_analyses(&self) {
        let queue = Queue::new(&self.broker, Consumer::Analyses);
        let (reader, desk, broker) = (queue.clone(), self.desk.clone(), self.broker.clone());
        self.life.spawn(consume(queue, self.concurrency, self.life.clone(), move |delivery| {
            handle_analysis(desk.clone(), broker.clone(), reader.clone(), delivery)
        }));
    }
}

/// Loads the embedding model beside the work, on a thread that leaves the processor to the work; keywords serve meanwhile.
fn prepare_embeddings(generator: Arc<Generator>) {
    let load = move || {
        if let Err(error) = rustix::process::nice(LOADER_NICENESS) {
            tracing::debug!(%error, "The priority of the embedding loader could not be lowered");
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
        tracing::warn!(%error, "The embedding model is not loaded: no thread could be started. Goals are matched by keywords");
    }
}

/// The queues that a worker of these settings takes from.
fn queues_of(config: &Config) -> Vec<Consumer> {
    let lanes = || config.sandbox.runtimes.iter().cloned().map(Consumer::Execute).collect();
    let of_phase =
        |phase: &PhaseKind| if *phase == PhaseKind::Execute { lanes() } else { vec![Consumer::Steps(*phase)] };
    let steps = config.phases.iter().flat_map(of_phase);
    steps.chain(config.analyses.then_some(Consumer::Analyses)).collect()
}
