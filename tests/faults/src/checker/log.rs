//! What the log alone has to show of each workflow.

use shared::approval::{GateOutcome, Stage, Verdict};
use shared::messaging::Entry;
use shared::workflow::{EventKind, PhaseKind, Workflow};

/// Exactly one end, and nothing behind it.
pub(super) fn ends(log: &[Entry]) -> Option<String> {
    let ends: Vec<u64> = log.iter().filter(|entry| is_end(entry)).map(|entry| entry.sequence).collect();
    match (ends.as_slice(), log.last()) {
        ([], Some(last)) => Some(format!("it stands at {} and has no end", last.workflow.phase.kind().as_str())),
        ([end], Some(last)) if *end == last.sequence => None,
        ([end], _) => Some(format!("something follows its end at {end}")),
        (ends, _) => Some(format!("it ended {} times, at {ends:?}", ends.len())),
    }
}

pub(super) fn is_end(entry: &Entry) -> bool {
    entry.workflow.phase.kind().is_terminal()
}

/// Each transition goes on from the state before it, and from no older one.
pub(super) fn goes_on(log: &[Entry]) -> Option<String> {
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
pub(super) fn is_approved(log: &[Entry]) -> Option<String> {
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

/// No code ran before somebody agreed.
pub(super) fn ran_with_leave(log: &[Entry]) -> Option<String> {
    let ran = log.iter().filter(|entry| entry.happened.kind == EventKind::Executed);
    let unasked = ran.into_iter().find(|entry| {
        let gates = &entry.workflow.closed_gates;
        !gates.iter().any(|gate| gate.stage == Stage::BeforeExecute && gate.outcome == GateOutcome::Approved)
    });
    unasked.map(|entry| format!("its code ran at {}, and nobody had agreed", entry.sequence))
}
