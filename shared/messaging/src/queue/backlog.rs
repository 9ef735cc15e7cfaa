//! Sizes of queues and streams, for metrics.

use std::time::Duration;

use crate::connection::broker::Broker;
use crate::log::ReadError;
use crate::log::scan::unavailable;
use crate::queue::consumer::Queue;
use crate::subjects;

/// The streams whose size is exported; the names are label values.
pub const MEASURED_STREAMS: [&str; 7] = [
    subjects::WORKFLOWS,
    subjects::BLOBS,
    subjects::ANALYSES,
    subjects::DEAD_LETTERS,
    subjects::APPROVALS,
    subjects::TIMERS,
    subjects::AUDIT,
];

/// Messages that wait, and the age of the oldest by the broker's clock; zero if none waits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Backlog {
    pub messages: u64,
    pub oldest: Duration,
}

/// The size of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StreamSize {
    pub bytes: u64,
    /// All messages of the stream; only a work queue removes settled ones.
    pub backlog: Backlog,
}

impl Queue {
    /// Returns the unsettled messages of a queue of transitions that are settled in about their order, as by the
    /// projector.
    pub async fn backlog(&self) -> Result<Backlog, ReadError> {
        let broker = self.broker();
        let stream = broker.jetstream().get_stream_no_info(self.consumer().stream()).await.map_err(unavailable)?;
        let info = stream.consumer_info(self.consumer().name()).await.map_err(unavailable)?;
        let messages = info.num_pending + u64::try_from(info.num_ack_pending).unwrap_or_default();
        if messages == 0 {
            return Ok(Backlog::default());
        }
        let next = info.ack_floor.stream_sequence + 1;
        let oldest = stream.direct_get_next_for_subject(subjects::ALL_TRANSITIONS, Some(next)).await;
        let stored_at = domain::Timestamp::of_date_time(oldest.map_err(unavailable)?.time);
        let now = broker.approximate_now().await.map_err(unavailable)?;
        Ok(Backlog { messages, oldest: now.since(stored_at) })
    }
}

/// Returns the size of one of [`MEASURED_STREAMS`].
pub async fn stream_size(broker: &Broker, name: &str) -> Result<StreamSize, ReadError> {
    let stream = broker.jetstream().get_stream(name).await.map_err(unavailable)?;
    let state = &stream.cached_info().state;
    let now = broker.approximate_now().await.map_err(unavailable)?;
    let first = domain::Timestamp::of_date_time(state.first_timestamp);
    let oldest = if state.messages == 0 { Duration::ZERO } else { now.since(first) };
    Ok(StreamSize { bytes: state.bytes, backlog: Backlog { messages: state.messages, oldest } })
}
