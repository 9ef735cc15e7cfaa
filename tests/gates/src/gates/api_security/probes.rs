//! Requests of an attacker, and the responses that are incidents.

use std::time::Duration;

use ::tests::{Answer, Client};
use tokio::time::sleep;

/// Tries of a request that is refused by a rate limit.
const MAX_TRIES: usize = 40;
/// Pause where a refusal does not name one.
const DEFAULT_PAUSE: Duration = Duration::from_secs(1);

/// The probes of one family.
#[derive(Debug, Default)]
pub struct Probes {
    pub made: usize,
    /// A line for each response that must not be.
    pub incidents: Vec<String>,
}

impl Probes {
    /// Counts a probe; it is an incident unless `is_good`.
    pub(super) fn book(&mut self, what: &str, got: u16, is_good: bool, expected: &str) {
        self.made += 1;
        if !is_good {
            self.incidents.push(format!("{what}: {got} instead of {expected}"));
        }
    }
}

/// Sends a request again while a rate limit refuses it, because a refusal by the limit shows nothing about what is behind it.
pub(super) async fn send_patiently(client: &Client, method: &str, path: &str, body: Option<String>) -> Answer {
    for _ in 1..MAX_TRIES {
        let answer = client.send(method, path, &[], body.clone()).await;
        if answer.status != 429 {
            return answer;
        }
        let pause = answer.header("retry-after").parse().map_or(DEFAULT_PAUSE, Duration::from_secs);
        sleep(pause.max(Duration::from_millis(100))).await;
    }
    client.send(method, path, &[], body).await
}
