//! Heartbeats, by which the APIs know that an approver runs.

use std::time::Duration;

use domain::ids::EventId;
use messaging::{ApproverReport, Heartbeats};
use service::lifecycle::Lifecycle;

const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(1);

/// Sends heartbeats until the process stops.
pub(crate) async fn send_heartbeats(heartbeats: Heartbeats, lifecycle: Lifecycle) {
    let stopping = lifecycle.stopping();
    let report = ApproverReport { instance: EventId::fresh().to_string() };
    loop {
        heartbeats.send_approver(&report).await;
        tokio::select! {
            () = stopping.cancelled() => return,
            () = tokio::time::sleep(HEARTBEAT_INTERVAL) => {}
        }
    }
}
