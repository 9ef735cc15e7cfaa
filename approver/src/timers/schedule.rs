//! Sets and clears timers. Each is set by the handler of the transition that needs it, so a crash loses none.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;
use std::time::Duration;

use domain::Timestamp;
use domain::approval::Park;
use domain::ids::WorkflowId;
use domain::workflow::EventKind;
use messaging::{Delivery, Entry, ReadError, Settlement, TimerKind, Timers, WorkflowLog};

use crate::context::ApproverContext;
use crate::retry_error::RetryError;

const RETRY_DELAY: Duration = Duration::from_secs(1);

/// Sets the timers that a transition needs, clears them at the end, and settles the delivery. Idempotent.
///
/// Nothing is cleared before the end: handled late or twice, a clear could remove a timer of a later transition. A
/// stale timer is harmless, because its handler reads the state first.
pub(crate) async fn handle_schedule(context: Arc<ApproverContext>, delivery: Delivery<Entry>) -> Settlement {
    match set_timers(&context, delivery.body(), delivery.delivered() == 1).await {
        Ok(()) => delivery.ack().await,
        Err(reason) => {
            let id = delivery.body().workflow.id;
            tracing::warn!(workflow.id = %id, %reason, "Workflow {id}: retrying to set its timers: {reason}");
            delivery.retry_after(RETRY_DELAY).await
        }
    }
}

async fn set_timers(context: &ApproverContext, entry: &Entry, is_first: bool) -> Result<(), RetryError> {
    context.integrity.enforce_terminal_state(entry).await?;
    let (workflow, timers) = (&entry.workflow, &context.timers);
    let id = workflow.id;
    let was_parked = workflow.closed_gates.iter().any(|gate| gate.digest.is_some());
    if workflow.status().is_terminal() {
        if !context.debounce.cancel(id) {
            timers.clear(TimerKind::Timeout, id).await?;
        }
        if was_parked {
            timers.clear(TimerKind::Expiry, id).await?;
        }
        return Ok(());
    }
    let (kind, at) = match (entry.happened.kind, workflow.park(), workflow.deadline()) {
        (EventKind::Parked, Some(park), _) => {
            (TimerKind::Expiry, next_due(context.announce_interval, workflow.updated_at, park))
        }
        (event @ (EventKind::Submitted | EventKind::Decided | EventKind::Expired), None, Some(deadline)) => {
            // On the first delivery of a submission no timer exists that the handler of the end would have to clear.
            let is_new = is_first && event == EventKind::Submitted;
            if is_new && context.debounce.ends_within_delay(id).await {
                return Ok(());
            }
            (TimerKind::Timeout, deadline)
        }
        (_, _, _) => return Ok(()),
    };
    set_timer(timers, &context.log, kind, id, at).await
}

/// Returns the time of the next announcement after `from`, or the deadline if that is earlier or the interval is zero.
///
/// The interval is jittered, so that announcements that fell due while no approver ran are spread over the next one.
pub(crate) fn next_due(announce_interval: Duration, from: Timestamp, park: &Park) -> Timestamp {
    if announce_interval.is_zero() {
        return park.expires_at;
    }
    from.after(jittered(announce_interval, RandomState::new().hash_one(from))).min(park.expires_at)
}

/// Returns between 80 % and 120 % of `interval`, by the random number `random`.
fn jittered(interval: Duration, random: u64) -> Duration {
    let permille = 800 + u32::try_from(random % 401).unwrap_or_default();
    interval * permille / 1_000
}

/// Sets a timer, and clears it again if the workflow has ended: the handler of the end may have run before.
async fn set_timer(
    timers: &Timers,
    log: &WorkflowLog,
    kind: TimerKind,
    id: WorkflowId,
    at: Timestamp,
) -> Result<(), RetryError> {
    timers.set(kind, id, at).await?;
    let newest = match log.newest_from_leader(id).await {
        // An approver that can decode it, or that fails the workflow, handles its timers.
        Err(ReadError::Decode(_)) => return Ok(()),
        newest => newest?,
    };
    if newest.is_some_and(|newest| newest.workflow.status().is_terminal()) {
        timers.clear(kind, id).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn announcements_that_fell_due_together_are_spread() {
        let interval = Duration::from_secs(100);
        let delays: Vec<Duration> = (0..401).map(|random| jittered(interval, random)).collect();
        assert_eq!((delays.first(), delays.last()), (Some(&interval.mul_f64(0.8)), Some(&interval.mul_f64(1.2))));
        assert!(delays.is_sorted_by(|one, next| one < next));
        assert_eq!(jittered(interval, u64::MAX), jittered(interval, u64::MAX % 401));
    }
}
