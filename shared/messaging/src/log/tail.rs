//! A tail of a stream, over an ephemeral consumer.

use std::time::Duration;

use async_nats::jetstream::consumer::pull::{Batch, Config};
use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy, PullConsumer};
use async_nats::jetstream::{self, Message};
use futures_util::{Stream, StreamExt};

use crate::log::ReadError;
use crate::log::scan::{reader_name, unavailable};

/// Maximum messages of one pull.
const PULL_MESSAGES: usize = 256;
/// Time that a pull waits for messages.
const PULL_TIMEOUT: Duration = Duration::from_secs(2);
/// Time after which an unanswered pull counts as lost, e.g. by a restarted broker.
const ANSWER_TIMEOUT: Duration = Duration::from_millis(2_500);
/// Time after which the broker removes the consumer of an ended reader.
const INACTIVE_THRESHOLD: Duration = Duration::from_secs(30);

/// Returns every message on `filter` after the sequence `after`, in order.
///
/// Ends with an error when the consumer is lost or a message is missing: the caller starts a new tail, and reads the
/// messages between the two.
pub(crate) async fn tail(
    stream: &jetstream::stream::Stream<()>,
    filter: &str,
    after: u64,
) -> Result<impl Stream<Item = Result<Message, ReadError>> + use<>, ReadError> {
    let config = Config {
        name: Some(reader_name()),
        filter_subject: filter.to_owned(),
        deliver_policy: DeliverPolicy::ByStartSequence { start_sequence: after + 1 },
        ack_policy: AckPolicy::None,
        memory_storage: true,
        num_replicas: 1,
        inactive_threshold: INACTIVE_THRESHOLD,
        ..Config::default()
    };
    let consumer = stream.create_consumer(config).await.map_err(unavailable)?;
    let tail = Tail { consumer, pull: None, received: 0, is_over: false };
    Ok(futures_util::stream::unfold(tail, |mut tail| async move {
        if tail.is_over {
            return None;
        }
        let next = tail.next().await;
        tail.is_over = next.is_err();
        Some((next, tail))
    }))
}

struct Tail {
    consumer: PullConsumer,
    pull: Option<Batch>,
    /// Messages received from the consumer, which numbers them from 1.
    received: u64,
    is_over: bool,
}

impl Tail {
    async fn next(&mut self) -> Result<Message, ReadError> {
        loop {
            let pull = match &mut self.pull {
                Some(pull) => pull,
                empty => {
                    let pull = self.consumer.batch().max_messages(PULL_MESSAGES).expires(PULL_TIMEOUT).messages();
                    empty.insert(pull.await.map_err(unavailable)?)
                }
            };
            // A pull ends without messages or was lost; its messages too, if the connection broke while they were sent.
            match tokio::time::timeout(ANSWER_TIMEOUT, pull.next()).await.ok().flatten() {
                Some(message) => return self.check(message.map_err(unavailable)?),
                None => {
                    self.pull = None;
                    let info = self.consumer.get_info().await.map_err(unavailable)?;
                    if info.delivered.consumer_sequence != self.received {
                        return Err(unavailable("the reader missed messages"));
                    }
                }
            }
        }
    }

    /// Checks the message's number: messages of a lost pull, or dropped by the client, are missing.
    fn check(&mut self, message: Message) -> Result<Message, ReadError> {
        let number = message.info().map_err(unavailable)?.consumer_sequence;
        self.received += 1;
        if number == self.received { Ok(message) } else { Err(unavailable("the reader missed messages")) }
    }
}
