//! Builds the API and runs it until it is stopped.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::{Server, ServerHandle};
use actix_web::web;
use domain::workflow::SubmissionPolicy;
use messaging::{
    AnalysisRequests, Blobs, Broker, BrokerError, BucketCache, BucketError, Buckets, Cancellations, Catalogues,
    Charges, DeadLetters, DecisionRpc, Heartbeats, LiveOutputChannel, MessagingError, ProvisionError, Requirements,
    SubmissionBatcher, WorkflowLog, verify,
};
use read_model::{RateLimiter, ReadModel, ReadModelError};
use service::clock::Clock;
use service::lifecycle::Lifecycle;
use service::password;
use service::telemetry::ProbeServer;
use tokio_util::sync::CancellationToken;

use crate::analysis::analyze::Analyses;
use crate::app_state::AppState;
use crate::approvals::decide::Decisions;
use crate::auth::keyring::{Keyring, refuse_demo};
use crate::auth::sign_in_queue::SignInQueue;
use crate::auth::state::Auth;
use crate::auth::tokens::Tokens;
use crate::budget::daily_budget::DailyBudget;
use crate::config::Config;
use crate::connection::listen;
use crate::executions::event_stream_quota::EventStreamQuota;
use crate::executions::events::EventStreams;
use crate::executions::submit::Submitter;
use crate::executions::wait::Waiter;
use crate::http::body::BodyMemoryBudget;
use crate::limits::admission::RateLimits;
use crate::middleware::access_log::AccessLog;
use crate::middleware::observe::RunningRequests;
use crate::recipes::catalogue::RecipeCatalogue;
use crate::tasks::access_log_reports::run_access_log_reports;
use crate::tasks::backlog_gauges::run_backlog_gauges;
use crate::tasks::dead_letter_counter::run_dead_letter_counter;
use crate::tasks::heartbeat_listener::run_heartbeat_listener;
use crate::tasks::live_output_listener::run_live_output_listener;
use crate::tasks::log_tail::run_log_tail;
use crate::tasks::projector::{run_projector, run_rebuilds};
use crate::tasks::readiness::run_readiness;
use crate::tasks::workflow_gauges::run_workflow_gauges;
use crate::workflows::feed::LogFeed;
use crate::workflows::heartbeats::LivenessTable;
use crate::workflows::live_output::LiveOutputFeed;
use crate::workflows::peers::Peers;
use crate::workflows::reader::WorkflowReader;
use crate::workflows::state::Workflows;
use crate::{metrics, routes};

/// Maximum time for requests to finish after the stop; the longest wait of any request is 10 s.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(15);
/// Time for the last bytes of responses whose head is ready.
const LAST_BYTES_DELAY: Duration = Duration::from_millis(250);

/// A reason for which the API does not start or stops.
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
    #[error("cannot receive the answers of analyses: {0}")]
    Answers(#[from] MessagingError),
    #[error("{0}")]
    Unsafe(String),
    #[error("cannot listen on {address} ({name}): {error}; check that no other process listens there")]
    Listen { name: &'static str, address: String, error: std::io::Error },
    #[error("the HTTP server failed: {0}")]
    Serve(std::io::Error),
}

/// An API that is bound to its ports and ready to run.
pub struct Application {
    address: SocketAddr,
    server: Server,
    metrics: ProbeServer,
    broker: Broker,
    state: AppState,
}

impl Application {
    /// Connects to NATS and Redis, refuses unsafe configurations, and binds the ports. Serves nothing yet.
    pub async fn build(config: Config, lifecycle: Lifecycle) -> Result<Self, StartupError> {
        metrics::export(routes::served());
        let broker = Broker::connect(&config.broker).await?;
        verify(&broker, &Requirements::of_api()).await?;
        let metrics_listen = config.metrics_listen.clone();
        let metrics = ProbeServer::bind(&metrics_listen, lifecycle.health().clone())
            .map_err(|error| StartupError::Listen { name: "api.metrics_listen", address: metrics_listen, error })?;
        let state = connect(&config, &broker, lifecycle).await?;
        let (address, server) = listen(&config, &state).map_err(|error| StartupError::Listen {
            name: "api.listen",
            address: config.listen.clone(),
            error,
        })?;
        Ok(Self { address, server, metrics, broker, state })
    }

    /// Returns the address of the HTTP listener.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the address of the metrics listener.
    pub fn metrics_address(&self) -> SocketAddr {
        self.metrics.address()
    }

    /// Serves until stopped, then waits for running requests. Event streams end at once; clients resume them on another
    /// instance.
    pub async fn run_until_stopped(self) -> Result<(), StartupError> {
        let Self { address, server, metrics, broker, state } = self;
        let lifecycle = Lifecycle::clone(&state.lifecycle);
        let running = RunningRequests::clone(&state.running);
        spawn_tasks(state, &broker, &lifecycle);
        lifecycle.spawn(stop_when_idle(server.handle(), lifecycle.stopping(), running));
        tracing::info!(%address, metrics = %metrics.address(), "API ready on {address}");
        let serve = async {
            let served = server.await;
            lifecycle.stop();
            if !lifecycle.drained(DRAIN_TIMEOUT).await {
                tracing::warn!("Drain timed out with tasks still running");
            }
            broker.flush().await;
            served
        };
        metrics.run_during(serve).await.and_then(|served| served).map_err(StartupError::Serve)
    }
}

fn spawn_tasks(state: AppState, broker: &Broker, lifecycle: &Lifecycle) {
    let AppState { auth, workflows, peers, dead_letters, access_log, .. } = state;
    let stopping = lifecycle.stopping();
    spawn_measurements(&workflows, &auth, &peers, broker, lifecycle);
    lifecycle.spawn_main("token pruning", async move { auth.tokens.run_pruning(stopping).await });
    lifecycle.spawn_main("log tail", run_log_tail(workflows.clone(), lifecycle.clone()));
    lifecycle.spawn_main("heartbeat listener", run_heartbeat_listener(peers, lifecycle.clone()));
    let live_output = run_live_output_listener(LiveOutputChannel::new(broker), workflows.clone(), lifecycle.clone());
    lifecycle.spawn_main("live output listener", live_output);
    lifecycle.spawn_main("projector", run_projector(workflows.clone(), broker.clone(), lifecycle.clone()));
    lifecycle.spawn_main("rebuilds", run_rebuilds(workflows, broker.clone(), lifecycle.clone()));
    lifecycle.spawn_main("dead letter counter", run_dead_letter_counter(dead_letters, lifecycle.clone()));
    lifecycle.spawn_main("access log reports", run_access_log_reports(access_log, lifecycle.clone()));
}

/// Starts the tasks that update gauges and readiness.
fn spawn_measurements(
    workflows: &web::Data<Workflows>,
    auth: &web::Data<Auth>,
    peers: &web::Data<Peers>,
    broker: &Broker,
    lifecycle: &Lifecycle,
) {
    broker.watch(lifecycle);
    workflows.view.watch(lifecycle);
    lifecycle.spawn(run_readiness(auth.clone(), peers.clone(), lifecycle.clone()));
    lifecycle.spawn_main("backlog gauges", run_backlog_gauges(broker.clone(), lifecycle.clone()));
    lifecycle.spawn(run_workflow_gauges(workflows.clone(), peers.clone(), lifecycle.clone()));
}

/// Stops accepting connections after the stop, and ends the server once no request is running.
///
/// The server's own graceful stop also waits for idle connections, which clients keep open for minutes.
async fn stop_when_idle(server: ServerHandle, stopping: CancellationToken, running: RunningRequests) {
    stopping.cancelled().await;
    server.pause().await;
    let idle = async {
        while running.count() > 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        tokio::time::sleep(LAST_BYTES_DELAY).await;
    };
    if tokio::time::timeout(DRAIN_TIMEOUT, idle).await.is_err() {
        tracing::warn!("Drain timed out with requests still running; closing their connections");
    }
    server.stop(false).await;
}

async fn connect(config: &Config, broker: &Broker, lifecycle: Lifecycle) -> Result<AppState, StartupError> {
    let auth = web::Data::new(connect_auth(config, broker, &lifecycle).await?);
    let (clock, view) = (Clock::system(), ReadModel::open(config.redis_url.expose())?);
    let workflows = web::Data::new(connect_workflows(broker, &view, &clock, &lifecycle));
    let peers = web::Data::new(Peers {
        cancellations: Cancellations::new(broker),
        decision_rpc: DecisionRpc::new(broker),
        heartbeats: Heartbeats::new(broker),
        workers: LivenessTable::default(),
        approvers: LivenessTable::default(),
    });
    let recipes = web::Data::new(RecipeCatalogue::new(Catalogues::open(broker).await?, peers.clone()));
    let charges = Charges::open(broker).await?.follow(&lifecycle).await?;
    let lifecycle = web::Data::new(lifecycle);
    let submitter = Submitter {
        lifecycle: lifecycle.clone(),
        policy: SubmissionPolicy {
            gate_before_execute: config.gate_before_execute,
            demand_human_from: config.demand_human_from,
            budget: config.budget.per_workflow,
        },
        allow_private_webhooks: config.allow_private_webhooks,
        budget: DailyBudget::new(config.budget, workflows.log.clone(), view.clone(), charges, clock.clone()),
        recipes: recipes.clone(),
        workflows: workflows.clone(),
    };
    let analyses = Analyses {
        requests: AnalysisRequests::open(broker, &lifecycle).await?,
        cache: view.clone(),
        cache_ttl: config.analysis_cache_ttl,
        deadline: config.analysis_deadline,
        cpu_second: config.budget.prices.cpu_second,
        clock: clock.clone(),
        lifecycle: lifecycle.clone(),
    };
    let limiter = RateLimiter::new(view, clock.clone());
    let limits = RateLimits::new(config.limits.clone(), limiter, config.trusted_proxies.clone(), clock.clone());
    let decisions = Decisions { workflows: workflows.clone(), peers: peers.clone(), lifecycle: lifecycle.clone() };
    let waiter = Waiter::new(workflows.clone(), auth.clone(), lifecycle.clone());
    let event_streams = EventStreams {
        workflows: workflows.clone(),
        auth: auth.clone(),
        lifecycle: lifecycle.clone(),
        quota: EventStreamQuota::default(),
        demand_human_from: config.demand_human_from,
    };
    Ok(AppState {
        access_log: web::Data::new(AccessLog::new(clock)),
        analyses: web::Data::new(analyses),
        auth,
        decisions: web::Data::new(decisions),
        event_streams: web::Data::new(event_streams),
        hosts: web::Data::new(config.hosts.clone()),
        dead_letters: web::Data::new(DeadLetters::new(broker)),
        lifecycle,
        limits: web::Data::new(limits),
        peers,
        recipes,
        body_memory: web::Data::new(BodyMemoryBudget::new()),
        running: web::Data::new(RunningRequests::default()),
        submitter: web::Data::new(submitter),
        waiter: web::Data::new(waiter),
        workflows,
    })
}

/// Subscribes to users, keys and revocations. Refuses demo credentials where the profile forbids them.
async fn connect_auth(config: &Config, broker: &Broker, lifecycle: &Lifecycle) -> Result<Auth, StartupError> {
    let buckets = Buckets::new(broker);
    let users = BucketCache::follow(buckets.users().await?, lifecycle).await?;
    let keys = BucketCache::follow(buckets.signing_keys().await?, lifecycle).await?;
    let revocations = buckets.revocations().await?;
    let revoked = BucketCache::follow(revocations.clone(), lifecycle).await?;
    let (profile, all_keys, all_users) = (config.profile, keys.values(), users.values());
    // Warms up the first check: it takes twice as long, and its duration would reveal an unknown user.
    let checked = tokio::task::spawn_blocking(move || {
        if let Err(error) = password::verify_nothing("warming up") {
            tracing::warn!(%error, "Failed to warm up the password check");
        }
        refuse_demo(profile, &all_keys, &all_users)
    });
    checked.await.map_err(|error| StartupError::Unsafe(error.to_string()))?.map_err(StartupError::Unsafe)?;
    let (settings, clock) = (config.tokens.clone(), Clock::system());
    let longest = settings.refresh_ttl.max(settings.access_ttl);
    let keyring = Keyring::new(keys, longest, settings.demo, clock.clone());
    Ok(Auth {
        tokens: Tokens::new(settings, keyring, users, revoked, clock.clone()),
        families: buckets.refresh_families().await?,
        revocations,
        sign_ins: SignInQueue::new(),
        clock,
    })
}

fn connect_workflows(broker: &Broker, view: &ReadModel, clock: &Clock, lifecycle: &Lifecycle) -> Workflows {
    let log = WorkflowLog::new(broker);
    Workflows {
        submissions: SubmissionBatcher::new(broker, lifecycle),
        blobs: Blobs::new(broker),
        reader: Arc::new(WorkflowReader::new(log.clone(), view.clone())),
        view: view.clone(),
        feed: LogFeed::new(),
        live_output: LiveOutputFeed::new(),
        clock: clock.clone(),
        log,
    }
}
