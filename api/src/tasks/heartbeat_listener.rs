//! Receives the heartbeats of workers and approvers.

use std::time::Duration;

use actix_web::web;
use futures_util::StreamExt;
use messaging::MessagingError;
use service::lifecycle::Lifecycle;

use crate::workflows::peers::Peers;

/// Receives heartbeats until stopped.
pub(crate) async fn run_heartbeat_listener(peers: web::Data<Peers>, lifecycle: Lifecycle) {
    let stopping = lifecycle.stopping();
    while !stopping.is_cancelled() {
        tokio::select! {
            () = stopping.cancelled() => return,
            outcome = receive_heartbeats(&peers) => if let Err(reason) = outcome {
                tracing::warn!(%reason, "Failed to receive heartbeats; retrying: {reason}");
            },
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

/// Returns once the broker ends either subscription.
async fn receive_heartbeats(peers: &Peers) -> Result<(), MessagingError> {
    let (mut workers, mut approvers) = (peers.heartbeats.workers().await?, peers.heartbeats.approvers().await?);
    loop {
        tokio::select! {
            report = workers.next() => match report {
                Some(report) => peers.workers.record_heartbeat(report.instance.clone(), report),
                None => return Ok(()),
            },
            report = approvers.next() => match report {
                Some(report) => peers.approvers.record_heartbeat(report.instance.clone(), report),
                None => return Ok(()),
            },
        }
    }
}
