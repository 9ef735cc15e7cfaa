//! Checks the audit log against the log and the client's refused decisions.

use std::collections::{HashMap, HashSet};

use domain::approval::{Actor, Channel, Decision, GateOutcome};
use domain::ids::{ApprovalId, Digest};
use domain::workflow::EventKind;
use messaging::{AuditRecord, Entry};

use super::{Anomaly, Logs};
use crate::client::history::{ClientOperation, WorkflowHistory};

/// Returns transitions that must be audited and are missing in the audit log.
pub fn unaudited(logs: &Logs, audit: &[AuditRecord]) -> Vec<Anomaly> {
    let known: HashSet<&str> = audit.iter().map(|record| record.key.as_str()).collect();
    let entries = logs.values().flatten().filter(|entry| must_be_audited(entry));
    entries
        .filter(|entry| !known.contains(key_of(entry).as_str()))
        .map(|entry| {
            let what = format!("{} at {} is not in the audit log", entry.happened.kind.as_str(), entry.sequence);
            Anomaly::of(entry.workflow.id, what)
        })
        .collect()
}

/// Returns records that contradict the log or are duplicated.
pub(super) fn wrong(logs: &Logs, audit: &[AuditRecord]) -> Vec<Anomaly> {
    let mut known: HashMap<&str, &AuditRecord> = HashMap::new();
    let mut found = Vec::new();
    let ours = |record: &&AuditRecord| record.workflow_id.is_none_or(|id| logs.contains_key(&id));
    for record in audit.iter().filter(ours) {
        if known.insert(&record.key, record).is_some() {
            let what = format!("{} is in the audit log twice", record.key);
            found.push(Anomaly { workflow: record.workflow_id, what });
        }
    }
    for entry in logs.values().flatten() {
        let Some(record) = known.get(key_of(entry).as_str()) else { continue };
        if let Some(what) = differs(entry, record) {
            found.push(Anomaly::of(entry.workflow.id, format!("the record of {} is wrong: {what}", entry.sequence)));
        }
    }
    found
}

fn key_of(entry: &Entry) -> String {
    format!("transition-{}", entry.sequence)
}

fn differs(entry: &Entry, record: &AuditRecord) -> Option<String> {
    let (approval_id, digest) = question_of(entry);
    if !must_be_audited(entry) {
        return Some("it need not be audited".to_owned());
    }
    if record.workflow_id != Some(entry.workflow.id) {
        return Some("it names another workflow".to_owned());
    }
    if record.actor != entry.happened.actor {
        return Some(format!("actor {}, the log has {}", record.actor, entry.happened.actor));
    }
    let action = action_of(entry);
    if record.action != action {
        return Some(format!("action {}, the log has {action}", record.action));
    }
    if record.path != path_of(entry) {
        return Some(format!("path {}", record.path));
    }
    if record.approval_id != approval_id {
        return Some(format!("question {:?}, the log has {approval_id:?}", record.approval_id));
    }
    (record.digest != digest).then(|| format!("digest {:?}, the log has {digest:?}", record.digest))
}

/// Returns the question that a transition is about, and the digest to be approved.
fn question_of(entry: &Entry) -> (Option<ApprovalId>, Option<Digest>) {
    let workflow = &entry.workflow;
    if let Some(gate) = workflow.gate() {
        return (Some(gate.approval_id), gate.park().map(|park| park.digest));
    }
    let Some(gate) = workflow.closed_gates.last() else { return (None, None) };
    // Released without a question: the digest is that of the result.
    let released = (gate.outcome == GateOutcome::Released).then(|| workflow.release_digest());
    (Some(gate.approval_id), gate.digest.or(released))
}

/// Returns the decision that caused this transition.
fn decision_of(entry: &Entry) -> Option<&Decision> {
    let open = entry.workflow.park().and_then(|park| park.decisions.last());
    let closed = entry.workflow.closed_gates.last().and_then(|gate| gate.decisions.last());
    open.or(closed).filter(|_| entry.happened.kind == EventKind::Decided)
}

fn action_of(entry: &Entry) -> &'static str {
    if let Some(decision) = decision_of(entry) {
        return decision.verdict.as_str();
    }
    let kind = entry.happened.kind;
    match kind.as_str() {
        "gate_released" => "released_without_human",
        "step_failed" => "refused_release",
        kind => kind,
    }
}

fn path_of(entry: &Entry) -> &'static str {
    decision_of(entry).map_or("log", |decision| path_by(decision.channel))
}

fn path_by(channel: Channel) -> &'static str {
    match channel {
        Channel::Http => "http",
        Channel::Nats => "nats",
    }
}

/// Checks that the audit log has each refused decision once for each reason, and no refusal that matches no call.
pub(super) fn was_refused(history: &WorkflowHistory, audit: &[AuditRecord]) -> Option<String> {
    let id = history.id?;
    let of_us = audit.iter().filter(|record| record.workflow_id == Some(id) && record.action == "refused");
    let refusals: Vec<&AuditRecord> = of_us.collect();
    for call in history.calls.iter().filter(|call| call.response.code == 409) {
        let ClientOperation::Decide { approval_id, decision, channel } = call.operation else { continue };
        if !refusals.iter().any(|record| is_about(record, approval_id, decision, channel)) {
            return Some(format!("{decision} was refused, and the refusal is not in the audit log"));
        }
    }
    let mut reasons = HashSet::new();
    refusals.into_iter().find_map(|record| {
        let is_explained = history.calls.iter().any(|call| match call.operation {
            // Without a response, or with a retryable one, the refusal may have been lost.
            ClientOperation::Decide { approval_id, decision, channel } => {
                call.response.code != 200 && is_about(record, approval_id, decision, channel)
            }
            ClientOperation::Submit
            | ClientOperation::Status
            | ClientOperation::FinalStatus
            | ClientOperation::Cancel
            | ClientOperation::List
            | ClientOperation::Inbox
            | ClientOperation::SignIn
            | ClientOperation::Revoke
            | ClientOperation::Analyze => false,
        });
        let what = record.detail.as_deref().unwrap_or_default();
        if !is_explained {
            return Some(format!("the audit log has a refusal without a call: {what}"));
        }
        (!reasons.insert((record.approval_id, what))).then(|| format!("the audit log has a refusal twice: {what}"))
    })
}

fn is_about(record: &AuditRecord, approval_id: ApprovalId, decision: &str, channel: Channel) -> bool {
    let is_senders = match channel {
        Channel::Http => matches!(record.actor, Actor::User(_)),
        Channel::Nats => matches!(record.actor, Actor::Bot(_)),
    };
    record.approval_id == Some(approval_id)
        && record.path == path_by(channel)
        && is_senders
        && record.detail.as_ref().is_some_and(|detail| detail.starts_with(decision))
}

fn must_be_audited(entry: &Entry) -> bool {
    match entry.happened.kind {
        EventKind::Parked
        | EventKind::GateReleased
        | EventKind::Decided
        | EventKind::Expired
        | EventKind::TimedOut
        | EventKind::Cancelled => true,
        EventKind::StepFailed => entry.happened.actor == Actor::approver(),
        EventKind::Submitted
        | EventKind::Planned
        | EventKind::Generated
        | EventKind::NoGenerator
        | EventKind::Analyzed
        | EventKind::Executed
        | EventKind::Retried => false,
    }
}
