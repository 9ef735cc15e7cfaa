//! The audit log follows transitions: every decision, bypass, expiry and cancel is recorded by the transition itself.
//!
//! What it records travels on subjects of the approver and the API alone, or it could not have been read.

use std::sync::Arc;
use std::time::Duration;

use shared::approval::{Actor, Channel, GateOutcome, Verdict};
use shared::messaging::{AuditRecord, Delivery, Entry, Settlement};
use shared::workflow::EventKind;

use crate::decisions::service::Desk;

/// Records a transition where it is one that someone may have to answer for.
pub(crate) async fn handle_record(desk: Arc<Desk>, delivery: Delivery<Entry>) -> Settlement {
    let Some(record) = record_of(delivery.body()) else { return delivery.ack().await };
    match desk.audit.append(record).await {
        Ok(()) => delivery.ack().await,
        Err(reason) => {
            tracing::warn!(%reason, "the audit log cannot be written yet");
            delivery.retry_after(Duration::from_secs(1)).await
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
    // A release without a human has no question whose digest it could carry; what left is the digest.
    let is_bypass = closed.is_some_and(|gate| gate.outcome == GateOutcome::Released);
    Some(AuditRecord {
        key: format!("transition-{}", entry.sequence),
        at: happened.at,
        actor: happened.actor.clone(),
        action: decision.map_or(action, |(verdict, _)| verdict.as_str()).to_owned(),
        path: decision.map_or("log", |(_, channel)| path_of(channel)).to_owned(),
        workflow_id: Some(workflow.id),
        approval_id,
        digest: digest.or_else(|| is_bypass.then(|| workflow.release_digest())),
        detail: happened.detail.clone(),
    })
}

/// The decision that this transition brought, at the gate that is open or at the one it closed.
fn newest_decision(entry: &Entry) -> Option<(Verdict, Channel)> {
    let open = entry.workflow.park().and_then(|park| park.decisions.last());
    let closed = entry.workflow.closed_gates.last().and_then(|gate| gate.decisions.last());
    open.or(closed).map(|decision| (decision.verdict, decision.channel))
}

fn path_of(channel: Channel) -> &'static str {
    match channel {
        Channel::Http => "http",
        Channel::Nats => "nats",
    }
}

#[cfg(test)]
mod tests {
    use shared::samples::{START, options, submitted};
    use shared::telemetry::TraceContext;
    use shared::workflow::{Failure, Happened, Phase, Workflow};

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

    /// The queue hands out nothing else: a kind that is recorded and neither would have no record.
    #[test]
    fn what_is_recorded_is_judged_or_a_cancel() {
        let phase = Phase::Failed { failure: Failure::new("code", "message", "hint") };
        let workflow = Workflow { phase, ..submitted("ann", options()) };
        let actors = [Actor::approver(), Actor::Service("worker".to_owned()), Actor::User("ann".parse().unwrap())];
        let mut recorded = 0;
        for (kind, actor) in KINDS.iter().flat_map(|kind| actors.iter().map(move |actor| (*kind, actor.clone()))) {
            let happened = Happened { event_id: shared::ids::EventId::fresh(), kind, actor, at: START, detail: None };
            let is_handed_out = happened.is_judged() || kind == EventKind::Cancelled;
            let (workflow, trace) = (workflow.clone(), TraceContext::root());
            let entry = Entry { sequence: 1, workflow, happened, trace, subject: String::new() };
            if record_of(&entry).is_some() {
                recorded += 1;
                assert!(is_handed_out, "{:?}", entry.happened);
            }
        }
        assert_eq!(recorded, 6 * 3 + 1);
    }
}
