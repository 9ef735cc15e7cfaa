//! Reads every workflow once more after the run: its history must have one end, and nothing after it.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use tokio::time::{sleep, timeout};

use super::follow::{end_of, status_of};
use crate::client::{EventStream, RequestFailure, is_end};
use crate::engine::Context;

/// Histories read at the same time.
const CONCURRENCY: usize = 8;
const MAX_ATTEMPTS: u32 = 3;
const RETRY_DELAY: Duration = Duration::from_millis(500);
/// Maximum time to read the history of one workflow. The stream of a workflow without an end does not end.
const HISTORY_TIMEOUT: Duration = Duration::from_secs(10);

/// Verifies every accepted workflow that has ended.
pub(crate) async fn verify_histories(context: &Arc<Context>) {
    futures_util::stream::iter(context.ledger.workflows())
        .for_each_concurrent(CONCURRENCY, |(id, user)| async move {
            for attempt in 1..=MAX_ATTEMPTS {
                let verified = timeout(HISTORY_TIMEOUT, verify(context, &id, user)).await;
                if matches!(verified, Ok(Ok(()))) {
                    return;
                }
                sleep(RETRY_DELAY * attempt).await;
            }
        })
        .await;
}

async fn verify(context: &Context, id: &str, user: usize) -> Result<(), RequestFailure> {
    let state = status_of(context, user, id).await?;
    if !is_end(state["status"].as_str().unwrap_or_default()) {
        return Ok(());
    }
    context.ledger.end(id, end_of(&state));
    let token = context.token_of(user);
    let (mut last, mut step, mut ends) = (0, 0, 0);
    if let Some(mut stream) = EventStream::open(&context.api, id, Some(&token), 0).await? {
        while let Some(event) = stream.next_event().await? {
            let next_step = event.data["current_step"].as_u64().unwrap_or(step);
            if event.id <= last || next_step < step {
                context.ledger.mark_reordered(id);
            }
            (last, step) = (event.id, next_step);
            ends += u32::from(event.is_end());
        }
    }
    // The service ends a stream after the first end, so a later one is looked for after it.
    let has_more = EventStream::open(&context.api, id, Some(&token), last).await?.is_some();
    if ends > 1 || (ends == 1 && has_more) {
        context.ledger.mark_doubled(id);
    }
    if ends == 0 {
        return Err(RequestFailure::Unexpected("a history without an end"));
    }
    context.ledger.mark_verified(id);
    Ok(())
}
