//! Projects transitions into the audit log: decisions, bypasses, expiries and cancels.
//!
//! Its entries come from subjects that only the approver and the API may publish to; decoding rejects others.

use std::sync::Arc;
use std::time::Duration;

use domain::approval::{Actor, Channel, GateOutcome, Verdict};
use domain::workflow::EventKind;
use messaging::{AuditLog, AuditRecord, Delivery, Entry, Settlement};

const RETRY_DELAY: Duration = Duration::from_secs(1);

/// Appends the audit record of a transition, if it has one, and settles the delivery.
pub(crate) async fn handle_audit(audit: Arc<AuditLog>, delivery: Delivery<Entry>) -> Settlement {
    let Some(record) = record_of(delivery.body()) else { return delivery.ack().await };
    match audit.append(record).await {
        Ok(()) => delivery.ack().await,
        Err(reason) => {
            let (id, sequence) = (delivery.body().workflow.id, delivery.body().sequence);
            tracing::warn!(
                workflow.id = %id,
                sequence,
                %reason,
                "Workflow {id}: retrying audit record of entry {sequence}: {reason}"
            );
            delivery.retry_after(RETRY_DELAY).await
        }
    }
}

fn record_of(entry: &Entry) -> Option<AuditRecord> {
    let (workflow, happened) = (&entry.workflow, &entry.happened);
    let action = match happened.kind {
        EventKind::Parked => "parked",
        EventKind::GateReleased => "released_without_human",
        EventKind::Decided => "decided",
        EventKind::Expired => "expired",
        EventKind::Cancelled => "cancelled",
        EventKind::TimedOut => "timed_out",
        EventKind::StepFailed if happened.actor == Actor::approver() => "refused_release",
        EventKind::StepFailed
        | EventKind::Submitted
        | EventKind::Planned
        | EventKind::Generated
        | EventKind::NoGenerator
        | EventKind::Analyzed
        | EventKind::Executed
        | EventKind::Retried => return None,
    };
    let decision = newest_decision(entry).filter(|_| happened.kind == EventKind::Decided);
    let closed = workflow.closed_gates.last();
    let (approval_id, digest) = match workflow.gate() {
        Some(gate) => (Some(gate.approval_id), gate.park().map(|park| park.digest)),
        None => (closed.map(|gate| gate.approval_id), closed.and_then(|gate| gate.digest)),
    };
    // A release without a human has no park with a digest, so its record names the digest of the released artifacts.
    let is_bypass = closed.is_some_and(|gate| gate.outcome == GateOutcome::Released);
    Some(AuditRecord {
        key: format!("transition-{}", entry.sequence),
        at: happened.at,
        actor: happened.actor.clone(),
        action: decision.map_or(action, |(verdict, _)| verdict.as_str()).to_owned(),
        path: decision.map_or("log", |(_, channel)| channel.as_str()).to_owned(),
        workflow_id: Some(workflow.id),
        approval_id,
        digest: digest.or_else(|| is_bypass.then(|| workflow.release_digest())),
        detail: happened.detail.clone(),
    })
}

/// Returns the newest decision at the open gate or at the one that this transition closed.
fn newest_decision(entry: &Entry) -> Option<(Verdict, Channel)> {
    let open = entry.workflow.park().and_then(|park| park.decisions.last());
    let closed = entry.workflow.closed_gates.last().and_then(|gate| gate.decisions.last());
    open.or(closed).map(|decision| (decision.verdict, decision.channel))
}

#[cfg(test)]
mod tests {
    use domain::samples::{START, options, submitted};
    use domain::workflow::{EventRecord, Failure, Phase, Workflow};
    use service::telemetry::TraceContext;

    use super::*;

    const KINDS: [EventKind; 14] = [
        EventKind::Submitted,
        EventKind::Planned,
        EventKind::Generated,
        EventKind::NoGenerator,
        EventKind::Analyzed,
        EventKind::Executed,
        EventKind::StepFailed,
        EventKind::GateReleased,
        EventKind::Parked,
        EventKind::Decided,
        EventKind::Expired,
        EventKind::TimedOut,
        EventKind::Cancelled,
        EventKind::Retried,
    ];

    /// The audit queue delivers judged transitions and cancels only; a record of another kind would never be written.
    #[test]
    fn every_recorded_transition_is_judged_or_a_cancel() {
        let phase = Phase::Failed { failure: Failure::new("code", "message", "hint") };
        let workflow = Workflow { phase, ..submitted("ann", options()) };
        let actors = [Actor::approver(), Actor::Service("worker".to_owned()), Actor::User("ann".parse().unwrap())];
        let mut recorded = 0;
        for (kind, actor) in KINDS.iter().flat_map(|kind| actors.iter().map(move |actor| (*kind, actor.clone()))) {
            let happened =
                EventRecord { event_id: domain::ids::EventId::fresh(), kind, actor, at: START, detail: None };
            let is_delivered = happened.is_judged() || kind == EventKind::Cancelled;
            let (workflow, trace) = (workflow.clone(), TraceContext::root());
            let entry = Entry { sequence: 1, workflow, happened, trace, subject: String::new() };
            if record_of(&entry).is_some() {
                recorded += 1;
                assert!(is_delivered, "{:?}", entry.happened);
            }
        }
        assert_eq!(recorded, 6 * 3 + 1);
    }
}
