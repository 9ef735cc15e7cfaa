//! Gates: judge each by policy, release at once or park, and announce what is parked.

use std::sync::Arc;
use std::time::Duration;

use shared::analysis::AnalysisReport;
use shared::approval::{RiskLevel, Ruling};
use shared::messaging::{BlobError, Delivery, Entry, Settlement};
use shared::workflow::{Event, Failure, Workflow};

use crate::announcements::announcement_of;
use crate::decisions::service::{Desk, MoveError};
use crate::integrity::distrust;
use crate::metrics::GATES;

/// After this long a gate whose log or blobs were away is tried again.
const AGAIN: Duration = Duration::from_millis(500);

/// Handles one message of the approve phase and settles it.
pub(crate) async fn handle_gate(desk: Arc<Desk>, delivery: Delivery<Entry>) -> Settlement {
    let entry = delivery.body().clone();
    match judge(&desk, &entry).await {
        Ok(()) => delivery.ack().await,
        Err(reason) => {
            tracing::warn!(workflow.id = %entry.workflow.id, %reason, "a gate has to wait");
            delivery.retry_after(AGAIN).await
        }
    }
}

async fn judge(desk: &Desk, entry: &Entry) -> Result<(), String> {
    let looks = (desk.log.is_newest(entry), desk.log.end(entry.workflow.id));
    let (is_newest, end) = tokio::try_join!(looks.0, looks.1).map_err(|error| error.to_string())?;
    // What an end is followed by is put right where timers are set.
    if !is_newest || end.is_some() {
        return Ok(());
    }
    if let Some(failure) = distrust(desk, entry).await.map_err(|error| error.to_string())? {
        tracing::error!(workflow.id = %entry.workflow.id, code = failure.code, "a forged state was refused");
        return append(desk, entry, Event::failed(failure)).await;
    }
    if entry.workflow.park().is_some() {
        return announce(desk, &entry.workflow).await;
    }
    let risk = worst_risk(desk, &entry.workflow).await?;
    let (outcome, event) = match desk.policy.rule(&entry.workflow, risk, desk.clock.now()) {
        Some(Ruling::Release { reason }) => ("released", Event::GateReleased { reason: reason.to_owned() }),
        Some(Ruling::Park(park)) => ("parked", Event::Parked { park: *park }),
        Some(Ruling::ApprovalRequired) => ("refused", Event::failed(approval_required())),
        Some(Ruling::RanWithoutLeave) => ("refused", Event::failed(ran_without_leave())),
        None => return Ok(()),
    };
    GATES.with_label_values(&[outcome]).inc();
    append(desk, entry, event).await
}

async fn append(desk: &Desk, entry: &Entry, event: Event) -> Result<(), String> {
    match desk.move_on(entry, event, None).await {
        // Whoever was faster has queued the workflow anew; an event that cannot happen there has nothing to add.
        Ok(_) | Err(MoveError::Lost | MoveError::Illegal(_)) => Ok(()),
        Err(MoveError::Unavailable(reason)) => Err(reason),
    }
}

/// The worst that analysis found, as risk. A report that cannot be read is no reason to think the best.
async fn worst_risk(desk: &Desk, workflow: &Workflow) -> Result<RiskLevel, String> {
    let Some(content) = &workflow.artifacts.security_report else { return Ok(RiskLevel::Low) };
    let text = match desk.blobs.load(content).await {
        Ok(text) => text,
        Err(BlobError::Missing(_) | BlobError::Damaged(_)) => return Ok(RiskLevel::High),
        Err(error @ BlobError::Unavailable(_)) => return Err(error.to_string()),
    };
    Ok(serde_json::from_str(&text).map_or(RiskLevel::High, |report: AnalysisReport| RiskLevel::of(&report)))
}

async fn announce(desk: &Desk, workflow: &Workflow) -> Result<(), String> {
    match announcement_of(desk, workflow) {
        Some(announcement) => desk.bots.announce(announcement).await,
        None => Ok(()),
    }
}

fn ran_without_leave() -> Failure {
    Failure::new(
        "approval_required",
        "The operator's policy demands leave before code runs, and this code ran without.",
        "Ask the operator whether api and approver have the same approval.gate_before_execute, then submit again.",
    )
}

fn approval_required() -> Failure {
    Failure::new(
        "approval_required",
        "The operator's policy demands a human, and the caller forbade to ask one.",
        "Submit again with enable_human_loop set to true.",
    )
}
