//! A delivery: a received message that must be settled once.

use std::time::Duration;

use async_nats::jetstream::{AckKind, Message};
use tokio_util::sync::CancellationToken;
use tokio_util::sync::DropGuard;

use crate::queue::dead_letters::{Cause, DeadLetter, DeadLetters, texts};
use service::failpoints::{self, FailpointAction};

/// The way in which a delivery was settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settlement {
    Acked,
    Retried,
    DeadLettered,
}

/// A received, unsettled message with its body. A heartbeat every third of `ack_wait` prevents its redelivery.
///
/// Settling consumes it. Dropped unsettled, it is redelivered after `ack_wait`, with a warning in the log.
#[derive(Debug)]
pub struct Delivery<T> {
    body: T,
    parts: Parts,
}

#[derive(Debug)]
struct Parts {
    message: Message,
    delivered: u64,
    settled: bool,
    /// Ends the heartbeat when dropped.
    heartbeat: Option<DropGuard>,
}

impl<T> Delivery<T> {
    pub(crate) fn new(body: T, message: Message, ack_wait: Duration) -> Self {
        let delivered = message.info().map(|info| u64::try_from(info.delivered).unwrap_or(1)).unwrap_or(1);
        let heartbeat = Some(start_heartbeat(message.clone(), ack_wait / 3));
        Self { body, parts: Parts { message, delivered, settled: false, heartbeat } }
    }

    /// Returns the body of the message.
    pub fn body(&self) -> &T {
        &self.body
    }

    /// Returns the number of deliveries of this message, this one included.
    pub fn delivered(&self) -> u64 {
        self.parts.delivered
    }

    /// Converts the body and keeps the delivery.
    pub fn map<U>(self, read: impl FnOnce(T) -> U) -> Delivery<U> {
        Delivery { body: read(self.body), parts: self.parts }
    }

    /// Acknowledges the message. A lost acknowledgement causes a redelivery, which the fence makes harmless.
    pub async fn ack(mut self) -> Settlement {
        self.parts.settle(AckKind::Ack).await;
        Settlement::Acked
    }

    /// Returns the message to the queue; it is redelivered after `delay`.
    pub async fn retry_after(mut self, delay: Duration) -> Settlement {
        self.parts.settle(AckKind::Nak(Some(delay))).await;
        Settlement::Retried
    }

    /// Returns the whole message as a dead letter.
    pub fn to_letter(&self, cause: Cause, reason: &str) -> DeadLetter {
        let message = &self.parts.message;
        let info = message.info();
        DeadLetter {
            stream: info.as_ref().map(|info| info.stream.to_owned()).unwrap_or_default(),
            sequence: info.map(|info| info.stream_sequence).unwrap_or_default(),
            subject: message.subject.to_string(),
            cause,
            reason: reason.to_owned(),
            attempts: self.parts.delivered,
            headers: message.headers.as_ref().map(texts).unwrap_or_default(),
            payload: message.payload.to_vec(),
        }
    }

    /// Removes the message from the queue; only after its dead letter is on disk.
    pub async fn discard(mut self) -> Settlement {
        self.parts.settle(AckKind::Term).await;
        Settlement::DeadLettered
    }

    /// Copies the message to the dead letters and, once that is on disk, removes it from the queue.
    ///
    /// If the copy fails the message is returned to the queue instead: nothing is lost.
    pub async fn dead_letter(self, letters: &DeadLetters, cause: Cause, reason: &str) -> Settlement {
        match letters.publish(&self.to_letter(cause, reason)).await {
            Ok(()) => self.discard().await,
            Err(error) => {
                tracing::error!(%error, "Failed to store dead letter; retrying the message");
                self.retry_after(Duration::from_secs(5)).await
            }
        }
    }
}

impl Parts {
    async fn settle(&mut self, kind: AckKind) {
        self.settled = true;
        self.heartbeat = None;
        let times = match failpoints::reach("ack.before").await {
            FailpointAction::Nothing => 1,
            FailpointAction::Skip => 0,
            FailpointAction::Repeat => 2,
        };
        for _ in 0..times {
            if let Err(error) = self.message.ack_with(kind).await {
                tracing::warn!(%error, subject = %self.message.subject, "Failed to settle delivery; expect redelivery");
            }
        }
        failpoints::reach("ack.after").await;
    }
}

impl Drop for Parts {
    fn drop(&mut self) {
        if !self.settled {
            tracing::warn!(subject = %self.message.subject, "Dropped unsettled delivery; expect redelivery");
        }
    }
}

fn start_heartbeat(message: Message, every: Duration) -> DropGuard {
    let stop = CancellationToken::new();
    let guard = stop.clone().drop_guard();
    #[expect(
        clippy::disallowed_methods,
        reason = "ends with the delivery's drop guard, so a drain need not wait for it"
    )]
    tokio::spawn(async move {
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(every) => {}
            }
            if let Err(error) = message.ack_with(AckKind::Progress).await {
                tracing::debug!(%error, "Failed to send heartbeat");
            }
        }
    });
    guard
}
