//! Handles fired timers. The workflow's newest state decides the effect of each.

use std::sync::Arc;
use std::time::Duration;

use domain::approval::{Actor, Park};
use domain::ids::WorkflowId;
use domain::workflow::{Event, Workflow};
use messaging::{AdvanceError, Cause, DeadLetters, Delivery, RawMessage, Settlement, TimerKind, Timers};

use crate::announcements::announcement_of;
use crate::context::ApproverContext;
use crate::retry_error::RetryError;
use crate::timers::schedule::next_due;

const RETRY_DELAY: Duration = Duration::from_secs(1);
/// Maximum deliveries of a timer of an unknown kind, and the delay between them: another approver may know the kind.
const MAX_UNKNOWN_DELIVERIES: u64 = 10;
const UNKNOWN_RETRY_DELAY: Duration = Duration::from_secs(3);

/// Handles one fired timer and settles it.
pub(crate) async fn handle_timer(context: Arc<ApproverContext>, delivery: Delivery<RawMessage>) -> Settlement {
    let fired = match Timers::read(delivery.body()) {
        Some((kind, id)) => fire(&context, delivery.body(), kind, id).await,
        // An older version set it for announcements; the deadline's timer announces now, so it has no effect.
        None if Timers::is_of_removed_kind(delivery.body()) => {
            context.timers.forget_fired(delivery.body()).await.map_err(RetryError::from)
        }
        None => return leave_to_newer(&context.dead_letters, delivery).await,
    };
    match fired {
        Ok(()) => delivery.ack().await,
        Err(reason) => {
            let subject = &delivery.body().subject;
            tracing::warn!(%subject, %reason, "Retrying fired timer {subject}: {reason}");
            delivery.retry_after(RETRY_DELAY).await
        }
    }
}

/// Returns a timer of an unknown kind to the queue, and dead-letters it in the end: an operator can put it back.
async fn leave_to_newer(dead_letters: &DeadLetters, delivery: Delivery<RawMessage>) -> Settlement {
    if delivery.delivered() < MAX_UNKNOWN_DELIVERIES {
        return delivery.retry_after(UNKNOWN_RETRY_DELAY).await;
    }
    delivery.dead_letter(dead_letters, Cause::Unreadable, "no approver knows this kind of timer").await
}

async fn fire(
    context: &ApproverContext,
    message: &RawMessage,
    kind: TimerKind,
    id: WorkflowId,
) -> Result<(), RetryError> {
    let timers = &context.timers;
    let newest = context.log.newest_from_leader(id).await?;
    let Some(entry) = newest.filter(|entry| !entry.workflow.status().is_terminal()) else {
        return Ok(timers.forget_fired(message).await?);
    };
    let (due, event) = match kind {
        TimerKind::Timeout => (entry.workflow.deadline(), Event::TimedOut),
        TimerKind::Expiry => (entry.workflow.park().map(|park| park.expires_at), Event::Expired),
    };
    match due {
        // An announcement is due, the broker's clock is ahead of this process's, or the deadline has moved.
        Some(due) if context.clock.now() < due => match entry.workflow.park().filter(|_| kind == TimerKind::Expiry) {
            Some(park) => announce_again(context, &entry.workflow, park).await?,
            None => timers.set_again(kind, id, due).await?,
        },
        Some(_) => match context.transitions.append(&entry, event, Actor::approver()).await {
            Ok(_) | Err(AdvanceError::IllegalTransition(_)) => {}
            Err(error @ (AdvanceError::Superseded | AdvanceError::Unavailable(_))) => return Err(error.into()),
        },
        None => {}
    }
    Ok(timers.forget_fired(message).await?)
}

/// Announces an open approval again and sets the timer of the next announcement or of the deadline.
async fn announce_again(context: &ApproverContext, workflow: &Workflow, park: &Park) -> Result<(), RetryError> {
    let timers = &context.timers;
    let now = timers.now().await?;
    if now >= park.expires_at {
        // The deadline has passed by the broker's clock; only this process's clock is behind.
        return Ok(timers.set_again(TimerKind::Expiry, workflow.id, park.expires_at).await?);
    }
    let interval = context.announce_interval;
    let announcement = announcement_of(&context.users, workflow).filter(|_| !interval.is_zero());
    if let Some(announcement) = announcement {
        context.bots.repeat(&announcement).await?;
    }
    Ok(timers.set(TimerKind::Expiry, workflow.id, next_due(interval, now, park)).await?)
}
