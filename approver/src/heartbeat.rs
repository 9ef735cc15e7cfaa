//! Heartbeats, by which the APIs know that an approver runs.

use std::time::Duration;

use domain::identity::User;
use domain::ids::EventId;
use messaging::{ApproverReport, BucketCache, Heartbeats};
use service::lifecycle::Lifecycle;

const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(1);

/// Maximum age of the copy of the users; an older one may lack a bot or a person who lost the right to decide.
const MAX_USERS_AGE: Duration = Duration::from_secs(10);

/// Sends heartbeats until the process stops, and reports to the probes whether the copy of the users is current.
pub(crate) async fn send_heartbeats(heartbeats: Heartbeats, users: BucketCache<User>, lifecycle: Lifecycle) {
    let stopping = lifecycle.stopping();
    let (task, current) = (lifecycle.health().task("heartbeats"), lifecycle.health().requirement("users"));
    let report = ApproverReport { instance: EventId::fresh().to_string() };
    loop {
        task.beat();
        current.report((users.complete_at().elapsed() > MAX_USERS_AGE).then(|| "stale".to_owned()));
        heartbeats.send_approver(&report).await;
        tokio::select! {
            () = stopping.cancelled() => return,
            () = tokio::time::sleep(HEARTBEAT_INTERVAL) => {}
        }
    }
}
