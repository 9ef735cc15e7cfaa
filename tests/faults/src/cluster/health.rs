//! Health check of a running broker, as `promptcraft up` has it: restart it when it was healthy and no longer is, or
//! when it reports that it stopped accepting writes.

use std::time::Duration;

use tokio::time::{Instant, sleep};

/// Time after which a broker counts as unhealthy.
const UNHEALTHY_AFTER: Duration = Duration::from_secs(10);
const POLL_INTERVAL: Duration = Duration::from_secs(1);
/// Text of the health page about a stream that accepts no more writes, e.g. because it was opened on a full disk.
const WRITE_ERROR: &str = "write error";

/// The result of one check.
#[derive(Debug, Clone, Copy)]
struct Look {
    is_well: bool,
    has_given_up: bool,
}

/// Resolves when the broker with the health page `page` must be restarted. Ignores missing responses while
/// `is_stopped`.
pub(super) async fn wait_until_unhealthy(page: &str, is_stopped: impl Fn() -> bool) {
    let client = crate::http_client(Duration::from_secs(2));
    let (mut well, mut trying): (Option<Instant>, _) = (None, Instant::now());
    while well.is_none_or(|well| well.elapsed() < UNHEALTHY_AFTER) && trying.elapsed() < UNHEALTHY_AFTER {
        sleep(POLL_INTERVAL).await;
        let Look { is_well, has_given_up } = look(&client, page).await;
        let is_excused = is_stopped();
        if is_well || (is_excused && well.is_some()) {
            well = Some(Instant::now());
        }
        if !has_given_up || is_excused {
            trying = Instant::now();
        }
    }
}

async fn look(client: &reqwest::Client, page: &str) -> Look {
    let alone = format!("{page}?js-enabled-only=true");
    let (health, given_up) = tokio::join!(ask(client, page), ask(client, &alone));
    let is_stuck = health.as_ref().is_some_and(|(code, text)| *code == 503 && text.contains(WRITE_ERROR));
    Look {
        is_well: health.is_some_and(|(code, _)| code == 200),
        has_given_up: is_stuck || given_up.is_some_and(|(code, _)| code == 503),
    }
}

async fn ask(client: &reqwest::Client, page: &str) -> Option<(u16, String)> {
    let answer = client.get(page).send().await.ok()?;
    let code = answer.status().as_u16();
    Some((code, answer.text().await.unwrap_or_default()))
}
