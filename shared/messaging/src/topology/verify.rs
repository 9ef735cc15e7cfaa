//! Streams, buckets and queues that each kind of process needs on the broker. Checked at start; the process may create
//! none of them.

use std::collections::BTreeSet;
use std::time::Duration;

use async_nats::jetstream::consumer::{self, pull};
use async_nats::jetstream::context::GetStreamErrorKind;
use async_nats::jetstream::stream::{ConsumerErrorKind, Info};
use async_nats::jetstream::{self, ErrorCode};
use tokio::time::{Instant, sleep};

use crate::connection::broker::Broker;
use crate::kv::bucket::{ATTEMPTS, CATALOGUES, CHARGES, REFRESH, REVOCATIONS, SIGNING_KEYS, USERS};
use crate::queue::consumer::Consumer;
use crate::subjects::{ANALYSES, APPROVALS, AUDIT, BLOBS, DEAD_LETTERS, TIMERS, WORKFLOWS};
use crate::topology::provision::{ProvisionError, all_hold, compare, consumer_config, stream_configs};

/// Time that a missing stream is retried: during an election it looks absent for a moment.
const LOOKUP_TIMEOUT: Duration = Duration::from_secs(5);

/// The streams, buckets and queues that a process works with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requirements {
    streams: &'static [&'static str],
    buckets: &'static [&'static str],
    queues: Vec<Consumer>,
}

impl Requirements {
    /// Returns the needs of an API.
    pub fn of_api() -> Self {
        Self {
            streams: &[WORKFLOWS, BLOBS, ANALYSES, DEAD_LETTERS],
            buckets: &[USERS, SIGNING_KEYS, REVOCATIONS, REFRESH, CHARGES, CATALOGUES],
            queues: vec![Consumer::Projector],
        }
    }

    /// Returns the needs of an approver with these queues.
    pub fn of_approver(queues: Vec<Consumer>) -> Self {
        Self { streams: &[WORKFLOWS, BLOBS, APPROVALS, TIMERS, DEAD_LETTERS, AUDIT], buckets: &[USERS], queues }
    }

    /// Returns the needs of a worker with these queues. Workers may write dead letters but not read their stream.
    pub fn of_worker(queues: Vec<Consumer>) -> Self {
        Self { streams: &[WORKFLOWS, BLOBS], buckets: &[ATTEMPTS, CHARGES, CATALOGUES], queues }
    }
}

/// Checks that everything exists, streams and queues as this build configures them and streams with the configured
/// number of replicas; creates nothing.
pub async fn verify(broker: &Broker, needs: &Requirements) -> Result<(), ProvisionError> {
    let asked = stream_configs(1);
    for name in needs.streams {
        let what = format!("stream {name}");
        let given = look(&what, async || stream(broker, name).await).await?;
        if let Some(asked) = asked.iter().find(|asked| asked.name == *name) {
            let has_copies = if given.config.num_replicas < broker.replicas() { Err("num_replicas") } else { Ok(()) };
            let outdated = |setting| ProvisionError::Outdated { what, setting };
            compare(asked, &given.config).and(has_copies).map_err(outdated)?;
        }
    }
    for name in needs.buckets {
        look(&format!("bucket {name}"), async || stream(broker, &format!("KV_{name}")).await).await?;
    }
    for queue in &needs.queues {
        let what = format!("queue {}", queue.name());
        let given = look(&what, async || consumer(broker, queue).await).await?;
        compare_queues(queue, &given).map_err(|setting| ProvisionError::Outdated { what, setting })?;
    }
    Ok(())
}

/// The reason why something was not found.
pub(crate) enum LookupError {
    /// The broker reports that it does not exist.
    Missing,
    Unanswered(String),
}

async fn look<T>(what: &str, mut ask: impl AsyncFnMut() -> Result<T, LookupError>) -> Result<T, ProvisionError> {
    let give_up = Instant::now() + LOOKUP_TIMEOUT;
    loop {
        match ask().await {
            Ok(found) => return Ok(found),
            Err(_) if Instant::now() < give_up => sleep(Duration::from_millis(250)).await,
            Err(LookupError::Missing) => return Err(ProvisionError::Missing { what: what.to_owned() }),
            Err(LookupError::Unanswered(reason)) => {
                return Err(ProvisionError::Unanswered { what: what.to_owned(), reason });
            }
        }
    }
}

pub(crate) async fn stream(broker: &Broker, name: &str) -> Result<Info, LookupError> {
    let found = broker.jetstream().get_stream(name).await;
    found.map(|stream| stream.cached_info().clone()).map_err(|error| match error.kind() {
        GetStreamErrorKind::JetStream(cause) => absence(&cause),
        kind
        @ (GetStreamErrorKind::EmptyName | GetStreamErrorKind::Request | GetStreamErrorKind::InvalidStreamName) => {
            LookupError::Unanswered(kind.to_string())
        }
    })
}

async fn consumer(broker: &Broker, queue: &Consumer) -> Result<consumer::Config, LookupError> {
    let name = queue.name();
    let found = broker.jetstream().get_consumer_from_stream::<pull::Config, _, _>(name.as_str(), queue.stream()).await;
    found.map(|found| found.cached_info().config.clone()).map_err(|error| match error.kind() {
        ConsumerErrorKind::JetStream(cause) => absence(&cause),
        kind @ (ConsumerErrorKind::TimedOut
        | ConsumerErrorKind::Request
        | ConsumerErrorKind::InvalidConsumerType
        | ConsumerErrorKind::InvalidName
        | ConsumerErrorKind::Other) => LookupError::Unanswered(kind.to_string()),
    })
}

/// Compares a queue with the one that this build creates; the error names the setting that differs.
fn compare_queues(queue: &Consumer, given: &consumer::Config) -> Result<(), &'static str> {
    let asked = consumer_config(queue, 1);
    let filters = |one: &str, several: &[String]| -> BTreeSet<String> {
        several.iter().cloned().chain((!one.is_empty()).then(|| one.to_owned())).collect()
    };
    let checks = [
        (
            "filter_subjects",
            filters("", &asked.filter_subjects) == filters(&given.filter_subject, &given.filter_subjects),
        ),
        ("ack_wait", asked.ack_wait == given.ack_wait),
        ("max_deliver", asked.max_deliver == given.max_deliver),
        ("max_ack_pending", asked.max_ack_pending == given.max_ack_pending),
    ];
    all_hold(&checks)
}

fn absence(cause: &jetstream::Error) -> LookupError {
    match cause.error_code() {
        ErrorCode::STREAM_NOT_FOUND | ErrorCode::CONSUMER_NOT_FOUND => LookupError::Missing,
        _ => LookupError::Unanswered(cause.to_string()),
    }
}
