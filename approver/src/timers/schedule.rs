//! Timers follow transitions: each is set by the transition that asks for it, so a crash loses none.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;
use std::time::Duration;

use shared::approval::Park;
use shared::clock::Timestamp;
use shared::ids::WorkflowId;
use shared::messaging::{Delivery, Entry, ReadError, Settlement, TimerKind};
use shared::workflow::EventKind;

use crate::decisions::service::Desk;
use crate::integrity::keep_ended;

/// Sets the timers that a transition asks for, and clears them at the end. Idempotent.
///
/// Before the end nothing is cleared: handled late or twice, a clear could take a timer that a later transition has set. One
/// too many is harmless, because whoever it wakes looks at the state first. A workflow that is over in a moment gets none.
pub(crate) async fn handle_schedule(desk: Arc<Desk>, delivery: Delivery<Entry>) -> Settlement {
    match set_timers(&desk, delivery.body(), delivery.delivered() == 1).await {
        Ok(()) => delivery.ack().await,
        Err(reason) => {
            tracing::warn!(%reason, "a timer could not be set yet");
            delivery.retry_after(Duration::from_secs(1)).await
        }
    }
}

async fn set_timers(desk: &Desk, entry: &Entry, is_first: bool) -> Result<(), String> {
    keep_ended(desk, entry).await?;
    let (workflow, timers) = (&entry.workflow, &desk.timers);
    let id = workflow.id;
    let was_parked = workflow.closed_gates.iter().any(|gate| gate.digest.is_some());
    if workflow.status().is_terminal() {
        if !desk.brief.ended(id) {
            timers.clear(TimerKind::Timeout, id).await?;
        }
        if was_parked {
            timers.clear(TimerKind::Expiry, id).await?;
        }
        return Ok(());
    }
    match (entry.happened.kind, workflow.park(), workflow.deadline()) {
        (EventKind::Parked, Some(park), _) => {
            set(desk, TimerKind::Expiry, id, next_due(desk, workflow.updated_at, park)).await
        }
        (kind @ (EventKind::Submitted | EventKind::Decided | EventKind::Expired), None, Some(deadline)) => {
            // Before this delivery nobody can have set one that whoever handles the end would have to clear.
            let is_new = is_first && kind == EventKind::Submitted;
            if is_new && desk.brief.ends(id).await {
                return Ok(());
            }
            set(desk, TimerKind::Timeout, id, deadline).await
        }
        (_, _, _) => Ok(()),
    }
}

/// Returns the time of the next announcement after `from`, or of the deadline where that comes first.
///
/// The interval is random: announcements that fell due together while no approver ran are spread over the next one.
pub(crate) fn next_due(desk: &Desk, from: Timestamp, park: &Park) -> Timestamp {
    if desk.announce_every.is_zero() {
        return park.expires_at;
    }
    from.after(jittered(desk.announce_every, RandomState::new().hash_one(from))).min(park.expires_at)
}

/// Returns between 80 % and 120 % of `every`, by `chance`.
fn jittered(every: Duration, chance: u64) -> Duration {
    let permille = 800 + u32::try_from(chance % 401).unwrap_or_default();
    every * permille / 1_000
}

/// Sets a timer, and takes it back where the workflow has ended: its end may have been handled before, here or elsewhere.
async fn set(desk: &Desk, kind: TimerKind, id: WorkflowId, at: Timestamp) -> Result<(), String> {
    desk.timers.set(kind, id, at).await?;
    let newest = match desk.log.newest_from_leader(id).await {
        // Whoever can read it, or ends it, will see to its timers.
        Err(ReadError::Decode(_)) => return Ok(()),
        newest => newest.map_err(|error| error.to_string())?,
    };
    if newest.is_some_and(|newest| newest.workflow.status().is_terminal()) {
        desk.timers.clear(kind, id).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn announcements_that_were_due_together_come_apart() {
        let every = Duration::from_secs(100);
        let delays: Vec<Duration> = (0..401).map(|chance| jittered(every, chance)).collect();
        assert_eq!((delays.first(), delays.last()), (Some(&every.mul_f64(0.8)), Some(&every.mul_f64(1.2))));
        assert!(delays.is_sorted_by(|one, next| one < next));
        assert_eq!(jittered(every, u64::MAX), jittered(every, u64::MAX % 401));
    }
}
