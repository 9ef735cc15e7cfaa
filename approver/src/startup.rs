//! Builds the approver and runs it until it is told to stop.

use std::net::SocketAddr;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use shared::clock::Clock;
use shared::lifecycle::Lifecycle;
use shared::messaging::{
    ApprovalDesk, AuditLog, Blobs, Broker, BrokerError, BucketError, Buckets, Consumer, Control, DeadLetters,
    DecodeError, Delivery, Entry, Needs, OpenDesk, ProvisionError, Questions, Queue, RawMessage, ReadError, Settlement,
    Timers, Unreadable, Watched, WorkflowLog, consume, verify,
};
use shared::read_model::{ReadModel, ReadModelError};
use shared::telemetry::MetricsServer;
use tracing::Instrument;

use crate::audit::handle_record;
use crate::config::Config;
use crate::decisions::http::handle_question;
use crate::decisions::nats::handle_decision;
use crate::decisions::refusal_limiter::Floods;
use crate::decisions::service::Desk;
use crate::gates::handle_gate;
use crate::heartbeat::report_presence;
use crate::integrity::condemn;
use crate::metrics::{DECISIONS, GATES, OPEN_DROPPED};
use crate::open_approvals::answer_open_requests;
use crate::timers::debounce::{self, Brief};
use crate::timers::fire::handle_timer;
use crate::timers::schedule::handle_schedule;
use crate::webhooks::deliver::{Notifier, handle_due, handle_notification, places};

/// How many messages of one kind are handled at once: all wait for the broker, none for the processor.
const SLOTS: usize = 64;
/// Of notifications twice as many as are being sent at once: the others soon give way to those behind them.
const NOTIFICATION_SLOTS: usize = 512;
/// What it takes from.
const QUEUES: [Consumer; 7] = [
    Consumer::Gates,
    Consumer::Schedules,
    Consumer::Audit,
    Consumer::Webhooks,
    Consumer::Decisions,
    Consumer::Timers,
    Consumer::Notifications,
];
const DRAIN: Duration = Duration::from_secs(10);

/// Why the approver does not start or go on.
#[derive(Debug, thiserror::Error)]
pub enum StartupError {
    #[error(transparent)]
    Broker(#[from] BrokerError),
    #[error(transparent)]
    Streams(#[from] ProvisionError),
    #[error(transparent)]
    Bucket(#[from] BucketError),
    #[error(transparent)]
    Log(#[from] ReadError),
    #[error(transparent)]
    View(#[from] ReadModelError),
    #[error("metrics cannot be served: {0}")]
    Metrics(std::io::Error),
    #[error("decisions cannot be received: {0}")]
    Decisions(String),
}

/// An approver that is ready to run.
pub struct Application {
    desk: Arc<Desk>,
    notifier: Arc<Notifier>,
    broker: Broker,
    open: OpenDesk,
    metrics: MetricsServer,
    life: Lifecycle,
}

impl Application {
    /// Connects to everything and checks that it is as it must be; nothing is handled yet.
    pub async fn build(config: Config, life: Lifecycle) -> Result<Self, StartupError> {
        // A second approver in the same process finds the provider installed; that is fine.
        drop(rustls::crypto::ring::default_provider().install_default());
        let broker = Broker::connect(&config.broker).await?;
        verify(&broker, &Needs::of_approver(QUEUES.to_vec())).await?;
        let open = OpenDesk::connect(&config.broker).await?;
        let users = Watched::follow(Buckets::new(&broker).users().await?, &life).await?;
        let clock = Clock::system();
        let log = WorkflowLog::new(&broker);
        let is_replicated = log.is_replicated().await?;
        let desk = Desk {
            log,
            is_replicated,
            blobs: Blobs::new(&broker),
            view: ReadModel::open(config.redis_url.expose())?,
            bots: ApprovalDesk::new(&broker),
            timers: Timers::new(&broker),
            letters: DeadLetters::new(&broker),
            control: Control::new(&broker),
            audit: AuditLog::new(&broker),
            users,
            brief: Brief::default(),
            floods: Floods::default(),
            policy: config.policy,
            announce_every: config.announce_every,
            clock: clock.clone(),
        };
        let notifier = Notifier {
            key: config.webhook_key,
            allow_private: config.webhook_allow_private,
            log: WorkflowLog::new(&broker),
            timers: Timers::new(&broker),
            letters: DeadLetters::new(&broker),
            places: places(),
            clock,
        };
        let metrics = MetricsServer::bind(&config.metrics_listen).map_err(StartupError::Metrics)?;
        Ok(Self { desk: Arc::new(desk), notifier: Arc::new(notifier), broker, open, metrics, life })
    }

    /// Where metrics are served.
    pub fn metrics_address(&self) -> SocketAddr {
        self.metrics.address()
    }

    /// Handles gates, decisions, timers and effects until the life ends, then waits for what is being handled.
    pub async fn run_until_stopped(self) -> Result<(), StartupError> {
        let Self { desk, notifier, broker, open, metrics, life } = self;
        // Shown from the start, at zero.
        LazyLock::force(&GATES);
        LazyLock::force(&DECISIONS);
        LazyLock::force(&OPEN_DROPPED);
        let queues = Queues { broker: broker.clone(), desk: desk.clone(), life: life.clone() };
        queues.entries(Consumer::Gates, desk.clone(), handle_gate);
        queues.entries(Consumer::Schedules, desk.clone(), handle_schedule);
        queues.entries(Consumer::Audit, desk.clone(), handle_record);
        queues.entries(Consumer::Webhooks, notifier.clone(), handle_notification);
        queues.messages(Consumer::Notifications, notifier, handle_due);
        queues.messages(Consumer::Decisions, desk.clone(), handle_decision);
        queues.messages(Consumer::Timers, desk.clone(), handle_timer);
        life.spawn(report_presence(desk.control.clone(), life.clone()));
        let questions = desk.control.decisions().await.map_err(StartupError::Decisions)?;
        life.spawn(answer_open_requests(desk.clone(), open, life.clone()));
        life.spawn(answer_questions(desk, questions, life.clone()));
        tracing::info!(metrics = %metrics.address(), "the approver is ready");
        metrics.run(life.stopping()).await.map_err(StartupError::Metrics)?;
        if !life.drained(DRAIN).await {
            tracing::warn!("some work was not finished in time; it will come again");
        }
        broker.flush().await;
        Ok(())
    }
}

/// Answers decisions that came over HTTP; once the life ends only those that had come.
async fn answer_questions(desk: Arc<Desk>, mut questions: Questions, life: Lifecycle) {
    let (stopping, mut is_stopping) = (life.stopping(), false);
    loop {
        tokio::select! {
            () = stopping.cancelled(), if !is_stopping => {
                is_stopping = true;
                questions.refuse().await;
            }
            question = questions.next() => match question {
                Some(question) => drop(life.spawn(handle_question(desk.clone(), question))),
                None => return,
            },
        }
    }
}

/// A message that nobody will ever read must not hold its workflow for ever: the queue of timers, which every transition
/// passes, ends the workflow; each queue keeps the message among the dead letters.
async fn settle_unreadable(queue: &Queue, desk: &Desk, unreadable: Unreadable) {
    let Unreadable { delivery, error } = unreadable;
    let is_hopeless = !matches!(error, DecodeError::Newer(_));
    if is_hopeless
        && *queue.consumer() == Consumer::Schedules
        && let Some((sequence, id)) = Queue::place_of(delivery.body())
        && let Err(reason) = condemn(desk, sequence, id).await
    {
        tracing::warn!(workflow.id = %id, %reason, "an unreadable workflow cannot be ended yet");
        delivery.retry_after(Duration::from_secs(1)).await;
        return;
    }
    queue.settle_unreadable(delivery, &error).await;
}

fn slots_of(consumer: &Consumer) -> usize {
    match consumer {
        // The audit log is a chain: one after the other, and in the log's order.
        Consumer::Audit => 1,
        Consumer::Webhooks | Consumer::Notifications => NOTIFICATION_SLOTS,
        Consumer::Schedules => SLOTS + brief::PLACES,
        Consumer::Gates
        | Consumer::Decisions
        | Consumer::Timers
        | Consumer::Steps(_)
        | Consumer::Execute(_)
        | Consumer::Projector
        | Consumer::Analyses => SLOTS,
    }
}

struct Queues {
    broker: Broker,
    desk: Arc<Desk>,
    life: Lifecycle,
}

impl Queues {
    /// Runs `handle` for every transition that the consumer hands out.
    fn entries<C, H, F>(&self, consumer: Consumer, context: Arc<C>, handle: H)
    where
        C: Send + Sync + 'static,
        H: Fn(Arc<C>, Delivery<Entry>) -> F + Copy + Send + Sync + 'static,
        F: Future<Output = Settlement> + Send + 'static,
    {
        let queue = Queue::new(&self.broker, consumer);
        let slots = slots_of(queue.consumer());
        let (reader, desk) = (queue.clone(), self.desk.clone());
        self.life.spawn(consume(queue, slots, self.life.clone(), move |delivery| {
            let (context, reader, desk) = (context.clone(), reader.clone(), desk.clone());
            async move {
                match reader.try_read_entry(delivery) {
                    Ok(delivery) => {
                        let span = delivery.body().span();
                        handle(context, delivery).instrument(span).await;
                    }
                    // In a box, because it is large and hardly ever needed.
                    Err(unreadable) => Box::pin(settle_unreadable(&reader, &desk, *unreadable)).await,
                }
            }
        }));
    }

    /// Runs `handle` for every message that the consumer hands out.
    fn messages<C, H, F>(&self, consumer: Consumer, context: Arc<C>, handle: H)
    where
        C: Send + Sync + 'static,
        H: Fn(Arc<C>, Delivery<RawMessage>) -> F + Copy + Send + Sync + 'static,
        F: Future<Output = Settlement> + Send + 'static,
    {
        let queue = Queue::new(&self.broker, consumer);
        let slots = slots_of(queue.consumer());
        self.life.spawn(consume(queue, slots, self.life.clone(), move |delivery| {
            let context = context.clone();
            async move {
                handle(context, delivery).await;
            }
        }));
    }
}
