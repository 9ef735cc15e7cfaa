//! A workflow: its state, its events, and the transition function.

mod artifacts;
mod estimate;
mod event;
mod invocation;
mod metrics;
mod output_file;
mod phase;
mod plan;
mod project;
mod submission;
mod transition;

pub use artifacts::{Action, Artifacts, CodeFile, Content, Ran, RunCommand, RunEnd, TestSummary};
pub use estimate::{Prices, estimated_cost};
pub use event::{Event, EventKind, EventRecord, TestVerdict};
pub use invocation::{
    Invocation, MAX_ARGS, MAX_STDIN_BYTES, MAX_VARIABLES, MAX_WORDS_BYTES, RunInput, variable_problem,
};
pub use metrics::{Metrics, StepUsage};
pub use output_file::{MediaType, OutputFile};
pub use phase::{Failure, Feedback, Lane, NewInput, Phase, PhaseKind, Status};
pub use plan::{Agent, PlanStep, StepStatus, initial_plan};
pub use project::{MAX_PROJECT_BYTES, MAX_PROJECT_FILES, ProjectFile, clashing_path, path_problem};
pub use submission::{DEFAULT_TIMEOUT_SECONDS, Mode, SecurityLevel, Submission, SubmissionOptions, SubmissionPolicy};
pub use transition::{IllegalTransition, MAX_GATES, transition};

use serde::{Deserialize, Serialize};

use crate::Timestamp;
use crate::approval::{ClosedGate, Decision, Gate, Park, Verdict};
use crate::ids::{ApprovalId, Digest, UserName, WorkflowId};

/// The whole state of a workflow after a transition: the payload of every message of the log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Workflow {
    pub id: WorkflowId,
    pub owner: UserName,
    pub submission: Submission,
    pub phase: Phase,
    pub plan: Vec<PlanStep>,
    /// The number of the step that runs or waits, counted from 1; 0 before planning. Never decreases.
    pub current_step: u32,
    /// Rounds of generate-test-repair since the submission or the last human decision, counted from 1.
    pub round: u32,
    pub artifacts: Artifacts,
    pub metrics: Metrics,
    /// Every closed gate, oldest first.
    pub closed_gates: Vec<ClosedGate>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// Start of the current count of the time limit; `None` while parked or ended.
    pub active_since: Option<Timestamp>,
    /// Milliseconds of the time limit used before `active_since`.
    pub active_used_ms: u64,
}

impl Workflow {
    /// Returns the initial state of a submission.
    pub fn submitted(id: WorkflowId, owner: UserName, submission: Submission, at: Timestamp) -> Self {
        let plan = initial_plan(&submission);
        Self {
            id,
            owner,
            submission,
            phase: Phase::Plan,
            plan,
            current_step: 0,
            round: 1,
            artifacts: Artifacts::default(),
            metrics: Metrics::default(),
            closed_gates: Vec::new(),
            created_at: at,
            updated_at: at,
            active_since: Some(at),
            active_used_ms: 0,
        }
    }

    /// Returns the status that clients see.
    pub fn status(&self) -> Status {
        self.phase.status()
    }

    /// Returns the current gate, parked or not.
    pub fn gate(&self) -> Option<&Gate> {
        match &self.phase {
            Phase::Approve { gate } => Some(gate),
            Phase::Plan
            | Phase::Generate { .. }
            | Phase::Analyze
            | Phase::Execute { .. }
            | Phase::Done
            | Phase::Failed { .. }
            | Phase::Cancelled { .. } => None,
        }
    }

    /// Returns the decision that sent the workflow back, if its last gate ended with a request for changes.
    pub fn changes_requested(&self) -> Option<&Decision> {
        let last = self.closed_gates.last()?.decisions.last()?;
        (last.verdict == Verdict::ChangesRequested).then_some(last)
    }

    /// Returns the failure of a failed workflow.
    pub fn failure(&self) -> Option<&Failure> {
        match &self.phase {
            Phase::Failed { failure } => Some(failure),
            Phase::Plan
            | Phase::Generate { .. }
            | Phase::Analyze
            | Phase::Execute { .. }
            | Phase::Approve { .. }
            | Phase::Done
            | Phase::Cancelled { .. } => None,
        }
    }

    /// Every decision with its approval id, oldest first.
    pub fn decisions(&self) -> impl Iterator<Item = (ApprovalId, &Decision)> {
        let closed = self.closed_gates.iter().map(|gate| (gate.approval_id, gate.decisions.as_slice()));
        let open = self.gate().and_then(|gate| gate.park().map(|park| (gate.approval_id, park.decisions.as_slice())));
        closed.chain(open).flat_map(|(id, decisions)| decisions.iter().map(move |decision| (id, decision)))
    }

    /// Returns the open question to humans.
    pub fn park(&self) -> Option<&Park> {
        self.gate().and_then(Gate::park)
    }

    /// Returns the end of the time limit, assuming no further park; `None` while parked or ended.
    pub fn deadline(&self) -> Option<Timestamp> {
        let limit = self.submission.options.timeout();
        let left = limit.saturating_sub(std::time::Duration::from_millis(self.active_used_ms));
        self.active_since.map(|since| since.after(left))
    }

    /// Returns the digest that an approver approves: of everything that would be released.
    pub fn release_digest(&self) -> Digest {
        let parts = self.artifacts.parts(&self.submission);
        Digest::of_parts(parts.iter().map(|(name, digest)| (name.as_str(), digest.as_bytes())))
    }

    /// Returns the command and the input of the caller's own code, for people who decide on it; `None` if other code
    /// runs.
    pub fn run_input(&self) -> Option<RunInput> {
        let command = self.artifacts.run.as_ref().filter(|_| self.artifacts.is_callers_code())?;
        Some(RunInput::of(command, &self.submission))
    }

    /// Returns true if the owner may see the artifacts: after release, or after an end that required no approval.
    pub fn is_released(&self) -> bool {
        match &self.phase {
            Phase::Done => true,
            Phase::Failed { failure } => failure.shows_artifacts() && !self.submission.options.require_approval,
            Phase::Plan
            | Phase::Generate { .. }
            | Phase::Analyze
            | Phase::Execute { .. }
            | Phase::Approve { .. }
            | Phase::Cancelled { .. } => false,
        }
    }

    /// Returns the completed share of the plan's steps in whole per cent.
    pub fn progress_percentage(&self) -> u32 {
        match self.status() {
            Status::Completed => 100,
            Status::Created | Status::Running | Status::WaitingApproval | Status::Failed | Status::Cancelled => {
                let total = u32::try_from(self.plan.len()).unwrap_or(u32::MAX).max(1);
                self.current_step.saturating_sub(1).saturating_mul(100) / total
            }
        }
    }
}
