//! Decisions that came over HTTP: the API has authenticated the caller and waits for the answer.

use std::sync::Arc;
use std::time::Duration;

use shared::approval::{Channel, DecisionRequest, Refusal};
use shared::messaging::{ApprovalAnswer, HttpDecision, Question};
use tokio::time::Instant;
use tracing::Instrument;

use crate::decisions::service::{Desk, Outcome, recorded};

/// Maximum wait of a decision for a gate that is in the log and not yet judged; ends before the decision's deadline.
const PATIENCE: Duration = Duration::from_secs(6);

/// Between looks at such a gate: most are judged within milliseconds, and one whose approver is behind is not to be asked for in vain.
const FIRST_WAIT: Duration = Duration::from_millis(10);
const LONGEST_WAIT: Duration = Duration::from_millis(250);

/// Decides and answers.
pub(crate) async fn handle_question(desk: Arc<Desk>, question: Question) {
    let (id, trace) = (question.decision.workflow_id, question.trace.clone());
    let span = tracing::info_span!(
        "decision", workflow.id = %id, trace.id = trace.trace_id(), request.id = trace.request_id()
    );
    answer(desk, question).instrument(span).await;
}

async fn answer(desk: Arc<Desk>, question: Question) {
    let request = request_of(question.decision.clone());
    let (give_up, mut wait) = (Instant::now() + PATIENCE, FIRST_WAIT);
    let outcome = loop {
        let outcome = desk.decide(&request, question.decision.deadline).await;
        if outcome != Outcome::Refused(Refusal::NotYetParked) {
            break outcome;
        }
        if Instant::now() >= give_up {
            break desk.give_up(&request, Refusal::NotYetParked).await;
        }
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(LONGEST_WAIT);
    };
    question.answer(&answer_of(outcome)).await;
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

fn answer_of(outcome: Outcome) -> ApprovalAnswer {
    match outcome {
        Outcome::Applied(workflow) => {
            ApprovalAnswer::Applied { status: workflow.status().as_str().to_owned(), message: recorded(&workflow) }
        }
        Outcome::Refused(refusal) => {
            ApprovalAnswer::Refused { code: refusal.code().to_owned(), message: refusal.to_string() }
        }
        Outcome::Unavailable(message) => ApprovalAnswer::Unavailable { message },
    }
}
