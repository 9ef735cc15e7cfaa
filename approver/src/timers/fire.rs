//! Timers that fired: the state decides whether they still mean something.

use std::sync::Arc;
use std::time::Duration;

use shared::approval::Park;
use shared::ids::WorkflowId;
use shared::messaging::{Cause, Delivery, RawMessage, Settlement, TimerKind, Timers};
use shared::workflow::{Event, Workflow};

use crate::announcements::announcement_of;
use crate::decisions::service::{Desk, MoveError};
use crate::timers::schedule::next_due;

/// A timer that is not known here is left to other approvers so often.
const LEFT_DELIVERIES: u64 = 10;
const LEFT_DELAY: Duration = Duration::from_secs(3);

/// Handles one fired timer and settles it.
pub(crate) async fn handle_timer(desk: Arc<Desk>, delivery: Delivery<RawMessage>) -> Settlement {
    let done = match Timers::read(delivery.body()) {
        Some((kind, id)) => fire(&desk, delivery.body(), kind, id).await,
        // An older version announced by a timer of its own; the timer of the deadline does that now, so this one has nothing to do.
        None if Timers::is_of_removed_kind(delivery.body()) => desk.timers.forget_fired(delivery.body()).await,
        None => return leave(&desk, delivery).await,
    };
    match done {
        Ok(()) => delivery.ack().await,
        Err(reason) => {
            tracing::warn!(subject = %delivery.body().subject, %reason, "a timer has to wait");
            delivery.retry_after(Duration::from_secs(1)).await
        }
    }
}

/// A timer of a kind that this build does not know: a newer approver may, and an operator can put it back for one.
async fn leave(desk: &Desk, delivery: Delivery<RawMessage>) -> Settlement {
    if delivery.delivered() < LEFT_DELIVERIES {
        return delivery.retry_after(LEFT_DELAY).await;
    }
    delivery.dead_letter(&desk.letters, Cause::Unreadable, "no approver knows this kind of timer").await
}

async fn fire(desk: &Desk, message: &RawMessage, kind: TimerKind, id: WorkflowId) -> Result<(), String> {
    let newest = desk.log.newest_from_leader(id).await.map_err(|error| error.to_string())?;
    let Some(entry) = newest.filter(|entry| !entry.workflow.status().is_terminal()) else {
        return desk.timers.forget_fired(message).await;
    };
    let (due, event) = match kind {
        TimerKind::Timeout => (entry.workflow.deadline(), Event::TimedOut),
        TimerKind::Expiry => (entry.workflow.park().map(|park| park.expires_at), Event::Expired),
    };
    match due {
        // An announcement is due, the broker's clock is ahead of ours, or the deadline moved: wait for the rest.
        Some(due) if desk.clock.now() < due => match entry.workflow.park().filter(|_| kind == TimerKind::Expiry) {
            Some(park) => repeat(desk, &entry.workflow, park).await?,
            None => desk.timers.set_again(kind, id, due).await?,
        },
        Some(_) => match desk.move_on(&entry, event, None).await {
            Ok(_) | Err(MoveError::Illegal(_)) => {}
            Err(MoveError::Lost) => return Err("the workflow was moved on meanwhile".to_owned()),
            Err(MoveError::Unavailable(reason)) => return Err(reason),
        },
        None => {}
    }
    desk.timers.forget_fired(message).await
}

/// Announces an open approval again, and sets the timer of the next announcement or of the deadline.
async fn repeat(desk: &Desk, workflow: &Workflow, park: &Park) -> Result<(), String> {
    let now = desk.timers.now().await?;
    if now >= park.expires_at {
        // Only our clock is behind.
        return desk.timers.set_again(TimerKind::Expiry, workflow.id, park.expires_at).await;
    }
    let announcement = announcement_of(desk, workflow).filter(|_| !desk.announce_every.is_zero());
    if let Some(announcement) = announcement {
        desk.bots.repeat(&announcement).await?;
    }
    desk.timers.set(TimerKind::Expiry, workflow.id, next_due(desk, now, park)).await
}
