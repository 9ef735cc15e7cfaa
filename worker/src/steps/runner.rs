//! Runs a step: checks that it may start, performs it, and appends its event.

use std::sync::Arc;
use std::time::Duration;

use domain::Timestamp;
use domain::approval::Actor;
use domain::workflow::{Event, Failure, Phase, PhaseKind, StepUsage};
use messaging::{AdvanceError, Cause, DeadLetter, DeadLetters, Delivery, Entry, ReadError, Settlement, WorkflowLog};
use service::telemetry::{Span, counters};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::outcome::StepOutcome;
use super::{analyze, execute, generate, plan};
use crate::attempts::Attempts;
use crate::cancellation::CancelRegistry;
use crate::context::WorkerContext;
use crate::metrics::StepMetrics;
use crate::scheduling::backoff::{RequeueBackoff, requested_delay, retry_delay};
use crate::scheduling::fair_slots::FairSlots;
use crate::scheduling::leases::UserLeases;

/// Time between two checks that a running step is still its workflow's newest entry; each renews the step's lease.
const WATCH_INTERVAL: Duration = Duration::from_secs(1);
/// Maximum time of a cancelled step to clean up before it is dropped.
const CANCEL_GRACE: Duration = Duration::from_secs(5);
/// Delay of a step that needs the log or the attempts bucket, and of one whose dead letter could not be stored.
const RETRY_DELAY: Duration = Duration::from_secs(1);
const DEAD_LETTER_RETRY_DELAY: Duration = Duration::from_secs(5);
/// Every 4th delivery of a throttled step also checks whether its workflow was cancelled.
const FULL_CHECK_DELIVERIES: u64 = 4;

/// Runs the steps of a worker.
pub(crate) struct StepRunner {
    pub(crate) context: Arc<WorkerContext>,
    pub(crate) log: WorkflowLog,
    pub(crate) dead_letters: DeadLetters,
    pub(crate) attempts: Attempts,
    pub(crate) cancels: CancelRegistry,
    pub(crate) leases: UserLeases,
    pub(crate) backoff: RequeueBackoff,
    pub(crate) metrics: StepMetrics,
}

/// The result of the checks before a step starts.
enum StartCheck {
    /// The step may start; with a failure, only to end its workflow.
    Start {
        failure: Option<Failure>,
    },
    /// A newer entry of the workflow exists.
    Stale,
    /// The user holds the maximum of leases.
    NoLease,
    LogUnavailable(String),
}

/// Runs one step and settles its delivery. Cancel safe: a dropped step is redelivered.
pub(crate) async fn handle_step(runner: Arc<StepRunner>, slots: FairSlots, delivery: Delivery<Entry>) {
    let entry = delivery.body().clone();
    let deliveries = delivery.delivered();
    let Some(_permit) = slots.acquire(entry.workflow.owner.as_str(), entry.sequence, deliveries).await else {
        return runner.requeue(delivery).await;
    };
    // Registered before the check: a cancel before the check is in the log, a later one reaches the token.
    let running = runner.cancels.register(entry.workflow.id);
    let lease_first = deliveries > 1 && !deliveries.is_multiple_of(FULL_CHECK_DELIVERIES);
    match runner.check_start(&entry, lease_first).await {
        StartCheck::Start { failure } => {
            let span = entry.consumer_span(&format!("{} step", entry.workflow.phase.kind().as_str()));
            let settlement = span.run(runner.attempt(delivery, failure, &running.token)).await;
            if needs_lease(&entry) {
                runner.leases.release(&entry).await;
            }
            let labels = [entry.workflow.phase.kind().as_str(), outcome_name(settlement)];
            runner.metrics.steps.with_label_values(&labels).inc();
        }
        StartCheck::Stale => {
            delivery.ack().await;
            runner.leases.release(&entry).await;
        }
        StartCheck::NoLease => runner.requeue(delivery).await,
        StartCheck::LogUnavailable(reason) => {
            log_deferred(&entry, &reason);
            // The lease is not released: an attempt on another worker may hold it, and it expires.
            delivery.retry_after(RETRY_DELAY).await;
        }
    }
}

impl StepRunner {
    /// Makes the checks before a step, concurrently because each is a round trip; with `lease_first` the lease first.
    async fn check_start(&self, entry: &Entry, lease_first: bool) -> StartCheck {
        if !needs_lease(entry) {
            return StartCheck::Start { failure: None };
        }
        if lease_first && !self.leases.hold(entry).await {
            return StartCheck::NoLease;
        }
        let lease = async { lease_first || self.leases.hold(entry).await };
        let checks = (self.is_newest(entry), lease, self.context.daily_budget.exceeded(&entry.workflow));
        match tokio::join!(checks.0, checks.1, checks.2) {
            (Err(reason), _, _) => StartCheck::LogUnavailable(reason),
            (Ok(false), _, _) => StartCheck::Stale,
            (Ok(true), false, _) => StartCheck::NoLease,
            (Ok(true), true, failure) => StartCheck::Start { failure },
        }
    }

    /// Returns a throttled step to its queue.
    async fn requeue(&self, delivery: Delivery<Entry>) {
        let delay = self.backoff.delay(delivery.body().workflow.owner.as_str(), delivery.delivered());
        delivery.retry_after(delay).await;
    }

    async fn is_newest(&self, entry: &Entry) -> Result<bool, String> {
        match self.log.is_newest(entry).await {
            Ok(is_newest) => Ok(is_newest),
            // Written by a newer build, or forged, which the approver corrects.
            Err(ReadError::Decode(_)) => Ok(false),
            Err(ReadError::Unavailable(reason)) => Err(reason),
        }
    }

    async fn attempt(
        &self,
        delivery: Delivery<Entry>,
        failure: Option<Failure>,
        cancel: &CancellationToken,
    ) -> Settlement {
        let entry = delivery.body().clone();
        match self.attempts.begin(&delivery).await {
            Ok(true) => {}
            Ok(false) => return self.give_up(delivery).await,
            Err(error) => {
                log_deferred(&entry, &format!("attempts cannot be counted: {error}"));
                return delivery.retry_after(RETRY_DELAY).await;
            }
        }
        let begun = Instant::now();
        let lane = entry.workflow.phase.lane();
        let running = self.metrics.count_running(entry.workflow.phase.kind().as_str(), lane.as_str());
        self.metrics.observe_start(&entry, self.context.clock.now());
        let outcome = match failure {
            Some(failure) => StepOutcome::Event(Event::failed(failure)),
            None => self.run_watched(&entry, cancel).await,
        };
        drop(running);
        let phase = entry.workflow.phase.kind().as_str();
        self.metrics.seconds.with_label_values(&[phase]).observe(begun.elapsed().as_secs_f64());
        self.settle(delivery, outcome).await
    }

    async fn settle(&self, delivery: Delivery<Entry>, outcome: StepOutcome) -> Settlement {
        let entry = delivery.body().clone();
        let (id, phase) = (entry.workflow.id, entry.workflow.phase.kind().as_str());
        if let Some(code) = outcome.failure_code() {
            Span::current().fail(code);
        }
        match outcome {
            StepOutcome::Event(event) => match self.append(&entry, event).await {
                Ok(()) => delivery.ack().await,
                Err(reason) => {
                    tracing::warn!(
                        workflow.id = %id,
                        phase,
                        %reason,
                        "Workflow {id}: failed to append the result of its {phase} step; retrying the step: {reason}"
                    );
                    self.attempts.undo(&entry).await;
                    delivery.retry_after(RETRY_DELAY).await
                }
            },
            StepOutcome::RetryLater(reason) => {
                self.attempts.undo(&entry).await;
                retry(delivery, &reason).await
            }
            StepOutcome::RetryAfter { reason, delay, counts } => {
                if !counts {
                    self.attempts.undo(&entry).await;
                }
                let delay = requested_delay(delay, delivery.delivered());
                let delay_ms = delay.as_millis();
                tracing::warn!(
                    workflow.id = %id,
                    phase,
                    delay_ms,
                    reason,
                    "Deferring {phase} step of workflow {id} for {delay_ms} ms as requested: {reason}"
                );
                delivery.retry_after(delay).await
            }
            StepOutcome::Failed(reason) => retry(delivery, &reason).await,
            // If the workflow was cancelled, the step is stale on redelivery; after a drain another worker takes it.
            StepOutcome::Cancelled { cost } => {
                self.metrics.add_cost(phase, cost);
                self.context.daily_budget.charge_unfinished(&self.log, &entry, cost).await;
                self.attempts.undo(&entry).await;
                delivery.retry_after(Duration::ZERO).await
            }
        }
    }

    /// Performs the step, and cancels it when it is no longer its workflow's newest entry.
    async fn run_watched(&self, entry: &Entry, cancel: &CancellationToken) -> StepOutcome {
        let started_at = self.context.clock.now();
        // Polled together: while the watch waits for an answer, the step continues and can be cancelled.
        let outcome = tokio::select! {
            outcome = run(&self.context, entry, started_at, cancel) => outcome,
            () = self.watch(entry, cancel) => StepOutcome::Cancelled { cost: 0.0 },
        };
        match outcome {
            StepOutcome::Event(event) if cancel.is_cancelled() => StepOutcome::Cancelled { cost: event.cost() },
            StepOutcome::RetryLater(_) | StepOutcome::RetryAfter { .. } | StepOutcome::Failed(_)
                if cancel.is_cancelled() =>
            {
                StepOutcome::Cancelled { cost: 0.0 }
            }
            StepOutcome::Event(_)
            | StepOutcome::RetryLater(_)
            | StepOutcome::RetryAfter { .. }
            | StepOutcome::Failed(_)
            | StepOutcome::Cancelled { .. } => outcome,
        }
    }

    /// Renews the step's lease and cancels a stale step. Returns [`CANCEL_GRACE`] after a cancel.
    async fn watch(&self, entry: &Entry, cancel: &CancellationToken) {
        while !cancel.is_cancelled() {
            tokio::select! {
                () = cancel.cancelled() => break,
                () = tokio::time::sleep(WATCH_INTERVAL) => {}
            }
            self.leases.hold(entry).await;
            if let Ok(false) = self.is_newest(entry).await {
                cancel.cancel();
            }
        }
        tokio::time::sleep(CANCEL_GRACE).await;
    }

    /// Appends the event; drops a stale or illegal one. An error means that the log is unavailable.
    async fn append(&self, entry: &Entry, event: Event) -> Result<(), String> {
        let (id, phase) = (entry.workflow.id, entry.workflow.phase.kind().as_str());
        let (actor, cost) = (Actor::Service("worker".to_owned()), event.cost());
        self.metrics.add_cost(phase, cost);
        match self.log.advance(entry, event, actor, self.context.clock.now()).await {
            Ok(_) => Ok(()),
            Err(AdvanceError::IllegalTransition(illegal)) => {
                // Not retried: the same step would have the same result.
                tracing::error!(
                    workflow.id = %id,
                    phase,
                    %illegal,
                    "Discarded result of the {phase} step of workflow {id}: {illegal}"
                );
                Ok(())
            }
            Err(AdvanceError::Superseded) => {
                let sequence = entry.sequence;
                counters("promptcraft_results_superseded_total").with_label_values(&[phase]).inc();
                tracing::info!(
                    workflow.id = %id,
                    phase,
                    sequence,
                    "Discarded stale result of workflow {id}: entry {sequence} is superseded"
                );
                self.context.daily_budget.charge_unfinished(&self.log, entry, cost).await;
                Ok(())
            }
            Err(AdvanceError::Unavailable(reason)) => Err(reason),
        }
    }

    /// Ends a step without attempts left: stores its dead letter, fails the workflow, and removes it from the queue.
    async fn give_up(&self, delivery: Delivery<Entry>) -> Settlement {
        let entry = delivery.body().clone();
        let (id, phase, attempts) = (entry.workflow.id, entry.workflow.phase.kind().as_str(), self.attempts.limit());
        let reason = format!("{attempts} attempts of the step did not finish");
        tracing::error!(
            workflow.id = %id,
            phase,
            attempts,
            "Dead-lettering {phase} step of workflow {id}: {reason}"
        );
        let letter = DeadLetter { attempts, ..delivery.to_letter(Cause::Exhausted, &reason) };
        if let Err(error) = self.dead_letters.publish(&letter).await {
            tracing::error!(
                workflow.id = %id,
                %error,
                "Workflow {id}: failed to store its dead letter; retrying: {error}"
            );
            return delivery.retry_after(DEAD_LETTER_RETRY_DELAY).await;
        }
        let failure = Failure::new(
            "attempts_exhausted",
            "A step could not be finished in all its attempts.",
            "Look at the workers' logs and at the dead letter, then submit again.",
        );
        match self.append(&entry, Event::failed(failure)).await {
            Ok(()) => delivery.discard().await,
            Err(reason) => {
                log_deferred(&entry, &reason);
                delivery.retry_after(RETRY_DELAY).await
            }
        }
    }
}

/// Returns whether a step needs a lease and the other checks. A plan step costs nothing and has no effect outside the
/// log, where the fence rejects a stale one.
fn needs_lease(entry: &Entry) -> bool {
    entry.workflow.phase.kind() != PhaseKind::Plan
}

fn outcome_name(settlement: Settlement) -> &'static str {
    match settlement {
        Settlement::Acked => "settled",
        Settlement::Retried => "retried",
        Settlement::DeadLettered => "dead_lettered",
    }
}

fn log_deferred(entry: &Entry, reason: &str) {
    let (id, phase) = (entry.workflow.id, entry.workflow.phase.kind().as_str());
    tracing::warn!(workflow.id = %id, phase, reason, "Deferring {phase} step of workflow {id}: {reason}");
}

async fn retry(delivery: Delivery<Entry>, reason: &str) -> Settlement {
    let workflow = &delivery.body().workflow;
    let (id, phase) = (workflow.id, workflow.phase.kind().as_str());
    let delay = retry_delay(delivery.delivered());
    let delay_ms = delay.as_millis();
    tracing::warn!(
        workflow.id = %id,
        phase,
        delay_ms,
        reason,
        "Retrying {phase} step of workflow {id} in {delay_ms} ms: {reason}"
    );
    delivery.retry_after(delay).await
}

async fn run(context: &WorkerContext, entry: &Entry, started_at: Timestamp, cancel: &CancellationToken) -> StepOutcome {
    let usage = usage_from(entry, started_at);
    let workflow = &entry.workflow;
    match &workflow.phase {
        Phase::Plan => plan::run(usage),
        Phase::Generate { feedback, input } => {
            generate::run(context, workflow, feedback.as_ref(), input.as_ref(), usage, cancel).await
        }
        Phase::Analyze => analyze::run(context, workflow, usage, cancel).await,
        Phase::Execute { .. } => execute::run(context, entry, usage, cancel).await,
        Phase::Approve { .. } | Phase::Done | Phase::Failed { .. } | Phase::Cancelled { .. } => {
            let message = "A worker received a step that is not a worker's.";
            StepOutcome::Event(Event::failed(Failure::new("internal", message, "Tell the operator.")))
        }
    }
}

fn usage_from(entry: &Entry, started_at: Timestamp) -> StepUsage {
    let queue_ms = u64::try_from(started_at.since(entry.happened.at).as_millis()).unwrap_or(u64::MAX);
    StepUsage { started_at, queue_ms, sandbox_ms: 0, cost: 0.0 }
}
