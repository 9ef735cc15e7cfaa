//! Builds the approver and runs it until it is stopped.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use messaging::{
    AuditLog, Blobs, BotChannel, Broker, BrokerError, BucketCache, BucketError, Buckets, Cancellations, Consumer,
    DeadLetters, DecisionRpc, Delivery, Entry, Heartbeats, MessagingError, OpenApprovalsChannel, ProvisionError, Queue,
    RawMessage, ReadError, Requirements, Settlement, Timers, WorkflowLog, consume, verify,
};
use read_model::{ReadModel, ReadModelError};
use service::clock::Clock;
use service::lifecycle::Lifecycle;
use service::telemetry::{ProbeServer, Process, export_metrics};
use tracing::Instrument;

use crate::audit::handle_audit;
use crate::config::Config;
use crate::context::ApproverContext;
use crate::decisions::http::answer_http_decisions;
use crate::decisions::nats::{BotDecisions, handle_bot_decision};
use crate::decisions::refusal_limiter::RefusalLimiter;
use crate::decisions::service::DecisionService;
use crate::gates::handle_gate;
use crate::heartbeat::send_heartbeats;
use crate::integrity::Integrity;
use crate::open_approvals::{OpenApprovals, answer_open_requests};
use crate::timers::debounce::{self, TimerDebounce};
use crate::timers::fire::handle_timer;
use crate::timers::schedule::handle_schedule;
use crate::transitions::TransitionAppender;
use crate::webhooks::deliver::{WebhookSender, handle_webhook, handle_webhook_retry};

/// Maximum messages of one queue handled at once. Handlers wait for the broker and use little CPU.
const MAX_CONCURRENT: usize = 64;
/// Maximum notifications handled at once: twice the webhooks that are sent at once, so that throttled ones make room.
const MAX_CONCURRENT_WEBHOOKS: usize = 512;
/// The queues that the approver consumes.
const QUEUES: [Consumer; 7] = [
    Consumer::Gates,
    Consumer::Schedules,
    Consumer::Audit,
    Consumer::Webhooks,
    Consumer::Decisions,
    Consumer::Timers,
    Consumer::Notifications,
];
const DRAIN_TIMEOUT: Duration = Duration::from_secs(10);

/// The reason for which the approver does not start or continue.
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
    #[error("cannot serve metrics: {0}")]
    Metrics(std::io::Error),
    #[error("cannot subscribe to decisions: {0}")]
    Decisions(MessagingError),
}

/// An approver that is ready to run.
pub struct Application {
    context: Arc<ApproverContext>,
    decisions: Arc<DecisionService>,
    bot_decisions: Arc<BotDecisions>,
    open_approvals: Arc<OpenApprovals>,
    webhooks: Arc<WebhookSender>,
    audit: Arc<AuditLog>,
    broker: Broker,
    metrics: ProbeServer,
    view: ReadModel,
    lifecycle: Lifecycle,
}

impl Application {
    /// Connects to the broker and Redis and verifies the streams; handles nothing yet.
    pub async fn build(config: Config, lifecycle: Lifecycle) -> Result<Self, StartupError> {
        // Fails if another approver of this process has installed the provider, which has the same effect.
        drop(rustls::crypto::ring::default_provider().install_default());
        export_metrics(Process::Approver);
        let broker = Broker::connect(&config.broker).await?;
        verify(&broker, &Requirements::of_approver(QUEUES.to_vec())).await?;
        let channel = OpenApprovalsChannel::connect(&config.broker).await?;
        let users = BucketCache::follow(Buckets::new(&broker).users().await?, &lifecycle).await?;
        let (clock, log) = (Clock::system(), WorkflowLog::new(&broker));
        let is_replicated = log.is_replicated().await?;
        let view = ReadModel::open(config.redis_url.expose())?;
        let transitions = TransitionAppender {
            log: log.clone(),
            view: view.clone(),
            cancellations: Cancellations::new(&broker),
            clock: clock.clone(),
        };
        let audit = AuditLog::new(&broker);
        let decisions = Arc::new(DecisionService {
            log: log.clone(),
            blobs: Blobs::new(&broker),
            rpc: DecisionRpc::new(&broker),
            audit: audit.clone(),
            users: users.clone(),
            transitions: transitions.clone(),
            clock: clock.clone(),
        });
        let bot_decisions = BotDecisions {
            service: decisions.clone(),
            bots: BotChannel::new(&broker),
            audit: audit.clone(),
            dead_letters: DeadLetters::new(&broker),
            refusals: RefusalLimiter::default(),
            clock: clock.clone(),
        };
        let (key, allow_private) = (config.webhook_key, config.webhook_allow_private);
        let webhooks = WebhookSender::new(&broker, key, allow_private, clock.clone());
        let open_approvals = OpenApprovals { channel, users: users.clone(), view: view.clone(), clock: clock.clone() };
        let context = ApproverContext {
            blobs: Blobs::new(&broker),
            bots: BotChannel::new(&broker),
            timers: Timers::new(&broker),
            dead_letters: DeadLetters::new(&broker),
            users,
            integrity: Integrity { log: log.clone(), is_replicated, clock: clock.clone() },
            transitions,
            debounce: TimerDebounce::default(),
            policy: config.policy,
            announce_interval: config.announce_interval,
            log,
            clock,
        };
        Ok(Self {
            context: Arc::new(context),
            decisions,
            bot_decisions: Arc::new(bot_decisions),
            open_approvals: Arc::new(open_approvals),
            webhooks: Arc::new(webhooks),
            audit: Arc::new(audit),
            broker,
            metrics: ProbeServer::bind(&config.metrics_listen, lifecycle.health().clone())
                .map_err(StartupError::Metrics)?,
            view,
            lifecycle,
        })
    }

    /// Returns the address at which metrics are served.
    pub fn metrics_address(&self) -> SocketAddr {
        self.metrics.address()
    }

    /// Handles gates, decisions, timers and effects until the process stops, then waits for the running handlers.
    pub async fn run_until_stopped(self) -> Result<(), StartupError> {
        self.broker.watch(&self.lifecycle);
        self.view.watch(&self.lifecycle);
        self.consume_queues();
        let Self { context, decisions, open_approvals, broker, metrics, lifecycle, .. } = self;
        lifecycle.spawn(send_heartbeats(Heartbeats::new(&broker), context.users.clone(), lifecycle.clone()));
        let requests = decisions.rpc.subscribe().await.map_err(StartupError::Decisions)?;
        lifecycle.spawn_main("bots' requests", answer_open_requests(open_approvals, lifecycle.clone()));
        lifecycle.spawn_main("decisions over HTTP", answer_http_decisions(decisions, requests, lifecycle.clone()));
        tracing::info!(metrics = %metrics.address(), "Approver ready");
        let drain = async {
            lifecycle.stopping().cancelled().await;
            if !lifecycle.drained(DRAIN_TIMEOUT).await {
                let seconds = DRAIN_TIMEOUT.as_secs();
                tracing::warn!("Stopping with unfinished messages after {seconds} s; the broker redelivers them");
            }
            broker.flush().await;
        };
        metrics.run_during(drain).await.map_err(StartupError::Metrics)
    }

    fn consume_queues(&self) {
        let (context, webhooks) = (&self.context, &self.webhooks);
        self.consume_entries(Consumer::Gates, context.clone(), handle_gate);
        self.consume_entries(Consumer::Schedules, context.clone(), handle_schedule);
        self.consume_entries(Consumer::Audit, self.audit.clone(), handle_audit);
        self.consume_entries(Consumer::Webhooks, webhooks.clone(), handle_webhook);
        self.consume_messages(Consumer::Notifications, webhooks.clone(), handle_webhook_retry);
        self.consume_messages(Consumer::Decisions, self.bot_decisions.clone(), handle_bot_decision);
        self.consume_messages(Consumer::Timers, context.clone(), handle_timer);
    }

    /// Runs `handle` for every transition of the queue.
    fn consume_entries<C, H, F>(&self, consumer: Consumer, context: Arc<C>, handle: H)
    where
        C: Send + Sync + 'static,
        H: Fn(Arc<C>, Delivery<Entry>) -> F + Copy + Send + Sync + 'static,
        F: Future<Output = Settlement> + Send + 'static,
    {
        let queue = Queue::new(&self.broker, consumer);
        let slots = max_concurrent(queue.consumer());
        let (reader, integrity) = (queue.clone(), self.context.integrity.clone());
        self.lifecycle.spawn(consume(queue, slots, self.lifecycle.clone(), move |delivery| {
            let (context, reader, integrity) = (context.clone(), reader.clone(), integrity.clone());
            async move {
                match reader.try_read_entry(delivery) {
                    Ok(delivery) => {
                        let span = delivery.body().span();
                        handle(context, delivery).instrument(span).await;
                    }
                    // Boxed to keep the common future small.
                    Err(unreadable) => Box::pin(integrity.settle_unreadable(&reader, *unreadable)).await,
                }
            }
        }));
    }

    /// Runs `handle` for every message of the queue.
    fn consume_messages<C, H, F>(&self, consumer: Consumer, context: Arc<C>, handle: H)
    where
        C: Send + Sync + 'static,
        H: Fn(Arc<C>, Delivery<RawMessage>) -> F + Copy + Send + Sync + 'static,
        F: Future<Output = Settlement> + Send + 'static,
    {
        let queue = Queue::new(&self.broker, consumer);
        let slots = max_concurrent(queue.consumer());
        self.lifecycle.spawn(consume(queue, slots, self.lifecycle.clone(), move |delivery| {
            let context = context.clone();
            async move {
                handle(context, delivery).await;
            }
        }));
    }
}

fn max_concurrent(consumer: &Consumer) -> usize {
    match consumer {
        // The audit log is a hash chain in log order, so its entries are handled one at a time.
        Consumer::Audit => 1,
        Consumer::Webhooks | Consumer::Notifications => MAX_CONCURRENT_WEBHOOKS,
        Consumer::Schedules => MAX_CONCURRENT + debounce::MAX_PENDING,
        Consumer::Gates
        | Consumer::Decisions
        | Consumer::Timers
        | Consumer::Steps(_)
        | Consumer::Execute(_)
        | Consumer::Projector
        | Consumer::Analyses => MAX_CONCURRENT,
    }
}
