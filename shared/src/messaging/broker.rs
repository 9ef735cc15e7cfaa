//! The connection to the broker.

use std::path::PathBuf;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::Duration;

use async_nats::jetstream::response::Response;
use async_nats::jetstream::{self, context};
use async_nats::{Client, ConnectOptions, Event};
use prometheus::{IntCounter, register_int_counter_with_registry};
use serde::Deserialize;
use tokio::time::Instant;

use super::broker_clock::BrokerClock;
use super::subjects;
use crate::clock::Timestamp;
use crate::config::{Profile, Settings};
use crate::identity::Secret;
use crate::telemetry::registry;

/// Why a process cannot work with its broker.
#[derive(Debug, thiserror::Error)]
pub enum BrokerError {
    #[error("cannot connect to the broker at {url} as {user}: {reason}")]
    Connect { url: String, user: String, reason: String },
    #[error("the broker is version {found}; version 2.14 or later is needed")]
    TooOld { found: String },
    #[error(
        "the broker does not sync every write to disk (sync_interval: always), so an accepted workflow could be lost; \
         configure it, or set nats.durability = relaxed where that is bearable"
    )]
    NotDurable,
    #[error("nats.durability is strict, but the broker's durability cannot be read at {url}: {reason}")]
    DurabilityUnknown { url: String, reason: String },
}

/// Where the broker is and who we are to it.
#[derive(Debug, Clone)]
pub struct BrokerSettings {
    pub url: String,
    pub user: String,
    pub password: Option<Secret>,
    pub replicas: usize,
    /// Refuse a broker that does not sync always.
    pub strict: bool,
    pub monitor_url: Option<String>,
    /// With it the connection is TLS or none.
    pub tls_ca_file: Option<PathBuf>,
}

impl BrokerSettings {
    /// Reads the `nats.*` settings.
    pub fn read(settings: &mut Settings) -> Self {
        let strict = match settings.read("nats.durability", "strict".to_owned()).as_str() {
            "strict" => true,
            "relaxed" => false,
            _ => {
                settings.mistake("nats.durability: is strict or relaxed");
                true
            }
        };
        if !strict && settings.read("profile", Profile::Development) == Profile::Production {
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
            replicas: settings.read("nats.replicas", 1),
            strict,
            monitor_url,
            tls_ca_file: settings.optional("nats.tls_ca_file"),
        }
    }
}

/// The part of what a broker says of a stream that [`Broker::now`] reads.
#[derive(Deserialize)]
struct StreamInfo {
    /// The broker's clock, RFC 3339.
    ts: String,
}

/// A connection that reconnects by itself. Clones share it.
#[derive(Debug, Clone)]
pub struct Broker {
    client: Client,
    jetstream: jetstream::Context,
    user: String,
    replicas: usize,
    clock: Arc<BrokerClock>,
}

impl Broker {
    /// Connects and checks version and durability.
    ///
    /// Waits at most 10 s for a broker that is not there yet.
    pub async fn connect(settings: &BrokerSettings) -> Result<Self, BrokerError> {
        Self::connect_with(settings, || options(settings)).await
    }

    /// As [`Self::connect`], for `purpose` alone: of each subscription at most `waiting` messages wait, and more are dropped.
    pub(crate) async fn connect_aside(
        settings: &BrokerSettings,
        purpose: &str,
        waiting: usize,
    ) -> Result<Self, BrokerError> {
        let name = format!("promptcraft {} {purpose}", settings.user);
        Self::connect_with(settings, || options(settings).name(&name).subscription_capacity(waiting)).await
    }

    async fn connect_with(
        settings: &BrokerSettings,
        options: impl Fn() -> ConnectOptions,
    ) -> Result<Self, BrokerError> {
        let fail =
            |reason: String| BrokerError::Connect { url: settings.url.clone(), user: settings.user.clone(), reason };
        LazyLock::force(&DROPPED);
        let give_up = tokio::time::Instant::now() + Duration::from_secs(10);
        let client = loop {
            match options().connect(addresses(&settings.url)).await {
                Ok(client) => break client,
                Err(error) if tokio::time::Instant::now() >= give_up => return Err(fail(error.to_string())),
                Err(error) => tracing::debug!(%error, "broker not reachable yet"),
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        };
        let version = client.server_info().version.clone();
        if !is_new_enough(&version) {
            return Err(BrokerError::TooOld { found: version });
        }
        if settings.strict {
            let monitor_url = settings.monitor_url.as_deref().unwrap_or_default();
            super::streams::check_durability(monitor_url, &client.server_info().server_id).await?;
        }
        let jetstream = context::ContextBuilder::new()
            .timeout(Duration::from_secs(2))
            .ack_timeout(Duration::from_secs(2))
            .build(client.clone());
        Ok(Self { client, jetstream, user: settings.user.clone(), replicas: settings.replicas, clock: Arc::default() })
    }

    /// The bare connection, for conversations that need no stream.
    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    /// The streams.
    pub(crate) fn jetstream(&self) -> &jetstream::Context {
        &self.jetstream
    }

    /// The user that this process signed in as: the kind of the service.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// The replicas that every stream has to have.
    pub(crate) fn replicas(&self) -> usize {
        self.replicas
    }

    /// Returns the broker's time within a tenth of a second, mostly without a request; for deadlines that two processes compare.
    pub(crate) async fn approximate_now(&self) -> Result<Timestamp, String> {
        match self.clock.estimate() {
            Some(now) => Ok(now),
            None => self.now().await,
        }
    }

    /// Returns the broker's time, by which its timers fire, as it answers it.
    pub(crate) async fn now(&self) -> Result<Timestamp, String> {
        let sent = Instant::now();
        let subject = format!("STREAM.INFO.{}", subjects::TIMERS);
        let answer = self.jetstream.request(subject, &()).await.map_err(|error| error.to_string())?;
        match answer {
            Response::Ok(StreamInfo { ts }) => {
                let now = Timestamp::of_rfc3339(&ts).ok_or(format!("the broker's clock says {ts:?}"))?;
                self.clock.observe(now, sent);
                Ok(now)
            }
            Response::Err { error } => Err(error.to_string()),
        }
    }

    /// Waits until all that was sent is on the wire.
    pub async fn flush(&self) {
        if let Err(error) = self.client.flush().await {
            tracing::warn!(%error, "the connection to the broker could not be flushed");
        }
    }
}

/// Messages that came faster than they were read.
static DROPPED: LazyLock<IntCounter> = LazyLock::new(|| {
    let help = "Messages from the broker that were dropped because too many waited already.";
    // A name is registered once in a process, where this file says; a clash is a mistake that the first start shows.
    register_int_counter_with_registry!("promptcraft_broker_dropped_total", help, registry())
        .expect("a metric is registered once")
});
/// Between two lines of the log about dropped messages.
const DROPPED_LOG: Duration = Duration::from_secs(60);

/// Counts a dropped message, and logs the first of each minute: a flood must not reach the log.
fn count_dropped() {
    static LOGGED: Mutex<Option<Instant>> = Mutex::new(None);
    DROPPED.inc();
    let mut logged = LOGGED.lock().unwrap_or_else(PoisonError::into_inner);
    if logged.is_none_or(|at| at.elapsed() >= DROPPED_LOG) {
        *logged = Some(Instant::now());
        tracing::warn!(total = DROPPED.get(), "messages were dropped: slow consumer");
    }
}

fn addresses(urls: &str) -> Vec<String> {
    urls.split(',').map(|url| url.trim().to_owned()).collect()
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
                Event::Connected => tracing::info!("connected to the broker"),
                // A permission violation looks like a timeout to the publisher; its reason arrives only here.
                Event::ServerError(error) => tracing::error!(%error, "the broker refused"),
                Event::ClientError(error) => tracing::warn!(%error, "broker connection"),
                Event::SlowConsumer(_) => count_dropped(),
                Event::Disconnected | Event::LameDuckMode => tracing::warn!(%event, "broker connection"),
                Event::Draining | Event::Closed => tracing::debug!(%event, "broker connection"),
            }
        });
    let options = match &settings.tls_ca_file {
        Some(file) => options.require_tls(true).add_root_certificates(file.clone()),
        None => options,
    };
    match &settings.password {
        Some(password) => options.user_and_password(settings.user.clone(), password.expose().to_owned()),
        None => options,
    }
}

fn is_new_enough(version: &str) -> bool {
    let mut numbers = version.split(['.', '-']).map_while(|part| part.parse::<u32>().ok());
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)) >= (2, 14)
}

#[cfg(test)]
mod tests {
    use super::is_new_enough;

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
            assert_eq!(is_new_enough(version), enough, "{version}");
        }
    }
}
