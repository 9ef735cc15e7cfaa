//! Signs of life, from which the APIs know that gates are judged.

use std::time::Duration;

use shared::ids::EventId;
use shared::lifecycle::Lifecycle;
use shared::messaging::{ApproverReport, Control};

/// Reports every second until the life ends.
pub(crate) async fn report_presence(control: Control, life: Lifecycle) {
    let stopping = life.stopping();
    let report = ApproverReport { instance: EventId::fresh().to_string() };
    loop {
        control.report_approver(&report).await;
        tokio::select! {
            () = stopping.cancelled() => return,
            () = tokio::time::sleep(Duration::from_secs(1)) => {}
        }
    }
}
