//! Delivers webhooks: the first attempt by the transition, the others by a durable timer of the workflow.

use std::sync::Arc;
use std::time::Duration;

use domain::identity::Secret;
use domain::ids::WorkflowId;
use messaging::{
    Broker, Cause, DeadLetters, DecodeError, Delivery, Entry, MessagingError, RawMessage, Settlement, Timers,
    WorkflowLog,
};
use reqwest::Url;
use ring::hmac;
use serde_json::json;
use service::clock::Clock;
use service::failpoints;
use service::keyed_semaphore::KeyedSemaphore;

use super::Attempt;
use super::retry::{next_attempt, random_fraction};
use super::ssrf_guard::{client_for, resolve};
use crate::metrics::{NOTIFICATIONS, count_end};
use crate::retry_error::RetryError;

/// Maximum duration of one attempt, name resolution included.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(10);
/// Maximum concurrent attempts of this process, in all and per user: a stalled receiver only blocks its own user's
/// notifications.
const MAX_CONCURRENT: usize = 256;
const MAX_CONCURRENT_PER_USER: usize = 8;
/// Maximum wait for a permit before an attempt is throttled.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(1);
/// Delay before a message is handled again that needs the broker or a newer approver.
const RETRY_DELAY: Duration = Duration::from_secs(5);

/// Sends notifications.
#[derive(Debug, Clone)]
pub(crate) struct WebhookSender {
    key: Secret,
    allow_private: bool,
    log: WorkflowLog,
    timers: Timers,
    dead_letters: DeadLetters,
    permits: KeyedSemaphore,
    clock: Clock,
}

/// Returns the webhook that is notified of this transition; `None` unless it is terminal and has one.
fn target_of(entry: &Entry) -> Option<&str> {
    let target = entry.workflow.submission.options.notification_webhook.as_deref();
    target.filter(|_| entry.workflow.status().is_terminal())
}

/// Notifies the workflow's webhook of a terminal state and settles the delivery.
///
/// A failed attempt is rescheduled by a timer and not held here, because every end passes this queue.
pub(crate) async fn handle_webhook(sender: Arc<WebhookSender>, delivery: Delivery<Entry>) -> Settlement {
    let entry = delivery.body();
    // Every end passes this queue. A redelivery is not counted again.
    if delivery.delivered() == 1 {
        count_end(&entry.workflow);
    }
    let Some(target) = target_of(entry) else { return delivery.ack().await };
    let span = entry.consumer_span("send notification");
    match span.run_fallible("unavailable", sender.send(target, entry, 1)).await {
        Ok(None) => delivery.ack().await,
        Ok(Some(reason)) => delivery.dead_letter(&sender.dead_letters, Cause::Undelivered, &reason).await,
        Err(error) => {
            let id = entry.workflow.id;
            tracing::warn!(workflow.id = %id, %error, "Workflow {id}: retrying to reschedule its webhook: {error}");
            delivery.retry_after(RETRY_DELAY).await
        }
    }
}

/// Retries the notification of a fired timer and settles the timer's delivery.
pub(crate) async fn handle_webhook_retry(sender: Arc<WebhookSender>, delivery: Delivery<RawMessage>) -> Settlement {
    let sent = match Timers::read_put_off(delivery.body()) {
        Ok(Some((id, attempts))) => sender.retry(id, attempts.saturating_add(1)).await,
        Err(DecodeError::Newer(_)) => return delivery.retry_after(RETRY_DELAY).await,
        Ok(None) | Err(_) => {
            let reason = "the timer does not name a notification";
            return delivery.dead_letter(&sender.dead_letters, Cause::Unreadable, reason).await;
        }
    };
    let settled = match sent {
        Ok(true) => Ok(()),
        // Before the timer is removed: the dead letter is written from it.
        Ok(false) => sender.store_dead_letter(&delivery, "its workflow left the log before it could be sent").await,
        Err(error) => Err(error),
    };
    let removed = match settled {
        Ok(()) => sender.timers.forget_fired(delivery.body()).await.map_err(RetryError::from),
        Err(error) => Err(error),
    };
    match removed {
        Ok(()) => delivery.ack().await,
        Err(error) => {
            let subject = &delivery.body().subject;
            tracing::warn!(%subject, %error, "Retrying webhook timer {subject}: {error}");
            delivery.retry_after(RETRY_DELAY).await
        }
    }
}

impl WebhookSender {
    /// Signs with `key`; `allow_private` also permits private addresses.
    pub(crate) fn new(broker: &Broker, key: Secret, allow_private: bool, clock: Clock) -> Self {
        Self {
            key,
            allow_private,
            log: WorkflowLog::new(broker),
            timers: Timers::new(broker),
            dead_letters: DeadLetters::new(broker),
            permits: KeyedSemaphore::new(MAX_CONCURRENT, MAX_CONCURRENT_PER_USER),
            clock,
        }
    }

    /// Makes attempt number `attempts`, or reschedules it; returns the reason if the notification is given up.
    async fn send(&self, target: &str, entry: &Entry, attempts: u32) -> Result<Option<String>, MessagingError> {
        let id = entry.workflow.id;
        let permit = tokio::time::timeout(ACQUIRE_TIMEOUT, self.permits.take(entry.workflow.owner.as_str())).await;
        let attempt = match &permit {
            Ok(_) => tokio::time::timeout(ATTEMPT_TIMEOUT, self.deliver(target, entry))
                .await
                .unwrap_or_else(|_| Attempt::Retryable(format!("it took more than {} s", ATTEMPT_TIMEOUT.as_secs()))),
            Err(_) => Attempt::Throttled,
        };
        let was_throttled = attempt == Attempt::Throttled;
        let reason = match attempt {
            Attempt::Delivered => {
                NOTIFICATIONS.with_label_values(&["delivered"]).inc();
                return Ok(None);
            }
            Attempt::Permanent(reason) => {
                NOTIFICATIONS.with_label_values(&["given_up"]).inc();
                tracing::warn!(workflow.id = %id, %reason, "Workflow {id}: giving up its webhook: {reason}");
                return Ok(Some(reason));
            }
            Attempt::Throttled => "too many notifications are being sent, of the owner or of all users".to_owned(),
            Attempt::Retryable(reason) => reason,
        };
        let now = self.timers.now().await?;
        match next_attempt(was_throttled, attempts, now.since(entry.workflow.updated_at), random_fraction()) {
            Some((delay, counted)) => {
                let outcome = if was_throttled { "throttled" } else { "retried" };
                NOTIFICATIONS.with_label_values(&[outcome]).inc();
                let seconds = delay.as_secs();
                tracing::info!(
                    workflow.id = %id,
                    %reason,
                    "Workflow {id}: retrying its webhook in {seconds} s: {reason}"
                );
                self.timers.reschedule(id, now.after(delay), counted).await.map(|_| None)
            }
            None => {
                NOTIFICATIONS.with_label_values(&["given_up"]).inc();
                tracing::warn!(
                    workflow.id = %id,
                    %reason,
                    "Workflow {id}: giving up its webhook after {attempts} attempts: {reason}"
                );
                Ok(Some(reason))
            }
        }
    }

    /// Writes a dead letter from a timer's message.
    async fn store_dead_letter(&self, delivery: &Delivery<RawMessage>, reason: &str) -> Result<(), RetryError> {
        let letter = delivery.to_letter(Cause::Undelivered, reason);
        Ok(self.dead_letters.publish(&letter).await?)
    }

    /// Sends the notification of a workflow's end as read from the log; false if the log does not have it any more.
    ///
    /// One that is given up becomes a dead letter of the transition.
    async fn retry(&self, id: WorkflowId, attempts: u32) -> Result<bool, RetryError> {
        let Some(entry) = self.log.end(id).await? else { return Ok(false) };
        let Some(target) = target_of(&entry) else { return Ok(true) };
        let Some(reason) = self.send(target, &entry, attempts).await? else { return Ok(true) };
        let letter = self.log.letter(entry.sequence, Cause::Undelivered, &reason, u64::from(attempts)).await;
        let Some(letter) = letter? else { return Ok(false) };
        self.dead_letters.publish(&letter).await?;
        Ok(true)
    }

    /// Sends one request. The caller bounds its duration.
    async fn deliver(&self, target: &str, entry: &Entry) -> Attempt {
        let Ok(url) = Url::parse(target) else { return Attempt::Permanent("the address is not a URL".to_owned()) };
        let addresses = match resolve(&url, self.allow_private).await {
            Ok(addresses) => addresses,
            Err(attempt) => return attempt,
        };
        let client = match client_for(&url, &addresses) {
            Ok(client) => client,
            Err(reason) => return Attempt::Permanent(reason),
        };
        let body = body_of(entry);
        let request = client
            .post(url)
            .header("content-type", "application/json")
            .header("promptcraft-event-id", entry.happened.event_id.to_string())
            .header("traceparent", entry.trace.child().to_string())
            .header("promptcraft-signature", sign(&self.key, self.clock.now().as_millis() / 1_000, &body));
        failpoints::reach("webhook.before").await;
        let response = request.body(body).send().await;
        failpoints::reach("webhook.after").await;
        match response {
            Ok(response) if response.status().is_success() => Attempt::Delivered,
            Ok(response) if response.status().is_redirection() => {
                Attempt::Permanent("the receiver redirects".to_owned())
            }
            Ok(response) => Attempt::Retryable(format!("the receiver answered {}", response.status().as_u16())),
            Err(error) => Attempt::Retryable(error.without_url().to_string()),
        }
    }
}

fn body_of(entry: &Entry) -> Vec<u8> {
    let workflow = &entry.workflow;
    let body = json!({
        "event_id": entry.happened.event_id,
        "workflow_id": workflow.id,
        "status": workflow.status(),
        "error": workflow.failure(),
        "test_success_rate": workflow.artifacts.tests.success_rate(),
        "total_cost": workflow.metrics.total_cost,
        "ended_at": workflow.updated_at.to_rfc3339(),
    });
    body.to_string().into_bytes()
}

/// Returns `t=<unix seconds>,v1=<hex of HMAC-SHA-256 over "<t>.<body>">`; receivers detect replays by the time.
fn sign(key: &Secret, seconds: i64, body: &[u8]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key.expose().as_bytes());
    let mut context = hmac::Context::with_key(&key);
    context.update(format!("{seconds}.").as_bytes());
    context.update(body);
    format!("t={seconds},v1={}", hex::encode(context.sign()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_the_documented_one() {
        // printf '5.{}' | openssl dgst -sha256 -hmac key
        let signature = sign(&Secret::new("key"), 5, b"{}");
        assert_eq!(signature, "t=5,v1=9be615aec64f0d044b5ad6854ab1d893ec88617fb728d2149dcd3a3428e8c45d");
    }
}
