//! The plan of a workflow: its past and future steps. Another round adds steps, so that a step's number never
//! decreases.

use serde::{Deserialize, Serialize};

use super::phase::PhaseKind;
use super::submission::Submission;
use crate::Timestamp;

/// The component that executes a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Agent {
    Planner,
    Generator,
    Heimdall,
    Sandbox,
    Approver,
}

impl Agent {
    /// Returns the agent's name in responses.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Planner => "planner",
            Self::Generator => "generator",
            Self::Heimdall => "heimdall",
            Self::Sandbox => "sandbox",
            Self::Approver => "approver",
        }
    }
}

/// The progress of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepStatus {
    Pending,
    Running,
    Completed,
    Failed,
    /// The workflow was cancelled while the step ran or waited.
    Cancelled,
    /// The workflow ended before the step.
    Skipped,
}

/// One step of the plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlanStep {
    pub phase: PhaseKind,
    pub agent: Agent,
    pub description: String,
    pub estimated_seconds: u32,
    pub status: StepStatus,
    pub started_at: Option<Timestamp>,
    pub completed_at: Option<Timestamp>,
    pub error: Option<String>,
}

impl PlanStep {
    fn pending(phase: PhaseKind, description: &str) -> Self {
        let (agent, estimated_seconds) = match phase {
            PhaseKind::Plan => (Agent::Planner, 1),
            PhaseKind::Generate => (Agent::Generator, 2),
            PhaseKind::Analyze => (Agent::Heimdall, 1),
            PhaseKind::Execute => (Agent::Sandbox, 10),
            PhaseKind::Approve | PhaseKind::Done | PhaseKind::Failed | PhaseKind::Cancelled => (Agent::Approver, 1),
        };
        Self {
            phase,
            agent,
            description: description.to_owned(),
            estimated_seconds,
            status: StepStatus::Pending,
            started_at: None,
            completed_at: None,
            error: None,
        }
    }
}

/// Returns the expected steps of a submission that needs no repair.
pub fn initial_plan(submission: &Submission) -> Vec<PlanStep> {
    let mut steps = vec![PlanStep::pending(PhaseKind::Plan, "Plan the work and estimate its cost")];
    steps.extend(round(submission, 1));
    steps.push(PlanStep::pending(PhaseKind::Approve, "Decide on the release of the result"));
    steps
}

/// Returns the steps of one round of generate-test-repair.
fn round(submission: &Submission, number: u32) -> Vec<PlanStep> {
    let options = &submission.options;
    let generate = match (number, submission.has_code()) {
        (1, true) => "Take the code as submitted and prepare its run".to_owned(),
        (1, false) if options.enable_premium_search => {
            "Search for code and write it together with its tests".to_owned()
        }
        (1, false) => "Write the code and its tests".to_owned(),
        (_, true | false) => format!("Work the feedback into the code, round {number}"),
    };
    let mut steps = vec![
        PlanStep::pending(PhaseKind::Generate, &generate),
        PlanStep::pending(PhaseKind::Analyze, "Analyse the code for security, performance and style"),
    ];
    if submission.policy.gate_before_execute {
        steps.push(PlanStep::pending(PhaseKind::Approve, "Decide whether the code may run"));
    }
    steps.push(PlanStep::pending(PhaseKind::Execute, "Run the code in the sandbox and collect its results"));
    if options.max_agents > 1 {
        for step in &mut steps {
            step.estimated_seconds = step.estimated_seconds.div_ceil(options.max_agents.min(4));
        }
    }
    steps
}

/// Advances the plan from the current step to the next step of `phase`; inserts a round if the plan has none left.
///
/// Returns the number of the step that begins, counted from 1. Steps between are marked skipped.
pub(super) fn advance(
    plan: &mut Vec<PlanStep>,
    submission: &Submission,
    current: u32,
    phase: PhaseKind,
    rounds: u32,
    at: Timestamp,
) -> u32 {
    let behind = (current as usize).min(plan.len());
    if let Some(step) = current.checked_sub(1).and_then(|index| plan.get_mut(index as usize)) {
        finish(step, StepStatus::Completed, at);
    }
    if phase == PhaseKind::Generate && current > 1 {
        // The new round replaces steps of the old one that were not reached; the release gate stays last.
        plan.truncate(behind);
        plan.extend(round(submission, rounds));
        plan.push(PlanStep::pending(PhaseKind::Approve, "Decide on the release of the result"));
    } else if phase == PhaseKind::Approve && !plan.iter().skip(behind).any(|step| step.phase == phase) {
        plan.push(PlanStep::pending(PhaseKind::Approve, "Decide on the release of the result"));
    }
    let next = plan.iter().skip(behind).position(|step| step.phase == phase).map_or(behind, |offset| behind + offset);
    for step in plan.iter_mut().take(next).skip(behind) {
        step.status = StepStatus::Skipped;
    }
    if let Some(step) = plan.get_mut(next) {
        step.status = StepStatus::Running;
        step.started_at = Some(at);
    }
    u32::try_from(next + 1).unwrap_or(u32::MAX)
}

/// Ends the plan: the current step with `status`, every later one skipped.
pub(super) fn end(plan: &mut [PlanStep], current: u32, status: StepStatus, error: Option<&str>, at: Timestamp) {
    for (index, step) in plan.iter_mut().enumerate() {
        if step.status == StepStatus::Running || (index + 1 == current as usize && step.status == StepStatus::Pending) {
            finish(step, status, at);
            step.error = error.map(str::to_owned);
        } else if step.status == StepStatus::Pending {
            step.status = StepStatus::Skipped;
        }
    }
}

fn finish(step: &mut PlanStep, status: StepStatus, at: Timestamp) {
    step.status = status;
    step.completed_at = Some(at);
}
