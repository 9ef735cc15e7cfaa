//! Checks of each workflow that need only the log.

use domain::approval::{GateOutcome, Stage, Verdict};
use domain::workflow::{EventKind, PhaseKind, Workflow};
use messaging::Entry;

/// Checks that there is exactly one end and no entry after it.
pub(super) fn ends(log: &[Entry]) -> Option<String> {
    let ends: Vec<u64> = log.iter().filter(|entry| is_end(entry)).map(|entry| entry.sequence).collect();
    match (ends.as_slice(), log.last()) {
        ([], Some(last)) => Some(format!("it is at {} and has no end", last.workflow.phase.kind().as_str())),
        ([end], Some(last)) if *end == last.sequence => None,
        ([end], _) => Some(format!("an entry follows its end at {end}")),
        (ends, _) => Some(format!("it ended {} times, at {ends:?}", ends.len())),
    }
}

pub(super) fn is_end(entry: &Entry) -> bool {
    entry.workflow.phase.kind().is_terminal()
}

/// Checks that each transition follows from the entry before it.
pub(super) fn continues(log: &[Entry]) -> Option<String> {
    let first = log.first()?;
    if first.happened.kind != EventKind::Submitted {
        return Some(format!("its first transition is {}", first.happened.kind.as_str()));
    }
    log.windows(2).find_map(|pair| {
        let [before, after] = pair else { return None };
        let wrong = mismatch(&before.workflow, after)?;
        let kind = after.happened.kind.as_str();
        Some(format!("{kind} at {} does not follow from {}: {wrong}", after.sequence, before.sequence))
    })
}

/// Returns the reason why `after` cannot follow from `before`.
fn mismatch(before: &Workflow, after: &Entry) -> Option<String> {
    let (next, kind) = (&after.workflow, after.happened.kind);
    if !may_happen(kind, before) {
        return Some(format!("the workflow was at {}", before.phase.kind().as_str()));
    }
    if next.submission != before.submission || next.owner != before.owner || next.created_at != before.created_at {
        return Some("the submission differs".to_owned());
    }
    let gates = (before.closed_gates.len(), next.closed_gates.len());
    if !next.closed_gates.starts_with(&before.closed_gates) || gates.1 > gates.0 + 1 {
        return Some("it lost a closed gate or closed two".to_owned());
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

/// Returns whether the transition passed a gate, which counts as a step.
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

/// Checks that a result which needs approval is released with the approved digest.
pub(super) fn is_approved(log: &[Entry]) -> Option<String> {
    let done = log.iter().find(|entry| entry.workflow.phase.kind() == PhaseKind::Done)?;
    let workflow = &done.workflow;
    if !workflow.submission.options.require_approval {
        return None;
    }
    let Some(gate) = workflow.closed_gates.last() else {
        return Some("released without a closed gate".to_owned());
    };
    let said = gate.decisions.iter().any(|decision| decision.verdict == Verdict::Approved);
    if gate.outcome != GateOutcome::Approved || !said {
        return Some(format!("released although its gate is {:?}", gate.outcome));
    }
    (gate.digest != Some(workflow.release_digest())).then(|| "the released digest is not the approved one".to_owned())
}

/// Checks that no code ran before it was approved.
pub(super) fn ran_after_approval(log: &[Entry]) -> Option<String> {
    let ran = log.iter().filter(|entry| entry.happened.kind == EventKind::Executed);
    let unasked = ran.into_iter().find(|entry| {
        let gates = &entry.workflow.closed_gates;
        !gates.iter().any(|gate| gate.stage == Stage::BeforeExecute && gate.outcome == GateOutcome::Approved)
    });
    unasked.map(|entry| format!("its code ran at {} without approval", entry.sequence))
}
