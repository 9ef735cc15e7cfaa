//! When a broker that runs is started again, as `promptcraft up` does: it was well and is not any more, or it says that it has given
//! up.

use std::time::Duration;

use tokio::time::{Instant, sleep};

/// After so long.
const SICK: Duration = Duration::from_secs(10);
const LOOK: Duration = Duration::from_secs(1);
/// What the page says of a stream that takes nothing more, as one that was opened on a full disk.
const STUCK: &str = "write error";

/// What one look at a broker's pages shows.
#[derive(Debug, Clone, Copy)]
struct Look {
    is_well: bool,
    has_given_up: bool,
}

/// Resolves once the broker behind the health page `page` has to be started again. While `is_stopped` nobody can expect an answer.
pub(super) async fn sickness(page: &str, is_stopped: impl Fn() -> bool) {
    let client = crate::http_client(Duration::from_secs(2));
    let (mut well, mut trying): (Option<Instant>, _) = (None, Instant::now());
    while well.is_none_or(|well| well.elapsed() < SICK) && trying.elapsed() < SICK {
        sleep(LOOK).await;
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
    let is_stuck = health.as_ref().is_some_and(|(code, text)| *code == 503 && text.contains(STUCK));
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
