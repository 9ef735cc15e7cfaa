//! Notifications: a signed POST on every terminal state, to public addresses only.
//!
//! The name is resolved once, every address is checked, and the request goes to exactly those addresses without following
//! redirects, so that a name cannot answer differently between check and use.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use reqwest::{Client, Url, redirect};
use ring::hmac;
use serde_json::json;
use shared::clock::Clock;
use shared::failpoints;
use shared::identity::Secret;
use shared::messaging::{Cause, DeadLetters, Delivery, Entry, Settlement};
use shared::webhook;

/// Deliveries of one notification before it is given up, over about an hour.
const TRIES: u64 = 12;
const PATIENCE: Duration = Duration::from_secs(10);

/// How notifications are sent.
#[derive(Debug, Clone)]
pub(crate) struct Notifier {
    pub(crate) key: Secret,
    pub(crate) allow_private: bool,
    pub(crate) letters: DeadLetters,
    pub(crate) clock: Clock,
}

/// What came of one attempt.
#[derive(Debug, PartialEq, Eq)]
enum Attempt {
    Delivered,
    /// The receiver may take it later.
    Later(String),
    /// It will never be taken.
    Never(String),
}

/// Notifies the caller's webhook of a terminal state, if there is one, and settles the delivery.
pub(crate) async fn handle_notification(notifier: Arc<Notifier>, delivery: Delivery<Entry>) -> Settlement {
    let entry = delivery.body();
    let target = entry.workflow.submission.options.notification_webhook.clone();
    let Some(target) = target.filter(|_| entry.workflow.status().is_terminal()) else { return delivery.ack().await };
    let id = entry.workflow.id;
    match notifier.notify(&target, entry).await {
        Attempt::Delivered => delivery.ack().await,
        Attempt::Never(reason) => {
            tracing::warn!(workflow.id = %id, %reason, "a notification cannot be sent");
            delivery.dead_letter(&notifier.letters, Cause::Undelivered, &reason).await
        }
        Attempt::Later(reason) if delivery.delivered() >= TRIES => {
            tracing::warn!(workflow.id = %id, %reason, "a notification was given up");
            delivery.dead_letter(&notifier.letters, Cause::Undelivered, &reason).await
        }
        Attempt::Later(reason) => {
            tracing::info!(workflow.id = %id, %reason, "a notification will be tried again");
            let exponent = u32::try_from(delivery.delivered().min(12)).unwrap_or(12);
            delivery.retry_after(Duration::from_secs(2_u64.saturating_pow(exponent).min(1_800))).await
        }
    }
}

impl Notifier {
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
        .timeout(PATIENCE)
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

    #[tokio::test]
    async fn a_private_receiver_is_never_resolved_into_a_request() {
        for target in ["http://127.0.0.1:1/", "http://[::1]/", "http://localhost/", "http://169.254.169.254/latest"] {
            let url = Url::parse(target).unwrap();
            assert!(matches!(resolve(&url, false).await, Err(Attempt::Never(_))), "{target}");
        }
    }
}
