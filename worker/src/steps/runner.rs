//! The way of every step: may it begin, do it, append what happened.

use std::sync::Arc;
use std::time::Duration;

use shared::approval::Actor;
use shared::clock::Timestamp;
use shared::ids::EventId;
use shared::messaging::{AppendError, BlobError, Cause, DeadLetter, Delivery, Entry, ReadError, Settlement};
use shared::workflow::{Event, Failure, Happened, Phase, PhaseKind, StepUsage, transition};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{analyze, execute, generate};
use crate::context::Desk;
use crate::scheduling::fair_slots::Slots;

/// Between two looks at whether the step still is its workflow's newest, and two renewals of its turn.
const TICK: Duration = Duration::from_secs(1);
/// How long a cancelled step may take to clean up before it is dropped.
const LAST_WORDS: Duration = Duration::from_secs(5);
/// After this long a step is tried again when something it needs is away.
const AGAIN: Duration = Duration::from_secs(1);

/// What came of doing a step.
#[derive(Debug)]
pub(crate) enum Done {
    /// This happened.
    Event(Event),
    /// Something it needs is away: it may work later, and the attempt does not count.
    Retry(String),
    /// Something it needs asks to be left alone for a while.
    Wait {
        reason: String,
        delay: Duration,
        /// True if the attempt counts.
        counts: bool,
    },
    /// The step itself went wrong: it may work later, and the attempt counts.
    Broken(String),
    /// Someone killed it; nothing is to be committed. What it cost until then: a model that is not heard out does not say what
    /// it counted, so its prompt is what counts.
    Cancelled { cost: f64 },
}

impl From<BlobError> for Done {
    fn from(error: BlobError) -> Self {
        match error {
            BlobError::Unavailable(_) => Self::Retry(error.to_string()),
            BlobError::Missing(_) | BlobError::Damaged(_) => Self::Broken(error.to_string()),
        }
    }
}

/// Does one step and settles its delivery. Cancel safe: dropped anywhere, the step comes again.
pub(crate) async fn handle_step(desk: Arc<Desk>, slots: Slots, delivery: Delivery<Entry>) {
    let entry = delivery.body().clone();
    let phase = entry.workflow.phase.kind().as_str();
    let Some(_slot) = slots.take(entry.workflow.owner.as_str(), entry.sequence, delivery.delivered()).await else {
        wait_in_line(&desk, delivery).await;
        return;
    };
    // Entered before the look at the log: a cancel after that look reaches the token, one before it is seen by the look.
    let running = desk.cancels.enter(entry.workflow.id);
    let times = delivery.delivered();
    match admit(&desk, &entry, times > 1 && !times.is_multiple_of(LOOKS_AT_ALL)).await {
        Admission::Begin { refusal } => {
            let settlement = attempt(&desk, delivery, refusal, &running.token).await;
            if takes_a_turn(&entry) {
                desk.turns.release(&entry).await;
            }
            desk.metrics.steps.with_label_values(&[phase, outcome_name(settlement)]).inc();
        }
        Admission::Stale => {
            delivery.ack().await;
            desk.turns.release(&entry).await;
        }
        Admission::NoTurn => wait_in_line(&desk, delivery).await,
        Admission::LogAway(reason) => {
            tracing::warn!(%reason, "a step has to wait");
            // A turn that was taken stays: it may be that of an attempt elsewhere, and ends by itself.
            delivery.retry_after(AGAIN).await;
        }
    }
}

/// A step that waits in line is looked at whole every so many times: its workflow may have been cancelled.
const LOOKS_AT_ALL: u64 = 4;

/// Whether a step may begin.
enum Admission {
    /// Now; only to end its workflow where there is a refusal.
    Begin {
        refusal: Option<Failure>,
    },
    /// Its workflow has moved on.
    Stale,
    /// The user has all of theirs in use.
    NoTurn,
    LogAway(String),
}

/// Looks at everything that decides whether a step begins, all at once: each look is a round trip before the work. What waits `in_line`
/// hardly ever has its turn: that is looked at first then.
async fn admit(desk: &Desk, entry: &Entry, in_line: bool) -> Admission {
    if !takes_a_turn(entry) {
        return Admission::Begin { refusal: None };
    }
    if in_line && !desk.turns.hold(entry).await {
        return Admission::NoTurn;
    }
    // Who was in line holds it by now.
    let turn = async { in_line || desk.turns.hold(entry).await };
    let looks = (is_newest(desk, entry), turn, desk.day.used_up(&entry.workflow));
    match tokio::join!(looks.0, looks.1, looks.2) {
        (Err(reason), _, _) => Admission::LogAway(reason),
        (Ok(false), _, _) => Admission::Stale,
        (Ok(true), false, _) => Admission::NoTurn,
        (Ok(true), true, refusal) => Admission::Begin { refusal },
    }
}

/// A plan is made from what stands in the step: it costs nothing, touches nothing, and the fence drops one that comes too late.
fn takes_a_turn(entry: &Entry) -> bool {
    entry.workflow.phase.kind() != PhaseKind::Plan
}

/// Hands a step back that waits for its user's turn: the longer it waits, the less often it asks, and a user's steps ask one after the
/// other, because what comes again is handed out before what is new.
async fn wait_in_line(desk: &Desk, delivery: Delivery<Entry>) {
    let times = u32::try_from(delivery.delivered()).unwrap_or(u32::MAX);
    let own = (Duration::from_millis(100) * times.min(50)).max(Duration::from_millis(200));
    let in_line = desk.line.delay(delivery.body().workflow.owner.as_str());
    delivery.retry_after(own.max(in_line)).await;
}

fn outcome_name(settlement: Settlement) -> &'static str {
    match settlement {
        Settlement::Acked => "settled",
        Settlement::Retried => "retried",
        Settlement::DeadLettered => "dead_lettered",
    }
}

async fn is_newest(desk: &Desk, entry: &Entry) -> Result<bool, String> {
    match desk.log.is_newest(entry).await {
        Ok(is_newest) => Ok(is_newest),
        // A newer build moved it on, or someone forged what the approver will put right.
        Err(ReadError::Decode(_)) => Ok(false),
        Err(ReadError::Unavailable(reason)) => Err(reason),
    }
}

async fn attempt(
    desk: &Desk,
    delivery: Delivery<Entry>,
    refusal: Option<Failure>,
    cancel: &CancellationToken,
) -> Settlement {
    let entry = delivery.body().clone();
    match desk.attempts.begin(&delivery).await {
        Ok(true) => {}
        Ok(false) => return give_up(desk, delivery).await,
        Err(error) => {
            tracing::warn!(%error, "attempts cannot be counted; the step waits");
            return delivery.retry_after(AGAIN).await;
        }
    }
    let begun = Instant::now();
    desk.metrics.running.inc();
    let done = match refusal {
        Some(failure) => Done::Event(Event::failed(failure)),
        None => watched(desk, &entry, cancel).await,
    };
    desk.metrics.running.dec();
    let phase = entry.workflow.phase.kind().as_str();
    desk.metrics.seconds.with_label_values(&[phase]).observe(begun.elapsed().as_secs_f64());
    match done {
        Done::Event(event) => match append(desk, &entry, event).await {
            Ok(()) => delivery.ack().await,
            Err(reason) => {
                tracing::warn!(workflow.id = %entry.workflow.id, %reason, "a result could not be appended; the step comes again");
                desk.attempts.take_back(&entry).await;
                delivery.retry_after(AGAIN).await
            }
        },
        Done::Retry(reason) => {
            desk.attempts.take_back(&entry).await;
            try_again(delivery, &reason).await
        }
        Done::Wait { reason, delay, counts } => {
            if !counts {
                desk.attempts.take_back(&entry).await;
            }
            let delay = wait_of(delay, delivery.delivered());
            let (id, delay_ms) = (entry.workflow.id, delay.as_millis());
            tracing::warn!(workflow.id = %id, delay_ms, reason, "Workflow {id}: the step waits as it was asked to");
            delivery.retry_after(delay).await
        }
        Done::Broken(reason) => try_again(delivery, &reason).await,
        // Cancelled by someone: the look at the log settles it. At the end of a drain: another worker takes it at once.
        Done::Cancelled { cost } => {
            desk.day.charge(&desk.log, &entry, cost).await;
            desk.attempts.take_back(&entry).await;
            delivery.retry_after(Duration::ZERO).await
        }
    }
}

async fn try_again(delivery: Delivery<Entry>, reason: &str) -> Settlement {
    let workflow = &delivery.body().workflow;
    let phase = workflow.phase.kind().as_str();
    tracing::warn!(workflow.id = %workflow.id, phase, reason, "a step will be tried again");
    let delay = backoff(delivery.delivered());
    delivery.retry_after(delay).await
}

/// The delay that something asks for, but never sooner than without the wish: it may ask for no delay at all, each time.
fn wait_of(asked: Duration, delivered: u64) -> Duration {
    asked.max(backoff(delivered))
}

/// Returns the delay of a step after this many deliveries: 0.5 s at first, 16 s at most.
fn backoff(delivered: u64) -> Duration {
    let exponent = u32::try_from(delivered.min(6)).unwrap_or(6);
    Duration::from_millis(250 * 2_u64.pow(exponent))
}

/// Does the step, and kills it once it is no longer the newest.
async fn watched(desk: &Desk, entry: &Entry, cancel: &CancellationToken) -> Done {
    let started_at = desk.clock.now();
    // Both are polled together: while the watch waits for an answer the work goes on, and a cancel reaches it.
    let done = tokio::select! {
        done = run(desk, entry, started_at, cancel) => done,
        () = keep_watch(desk, entry, cancel) => Done::Cancelled { cost: 0.0 },
    };
    match done {
        Done::Event(event) if cancel.is_cancelled() => Done::Cancelled { cost: event.cost() },
        Done::Retry(_) | Done::Wait { .. } | Done::Broken(_) if cancel.is_cancelled() => Done::Cancelled { cost: 0.0 },
        Done::Event(_) | Done::Retry(_) | Done::Wait { .. } | Done::Broken(_) | Done::Cancelled { .. } => done,
    }
}

/// Renews the step's turn and looks whether it still is the newest. Ends where the step should have ended and did not.
async fn keep_watch(desk: &Desk, entry: &Entry, cancel: &CancellationToken) {
    while !cancel.is_cancelled() {
        tokio::select! {
            () = cancel.cancelled() => break,
            () = tokio::time::sleep(TICK) => {}
        }
        desk.turns.hold(entry).await;
        if let Ok(false) = is_newest(desk, entry).await {
            cancel.cancel();
        }
    }
    tokio::time::sleep(LAST_WORDS).await;
}

async fn run(desk: &Desk, entry: &Entry, started_at: Timestamp, cancel: &CancellationToken) -> Done {
    let usage = usage_from(entry, started_at);
    match &entry.workflow.phase {
        Phase::Plan => Done::Event(Event::Planned { usage }),
        Phase::Generate { feedback, input } => {
            generate::run(desk, &entry.workflow, feedback.as_ref(), input.as_ref(), usage, cancel).await
        }
        Phase::Analyze => analyze::run(desk, &entry.workflow, usage, cancel).await,
        Phase::Execute { .. } => execute::run(desk, &entry.workflow, usage, cancel).await,
        Phase::Approve { .. } | Phase::Done | Phase::Failed { .. } | Phase::Cancelled { .. } => {
            let message = "A worker received a step that is not a worker's.";
            Done::Event(Event::failed(Failure::new("internal", message, "Tell the operator.")))
        }
    }
}

fn usage_from(entry: &Entry, started_at: Timestamp) -> StepUsage {
    let queue_ms = u64::try_from(started_at.since(entry.happened.at).as_millis()).unwrap_or(u64::MAX);
    StepUsage { started_at, queue_ms, sandbox_ms: 0, cost: 0.0 }
}

async fn append(desk: &Desk, entry: &Entry, event: Event) -> Result<(), String> {
    let now = desk.clock.now();
    let (kind, detail, cost) = (event.kind(), detail_of(&event), event.cost());
    let next = match transition(&entry.workflow, event, now) {
        Ok(next) => next,
        Err(illegal) => {
            // The same step would meet the same answer for ever.
            tracing::error!(workflow.id = %entry.workflow.id, %illegal, "a result fits nowhere and is dropped");
            return Ok(());
        }
    };
    let actor = Actor::Service("worker".to_owned());
    let happened = Happened { event_id: EventId::fresh(), kind, actor, at: now, detail };
    match desk.log.append(entry.sequence, &next, &happened, entry.trace.child()).await {
        Ok(_) => {
            tracing::info!(workflow.id = %next.id, event = kind.as_str(), next = next.phase.kind().as_str(), "moved on");
            Ok(())
        }
        Err(AppendError::Lost) => {
            tracing::info!(workflow.id = %next.id, "someone else was faster; the result is dropped");
            desk.day.charge(&desk.log, entry, cost).await;
            Ok(())
        }
        Err(AppendError::Unavailable(reason)) => Err(reason),
    }
}

fn detail_of(event: &Event) -> Option<String> {
    match event {
        Event::StepFailed { failure, .. } | Event::NoGenerator { failure, .. } => Some(failure.code.clone()),
        Event::Generated { artifacts, .. } => artifacts.origin.clone(),
        Event::Executed { tests, .. } => Some(format!("{} of {} passed", tests.passed, tests.total)),
        Event::Planned { .. }
        | Event::Analyzed { .. }
        | Event::GateReleased { .. }
        | Event::Parked { .. }
        | Event::Decided { .. }
        | Event::Expired
        | Event::TimedOut
        | Event::Cancelled { .. } => None,
    }
}

/// The step had all its attempts: the message goes to the dead letters, the workflow fails, then the queue forgets it.
async fn give_up(desk: &Desk, delivery: Delivery<Entry>) -> Settlement {
    let entry = delivery.body().clone();
    let reason = format!("the step was begun {} times and never ended", desk.attempts.limit());
    tracing::error!(workflow.id = %entry.workflow.id, %reason, "a dead letter");
    let letter = DeadLetter { attempts: desk.attempts.limit(), ..delivery.to_letter(Cause::Exhausted, &reason) };
    if let Err(error) = desk.letters.publish(&letter).await {
        tracing::error!(%error, "the dead letter could not be stored");
        return delivery.retry_after(Duration::from_secs(5)).await;
    }
    let failure = Failure::new(
        "attempts_exhausted",
        "A step could not be finished in all its attempts.",
        "Look at the workers' logs and at the dead letter, then submit again.",
    );
    match append(desk, &entry, Event::failed(failure)).await {
        Ok(()) => delivery.discard().await,
        Err(reason) => {
            tracing::warn!(%reason, "the workflow could not be failed yet");
            delivery.retry_after(AGAIN).await
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wish_for_no_delay_shortens_no_backoff() {
        for (asked, delivered, expected) in
            [(0, 1, 500), (0, 6, 16_000), (0, 1_000, 16_000), (7_000, 1, 7_000), (7_000, 6, 16_000)]
        {
            assert_eq!(wait_of(Duration::from_millis(asked), delivered), Duration::from_millis(expected));
        }
    }
}
