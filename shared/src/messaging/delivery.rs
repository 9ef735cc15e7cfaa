//! A delivery: a received message that must be settled once.

use std::time::Duration;

use async_nats::jetstream::{AckKind, Message};
use tokio_util::sync::CancellationToken;
use tokio_util::sync::DropGuard;

use super::dead_letters::{Cause, DeadLetter, DeadLetters, texts};
use crate::failpoints::{self, Injected};

/// How a delivery was settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settlement {
    Acked,
    Retried,
    DeadLettered,
}

/// A message in our hands, with its body read. While it lives the broker is told so every third of `ack_wait`.
///
/// Settling consumes it. Dropped unsettled, it is redelivered after `ack_wait` and says so in the log.
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
    /// Dropping it ends the heartbeat.
    heartbeat: Option<DropGuard>,
}

impl<T> Delivery<T> {
    pub(super) fn new(body: T, message: Message, ack_wait: Duration) -> Self {
        let delivered = message.info().map(|info| u64::try_from(info.delivered).unwrap_or(1)).unwrap_or(1);
        let heartbeat = Some(start_heartbeat(message.clone(), ack_wait / 3));
        Self { body, parts: Parts { message, delivered, settled: false, heartbeat } }
    }

    /// What was received.
    pub fn body(&self) -> &T {
        &self.body
    }

    /// How often the broker handed this message out, this time included.
    pub fn delivered(&self) -> u64 {
        self.parts.delivered
    }

    /// Keeps the delivery and changes what it carries.
    pub fn map<U>(self, read: impl FnOnce(T) -> U) -> Delivery<U> {
        Delivery { body: read(self.body), parts: self.parts }
    }

    /// Settles as done. A lost acknowledgement only brings a redelivery, which the fence makes harmless.
    pub async fn ack(mut self) -> Settlement {
        self.parts.settle(AckKind::Ack).await;
        Settlement::Acked
    }

    /// Hands the message back; it comes again after `delay`.
    pub async fn retry_after(mut self, delay: Duration) -> Settlement {
        self.parts.settle(AckKind::Nak(Some(delay))).await;
        Settlement::Retried
    }

    /// The message as a dead letter, whole.
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

    /// Takes the message out of the queue for good; only after its copy among the dead letters is on disk.
    pub async fn discard(mut self) -> Settlement {
        self.parts.settle(AckKind::Term).await;
        Settlement::DeadLettered
    }

    /// Copies the message to the dead letters and, once that is on disk, takes it out of the queue.
    ///
    /// Where the copy fails the message is handed back instead: nothing is lost.
    pub async fn dead_letter(self, letters: &DeadLetters, cause: Cause, reason: &str) -> Settlement {
        match letters.publish(&self.to_letter(cause, reason)).await {
            Ok(()) => self.discard().await,
            Err(error) => {
                tracing::error!(%error, "a dead letter could not be stored; the message is handed back");
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
            Injected::Nothing => 1,
            Injected::Skip => 0,
            Injected::Repeat => 2,
        };
        for _ in 0..times {
            if let Err(error) = self.message.ack_with(kind).await {
                tracing::warn!(%error, subject = %self.message.subject, "a delivery could not be settled; it will come again");
            }
        }
        failpoints::reach("ack.after").await;
    }
}

impl Drop for Parts {
    fn drop(&mut self) {
        if !self.settled {
            tracing::warn!(subject = %self.message.subject, "a delivery was dropped unsettled; it will come again");
        }
    }
}

fn start_heartbeat(message: Message, every: Duration) -> DropGuard {
    let stop = CancellationToken::new();
    let guard = stop.clone().drop_guard();
    #[expect(
        clippy::disallowed_methods,
        reason = "it ends with the delivery's drop guard, so a drain need not wait for it"
    )]
    tokio::spawn(async move {
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(every) => {}
            }
            if let Err(error) = message.ack_with(AckKind::Progress).await {
                tracing::debug!(%error, "a sign of life could not be sent");
            }
        }
    });
    guard
}
