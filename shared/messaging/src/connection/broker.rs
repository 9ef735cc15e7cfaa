//! The connection to the broker.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::publish::PublishAck;
use async_nats::jetstream::response::Response;
use async_nats::jetstream::{self, context};
use async_nats::{Client, ConnectError, ConnectOptions, Event, ServerAddr, client};
use serde::Deserialize;
use serde::de::IgnoredAny;
use tokio::time::Instant;

use crate::connection::Relay;
use crate::connection::broker_clock::BrokerClock;
use crate::error::MessagingError;
use crate::subjects;
use domain::Timestamp;
use domain::identity::Secret;
use service::config::{Profile, Settings};
use service::lifecycle::Lifecycle;
use service::telemetry::{counter, gauge, watch_server};

/// The oldest supported version of the broker, major and minor. `scripts/setup.sh` and the README repeat it.
pub const MINIMUM_BROKER: (u32, u32) = (2, 14);

/// Time that a starting process waits for a broker.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const CONNECT_DELAY: Duration = Duration::from_millis(200);
/// Time after which a request or an acknowledgement times out.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);

/// A reason why a process cannot use its broker.
#[derive(Debug, thiserror::Error)]
pub enum BrokerError {
    #[error("cannot connect to the broker at {url} as {user}: {reason}")]
    Connect { url: String, user: String, reason: String },
    #[error("the broker is version {found}; version {}.{} or later is needed", MINIMUM_BROKER.0, MINIMUM_BROKER.1)]
    TooOld { found: String },
    #[error(
        "the broker does not sync every write to disk (sync_interval: always), so an accepted workflow could be lost; \
         configure it, or set nats.durability = relaxed where that is bearable"
    )]
    NotDurable,
    #[error("nats.durability is strict, but the broker's durability cannot be read at {url}: {reason}")]
    DurabilityUnknown { url: String, reason: String },
}

/// Address of the broker, credentials and requirements.
#[derive(Debug, Clone)]
pub struct BrokerSettings {
    pub url: String,
    pub user: String,
    pub password: Option<Secret>,
    pub replicas: usize,
    /// Refuses a broker that does not sync every write.
    pub strict: bool,
    pub monitor_url: Option<String>,
    /// Certificate authority; if set, the connection requires TLS.
    pub tls_ca_file: Option<PathBuf>,
}

impl BrokerSettings {
    /// Reads the `nats.*` settings.
    pub fn read(settings: &mut Settings) -> Self {
        let strict = match settings.read::<String>("nats.durability").as_str() {
            "strict" => true,
            "relaxed" => false,
            _ => {
                settings.mistake("nats.durability: must be strict or relaxed");
                true
            }
        };
        if !strict && settings.read::<Profile>("profile") == Profile::Production {
            settings.mistake("nats.durability: must be strict in production");
        }
        let monitor_url = settings.optional("nats.monitor_url");
        if strict && monitor_url.is_none() {
            settings.mistake(
                "nats.monitor_url: must be set to check the broker's durability, or set nats.durability = relaxed",
            );
        }
        Self {
            url: settings.required("nats.url"),
            user: settings.required("nats.user"),
            password: settings.secret("nats.password", "nats.password_file"),
            replicas: settings.read("nats.replicas"),
            strict,
            monitor_url,
            tls_ca_file: settings.optional("nats.tls_ca_file"),
        }
    }
}

/// The part of a stream's info that [`Broker::now`] reads.
#[derive(Deserialize)]
struct StreamInfo {
    /// The broker's clock, RFC 3339.
    ts: String,
}

/// Time for which the relay is used after a direct call without an answer.
const DIRECT_PAUSE: Duration = Duration::from_secs(10);

/// Connections that reconnect automatically. Clones share them.
#[derive(Debug, Clone)]
pub struct Broker {
    /// Through the relay: all messages of other publishers arrive here.
    client: Client,
    jetstream: jetstream::Context,
    direct: jetstream::Context,
    /// Until then the direct connection is not used, because it did not answer.
    avoid_direct_until: Arc<Mutex<Option<Instant>>>,
    user: String,
    replicas: usize,
    clock: Arc<BrokerClock>,
}

impl Broker {
    /// Connects and checks version and durability.
    ///
    /// Waits at most 10 s for an unavailable broker.
    pub async fn connect(settings: &BrokerSettings) -> Result<Self, BrokerError> {
        let addresses = addresses(settings)?;
        let through_relay = connect_through_relay(settings, &addresses, || options(settings));
        let name = format!("promptcraft {} direct", settings.user);
        let direct_options = || straight_options(settings).name(&name);
        let direct = retry(settings, || direct_options().connect(addresses.as_slice()), |error| error);
        let (client, direct) = tokio::try_join!(through_relay, direct)?;
        check(settings, &client).await?;
        check(settings, &direct).await?;
        Ok(Self::over(settings, client, &direct))
    }

    /// Connects as [`Self::connect`] does, for `purpose` only. Each subscription holds at most `waiting` messages; more
    /// are dropped.
    pub(crate) async fn connect_aside(
        settings: &BrokerSettings,
        purpose: &str,
        waiting: usize,
    ) -> Result<Self, BrokerError> {
        let name = format!("promptcraft {} {purpose}", settings.user);
        let options = || options(settings).name(&name).subscription_capacity(waiting);
        let client = connect_through_relay(settings, &addresses(settings)?, options).await?;
        check(settings, &client).await?;
        Ok(Self::over(settings, client.clone(), &client))
    }

    fn over(settings: &BrokerSettings, client: Client, direct: &Client) -> Self {
        let context = |client: &Client| {
            let context = context::ContextBuilder::new().timeout(ANSWER_TIMEOUT).ack_timeout(ANSWER_TIMEOUT);
            context.build(client.clone())
        };
        Self {
            jetstream: context(&client),
            direct: context(direct),
            avoid_direct_until: Arc::default(),
            client,
            user: settings.user.clone(),
            replicas: settings.replicas,
            clock: Arc::default(),
        }
    }

    /// Returns the bare connection, for conversations without a stream.
    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    /// Returns the maximum size of a message in bytes.
    pub(crate) fn max_payload(&self) -> usize {
        self.client.server_info().max_payload
    }

    /// Returns the stream API.
    pub(crate) fn jetstream(&self) -> &jetstream::Context {
        &self.jetstream
    }

    /// Returns the stream API over a connection without the relay, for fast calls that only the broker itself answers:
    /// acknowledgements, and stored messages as JSON. After a call without an answer the caller calls
    /// [`Self::avoid_direct`], and repeats it on [`Self::jetstream`] if that is harmless.
    pub(crate) fn direct(&self) -> &jetstream::Context {
        let avoid_until = *self.avoid_direct_until.lock().unwrap_or_else(PoisonError::into_inner);
        if avoid_until.is_some_and(|until| Instant::now() < until) { &self.jetstream } else { &self.direct }
    }

    /// Uses the relay in place of the direct connection for [`DIRECT_PAUSE`], after a call that was not answered there.
    pub(crate) fn avoid_direct(&self) {
        let mut avoid_until = self.avoid_direct_until.lock().unwrap_or_else(PoisonError::into_inner);
        *avoid_until = Some(Instant::now() + DIRECT_PAUSE);
    }

    /// Publishes without an acknowledgement. Nothing comes back, so this needs no relay.
    pub(crate) async fn publish(&self, subject: String, payload: Vec<u8>) -> Result<(), client::PublishError> {
        self.direct().client().publish(subject, payload.into()).await
    }

    /// Publishes to a stream; returns once the message is on disk. Only the broker acknowledges, so this needs no relay.
    /// Not repeated: an error says nothing about whether the message is stored.
    pub(crate) async fn store(
        &self,
        subject: String,
        message: PublishMessage,
    ) -> Result<PublishAck, context::PublishError> {
        let stored = async { self.direct().send_publish(subject, message).await?.await }.await;
        if let Err(error) = &stored
            && matches!(error.kind(), context::PublishErrorKind::TimedOut | context::PublishErrorKind::BrokenPipe)
        {
            self.avoid_direct();
        }
        stored
    }

    /// Returns the user of this connection: the kind of the service.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// Returns the replicas that every stream must have.
    pub(crate) fn replicas(&self) -> usize {
        self.replicas
    }

    /// Returns the broker's time, at most 0.2 s late, mostly without a request; for deadlines that may be early.
    pub(crate) async fn approximate_now(&self) -> Result<Timestamp, MessagingError> {
        match self.clock.estimate() {
            Some(now) => Ok(now),
            None => self.now().await,
        }
    }

    /// Requests the broker's time, by which its timers fire.
    pub(crate) async fn now(&self) -> Result<Timestamp, MessagingError> {
        let sent = Instant::now();
        let subject = format!("STREAM.INFO.{}", subjects::TIMERS);
        let mut answer = self.direct().request(subject.clone(), &()).await;
        if answer.is_err() {
            self.avoid_direct();
            answer = self.jetstream.request(subject, &()).await;
        }
        match answer.map_err(MessagingError::unavailable)? {
            Response::Ok(StreamInfo { ts }) => {
                let now = Timestamp::of_rfc3339(&ts)
                    .ok_or(MessagingError::Unreadable(format!("the broker's clock says {ts:?}")))?;
                self.clock.observe(now, sent);
                Ok(now)
            }
            Response::Err { error } => Err(MessagingError::unavailable(error)),
        }
    }

    /// Reports to the probes and metrics whether the broker answers, until the process stops. Without it the process is
    /// not ready.
    pub fn watch(&self, lifecycle: &Lifecycle) {
        let (broker, health) = (self.clone(), lifecycle.health());
        let (task, requirement) = (health.task("broker check"), Some(health.requirement("broker")));
        let answers = move || {
            let broker = broker.clone();
            async move { broker.responds().await }
        };
        let up = gauge("promptcraft_broker_up");
        lifecycle.spawn(watch_server(task, up, requirement, answers, lifecycle.stopping()));
    }

    /// Returns whether the broker answers, over the connection that receives messages. If only the direct connection does
    /// not answer, it is avoided until after the next check.
    async fn responds(&self) -> bool {
        let subject = format!("STREAM.INFO.{}", subjects::WORKFLOWS);
        let answers = async |context: &jetstream::Context| {
            let answer: Result<Response<IgnoredAny>, _> = context.request(subject.clone(), &()).await;
            matches!(answer, Ok(Response::Ok(_)))
        };
        let (through_relay, directly) = tokio::join!(answers(&self.jetstream), answers(&self.direct));
        if !directly {
            self.avoid_direct();
        }
        through_relay
    }

    /// Waits until the broker has received all sent messages, at most 2 s.
    pub async fn flush(&self) {
        // Written data may still be in the relay; the answer to a later request shows that it has passed.
        let subject = format!("STREAM.INFO.{}", subjects::WORKFLOWS);
        let flushes = [&self.jetstream, &self.direct].map(async |context| {
            let answer: Result<Response<IgnoredAny>, _> = context.request(subject.clone(), &()).await;
            if let Err(error) = answer {
                tracing::warn!(%error, "Failed to flush the broker connection");
            }
        });
        futures_util::future::join_all(flushes).await;
    }
}

/// Minimum interval between log lines about dropped messages.
const DROPPED_LOG_INTERVAL: Duration = Duration::from_secs(60);

/// Counts a dropped message and logs the first of each minute, so that a flood does not reach the log.
fn count_dropped() {
    static LOGGED: Mutex<Option<Instant>> = Mutex::new(None);
    let dropped = counter("promptcraft_broker_dropped_total");
    dropped.inc();
    let mut logged = LOGGED.lock().unwrap_or_else(PoisonError::into_inner);
    if logged.is_none_or(|at| at.elapsed() >= DROPPED_LOG_INTERVAL) {
        *logged = Some(Instant::now());
        tracing::warn!(total = dropped.get(), "Dropped messages: slow consumer");
    }
}

fn addresses(settings: &BrokerSettings) -> Result<Vec<ServerAddr>, BrokerError> {
    let addresses = settings.url.split(',').map(|url| url.trim().parse()).collect::<std::io::Result<_>>();
    addresses.map_err(|error| connect_error(settings, error.to_string()))
}

fn connect_error(settings: &BrokerSettings, reason: String) -> BrokerError {
    BrokerError::Connect { url: settings.url.clone(), user: settings.user.clone(), reason }
}

/// Connects through a new relay.
async fn connect_through_relay(
    settings: &BrokerSettings,
    addresses: &[ServerAddr],
    options: impl Fn() -> ConnectOptions,
) -> Result<Client, BrokerError> {
    let relay = Relay::start(addresses.to_vec(), settings.tls_ca_file.as_deref()).await;
    let relay = relay.map_err(|error| connect_error(settings, error.to_string()))?;
    // The relay, unlike the client, has the reason for a failed connection.
    retry(settings, || options().connect(relay.url()), |reason| relay.failure().unwrap_or(reason)).await
}

/// Checks version and durability of the broker of `client`.
async fn check(settings: &BrokerSettings, client: &Client) -> Result<(), BrokerError> {
    let info = client.server_info();
    if !is_supported_broker(&info.version) {
        return Err(BrokerError::TooOld { found: info.version });
    }
    if settings.strict {
        let monitor_url = settings.monitor_url.as_deref().unwrap_or_default();
        crate::topology::provision::check_durability(monitor_url, &info.server_id).await?;
    }
    Ok(())
}

/// Connects with retries for [`CONNECT_TIMEOUT`].
async fn retry<F: Future<Output = Result<Client, ConnectError>>>(
    settings: &BrokerSettings,
    connect: impl Fn() -> F,
    explain: impl Fn(String) -> String,
) -> Result<Client, BrokerError> {
    let give_up = Instant::now() + CONNECT_TIMEOUT;
    loop {
        match connect().await.map_err(|error| explain(error.to_string())) {
            Ok(client) => return Ok(client),
            Err(reason) if Instant::now() >= give_up => return Err(connect_error(settings, reason)),
            Err(reason) => tracing::debug!(%reason, "Broker unavailable; retrying"),
        }
        tokio::time::sleep(CONNECT_DELAY).await;
    }
}

/// Returns the options for a connection without the relay.
fn straight_options(settings: &BrokerSettings) -> ConnectOptions {
    match &settings.tls_ca_file {
        Some(file) => options(settings).require_tls(true).add_root_certificates(file.clone()),
        None => options(settings),
    }
}

fn options(settings: &BrokerSettings) -> ConnectOptions {
    let options = ConnectOptions::new()
        .name(format!("promptcraft {}", settings.user))
        .custom_inbox_prefix(subjects::inbox_prefix(&settings.user))
        .ping_interval(Duration::from_secs(10))
        // The default doubling cost a gap of 4 s after a broker that was down for 2 s.
        .reconnect_delay_callback(|attempts| Duration::from_millis((attempts as u64 * 50).min(500)))
        .event_callback(|event| async move {
            match event {
                Event::Connected => tracing::info!("Connected to the broker"),
                // A permission violation is a timeout to the publisher; its reason arrives only here.
                Event::ServerError(error) => tracing::error!(%error, "NATS server error: {error}"),
                Event::ClientError(error) => tracing::warn!(%error, "NATS client error: {error}"),
                Event::SlowConsumer(_) => count_dropped(),
                Event::Disconnected | Event::LameDuckMode => tracing::warn!(%event, "Broker connection: {event}"),
                Event::Draining | Event::Closed => tracing::debug!(%event, "Broker connection: {event}"),
            }
        });
    match &settings.password {
        Some(password) => options.user_and_password(settings.user.clone(), password.expose().to_owned()),
        None => options,
    }
}

/// Returns whether this version, such as `2.15.1`, is at least [`MINIMUM_BROKER`]: older brokers silently ignore
/// unknown fields, fences among them.
pub fn is_supported_broker(version: &str) -> bool {
    let mut numbers = version.split(['.', '-']).map_while(|part| part.parse::<u32>().ok());
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)) >= MINIMUM_BROKER
}

#[cfg(test)]
mod tests {
    use super::is_supported_broker;

    #[test]
    fn an_old_broker_is_recognised() {
        for (version, enough) in [
            ("2.9.10", false),
            ("2.11.9", false),
            ("2.12.9", false),
            ("2.14.0", true),
            ("2.15.1", true),
            ("3.0.0-beta", true),
            ("", false),
        ] {
            assert_eq!(is_supported_broker(version), enough, "{version}");
        }
    }
}
