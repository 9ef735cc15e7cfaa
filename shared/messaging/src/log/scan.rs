//! Reads of a stream that verify that they reached its end.
//!
//! Any replica may serve a reader, and a lagging replica reports its own end as the stream's. So the leader is first
//! asked for the last sequence to read.

use std::time::Duration;

use async_nats::jetstream::consumer::DeliverPolicy;
use async_nats::jetstream::consumer::pull::{Ordered, OrderedConfig};
use async_nats::jetstream::{Context, Message};
use futures_util::{Stream, StreamExt};

use crate::connection::broker::Broker;
use crate::log::ReadError;
use crate::log::raw_get::{Choice, is_removed, raw_get};

/// Time for a lagging replica to deliver the rest; otherwise the read fails.
const CATCH_UP_TIMEOUT: Duration = Duration::from_secs(5);

const REPLICA_BEHIND: &str = "the replica is behind the leader; retry";

/// Reads the messages in a stream that match `filter_subjects` of `config`; ends once all that were stored at the call
/// are delivered.
///
/// If the serving replica does not catch up the last item is an error: a read is never silently incomplete.
pub(crate) async fn read_to_end(
    broker: &Broker,
    stream: &str,
    config: OrderedConfig,
) -> Result<impl Stream<Item = Result<Message, ReadError>> + use<>, ReadError> {
    let source = Source { context: broker.jetstream().clone(), stream: stream.to_owned(), config };
    let due = source.newest().await?;
    // Boxed twice because readers are large: a caller on a rare path would otherwise reserve the space.
    Ok(Box::pin(Box::pin(read_up_to(source, due)).await?))
}

/// Reads up to the message at `due`, if it still exists, and everything else that the replica has.
async fn read_up_to(
    source: Source,
    due: Option<u64>,
) -> Result<impl Stream<Item = Result<Message, ReadError>> + use<>, ReadError> {
    let named = OrderedConfig { name: Some(reader_name()), ..source.config.clone() };
    let stream = source.context.get_stream_no_info(&source.stream).await.map_err(unavailable)?;
    let consumer = stream.create_consumer(named).await.map_err(unavailable)?;
    let pending = consumer.cached_info().num_pending;
    let messages = consumer.messages().await.map_err(unavailable)?;
    let reading = Reading { source, messages, due: due.unwrap_or(0), reached: 0, pending, is_over: false };
    Ok(futures_util::stream::unfold(reading, |mut reading| async move {
        let message = reading.next().await?;
        Some((message, reading))
    }))
}

/// Selected messages of a stream.
#[derive(Clone)]
struct Source {
    context: Context,
    stream: String,
    config: OrderedConfig,
}

impl Source {
    /// Returns the sequence of the newest selected message from the stream's leader.
    async fn newest(&self) -> Result<Option<u64>, ReadError> {
        let mut newest = None;
        for subject in &self.config.filter_subjects {
            let choice = Choice::Newest { last_by_subj: subject };
            let found = raw_get(&self.context, &self.stream, choice).await.map_err(unavailable)?;
            let Some(message) = found else { continue };
            let is_chosen = match self.config.deliver_policy {
                DeliverPolicy::All | DeliverPolicy::Last | DeliverPolicy::LastPerSubject => true,
                DeliverPolicy::ByStartSequence { start_sequence } => message.sequence >= start_sequence,
                DeliverPolicy::ByStartTime { start_time } => message.time >= start_time,
                DeliverPolicy::New => false,
            };
            newest = newest.max(is_chosen.then_some(message.sequence));
        }
        Ok(newest)
    }

    /// Returns whether the stream's leader no longer has the message with this sequence.
    async fn lacks(&self, sequence: u64) -> Result<bool, ReadError> {
        is_removed(&self.context, &self.stream, sequence).await.map_err(unavailable)
    }
}

struct Reading {
    source: Source,
    messages: Ordered,
    due: u64,
    reached: u64,
    /// Number of messages that the replica reports as pending.
    pending: u64,
    is_over: bool,
}

impl Reading {
    async fn next(&mut self) -> Option<Result<Message, ReadError>> {
        if self.is_over {
            return None;
        }
        match self.advance().await {
            Ok(Some(message)) => Some(Ok(message)),
            Ok(None) => {
                self.is_over = true;
                None
            }
            Err(error) => {
                self.is_over = true;
                Some(Err(error))
            }
        }
    }

    async fn advance(&mut self) -> Result<Option<Message>, ReadError> {
        if self.pending == 0 && (self.reached >= self.due || self.source.lacks(self.due).await?) {
            return Ok(None);
        }
        let Ok(next) = tokio::time::timeout(CATCH_UP_TIMEOUT, self.messages.next()).await else {
            // Pending messages may have been deleted meanwhile; messages missing on the leader will not arrive.
            let is_whole = self.pending > 0 && self.source.newest().await?.is_none_or(|newest| newest <= self.reached);
            return if is_whole { Ok(None) } else { Err(unavailable(REPLICA_BEHIND)) };
        };
        let message = next.ok_or_else(|| unavailable(REPLICA_BEHIND))?.map_err(unavailable)?;
        let info = message.info().map_err(unavailable)?;
        (self.reached, self.pending) = (info.stream_sequence, info.pending);
        Ok(Some(message))
    }
}

/// Returns a unique name for a reader: without one the broker's permissions could not distinguish it from the durable
/// consumers.
pub(crate) fn reader_name() -> String {
    format!("reader-{}", domain::ids::EventId::fresh())
}

pub(crate) fn unavailable(error: impl std::fmt::Display) -> ReadError {
    ReadError::Unavailable(error.to_string())
}

#[cfg(test)]
mod tests {
    use async_nats::jetstream::stream::Config as StreamConfig;
    use futures_util::TryStreamExt;
    use test_support::NatsServer;

    use super::*;

    /// Uses a message outside the filter as the due one, because a single broker never lags.
    #[tokio::test]
    async fn a_reading_that_lacks_what_the_leader_has_is_an_error() {
        let server = NatsServer::start();
        let client = async_nats::ConnectOptions::new().retry_on_initial_connect().connect(server.url()).await.unwrap();
        let context = async_nats::jetstream::new(client);
        let config = StreamConfig {
            name: "LETTERS".to_owned(),
            subjects: vec!["letter.*".to_owned()],
            ..StreamConfig::default()
        };
        let stream = loop {
            match context.create_stream(config.clone()).await {
                Ok(_) => break context.get_stream_no_info("LETTERS").await.unwrap(),
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        };
        let of = |subject: &str, deliver_policy| Source {
            context: context.clone(),
            stream: "LETTERS".to_owned(),
            config: OrderedConfig {
                filter_subjects: vec![subject.to_owned()],
                deliver_policy,
                ..OrderedConfig::default()
            },
        };
        let newest = async |subject: &str, policy| of(subject, policy).newest().await.unwrap();
        assert_eq!(newest("letter.a", DeliverPolicy::All).await, None);
        for subject in ["letter.a", "letter.a", "letter.b"] {
            context.publish(subject, "text".into()).await.unwrap().await.unwrap();
        }
        assert_eq!(newest("letter.*", DeliverPolicy::LastPerSubject).await, Some(3));
        assert_eq!(newest("letter.a", DeliverPolicy::ByStartSequence { start_sequence: 2 }).await, Some(2));
        assert_eq!(newest("letter.a", DeliverPolicy::ByStartSequence { start_sequence: 3 }).await, None);

        let read = async |subject: &str, due| {
            let messages = read_up_to(of(subject, DeliverPolicy::All), due).await?;
            messages.try_collect::<Vec<_>>().await.map(|messages| messages.len())
        };
        assert_eq!(read("letter.a", Some(2)).await.unwrap(), 2);
        read("letter.a", Some(3)).await.expect_err("the third is there and did not come");
        read("letter.c", Some(3)).await.expect_err("nothing came");
        stream.delete_message(3).await.unwrap();
        assert_eq!(read("letter.a", Some(3)).await.unwrap(), 2, "messages removed from the leader do not arrive");
        assert_eq!(read("letter.c", None).await.unwrap(), 0);
    }
}
