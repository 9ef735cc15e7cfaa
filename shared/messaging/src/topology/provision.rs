//! The streams and their durable consumers: the wanted configuration, and checks that the broker applied it.

use std::time::Duration;

use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy, pull};
use async_nats::jetstream::kv;
use async_nats::jetstream::stream::{Config, DiscardPolicy, RetentionPolicy, Source, StorageType};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::connection::broker::{Broker, BrokerError};
use crate::error::MessagingError;
use crate::kv::bucket::ALL_BUCKETS;
use crate::queue::consumer::Consumer;
use crate::subjects;
use crate::topology::verify::{LookupError, stream};

/// Maximum bytes of a message of the log. Every message fits into a dead letter, which is larger by its headers; no
/// transition is near this size.
pub const MAX_TRANSITION_BYTES: i32 = 4 * 1024 * 1024;

/// A reason why the streams cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ProvisionError {
    #[error("the broker did not create or update {what}: {reason}; check the operator's user and the disk space")]
    Refused { what: String, reason: String },
    #[error("the broker dropped a setting of stream {stream}: {setting}; use a newer or larger broker")]
    Dropped { stream: String, setting: &'static str },
    #[error("{what} is missing: run `promptcraft admin provision` of this version with the operator's user first")]
    Missing { what: String },
    #[error(
        "{what} does not match this version ({setting}): run `promptcraft admin provision` of this version with the \
         operator's user first"
    )]
    Outdated { what: String, setting: &'static str },
    #[error(
        "the broker does not report whether {what} exists: {reason}; if the broker works, its configuration may be \
         older than this program: see Upgrade in the README"
    )]
    Unanswered { what: String, reason: String },
}

/// Creates or updates every stream, bucket and consumer. Idempotent; needs the operator's user.
///
/// If the log has more replicas than `replicas` it keeps them, and everything gets as many: an omitted setting must not
/// remove copies of accepted work.
///
/// `lanes` are the runtimes that have a queue of `execute` steps.
pub async fn provision(broker: &Broker, replicas: usize, lanes: &[String]) -> Result<(), ProvisionError> {
    let refused = |what: &str, reason: String| ProvisionError::Refused { what: what.to_owned(), reason };
    let replicas =
        replicas.max(standing_replicas(broker).await.map_err(|error| refused(subjects::WORKFLOWS, error.to_string()))?);
    for config in stream_configs(replicas) {
        let name = config.name.clone();
        let info = broker
            .jetstream()
            .create_or_update_stream(config.clone())
            .await
            .map_err(|error| refused(&name, error.to_string()))?;
        compare(&config, &info.config).map_err(|setting| ProvisionError::Dropped { stream: name, setting })?;
    }
    for (bucket, max_age) in ALL_BUCKETS {
        let config = kv::Config {
            bucket: (*bucket).to_owned(),
            history: 1,
            max_age: *max_age,
            storage: StorageType::File,
            num_replicas: replicas,
            ..kv::Config::default()
        };
        broker
            .jetstream()
            .create_or_update_key_value(config)
            .await
            .map_err(|error| refused(bucket, error.to_string()))?;
    }
    for consumer in Consumer::all(lanes) {
        broker
            .jetstream()
            .create_consumer_on_stream(consumer_config(&consumer, replicas), consumer.stream())
            .await
            .map_err(|error| refused(&consumer.name(), error.to_string()))?;
    }
    Ok(())
}

/// Returns the current number of replicas of the log; 0 if it does not exist yet.
async fn standing_replicas(broker: &Broker) -> Result<usize, MessagingError> {
    match stream(broker, subjects::WORKFLOWS).await {
        Ok(info) => Ok(info.config.num_replicas),
        Err(LookupError::Missing) => Ok(0),
        Err(LookupError::Unanswered(reason)) => Err(MessagingError::Unavailable(reason)),
    }
}

pub(crate) fn stream_configs(replicas: usize) -> Vec<Config> {
    let base = |name: &str, subjects: &[&str]| Config {
        name: name.to_owned(),
        subjects: subjects.iter().map(|subject| (*subject).to_owned()).collect(),
        storage: StorageType::File,
        num_replicas: replicas,
        discard: DiscardPolicy::New,
        allow_direct: true,
        duplicate_window: Duration::from_secs(120),
        ..Config::default()
    };
    // Not compressed: docs/decisions/0005-no-compression.md.
    vec![
        Config {
            allow_atomic_publish: true,
            max_message_size: MAX_TRANSITION_BYTES,
            ..base(subjects::WORKFLOWS, &[subjects::ALL_TRANSITIONS])
        },
        // Storing content again replaces its copy.
        Config { max_messages_per_subject: 1, ..base(subjects::BLOBS, &[subjects::ALL_BLOBS]) },
        Config {
            // On disk although its messages matter only briefly: a memory stream is lost when the broker restarts.
            retention: RetentionPolicy::WorkQueue,
            // No caller waits longer for an interactive answer.
            max_age: Duration::from_secs(30),
            max_bytes: 256 * 1024 * 1024,
            duplicate_window: Duration::from_secs(10),
            ..base(subjects::ANALYSES, &[subjects::ALL_ANALYSES])
        },
        Config {
            discard: DiscardPolicy::Old,
            max_age: Duration::from_secs(30 * 86_400),
            max_messages_per_subject: 1_000,
            // A decision may include a file of 1 MiB.
            max_message_size: 2 * 1024 * 1024,
            // The broker compares message ids across senders, so one bot could suppress another's decision. Only a
            // stream with a source may switch that off: decision 21.
            duplicate_window: Duration::ZERO,
            sources: Some(vec![Source {
                name: subjects::AUDIT.to_owned(),
                filter_subject: Some(subjects::NEVER_AUDITED.to_owned()),
                ..Source::default()
            }]),
            ..base(subjects::APPROVALS, &[subjects::ALL_REQUESTED, subjects::ALL_DECISIONS])
        },
        // Schedules exclude `discard: new`; without limits nothing is discarded either way.
        Config {
            discard: DiscardPolicy::Old,
            allow_message_schedules: true,
            allow_rollup: true,
            ..base(subjects::TIMERS, &[subjects::ALL_TIMERS])
        },
        base(subjects::DEAD_LETTERS, &[subjects::ALL_DEAD_LETTERS]),
        Config { deny_delete: true, deny_purge: true, ..base(subjects::AUDIT, &[subjects::AUDIT_RECORD]) },
    ]
}

/// Compares the wanted with the returned configuration, because an older broker silently drops unknown settings; the
/// error names the setting that differs.
pub(crate) fn compare(asked: &Config, given: &Config) -> Result<(), &'static str> {
    let checks = [
        ("allow_atomic_publish", !asked.allow_atomic_publish || given.allow_atomic_publish),
        ("allow_message_schedules", !asked.allow_message_schedules || given.allow_message_schedules),
        ("allow_direct", !asked.allow_direct || given.allow_direct),
        ("duplicate_window", !asked.duplicate_window.is_zero() || given.duplicate_window.is_zero()),
        ("discard", asked.discard == given.discard),
        ("storage", asked.storage == given.storage),
        ("retention", asked.retention == given.retention),
        ("subjects", asked.subjects == given.subjects),
        (
            "max_messages_per_subject",
            asked.max_messages_per_subject <= 0 || asked.max_messages_per_subject == given.max_messages_per_subject,
        ),
    ];
    all_hold(&checks)
}

/// Checks all; the error names the first failed setting.
pub(crate) fn all_hold(checks: &[(&'static str, bool)]) -> Result<(), &'static str> {
    checks.iter().find(|(_, held)| !held).map_or(Ok(()), |(setting, _)| Err(*setting))
}

pub(crate) fn consumer_config(consumer: &Consumer, replicas: usize) -> pull::Config {
    pull::Config {
        durable_name: Some(consumer.name()),
        filter_subjects: consumer.filters(),
        deliver_policy: DeliverPolicy::All,
        ack_policy: AckPolicy::Explicit,
        ack_wait: consumer.ack_wait(),
        // At a limit the server would never redeliver the message; instead, the delivery count is checked before a step
        // runs.
        max_deliver: -1,
        max_ack_pending: in_hands(consumer),
        max_waiting: 1_024,
        num_replicas: replicas,
        ..pull::Config::default()
    }
}

/// Maximum unsettled deliveries, -1 for unlimited: a throttled step returned with a delay counts as unsettled, so with
/// a limit one user's backlog would stop all steps.
fn in_hands(consumer: &Consumer) -> i64 {
    match consumer {
        Consumer::Steps(_) | Consumer::Execute(_) => -1,
        Consumer::Gates
        | Consumer::Projector
        | Consumer::Audit
        | Consumer::Webhooks
        | Consumer::Schedules
        | Consumer::Decisions
        | Consumer::Analyses
        | Consumer::Timers
        | Consumer::Notifications => 10_000,
    }
}

/// Checks the sync interval on the monitoring pages, because the stream's configuration does not show it.
///
/// Of several nodes, each that answers must sync always, and the connected one, `server_id`, must answer: another
/// unavailable node must not keep services down.
pub(crate) async fn check_durability(monitor_urls: &str, server_id: &str) -> Result<(), BrokerError> {
    let mut why = "none of these pages is of the broker at nats.url".to_owned();
    let mut is_checked = false;
    for url in monitor_urls.split(',').map(str::trim) {
        match check_node(url).await {
            Ok(id) => is_checked |= id == server_id,
            Err(BrokerError::DurabilityUnknown { reason, .. }) => why = reason,
            Err(error) => return Err(error),
        }
    }
    let unknown = BrokerError::DurabilityUnknown { url: monitor_urls.to_owned(), reason: why };
    if is_checked { Ok(()) } else { Err(unknown) }
}

/// Returns the server id of the page if that server syncs always.
async fn check_node(url: &str) -> Result<String, BrokerError> {
    let unknown = |reason: String| BrokerError::DurabilityUnknown { url: url.to_owned(), reason };
    let page = tokio::time::timeout(Duration::from_secs(5), fetch(url, "/varz"))
        .await
        .map_err(|_| unknown("no answer within 5 s".to_owned()))?
        .map_err(|error| unknown(error.to_string()))?;
    let varz: serde_json::Value = serde_json::from_str(&page).map_err(|error| unknown(error.to_string()))?;
    if varz.pointer("/jetstream/config/sync_always").and_then(serde_json::Value::as_bool) == Some(true) {
        Ok(varz["server_id"].as_str().unwrap_or_default().to_owned())
    } else {
        Err(BrokerError::NotDurable)
    }
}

/// Sends one plain GET without redirects or TLS: the monitoring page is on loopback or a private network.
async fn fetch(base: &str, path: &str) -> std::io::Result<String> {
    let host = base.strip_prefix("http://").unwrap_or(base).trim_end_matches('/');
    let mut stream = tokio::net::TcpStream::connect(host).await?;
    let request = format!("GET {path} HTTP/1.0\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.take(1024 * 1024).read_to_string(&mut answer).await?;
    let (_, body) = answer.split_once("\r\n\r\n").ok_or_else(|| std::io::Error::other("the response is not HTTP"))?;
    Ok(body.to_owned())
}
