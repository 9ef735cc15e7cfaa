//! Timers follow transitions: each is set and taken back by the transition that asks for it, so a crash loses none.

use std::sync::Arc;
use std::time::Duration;

use shared::messaging::{Delivery, Entry, Settlement, TimerKind};
use shared::workflow::EventKind;

use crate::desk::Desk;
use crate::trust::keep_ended;

/// Sets the timers that a transition asks for, and clears them at the end. Idempotent.
///
/// Before the end nothing is cleared: handled late or twice, a clear could take a timer that a later transition has set. One
/// too many is harmless, because whoever it wakes looks at the state first.
pub(crate) async fn handle_schedule(desk: Arc<Desk>, delivery: Delivery<Entry>) -> Settlement {
    match set_timers(&desk, delivery.body()).await {
        Ok(()) => delivery.ack().await,
        Err(reason) => {
            tracing::warn!(%reason, "a timer could not be set yet");
            delivery.retry_after(Duration::from_secs(1)).await
        }
    }
}

async fn set_timers(desk: &Desk, entry: &Entry) -> Result<(), String> {
    keep_ended(desk, entry).await?;
    let (workflow, timers) = (&entry.workflow, &desk.timers);
    let id = workflow.id;
    let was_parked = workflow.closed_gates.iter().any(|gate| gate.digest.is_some());
    if workflow.status().is_terminal() {
        timers.clear(TimerKind::Timeout, id).await?;
        if was_parked {
            timers.clear(TimerKind::Expiry, id).await?;
        }
        return Ok(());
    }
    match (entry.happened.kind, workflow.park(), workflow.deadline()) {
        (EventKind::Parked, Some(park), _) => timers.set(TimerKind::Expiry, id, park.expires_at).await,
        (EventKind::Submitted | EventKind::Decided | EventKind::Expired, None, Some(deadline)) => {
            timers.set(TimerKind::Timeout, id, deadline).await
        }
        (_, _, _) => Ok(()),
    }
}
