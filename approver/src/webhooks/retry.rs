//! Retries of webhooks, each from a durable timer of its workflow.

use std::sync::Arc;
use std::time::Duration;

use ring::rand;
use shared::ids::WorkflowId;
use shared::messaging::{Cause, DecodeError, Delivery, RawMessage, Settlement, Timers};

use super::deliver::{RETRY_DELAY, WebhookSender, target_of};

/// Maximum attempts of one notification, spread over about an hour.
const MAX_ATTEMPTS: u32 = 12;
const MAX_RETRY_DELAY: Duration = Duration::from_secs(1_800);
/// Maximum age of a workflow's end at which a throttled attempt is not counted; below the minimum age for archiving.
const MAX_THROTTLE_AGE: Duration = Duration::from_secs(12 * 3_600);
/// Bounds of the delay after a throttled attempt, which grows with the age of the workflow's end.
const MIN_THROTTLE_DELAY: Duration = Duration::from_secs(30);
const MAX_THROTTLE_DELAY: Duration = Duration::from_secs(1_800);

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
        Ok(()) => sender.timers.forget_fired(delivery.body()).await,
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
    /// Writes a dead letter from a timer's message.
    async fn store_dead_letter(&self, delivery: &Delivery<RawMessage>, reason: &str) -> Result<(), String> {
        let letter = delivery.to_letter(Cause::Undelivered, reason);
        self.dead_letters.publish(&letter).await.map_err(|error| error.to_string())
    }

    /// Sends the notification of a workflow's end as read from the log; false if the log does not have it any more.
    ///
    /// One that is given up becomes a dead letter of the transition.
    async fn retry(&self, id: WorkflowId, attempts: u32) -> Result<bool, String> {
        let Some(entry) = self.log.end(id).await.map_err(|error| error.to_string())? else { return Ok(false) };
        let Some(target) = target_of(&entry) else { return Ok(true) };
        let Some(reason) = self.send(target, &entry, attempts).await? else { return Ok(true) };
        let letter = self.log.letter(entry.sequence, Cause::Undelivered, &reason, u64::from(attempts)).await;
        let Some(letter) = letter.map_err(|error| error.to_string())? else { return Ok(false) };
        self.dead_letters.publish(&letter).await.map_err(|error| error.to_string())?;
        Ok(true)
    }
}

/// Returns the delay until the next attempt and the number of counted attempts; `None` after the last.
///
/// `age` is the time since the workflow's end. `random`, from 0 to 1, spreads notifications of one burst.
pub(super) fn next_attempt(was_throttled: bool, attempts: u32, age: Duration, random: f64) -> Option<(Duration, u32)> {
    if was_throttled && age < MAX_THROTTLE_AGE {
        let longest = age.clamp(MIN_THROTTLE_DELAY, MAX_THROTTLE_DELAY);
        return Some((longest.mul_f64(random), attempts.saturating_sub(1)));
    }
    if attempts >= MAX_ATTEMPTS {
        return None;
    }
    let delay = Duration::from_secs(2_u64.saturating_pow(attempts)).min(MAX_RETRY_DELAY);
    Some((delay.mul_f64(0.5 + random), attempts))
}

/// Returns a random number from 0 to 1; 0.5 if the system provides no randomness.
pub(super) fn random_fraction() -> f64 {
    let drawn = rand::generate::<[u8; 4]>(&rand::SystemRandom::new());
    drawn.map_or(0.5, |bytes| f64::from(u32::from_le_bytes(bytes.expose())) / f64::from(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_throttled_attempt_does_not_count_and_retries_are_spread() {
        let seconds = |count| Duration::from_secs(count);
        assert_eq!(
            next_attempt(true, MAX_ATTEMPTS, seconds(1), 1.0),
            Some((seconds(30), MAX_ATTEMPTS - 1)),
            "the last attempt is still to come"
        );
        assert_eq!(next_attempt(true, 1, seconds(600), 0.5), Some((seconds(300), 0)));
        assert_eq!(next_attempt(true, 1, seconds(7_200), 1.0), Some((seconds(1_800), 0)));
        assert_eq!(next_attempt(true, 3, MAX_THROTTLE_AGE, 0.5), Some((seconds(8), 3)), "not without end");
        assert_eq!(next_attempt(true, MAX_ATTEMPTS, MAX_THROTTLE_AGE, 0.5), None);
        assert_eq!(next_attempt(false, MAX_ATTEMPTS, seconds(1), 0.5), None);
        for (random, delay) in [(0.0, 1), (0.5, 2), (1.0, 3)] {
            assert_eq!(next_attempt(false, 1, seconds(1), random), Some((seconds(delay), 1)));
        }
        let delays = (1..MAX_ATTEMPTS).filter_map(|attempts| next_attempt(false, attempts, seconds(1), 0.5));
        let total: Duration = delays.map(|(delay, _)| delay).sum();
        assert!((3_000..4_800).contains(&total.as_secs()), "about an hour: {total:?}");
        let drawn: Vec<f64> = (0..100).map(|_| random_fraction()).collect();
        assert!(drawn.iter().all(|random| (0.0..=1.0).contains(random)));
        assert!(drawn.iter().any(|random| *random != drawn[0]));
    }
}
