use std::panic::Location;
use std::time::Duration;

use tokio::time::{Instant, sleep};

const POLL_INTERVAL: Duration = Duration::from_millis(20);
const WAIT_TIMEOUT: Duration = Duration::from_secs(15);

/// Polls `look` until it returns a value, at most for `timeout`.
///
/// # Panics
/// If the timeout elapses; the message holds `what` and the caller's line.
#[track_caller]
pub fn eventually<T, F>(what: &'static str, timeout: Duration, mut look: impl FnMut() -> F) -> impl Future<Output = T>
where
    F: Future<Output = Option<T>>,
{
    let caller = Location::caller();
    async move {
        let deadline = Instant::now() + timeout;
        loop {
            if let Some(found) = look().await {
                return found;
            }
            assert!(Instant::now() < deadline, "{what}: not within {timeout:?} ({caller})");
            sleep(POLL_INTERVAL).await;
        }
    }
}

/// Polls `holds` until it returns true, at most for 15 s.
///
/// # Panics
/// If the timeout elapses; the message holds `what`.
pub async fn wait_until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + WAIT_TIMEOUT;
    while !holds().await {
        assert!(Instant::now() < deadline, "{what}: not within {WAIT_TIMEOUT:?}");
        sleep(POLL_INTERVAL).await;
    }
}
