//! The JSON forms of a workflow.

use std::borrow::Cow;

use domain::Timestamp;
use domain::approval::{Decision, Park, Stage};
use domain::ids::ApprovalId;
use domain::workflow::{Action, Artifacts, PlanStep, StepStatus, Workflow};
use serde_json::{Value, json};

use crate::executions::artifact_contents::CHANGES;

/// Maximum characters of a goal in lists; the workflow's own document has all of it.
const MAX_LISTED_GOAL_CHARS: usize = 1_000;

/// Returns the workflow as its status call shows it.
pub(crate) fn workflow_document(workflow: &Workflow, artifacts: Value, now: Timestamp) -> Value {
    let plan: Vec<Value> = (1..).zip(&workflow.plan).map(|(number, step)| plan_step(number, step)).collect();
    let pending: Vec<Value> = pending_approval(workflow).into_iter().collect();
    json!({
        "workflow_id": workflow.id,
        "goal": workflow.submission.goal,
        "status": workflow.status().as_str(),
        "action": workflow.artifacts.done().map(Action::as_str),
        "runtime": runtime(&workflow.artifacts),
        "current_step": workflow.current_step,
        "total_steps": workflow.plan.len(),
        "progress_percentage": workflow.progress_percentage(),
        "execution_plan": plan,
        "artifacts": artifacts,
        "pending_approvals": pending,
        "metrics": metrics(workflow, now),
        "error": workflow.failure(),
        "created_at": workflow.created_at.to_rfc3339(),
        "updated_at": workflow.updated_at.to_rfc3339(),
    })
}

/// Returns the interpreter that ran the code; the version is null if its sandbox did not report one.
fn runtime(artifacts: &Artifacts) -> Option<Value> {
    artifacts.test_results.as_ref()?;
    Some(json!({"language": artifacts.runtime.as_ref()?, "version": artifacts.runtime_version}))
}

/// Returns the workflow as lists show it.
pub(crate) fn summary(workflow: &Workflow) -> Value {
    json!({
        "workflow_id": workflow.id,
        "owner": workflow.owner,
        "goal": truncated_goal(&workflow.submission.goal),
        "status": workflow.status().as_str(),
        "current_step": workflow.current_step,
        "total_steps": workflow.plan.len(),
        "progress_percentage": workflow.progress_percentage(),
        "total_cost": rounded(workflow.metrics.total_cost),
        "error": workflow.failure(),
        "created_at": workflow.created_at.to_rfc3339(),
        "updated_at": workflow.updated_at.to_rfc3339(),
    })
}

fn truncated_goal(goal: &str) -> Cow<'_, str> {
    match goal.char_indices().nth(MAX_LISTED_GOAL_CHARS) {
        Some((end, _)) => format!("{}…", &goal[..end]).into(),
        None => goal.into(),
    }
}

/// Returns the approval that is open now.
pub(crate) fn pending_approval(workflow: &Workflow) -> Option<Value> {
    let gate = workflow.gate()?;
    let mut question = gate.park().map(|park| approval(gate.approval_id, park))?;
    question["decisions"] = workflow.decisions().map(|(id, decision)| decision_view(id, decision)).collect();
    match &gate.stage {
        Stage::Input { recipes, .. } => question["recipes"] = json!(recipes),
        Stage::BeforeExecute | Stage::Release => {
            let changes = workflow.artifacts.changes.is_some().then_some(CHANGES);
            let paths = workflow.artifacts.files.iter().map(|file| file.path.as_str());
            question["files"] = paths.chain(changes).collect();
            if let Some(run) = workflow.run_input() {
                question["run"] = json!(run);
            }
        }
    }
    Some(question)
}

fn decision_view(approval: ApprovalId, decision: &Decision) -> Value {
    json!({
        "approval_id": approval,
        "decision": decision.verdict.as_str(),
        "by": decision.by,
        "comment": decision.comment,
        "at": decision.at.to_rfc3339(),
    })
}

fn approval(id: ApprovalId, park: &Park) -> Value {
    json!({
        "approval_id": id,
        "approval_type": park.approval_type.as_str(),
        "description": park.description,
        "risk_level": park.risk.as_str(),
        "requested_at": park.requested_at.to_rfc3339(),
        "expires_at": park.expires_at.to_rfc3339(),
        "required_approvers": park.required_approvers,
        "approvals_so_far": park.approvals(),
        "digest": park.digest,
    })
}

fn plan_step(number: u32, step: &PlanStep) -> Value {
    let status = match step.status {
        StepStatus::Pending => "pending",
        StepStatus::Running => "running",
        StepStatus::Completed => "completed",
        StepStatus::Failed => "failed",
        StepStatus::Cancelled => "cancelled",
        StepStatus::Skipped => "skipped",
    };
    json!({
        "step": number,
        "description": step.description,
        "agent": step.agent.as_str(),
        "status": status,
        "started_at": step.started_at.map(Timestamp::to_rfc3339),
        "completed_at": step.completed_at.map(Timestamp::to_rfc3339),
        "error": step.error,
    })
}

fn metrics(workflow: &Workflow, now: Timestamp) -> Value {
    let metrics = &workflow.metrics;
    let seconds = |millis: u64| std::time::Duration::from_millis(millis).as_secs_f64();
    let end = if workflow.status().is_terminal() { workflow.updated_at } else { now };
    json!({
        "total_cost": rounded(metrics.total_cost),
        "steps_completed": metrics.steps_completed,
        "security_issues_found": metrics.security_issues_found,
        "security_issues_resolved": metrics.security_issues_resolved,
        "test_success_rate": workflow.artifacts.tests.success_rate(),
        "duration_seconds": end.since(workflow.created_at).as_secs_f64(),
        "queue_seconds": seconds(metrics.queue_ms),
        "sandbox_seconds": seconds(metrics.sandbox_ms),
        "iterations": metrics.iterations,
    })
}

/// Rounds to a millionth, which removes the noise of float sums.
fn rounded(cost: f64) -> f64 {
    (cost * 1e6).round() / 1e6
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::test_fixtures::{START, cancelled, failed, parked, released, submitted};

    #[test]
    fn a_list_has_the_beginning_of_a_long_goal() {
        let mut workflow = submitted("ann");
        workflow.submission.goal = "é".repeat(1_000);
        assert_eq!(summary(&workflow)["goal"], workflow.submission.goal);
        workflow.submission.goal.push('x');
        assert_eq!(summary(&workflow)["goal"], format!("{}…", "é".repeat(1_000)));
        assert_eq!(workflow_document(&workflow, json!({}), START)["goal"], workflow.submission.goal);
    }

    #[test]
    fn a_workflow_is_shown_in_the_contracts_form() {
        let now = START.after(Duration::from_secs(60));
        let artifacts = json!({"generated_code": "code"});
        let shown = [submitted("ann"), parked("ann"), released("ann"), failed("ann"), cancelled("ann")]
            .map(|workflow| workflow_document(&workflow, artifacts.clone(), now));
        insta::assert_json_snapshot!(shown);
    }
}
