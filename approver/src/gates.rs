//! Gates: evaluates each by policy, releases or parks it, and announces parked ones.

use std::sync::Arc;
use std::time::Duration;

use domain::analysis::AnalysisReport;
use domain::approval::{Actor, GateDecision, RiskLevel};
use domain::workflow::{Event, Failure, Workflow};
use messaging::{AdvanceError, BlobError, Blobs, Delivery, Entry, Settlement};

use crate::announcements::announcement_of;
use crate::context::ApproverContext;
use crate::metrics::GATES;
use crate::retry_error::RetryError;
use crate::transitions::TransitionAppender;

const RETRY_DELAY: Duration = Duration::from_millis(500);

/// Handles one message of the approve phase and settles it.
pub(crate) async fn handle_gate(context: Arc<ApproverContext>, delivery: Delivery<Entry>) -> Settlement {
    let span = delivery.body().consumer_span("evaluate gate");
    match span.run_fallible("unavailable", evaluate_gate(&context, delivery.body())).await {
        Ok(()) => delivery.ack().await,
        Err(reason) => {
            let id = delivery.body().workflow.id;
            tracing::warn!(workflow.id = %id, %reason, "Workflow {id}: retrying gate: {reason}");
            delivery.retry_after(RETRY_DELAY).await
        }
    }
}

async fn evaluate_gate(context: &ApproverContext, entry: &Entry) -> Result<(), RetryError> {
    let workflow = &entry.workflow;
    let reads = (context.log.is_newest(entry), context.log.end(workflow.id));
    let (is_newest, end) = tokio::try_join!(reads.0, reads.1)?;
    // An entry behind a terminal state is corrected by the timer queue.
    if !is_newest || end.is_some() {
        return Ok(());
    }
    let forged = context.integrity.verify_gate_entry(entry).await?;
    if let Some(failure) = forged {
        let (id, sequence, code) = (workflow.id, entry.sequence, &failure.code);
        tracing::error!(
            workflow.id = %id,
            sequence,
            code,
            "Workflow {id}: failing it because entry {sequence} is forged. A worker may be compromised"
        );
        return append(&context.transitions, entry, Event::failed(failure)).await;
    }
    if workflow.park().is_some() {
        return announce(context, workflow).await;
    }
    let risk = worst_risk(&context.blobs, workflow).await?;
    let (outcome, event) = match context.policy.rule(workflow, risk, context.clock.now()) {
        Some(GateDecision::Release { reason }) => ("released", Event::GateReleased { reason: reason.to_owned() }),
        Some(GateDecision::Park(park)) => ("parked", Event::Parked { park: *park }),
        Some(GateDecision::ApprovalRequired) => ("refused", Event::failed(approval_required())),
        Some(GateDecision::ExecutedWithoutApproval) => ("refused", Event::failed(executed_without_approval())),
        None => return Ok(()),
    };
    GATES.with_label_values(&[outcome]).inc();
    append(&context.transitions, entry, event).await
}

async fn append(transitions: &TransitionAppender, entry: &Entry, event: Event) -> Result<(), RetryError> {
    match transitions.append(entry, event, Actor::approver()).await {
        // A newer transition queues its own message, and an illegal event has no effect.
        Ok(_) | Err(AdvanceError::Superseded | AdvanceError::IllegalTransition(_)) => Ok(()),
        Err(error @ AdvanceError::Unavailable(_)) => Err(error.into()),
    }
}

/// Returns the worst risk that analysis found; high if the report is lost or unreadable.
async fn worst_risk(blobs: &Blobs, workflow: &Workflow) -> Result<RiskLevel, RetryError> {
    let Some(content) = &workflow.artifacts.security_report else { return Ok(RiskLevel::Low) };
    let text = match blobs.load(content).await {
        Ok(text) => text,
        Err(BlobError::Missing(_) | BlobError::Damaged(_) | BlobError::TooLarge { .. }) => return Ok(RiskLevel::High),
        Err(error @ BlobError::Unavailable(_)) => return Err(error.into()),
    };
    Ok(serde_json::from_str(&text).map_or(RiskLevel::High, |report: AnalysisReport| RiskLevel::of(&report)))
}

async fn announce(context: &ApproverContext, workflow: &Workflow) -> Result<(), RetryError> {
    match announcement_of(&context.users, workflow) {
        Some(announcement) => Ok(context.bots.announce(announcement).await?),
        None => Ok(()),
    }
}

fn executed_without_approval() -> Failure {
    Failure::new(
        "approval_required",
        "The operator's policy requires approval before code runs, and this code ran without it.",
        "Ask the operator whether api and approver have the same approval.gate_before_execute, then submit again.",
    )
}

fn approval_required() -> Failure {
    Failure::new(
        "approval_required",
        "The operator's policy requires a human approval, and the caller switched the human loop off.",
        "Submit again with enable_human_loop set to true.",
    )
}
