//! Tails the log for event streams and for the workflow reader.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use actix_web::web;
use futures_util::StreamExt;
use messaging::ReadError;
use service::lifecycle::Lifecycle;
use service::telemetry::ReadinessRequirement;

use crate::workflows::feed::FeedItem;
use crate::workflows::state::Workflows;

/// Tails the log until stopped. After any failure subscribers receive a gap and read the log.
pub(crate) async fn run_log_tail(workflows: web::Data<Workflows>, lifecycle: Lifecycle) {
    let (stopping, following) = (lifecycle.stopping(), lifecycle.health().requirement("log tail"));
    while !stopping.is_cancelled() {
        tokio::select! {
            () = stopping.cancelled() => return,
            outcome = follow(&workflows, &following) => {
                workflows.reader.mark_feed_lost();
                following.report(Some("not following the log".to_owned()));
                if let Err(error) = outcome {
                    tracing::warn!(%error, "Lost the log tail; restarting it");
                }
            }
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

async fn follow(workflows: &Workflows, following: &ReadinessRequirement) -> Result<(), ReadError> {
    let (since, entries) = workflows.log.follow().await?;
    let mut entries = pin!(entries);
    workflows.reader.set_feed_start(since);
    workflows.feed.publish(FeedItem::Gap);
    following.report(None);
    while let Some(entry) = entries.next().await {
        match entry {
            Ok(entry) => {
                workflows.reader.observe(entry.workflow.id, entry.sequence);
                workflows.feed.publish(FeedItem::Entry(Arc::new(entry)));
            }
            // Written by a newer build: instances of that build serve the workflow's streams.
            Err(ReadError::Decode(error)) => tracing::warn!(%error, "Skipped an unreadable log entry"),
            Err(error @ ReadError::Unavailable(_)) => return Err(error),
        }
    }
    Ok(())
}
