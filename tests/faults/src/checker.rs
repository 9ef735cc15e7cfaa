//! Decides from the client's history and the log whether the invariants held. Pure.

use std::collections::{BTreeMap, HashSet};
use std::fmt::Write;
use std::time::Duration;

use shared::approval::{Actor, GateOutcome, Verdict};
use shared::ids::WorkflowId;
use shared::messaging::{AuditRecord, Entry};
use shared::workflow::{EventKind, PhaseKind, Status, Workflow};

use crate::evidence::Evidence;
use crate::history::{Asked, Call, Story, Wish};

/// Progress must resume so soon after a fault's end.
pub const RECOVERY: Duration = Duration::from_secs(30);

/// What the design promises, as far as it shows from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Invariant {
    EndsOnce,
    NoStaleCommit,
    NothingUnapproved,
    ViewEqualsLog,
    NoLeftovers,
    Progress,
    AuditComplete,
    Notified,
}

impl Invariant {
    /// Every invariant.
    pub const ALL: [Self; 8] = [
        Self::EndsOnce,
        Self::NoStaleCommit,
        Self::NothingUnapproved,
        Self::ViewEqualsLog,
        Self::NoLeftovers,
        Self::Progress,
        Self::AuditComplete,
        Self::Notified,
    ];

    /// A few words for a table's head.
    pub const fn name(self) -> &'static str {
        match self {
            Self::EndsOnce => "ends once",
            Self::NoStaleCommit => "no stale",
            Self::NothingUnapproved => "approved",
            Self::ViewEqualsLog => "view=log",
            Self::NoLeftovers => "no litter",
            Self::Progress => "progress",
            Self::AuditComplete => "audited",
            Self::Notified => "notified",
        }
    }
}

/// An invariant that did not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    pub invariant: Invariant,
    pub workflow: Option<WorkflowId>,
    pub what: String,
}

/// Every violation, the workflows' own first.
pub fn check(stories: &[Story], evidence: &Evidence) -> Vec<Violation> {
    let mut found = Vec::new();
    for (id, log) in &evidence.logs {
        let complaints = [
            (Invariant::EndsOnce, ends(log)),
            (Invariant::NoStaleCommit, goes_on(log)),
            (Invariant::NothingUnapproved, is_approved(log)),
        ];
        for (invariant, complaint) in complaints {
            found.extend(complaint.map(|what| Violation { invariant, workflow: Some(*id), what }));
        }
    }
    for story in stories {
        let log = story.id.and_then(|id| evidence.logs.get(&id)).map(Vec::as_slice).unwrap_or_default();
        for (invariant, complaint) in [
            (Invariant::EndsOnce, was_kept(story, log)),
            (Invariant::NothingUnapproved, was_obeyed(story, log)),
            (Invariant::AuditComplete, evidence.audit.as_ref().ok().and_then(|audit| was_refused(story, audit))),
        ] {
            found.extend(complaint.map(|what| Violation { invariant, workflow: story.id, what }));
        }
    }
    let mut whole = |invariant, complaints: Vec<String>| {
        found.extend(complaints.into_iter().map(|what| Violation { invariant, workflow: None, what }));
    };
    whole(Invariant::ViewEqualsLog, evidence.differences.clone());
    whole(Invariant::NoLeftovers, evidence.leftovers.clone());
    whole(Invariant::Notified, unnotified(&evidence.logs, &evidence.notified));
    whole(Invariant::Progress, late(evidence.recovery).into_iter().collect());
    match &evidence.audit {
        Ok(records) => whole(Invariant::AuditComplete, unaudited(&evidence.logs, records)),
        Err(reason) => whole(Invariant::AuditComplete, vec![reason.clone()]),
    }
    found
}

fn late(recovery: Option<Duration>) -> Option<String> {
    match recovery {
        Some(recovery) if recovery <= RECOVERY => None,
        Some(recovery) => Some(format!("a fresh workflow took {recovery:.1?} after the fault's end")),
        None => Some("a fresh workflow did not end after the fault's end".to_owned()),
    }
}

/// Exactly one end, and nothing behind it.
fn ends(log: &[Entry]) -> Option<String> {
    let ends: Vec<u64> = log.iter().filter(|entry| is_end(entry)).map(|entry| entry.sequence).collect();
    match (ends.as_slice(), log.last()) {
        ([], Some(last)) => Some(format!("it stands at {} and has no end", last.workflow.phase.kind().as_str())),
        ([end], Some(last)) if *end == last.sequence => None,
        ([end], _) => Some(format!("something follows its end at {end}")),
        (ends, _) => Some(format!("it ended {} times, at {ends:?}", ends.len())),
    }
}

fn is_end(entry: &Entry) -> bool {
    entry.workflow.phase.kind().is_terminal()
}

/// Each transition goes on from the state before it, and from no older one.
fn goes_on(log: &[Entry]) -> Option<String> {
    let first = log.first()?;
    if first.happened.kind != EventKind::Submitted {
        return Some(format!("its first transition is {}", first.happened.kind.as_str()));
    }
    log.windows(2).find_map(|pair| {
        let [before, after] = pair else { return None };
        let wrong = breaks(&before.workflow, after)?;
        let kind = after.happened.kind.as_str();
        Some(format!("{kind} at {} does not go on from {}: {wrong}", after.sequence, before.sequence))
    })
}

/// Why `after` cannot be what happened to `before`.
fn breaks(before: &Workflow, after: &Entry) -> Option<String> {
    let (next, kind) = (&after.workflow, after.happened.kind);
    if !may_happen(kind, before) {
        return Some(format!("the workflow stood at {}", before.phase.kind().as_str()));
    }
    if next.submission != before.submission || next.owner != before.owner || next.created_at != before.created_at {
        return Some("it is another submission".to_owned());
    }
    let gates = (before.closed_gates.len(), next.closed_gates.len());
    if !next.closed_gates.starts_with(&before.closed_gates) || gates.1 > gates.0 + 1 {
        return Some("it forgets a gate, or shuts two".to_owned());
    }
    let generated = u32::from(kind == EventKind::Generated);
    if next.metrics.iterations != before.metrics.iterations + generated {
        return Some(format!("its iterations went from {} to {}", before.metrics.iterations, next.metrics.iterations));
    }
    let steps = before.metrics.steps_completed + u32::from(ends_step(kind)) + u32::from(opens_gate(kind, next, gates));
    if next.metrics.steps_completed != steps {
        return Some(format!(
            "its completed steps went from {} to {}",
            before.metrics.steps_completed, next.metrics.steps_completed
        ));
    }
    None
}

fn may_happen(kind: EventKind, before: &Workflow) -> bool {
    let (phase, is_parked) = (before.phase.kind(), before.park().is_some());
    match kind {
        EventKind::Submitted => false,
        EventKind::Planned => phase == PhaseKind::Plan,
        EventKind::Generated | EventKind::NoGenerator => phase == PhaseKind::Generate,
        EventKind::Analyzed => phase == PhaseKind::Analyze,
        EventKind::Executed => phase == PhaseKind::Execute,
        EventKind::GateReleased | EventKind::Parked => phase == PhaseKind::Approve && !is_parked,
        EventKind::Decided | EventKind::Expired => is_parked,
        EventKind::StepFailed | EventKind::TimedOut | EventKind::Cancelled | EventKind::Retried => !phase.is_terminal(),
    }
}

fn ends_step(kind: EventKind) -> bool {
    matches!(
        kind,
        EventKind::Planned | EventKind::Generated | EventKind::NoGenerator | EventKind::Analyzed | EventKind::Executed
    )
}

/// Whether the transition went on behind a gate, which counts as a step.
fn opens_gate(kind: EventKind, next: &Workflow, gates: (usize, usize)) -> bool {
    let outcome = next.closed_gates.last().filter(|_| gates.1 > gates.0).map(|gate| gate.outcome);
    match outcome {
        Some(GateOutcome::Released | GateOutcome::Approved) => true,
        Some(GateOutcome::Expired) => next.phase.kind() != PhaseKind::Failed,
        Some(GateOutcome::Rejected | GateOutcome::ChangesRequested | GateOutcome::Abandoned) | None => {
            kind == EventKind::GateReleased
        }
    }
}

/// What was to be approved is released only as what was approved.
fn is_approved(log: &[Entry]) -> Option<String> {
    let done = log.iter().find(|entry| entry.workflow.phase.kind() == PhaseKind::Done)?;
    let workflow = &done.workflow;
    if !workflow.submission.options.require_approval {
        return None;
    }
    let Some(gate) = workflow.closed_gates.last() else {
        return Some("released, and no gate was ever shut".to_owned());
    };
    let said = gate.decisions.iter().any(|decision| decision.verdict == Verdict::Approved);
    if gate.outcome != GateOutcome::Approved || !said {
        return Some(format!("released although its gate was left as {:?}", gate.outcome));
    }
    (gate.digest != Some(workflow.release_digest())).then(|| "released is not what was approved".to_owned())
}

/// What was accepted is in the log under one id, and the client saw the log's end and no other.
fn was_kept(story: &Story, log: &[Entry]) -> Option<String> {
    let id = story.id?;
    if log.is_empty() {
        return Some("it was accepted and is not in the log".to_owned());
    }
    let is_look = |call: &&Call| call.asked == Asked::Status;
    if story.calls.iter().filter(is_look).any(|call| call.answered.code == 404) {
        return Some("it was accepted, and a look at it found nothing".to_owned());
    }
    if let Some(other) = story.other_ids.iter().find(|other| **other != id) {
        return Some(format!("the same key was accepted a second time, as {other}"));
    }
    let ended = &log.iter().find(|entry| is_end(entry))?.workflow;
    // Nobody asked for another end than a good one. A step that was killed in each of its attempts had to be given up.
    if let Some(failure) = ended.failure()
        && story.wish == Wish::Run
        && failure.code != "attempts_exhausted"
    {
        return Some(format!("it was to be completed, and failed: {}", failure.code));
    }
    let end = ended.status();
    let shown = || story.calls.iter().filter(is_look).filter(|call| call.answered.code == 200);
    if let Some(other) = shown().filter_map(shown_end).find(|shown| *shown != end) {
        return Some(format!("the client saw that it {}, the log says {}", other.as_str(), end.as_str()));
    }
    let after = shown().skip_while(|call| shown_end(call).is_none()).find(|call| shown_end(call).is_none())?;
    Some(format!("the client saw its end, and later that it was {}", after.answered.words))
}

fn shown_end(call: &Call) -> Option<Status> {
    let ends = [Status::Completed, Status::Failed, Status::Cancelled];
    ends.into_iter().find(|end| call.answered.words.split(' ').next() == Some(end.as_str()))
}

/// What the client was told of its cancels and decisions is so, and nothing was released that it did not approve.
fn was_obeyed(story: &Story, log: &[Entry]) -> Option<String> {
    let end = log.iter().find(|entry| is_end(entry))?;
    let status = end.workflow.status();
    let told = |wanted: &dyn Fn(&Asked) -> bool| {
        story.calls.iter().any(|call| call.answered.code == 200 && wanted(&call.asked))
    };
    if told(&|asked| *asked == Asked::Cancel) && status != Status::Cancelled {
        return Some(format!("its cancel was answered, and it {}", status.as_str()));
    }
    if told(&|asked| matches!(asked, Asked::Decide { decision: "rejected", .. })) && status != Status::Failed {
        return Some(format!("its rejection was answered, and it {}", status.as_str()));
    }
    for call in story.calls.iter().filter(|call| call.answered.code == 200) {
        if let Asked::Decide { approval_id, decision } = &call.asked {
            let gate = end.workflow.closed_gates.iter().find(|gate| gate.approval_id == *approval_id);
            let counts = gate.is_some_and(|gate| gate.decisions.iter().any(|said| said.verdict.as_str() == *decision));
            if !counts {
                return Some(format!("its decision {decision} was answered and is not in the log"));
            }
        }
    }
    let asked = story.calls.iter().any(|call| matches!(call.asked, Asked::Decide { decision: "approved", .. }));
    let needed = end.workflow.submission.options.require_approval;
    (status == Status::Completed && needed && !asked).then(|| "released, and the client never approved".to_owned())
}

/// Every decision that was refused with a conflict is in the audit log.
fn was_refused(story: &Story, audit: &[AuditRecord]) -> Option<String> {
    let refused =
        story.calls.iter().find(|call| call.answered.code == 409 && matches!(call.asked, Asked::Decide { .. }));
    refused?;
    let is_recorded = audit.iter().any(|record| record.workflow_id == story.id && record.action == "refused");
    (!is_recorded).then(|| "a decision was refused, and the audit log does not know".to_owned())
}

/// Ended workflows whose caller wanted to hear of it and did not.
pub fn unnotified(logs: &BTreeMap<WorkflowId, Vec<Entry>>, notified: &HashSet<WorkflowId>) -> Vec<String> {
    let ended = logs.iter().filter(|(_, log)| log.last().is_some_and(is_end));
    let wanted = ended.filter(|(_, log)| log[0].workflow.submission.options.notification_webhook.is_some());
    wanted
        .filter(|(id, _)| !notified.contains(id))
        .map(|(id, _)| format!("nobody was told of the end of {id}"))
        .collect()
}

/// Transitions that someone may have to answer for and that the audit log does not know.
pub fn unaudited(logs: &BTreeMap<WorkflowId, Vec<Entry>>, audit: &[AuditRecord]) -> Vec<String> {
    let known: HashSet<&str> = audit.iter().map(|record| record.key.as_str()).collect();
    let entries = logs.values().flatten().filter(|entry| must_be_audited(entry));
    entries
        .filter(|entry| !known.contains(format!("transition-{}", entry.sequence).as_str()))
        .map(|entry| format!("{} at {} is not in the audit log", entry.happened.kind.as_str(), entry.sequence))
        .collect()
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

/// The violation with everything that the client and the log know of its workflow.
pub fn tell(violation: &Violation, stories: &[Story], evidence: &Evidence) -> String {
    let mut text = format!("{}: {}\n", violation.invariant.name(), violation.what);
    let Some(id) = violation.workflow else { return text };
    let story = stories.iter().find(|story| story.id == Some(id));
    // Writing into a text never fails.
    writeln!(text, "  workflow {id}, wish {:?}", story.map(|story| story.wish)).ok();
    for call in story.iter().flat_map(|story| &story.calls) {
        let Call { from_ms, to_ms, asked, answered } = call;
        writeln!(text, "  client {from_ms:>7}..{to_ms:<7} ms {asked:?} -> {} {}", answered.code, answered.words).ok();
    }
    for entry in evidence.logs.get(&id).into_iter().flatten() {
        let (happened, workflow) = (&entry.happened, &entry.workflow);
        let (kind, phase) = (happened.kind.as_str(), workflow.phase.kind().as_str());
        let line = format!("{} {kind} -> {phase}, by {}", happened.at, happened.actor);
        writeln!(text, "  log {:>7} {line}, {} steps", entry.sequence, workflow.metrics.steps_completed).ok();
    }
    text
}
