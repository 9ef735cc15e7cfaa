//! Dead letters: messages that no attempt could serve, kept whole with the reason.

use async_nats::jetstream::message::PublishMessage;
use serde::{Deserialize, Serialize};

use super::broker::Broker;
use super::envelope::encode;
use super::subjects;

/// A message that was given up, with everything needed to look at it and to send it again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeadLetter {
    pub stream: String,
    /// Its place in that stream.
    pub sequence: u64,
    pub subject: String,
    pub reason: String,
    pub attempts: u64,
    pub headers: Vec<(String, String)>,
    #[serde(with = "serde_bytes")]
    pub payload: Vec<u8>,
}

/// The stream of dead letters.
#[derive(Debug, Clone)]
pub struct DeadLetters {
    broker: Broker,
}

impl DeadLetters {
    /// The dead letters behind `broker`.
    pub fn new(broker: &Broker) -> Self {
        Self { broker: broker.clone() }
    }

    /// Stores a dead letter; returns once it is on disk. Idempotent by stream and sequence within two minutes.
    pub async fn publish(&self, letter: &DeadLetter) -> Result<(), String> {
        let message = PublishMessage::build()
            .payload(encode(letter).into())
            .message_id(format!("{}-{}", letter.stream, letter.sequence));
        let subject = subjects::dead_letter(&letter.stream);
        let ack = self.broker.jetstream().send_publish(subject, message).await.map_err(|error| error.to_string())?;
        ack.await.map(|_| ()).map_err(|error| error.to_string())
    }
}
