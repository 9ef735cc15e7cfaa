//! Notifications: a signed POST on every terminal state, to public addresses only.
//!
//! The first try follows the transition; later ones follow a durable timer, so receivers that are away hold nobody's queue. All are
//! at least once, with the same event id; what is given up is kept among the dead letters. One that only waits for its turn is
//! not tried, and its receiver not blamed.
//!
//! The name is resolved once, every address is checked, and the request goes to exactly those addresses without following
//! redirects, so that a name cannot answer differently between check and use.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use reqwest::{Client, Url, redirect};
use ring::{hmac, rand};
use serde_json::json;
use shared::clock::Clock;
use shared::failpoints;
use shared::identity::Secret;
use shared::ids::WorkflowId;
use shared::messaging::{
    Cause, DeadLetters, DecodeError, Delivery, Entry, RawMessage, Settlement, Timers, WorkflowLog,
};
use shared::pool::Pool;
use shared::webhook;

/// Tries of one notification before it is given up, over about an hour.
const TRIES: u32 = 12;
/// One try may take so long, the look-up of the name included.
const PATIENCE: Duration = Duration::from_secs(10);
/// Notifications that this approver sends at once, and how many of them may be one user's: receivers that never answer are in their
/// owner's way only.
const PLACES: (usize, usize) = (256, 8);
/// A notification waits so long for a place before it is put off.
const TURN: Duration = Duration::from_secs(1);
/// So long after the end a turn that was missed counts as no try; it is less than the age at which workflows may leave the log.
const MAY_WAIT: Duration = Duration::from_secs(12 * 3_600);
/// What waits for its turn asks for it again after so long at most: the younger its workflow's end, the sooner.
const NEXT_TURN: (Duration, Duration) = (Duration::from_secs(30), Duration::from_secs(1_800));
/// What the broker could not take, or a newer approver wrote, is looked at again after this.
const AGAIN: Duration = Duration::from_secs(5);

/// How notifications are sent.
#[derive(Debug, Clone)]
pub(crate) struct Notifier {
    pub(crate) key: Secret,
    pub(crate) allow_private: bool,
    pub(crate) log: WorkflowLog,
    pub(crate) timers: Timers,
    pub(crate) letters: DeadLetters,
    pub(crate) places: Pool,
    pub(crate) clock: Clock,
}

/// Room for the notifications of all users.
pub(crate) fn places() -> Pool {
    Pool::new(PLACES.0, PLACES.1)
}

/// What came of one attempt.
#[derive(Debug, PartialEq, Eq)]
enum Attempt {
    Delivered,
    /// There was no place for it: nobody was asked.
    Missed,
    /// The receiver may take it later.
    Later(String),
    /// It will never be taken.
    Never(String),
}

/// Where the caller wants to be told of this transition: a terminal state, and a webhook.
fn target_of(entry: &Entry) -> Option<&str> {
    let target = entry.workflow.submission.options.notification_webhook.as_deref();
    target.filter(|_| entry.workflow.status().is_terminal())
}

/// Notifies the caller's webhook of a terminal state, if there is one, and settles the delivery.
///
/// What is not taken at once is put off to a timer of its workflow and never held back here: every end passes this queue.
pub(crate) async fn handle_notification(notifier: Arc<Notifier>, delivery: Delivery<Entry>) -> Settlement {
    let entry = delivery.body();
    let Some(target) = target_of(entry) else { return delivery.ack().await };
    match notifier.try_once(target, entry, 1).await {
        Ok(None) => delivery.ack().await,
        Ok(Some(reason)) => delivery.dead_letter(&notifier.letters, Cause::Undelivered, &reason).await,
        Err(error) => {
            tracing::warn!(%error, "a notification could not be put off");
            delivery.retry_after(AGAIN).await
        }
    }
}

/// Tries a notification again that was put off, and settles the delivery of its timer.
pub(crate) async fn handle_due(notifier: Arc<Notifier>, delivery: Delivery<RawMessage>) -> Settlement {
    let tried = match Timers::read_put_off(delivery.body()) {
        Ok(Some((id, tries))) => notifier.try_again(id, tries.saturating_add(1)).await,
        Err(DecodeError::Newer(_)) => return delivery.retry_after(AGAIN).await,
        Ok(None) | Err(_) => {
            return delivery.dead_letter(&notifier.letters, Cause::Unreadable, "no notification").await;
        }
    };
    let settled = match tried {
        Ok(true) => Ok(()),
        // Before the timer goes: after it there would be nothing to write it from.
        Ok(false) => notifier.keep(&delivery, "its workflow left the log before it could be sent").await,
        Err(error) => Err(error),
    };
    let forgotten = match settled {
        Ok(()) => notifier.timers.forget_fired(delivery.body()).await,
        Err(error) => Err(error),
    };
    match forgotten {
        Ok(()) => delivery.ack().await,
        Err(error) => {
            tracing::warn!(%error, "a notification has to wait");
            delivery.retry_after(AGAIN).await
        }
    }
}

/// How long an attempt that was not taken is put off after, and as which try it counts; `None` where it was the last.
///
/// `age` is how long ago the workflow ended, `chance` from 0 to 1: what was sent in one burst does not come back in one.
fn next_try(was_missed: bool, tries: u32, age: Duration, chance: f64) -> Option<(Duration, u32)> {
    if was_missed && age < MAY_WAIT {
        let longest = age.clamp(NEXT_TURN.0, NEXT_TURN.1);
        return Some((longest.mul_f64(chance), tries.saturating_sub(1)));
    }
    if tries >= TRIES {
        return None;
    }
    let delay = Duration::from_secs(2_u64.saturating_pow(tries).min(1_800));
    Some((delay.mul_f64(0.5 + chance), tries))
}

/// From 0 to 1; the middle where the system gives no randomness.
fn chance() -> f64 {
    let drawn = rand::generate::<[u8; 4]>(&rand::SystemRandom::new());
    drawn.map_or(0.5, |bytes| f64::from(u32::from_le_bytes(bytes.expose())) / f64::from(u32::MAX))
}

impl Notifier {
    /// Sends a notification, the `tries`th time, or puts it off. The reason where it will never be taken.
    async fn try_once(&self, target: &str, entry: &Entry, tries: u32) -> Result<Option<String>, String> {
        let id = entry.workflow.id;
        let place = tokio::time::timeout(TURN, self.places.take(entry.workflow.owner.as_str())).await;
        let attempt = match &place {
            Ok(_) => tokio::time::timeout(PATIENCE, self.notify(target, entry))
                .await
                .unwrap_or_else(|_| Attempt::Later(format!("it took more than {} s", PATIENCE.as_secs()))),
            Err(_) => Attempt::Missed,
        };
        let was_missed = attempt == Attempt::Missed;
        let reason = match attempt {
            Attempt::Delivered => return Ok(None),
            Attempt::Never(reason) => {
                tracing::warn!(workflow.id = %id, %reason, "a notification cannot be sent");
                return Ok(Some(reason));
            }
            Attempt::Missed => "too many others are being sent, the owner's or everybody's".to_owned(),
            Attempt::Later(reason) => reason,
        };
        let now = self.timers.now().await?;
        match next_try(was_missed, tries, now.since(entry.workflow.updated_at), chance()) {
            Some((delay, counted)) => {
                tracing::info!(workflow.id = %id, %reason, "a notification will be tried again");
                self.timers.put_off(id, now.after(delay), counted).await.map(|_| None)
            }
            None => {
                tracing::warn!(workflow.id = %id, %reason, "a notification was given up");
                Ok(Some(reason))
            }
        }
    }

    /// Stores what a timer brought among the dead letters.
    async fn keep(&self, delivery: &Delivery<RawMessage>, reason: &str) -> Result<(), String> {
        let letter = delivery.to_letter(Cause::Undelivered, reason);
        self.letters.publish(&letter).await.map_err(|error| error.to_string())
    }

    /// As [`Self::try_once`], for the end of a workflow as the log has it; false where it has it no more. Given up, the
    /// transition is kept among the dead letters.
    async fn try_again(&self, id: WorkflowId, tries: u32) -> Result<bool, String> {
        let Some(entry) = self.log.end(id).await.map_err(|error| error.to_string())? else { return Ok(false) };
        let Some(target) = target_of(&entry) else { return Ok(true) };
        let Some(reason) = self.try_once(target, &entry, tries).await? else { return Ok(true) };
        let letter = self.log.letter(entry.sequence, Cause::Undelivered, &reason, u64::from(tries)).await;
        let Some(letter) = letter.map_err(|error| error.to_string())? else { return Ok(false) };
        self.letters.publish(&letter).await.map_err(|error| error.to_string())?;
        Ok(true)
    }

    /// One attempt; its caller says how long it may take.
    async fn notify(&self, target: &str, entry: &Entry) -> Attempt {
        let Ok(url) = Url::parse(target) else { return Attempt::Never("the address cannot be read".to_owned()) };
        let addresses = match resolve(&url, self.allow_private).await {
            Ok(addresses) => addresses,
            Err(attempt) => return attempt,
        };
        let client = match client_for(&url, &addresses) {
            Ok(client) => client,
            Err(reason) => return Attempt::Never(reason),
        };
        let body = body_of(entry);
        let request = client
            .post(url)
            .header("content-type", "application/json")
            .header("promptcraft-event-id", entry.happened.event_id.to_string())
            .header("traceparent", entry.trace.child().to_string())
            .header("promptcraft-signature", sign(&self.key, self.clock.now().as_millis() / 1_000, &body));
        failpoints::reach("webhook.before").await;
        let answer = request.body(body).send().await;
        failpoints::reach("webhook.after").await;
        match answer {
            Ok(answer) if answer.status().is_success() => Attempt::Delivered,
            Ok(answer) if answer.status().is_redirection() => Attempt::Never("the receiver redirects".to_owned()),
            Ok(answer) => Attempt::Later(format!("the receiver answered {}", answer.status().as_u16())),
            Err(error) => Attempt::Later(error.without_url().to_string()),
        }
    }
}

/// The addresses behind the name, all of which must be allowed.
async fn resolve(url: &Url, allow_private: bool) -> Result<Vec<SocketAddr>, Attempt> {
    let host = url.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']').to_owned();
    let port = url.port_or_known_default().unwrap_or(443);
    let found = tokio::net::lookup_host((host, port)).await.map_err(|error| Attempt::Later(error.to_string()))?;
    let addresses: Vec<SocketAddr> = found.collect();
    for address in &addresses {
        webhook::check(address.ip(), allow_private)
            .map_err(|error| Attempt::Never(format!("the receiver's address {error}")))?;
    }
    if addresses.is_empty() { Err(Attempt::Later("the name has no address".to_owned())) } else { Ok(addresses) }
}

fn client_for(url: &Url, addresses: &[SocketAddr]) -> Result<Client, String> {
    let host = url.host_str().ok_or("the address has no host")?;
    Client::builder()
        .redirect(redirect::Policy::none())
        .no_proxy()
        .resolve_to_addrs(host, addresses)
        .build()
        .map_err(|error| error.to_string())
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

/// `t=<unix seconds>,v1=<hex of HMAC-SHA-256 over "<t>.<body>">`: the time is signed, so that a replay can be told.
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

    #[test]
    fn a_turn_that_was_missed_is_no_try_and_nothing_comes_back_in_step() {
        let seconds = |count| Duration::from_secs(count);
        assert_eq!(
            next_try(true, TRIES, seconds(1), 1.0),
            Some((seconds(30), TRIES - 1)),
            "the last try is still to come"
        );
        assert_eq!(next_try(true, 1, seconds(600), 0.5), Some((seconds(300), 0)));
        assert_eq!(next_try(true, 1, seconds(7_200), 1.0), Some((seconds(1_800), 0)));
        assert_eq!(next_try(true, 3, MAY_WAIT, 0.5), Some((seconds(8), 3)), "not for ever");
        assert_eq!(next_try(true, TRIES, MAY_WAIT, 0.5), None);
        assert_eq!(next_try(false, TRIES, seconds(1), 0.5), None);
        for (chance, delay) in [(0.0, 1), (0.5, 2), (1.0, 3)] {
            assert_eq!(next_try(false, 1, seconds(1), chance), Some((seconds(delay), 1)));
        }
        let total: Duration =
            (1..TRIES).filter_map(|tries| next_try(false, tries, seconds(1), 0.5)).map(|(delay, _)| delay).sum();
        assert!((3_000..4_800).contains(&total.as_secs()), "about an hour: {total:?}");
        let drawn: Vec<f64> = (0..100).map(|_| chance()).collect();
        assert!(
            drawn.iter().all(|chance| (0.0..=1.0).contains(chance)) && drawn.iter().any(|chance| *chance != drawn[0])
        );
    }

    #[tokio::test]
    async fn a_private_receiver_is_never_resolved_into_a_request() {
        for target in ["http://127.0.0.1:1/", "http://[::1]/", "http://localhost/", "http://169.254.169.254/latest"] {
            let url = Url::parse(target).unwrap();
            assert!(matches!(resolve(&url, false).await, Err(Attempt::Never(_))), "{target}");
        }
    }
}
