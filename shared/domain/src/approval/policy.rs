//! The operator's policy: whether a gate parks, for how long, and how many approvals it requires. Pure.

use std::time::Duration;

use super::gate::{ApprovalType, GateOutcome, OnExpiry, Park, RiskLevel, Stage};
use crate::Timestamp;
use crate::workflow::{Action, Artifacts, Workflow};

/// The operator's rules for every workflow.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    /// A human must approve from this risk on, regardless of the caller's options; `None` leaves it to the caller.
    pub demand_human_from: Option<RiskLevel>,
    /// Every workflow has a gate before its code runs.
    pub gate_before_execute: bool,
    /// Two must approve from this risk on.
    pub two_approvers_from: Option<RiskLevel>,
    /// The lifetime of a question.
    pub expiry: Duration,
    /// Releases on expiry if no operator rule requires a human and analysis found nothing critical; off by default.
    pub release_on_expiry: bool,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            demand_human_from: None,
            gate_before_execute: false,
            two_approvers_from: None,
            expiry: Duration::from_secs(24 * 3600),
            release_on_expiry: false,
        }
    }
}

/// The policy's verdict on a gate.
#[derive(Debug, Clone, PartialEq)]
pub enum GateDecision {
    /// No human is asked, for this reason.
    Release { reason: &'static str },
    /// This question is opened.
    Park(Box<Park>),
    /// A human must approve, but the caller forbade asking one.
    ApprovalRequired,
    /// Approval before the run was required, and the code ran without it.
    ExecutedWithoutApproval,
}

/// The risk and the rule for which a gate parks.
struct Asked {
    risk: RiskLevel,
    /// An operator rule requires a human, not only the caller.
    demanded: bool,
}

impl Policy {
    /// Judges the pending gate of `workflow`, given the worst risk that analysis found.
    ///
    /// Applies the operator's rules at submission as well as the current ones. `None` if the workflow is at no gate, or
    /// at a parked one.
    pub fn rule(&self, workflow: &Workflow, found: RiskLevel, at: Timestamp) -> Option<GateDecision> {
        let gate = workflow.gate().filter(|gate| gate.park().is_none())?;
        let options = &workflow.submission.options;
        let risk = options.risk(found);
        let demand = self.demand_human_from.into_iter().chain(workflow.submission.policy.demand_human_from).min();
        let is_risky = demand.is_some_and(|from| risk >= from);
        let (demanded, asked) = match &gate.stage {
            Stage::Input { .. } => (is_risky, true),
            Stage::Release if !self.was_execution_approved(workflow) => {
                return Some(GateDecision::ExecutedWithoutApproval);
            }
            Stage::Release => (is_risky, options.require_approval),
            // Such a gate exists only if the operator of the API requires it, whatever the settings of this process
            // are.
            Stage::BeforeExecute => (true, true),
        };
        Some(match (demanded, asked) {
            (true, true | false) if !options.enable_human_loop => GateDecision::ApprovalRequired,
            (true, true | false) => self.park(workflow, &gate.stage, Asked { risk, demanded }, at),
            (false, true) if options.enable_human_loop => {
                self.park(workflow, &gate.stage, Asked { risk, demanded }, at)
            }
            (false, true) => GateDecision::Release { reason: "the caller switched the human loop off" },
            (false, false) => GateDecision::Release { reason: "the caller asked for no approval" },
        })
    }

    /// Returns whether the last run was approved at a gate, if that is required.
    fn was_execution_approved(&self, workflow: &Workflow) -> bool {
        let is_demanded = self.gate_before_execute || workflow.submission.policy.gate_before_execute;
        let last = workflow.closed_gates.last();
        !is_demanded
            || last.is_some_and(|gate| gate.stage == Stage::BeforeExecute && gate.outcome == GateOutcome::Approved)
    }

    fn park(&self, workflow: &Workflow, stage: &Stage, Asked { risk, demanded }: Asked, at: Timestamp) -> GateDecision {
        let approval_type = match stage {
            Stage::Input { .. } => ApprovalType::NeedsInput,
            Stage::BeforeExecute => ApprovalType::CodeExecution,
            Stage::Release if risk == RiskLevel::Critical => ApprovalType::SecurityOverride,
            Stage::Release => ApprovalType::CodeDeployment,
        };
        let two = self.two_approvers_from.is_some_and(|from| risk >= from);
        let required_approvers = if two && approval_type != ApprovalType::NeedsInput { 2 } else { 1 };
        let silence_releases = self.release_on_expiry
            && approval_type == ApprovalType::CodeDeployment
            && !demanded
            && required_approvers == 1;
        GateDecision::Park(Box::new(Park {
            approval_type,
            description: describe(workflow, stage),
            risk,
            requested_at: at,
            expires_at: at.after(self.expiry),
            required_approvers,
            digest: workflow.release_digest(),
            decisions: Vec::new(),
            on_expiry: if silence_releases { OnExpiry::Release } else { OnExpiry::Fail },
        }))
    }
}

fn describe(workflow: &Workflow, stage: &Stage) -> String {
    let artifacts = &workflow.artifacts;
    let origin = artifacts.origin.as_deref().unwrap_or("nothing yet");
    match stage {
        Stage::Input { hint, .. } => format!("{} {hint}", why_input_is_needed(workflow)),
        Stage::BeforeExecute => format!("May this code ({origin}) run in the sandbox?"),
        Stage::Release => {
            let (work, evidence, files) = (work_done(artifacts), artifacts.evidence(), output_files(artifacts));
            format!("May this result ({origin}) be released? {work}: {evidence}{files}.")
        }
    }
}

/// Counts the files that the run left; their names are the job's, and are left to the artifacts.
fn output_files(artifacts: &Artifacts) -> String {
    match artifacts.output_files.len() {
        0 => String::new(),
        1 => ", 1 output file".to_owned(),
        count => format!(", {count} output files"),
    }
}

/// Describes the work of which the result is to be released.
fn work_done(artifacts: &Artifacts) -> &'static str {
    match artifacts.done() {
        Some(Action::Ran) => "Ran the given code",
        Some(Action::Tested) if artifacts.run_end.is_some_and(|end| !end.has_tests) => {
            "Looked for tests in the given code"
        }
        Some(Action::Tested) => "Ran the tests of the given code",
        Some(Action::TestsWritten) => "Wrote tests for the given code and ran them",
        Some(Action::Generated) => "Generated code and ran it",
        Some(Action::Changed) => "Changed the given code and ran it",
        Some(Action::Documented) => "Documented the given code and ran it",
        Some(Action::Explained) => "Explained the given code and ran it",
        None => "Ran the code",
    }
}

fn why_input_is_needed(workflow: &Workflow) -> String {
    match workflow.changes_requested().map(|decision| decision.comment.as_deref()) {
        Some(Some(comment)) => format!("Changes were requested: \"{comment}\"."),
        Some(None) => "Changes were requested, without a comment.".to_owned(),
        None => "No generator can serve this goal.".to_owned(),
    }
}
