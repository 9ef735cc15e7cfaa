//! Heartbeats, by which the APIs know that an approver runs.

use std::time::Duration;

use shared::identity::User;
use shared::ids::EventId;
use shared::lifecycle::Lifecycle;
use shared::messaging::{ApproverReport, Control, Watched};

const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(1);

/// Maximum age of the copy of the users; an older one may lack a bot or a person who lost the right to decide.
const MAX_USERS_AGE: Duration = Duration::from_secs(10);

/// Sends heartbeats until the process stops, and reports to the probes whether the copy of the users is current.
pub(crate) async fn send_heartbeats(control: Control, users: Watched<User>, lifecycle: Lifecycle) {
    let stopping = lifecycle.stopping();
    let (task, current) = (lifecycle.health().task("heartbeats"), lifecycle.health().requirement("users"));
    let report = ApproverReport { instance: EventId::fresh().to_string() };
    loop {
        task.beat();
        current.report((users.complete_at().elapsed() > MAX_USERS_AGE).then(|| "stale".to_owned()));
        control.report_approver(&report).await;
        tokio::select! {
            () = stopping.cancelled() => return,
            () = tokio::time::sleep(HEARTBEAT_INTERVAL) => {}
        }
    }
}
