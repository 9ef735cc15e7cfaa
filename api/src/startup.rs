//! Builds the API and runs it until it is told to stop.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use actix_web::dev::{Server, ServerHandle};
use actix_web::web;
use shared::clock::Clock;
use shared::identity::spend_time_of_a_check;
use shared::lifecycle::Lifecycle;
use shared::messaging::{
    AnalysisRequests, Blobs, Broker, BrokerError, BucketError, Buckets, Catalogues, Charges, Control, DeadLetters,
    Needs, ProvisionError, Submissions, Watched, WorkflowLog, verify,
};
use shared::read_model::{RateLimiter, ReadModel, ReadModelError};
use shared::telemetry::MetricsServer;
use tokio_util::sync::CancellationToken;

use crate::admin::dead_letters::run_count;
use crate::app_state::State;
use crate::auth::keyring::{Keyring, refuse_demo};
use crate::auth::sign_in_queue::SignInQueue;
use crate::auth::tokens::Tokens;
use crate::budget::daily_budget::{Days, Spending};
use crate::config::Config;
use crate::connection::listen;
use crate::executions::event_stream_quota::OpenStreams;
use crate::http::body::Room;
use crate::middleware::access_log::{AccessLog, run_reports};
use crate::middleware::rate_limit::AddressBuckets;
use crate::recipes::catalogue::KnownCatalogues;
use crate::tasks::projector::{run_projector, run_rebuilds};
use crate::workflows::feed::{Feed, run_feed};
use crate::workflows::heartbeats::{Present, run_presence};
use crate::workflows::reader::Newest;

/// Requests may run so long after the stop; the longest wait of any of them is 10 s.
const DRAIN: Duration = Duration::from_secs(15);
/// An answer whose head is ready leaves within this.
const LAST_BYTES: Duration = Duration::from_millis(250);

/// Why the API does not start or go on.
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
    #[error("{0}")]
    Unsafe(String),
    #[error("cannot listen on {address} ({name}): {error}; is something else listening there?")]
    Listen { name: &'static str, address: String, error: std::io::Error },
    #[error("serving ended: {0}")]
    Serve(std::io::Error),
}

/// An API that listens and is ready to run.
pub struct Application {
    address: SocketAddr,
    server: Server,
    metrics: MetricsServer,
    state: web::Data<State>,
}

impl Application {
    /// Connects to everything, refuses what is unsafe, and binds its ports; nothing is served yet.
    pub async fn build(config: Config, life: Lifecycle) -> Result<Self, StartupError> {
        let broker = Broker::connect(&config.broker).await?;
        verify(&broker, &Needs::of_api()).await?;
        let metrics_listen = config.metrics_listen.clone();
        let metrics = MetricsServer::bind(&metrics_listen).map_err(|error| StartupError::Listen {
            name: "api.metrics_listen",
            address: metrics_listen,
            error,
        })?;
        let state = web::Data::new(connect(config, broker, life).await?);
        let (address, server) = listen(&state).map_err(|error| StartupError::Listen {
            name: "api.listen",
            address: state.config.listen.clone(),
            error,
        })?;
        Ok(Self { address, server, metrics, state })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where metrics are served.
    pub fn metrics_address(&self) -> SocketAddr {
        self.metrics.address()
    }

    /// Serves until the life ends, then lets running requests finish; event streams end at once and are resumed elsewhere.
    pub async fn run_until_stopped(self) -> Result<(), StartupError> {
        let Self { address, server, metrics, state } = self;
        let (life, shared) = (state.life.clone(), state.clone().into_inner());
        let (tokens, stopping) = (shared.clone(), life.stopping());
        life.spawn(async move { tokens.tokens.keep_tidy(stopping).await });
        life.spawn(run_feed(shared.clone()));
        life.spawn(run_presence(shared.clone()));
        life.spawn(run_projector(shared.clone()));
        life.spawn(run_count(shared.clone()));
        life.spawn(run_reports(shared.clone()));
        life.spawn(run_rebuilds(shared));
        life.spawn(stop_when_idle(server.handle(), life.stopping(), state.running.clone()));
        tracing::info!(%address, metrics = %metrics.address(), "the API is ready");
        let (served, scraped) = tokio::join!(server, metrics.run(life.stopping()));
        life.stop();
        if !life.drained(DRAIN).await {
            tracing::warn!("some work was not finished in time");
        }
        state.broker.flush().await;
        served.and(scraped).map_err(StartupError::Serve)
    }
}

/// Takes no new connection after the stop, and ends the server when no request runs any more.
///
/// The server's own graceful stop waits for idle connections as well, which clients keep open for minutes.
async fn stop_when_idle(server: ServerHandle, stopping: CancellationToken, running: Arc<AtomicUsize>) {
    stopping.cancelled().await;
    server.pause().await;
    let idle = async {
        while running.load(Ordering::SeqCst) > 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        tokio::time::sleep(LAST_BYTES).await;
    };
    if tokio::time::timeout(DRAIN, idle).await.is_err() {
        tracing::warn!("some requests were cut off by the end of the drain");
    }
    server.stop(false).await;
}

async fn connect(config: Config, broker: Broker, life: Lifecycle) -> Result<State, StartupError> {
    let buckets = Buckets::new(&broker);
    let users = Watched::follow(buckets.users().await?, &life).await?;
    let keys = Watched::follow(buckets.signing_keys().await?, &life).await?;
    let revocations = buckets.revocations().await?;
    let revoked = Watched::follow(revocations.clone(), &life).await?;
    let (profile, all_keys, all_users) = (config.profile, keys.values(), users.values());
    // The first check of an unknown user's password would otherwise take twice as long, and so tell that they are unknown.
    let checked = tokio::task::spawn_blocking(move || {
        if let Err(error) = spend_time_of_a_check("warming up") {
            tracing::warn!(%error, "passwords cannot be checked now");
        }
        refuse_demo(profile, &all_keys, &all_users)
    });
    checked.await.map_err(|error| StartupError::Unsafe(error.to_string()))?.map_err(StartupError::Unsafe)?;
    let clock = Clock::system();
    let (log, view) = (WorkflowLog::new(&broker), ReadModel::open(config.redis_url.expose())?);
    Ok(State {
        tokens: Tokens::new(
            config.tokens.clone(),
            Keyring::new(
                keys,
                config.tokens.refresh_ttl.max(config.tokens.access_ttl),
                config.tokens.demo,
                clock.clone(),
            ),
            users,
            revoked,
            clock.clone(),
        ),
        charges: Charges::open(&broker).await?,
        families: buckets.refresh_families().await?,
        revocations,
        newest: Newest::new(log.clone(), view.clone()),
        limiter: RateLimiter::new(view.clone(), clock.clone()),
        addresses: AddressBuckets::new(clock.clone()),
        access_log: AccessLog::new(clock.clone()),
        blobs: Blobs::new(&broker),
        submissions: Submissions::new(&broker, &life),
        control: Control::new(&broker),
        analyses: AnalysisRequests::new(&broker),
        letters: DeadLetters::new(&broker),
        catalogues: Catalogues::open(&broker).await?,
        known_catalogues: KnownCatalogues::default(),
        room: Room::new(),
        sign_ins: SignInQueue::new(),
        spending: Spending::default(),
        days: Days::default(),
        feed: Feed::new(),
        streams: OpenStreams::default(),
        workers: Present::default(),
        approvers: Present::default(),
        config,
        clock,
        broker,
        log,
        view,
        running: Arc::default(),
        life,
    })
}
