//! Timers that fired: the state decides whether they still mean something.

use std::sync::Arc;
use std::time::Duration;

use shared::ids::WorkflowId;
use shared::messaging::{Cause, Delivery, RawMessage, Settlement, TimerKind, Timers};
use shared::workflow::{Event, Workflow};

use crate::announcements::announcement_of;
use crate::desk::{Desk, MoveError};
use crate::schedules::set_repeat;

/// A timer that is not known here is left to other approvers so often.
const LEFT_DELIVERIES: u64 = 10;
const LEFT_DELAY: Duration = Duration::from_secs(3);

/// Handles one fired timer and settles it.
pub(crate) async fn handle_timer(desk: Arc<Desk>, delivery: Delivery<RawMessage>) -> Settlement {
    let Some((kind, id)) = Timers::read(delivery.body()) else {
        return leave(&desk, delivery).await;
    };
    match fire(&desk, delivery.body(), kind, id).await {
        Ok(()) => delivery.ack().await,
        Err(reason) => {
            tracing::warn!(workflow.id = %id, %reason, "a timer has to wait");
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
        TimerKind::Repeat => {
            repeat(desk, &entry.workflow).await?;
            return desk.timers.forget_fired(message).await;
        }
    };
    match due {
        // The broker's clock is ahead of ours, or the deadline moved: wait for the rest.
        Some(due) if desk.clock.now() < due => desk.timers.set_again(kind, id, due).await?,
        Some(_) => match desk.move_on(&entry, event, None).await {
            Ok(_) | Err(MoveError::Illegal(_)) => {}
            Err(MoveError::Lost) => return Err("the workflow was moved on meanwhile".to_owned()),
            Err(MoveError::Unavailable(reason)) => return Err(reason),
        },
        None => {}
    }
    desk.timers.forget_fired(message).await
}

/// Announces an open approval again, and sets the timer of the next time.
async fn repeat(desk: &Desk, workflow: &Workflow) -> Result<(), String> {
    let Some(announcement) = announcement_of(desk, workflow) else { return Ok(()) };
    desk.bots.repeat(&announcement).await?;
    set_repeat(desk, workflow).await
}
