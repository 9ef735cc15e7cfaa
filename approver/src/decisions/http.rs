//! Decisions over HTTP: the API has authenticated the caller and waits for the answer.

use std::sync::Arc;
use std::time::Duration;

use domain::Timestamp;
use domain::approval::{Channel, DecisionError, DecisionRequest};
use messaging::{ApprovalAnswer, DecisionRequests, HttpDecision, PendingDecision};
use service::lifecycle::Lifecycle;
use service::telemetry::{Span, SpanKind};
use tokio::time::Instant;
use tracing::Instrument;

use crate::decisions::service::{DecisionOutcome, DecisionService, confirmation};

/// Maximum wait for the evaluation of a gate that is in the log; shorter than the time until a decision's deadline.
const GATE_TIMEOUT: Duration = Duration::from_secs(6);

/// Bounds of the delay between two attempts for such a gate, which doubles: most are evaluated within milliseconds.
const MIN_RETRY_DELAY: Duration = Duration::from_millis(10);
const MAX_RETRY_DELAY: Duration = Duration::from_millis(250);

/// Answers decisions until the process stops; then only those that had arrived.
pub(crate) async fn answer_http_decisions(
    decisions: Arc<DecisionService>,
    mut requests: DecisionRequests,
    lifecycle: Lifecycle,
) {
    let (stopping, mut is_stopping) = (lifecycle.stopping(), false);
    loop {
        tokio::select! {
            () = stopping.cancelled(), if !is_stopping => {
                is_stopping = true;
                requests.refuse().await;
            }
            pending = requests.next() => match pending {
                Some(pending) => drop(lifecycle.spawn(handle_http_decision(decisions.clone(), pending))),
                None => return,
            },
        }
    }
}

async fn handle_http_decision(decisions: Arc<DecisionService>, pending: PendingDecision) {
    let (id, trace) = (pending.decision.workflow_id, pending.trace.clone());
    let span = tracing::info_span!(
        "decision", workflow.id = %id, trace.id = trace.trace_id(), request.id = trace.request_id()
    );
    let exported = Span::start(SpanKind::Server, "decide", &trace).with("workflow.id", &id.to_string());
    exported.run(answer(&decisions, pending).instrument(span)).await;
}

async fn answer(decisions: &DecisionService, pending: PendingDecision) {
    let request = request_of(pending.decision.clone());
    let outcome = if pending.decision.is_refused {
        decisions.refuse(&request, DecisionError::NotEntitled).await
    } else {
        decide_once_parked(decisions, &request, pending.decision.deadline).await
    };
    if let DecisionOutcome::Unavailable(_) = outcome {
        Span::current().fail("unavailable");
    }
    pending.answer(&answer_of(outcome)).await;
}

/// Decides; waits for the evaluation of a gate that is in the log.
async fn decide_once_parked(
    decisions: &DecisionService,
    request: &DecisionRequest,
    deadline: Option<Timestamp>,
) -> DecisionOutcome {
    let (timeout, mut delay) = (Instant::now() + GATE_TIMEOUT, MIN_RETRY_DELAY);
    loop {
        let outcome = decisions.decide(request, deadline).await;
        if outcome != DecisionOutcome::Refused(DecisionError::NotYetParked) {
            return outcome;
        }
        if Instant::now() >= timeout {
            return decisions.refuse(request, DecisionError::NotYetParked).await;
        }
        tokio::time::sleep(delay).await;
        delay = (delay * 2).min(MAX_RETRY_DELAY);
    }
}

fn request_of(decision: HttpDecision) -> DecisionRequest {
    DecisionRequest {
        workflow_id: decision.workflow_id,
        approval_id: decision.approval_id,
        verdict: decision.verdict,
        comment: decision.comment,
        digest: decision.digest,
        on_behalf_of: None,
        input: decision.input,
        by: decision.by,
        channel: Channel::Http,
        message_id: decision.message_id,
    }
}

fn answer_of(outcome: DecisionOutcome) -> ApprovalAnswer {
    match outcome {
        DecisionOutcome::Applied(state) => ApprovalAnswer::Applied {
            status: state.workflow.status().as_str().to_owned(),
            message: confirmation(&state.workflow),
            sequence: Some(state.sequence),
        },
        DecisionOutcome::Refused(refusal) => {
            ApprovalAnswer::Refused { code: refusal.code().to_owned(), message: refusal.to_string() }
        }
        DecisionOutcome::Unavailable(message) => ApprovalAnswer::Unavailable { message },
    }
}
