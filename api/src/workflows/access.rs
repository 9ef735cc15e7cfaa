//! Authorization: a workflow that a user may not see does not exist for that user.

use domain::analysis::AnalysisReport;
use domain::approval::{GateOutcome, RiskLevel, is_eligible, may_decide, may_decide_on_result};
use domain::identity::{Role, User};
use domain::ids::{UserName, WorkflowId};
use domain::workflow::{Content, PhaseKind, Submission, Workflow};
use read_model::VersionedWorkflow;

use crate::http::problem::Problem;
use crate::workflows::state::Workflows;
use crate::workflows::unavailable::{blobs_unavailable, log_unavailable};

/// Returns whether `user` may read the workflow: its owner, admins, users who may decide on it, and users who decided
/// and still could.
pub(crate) fn is_visible(workflow: &Workflow, user: &User) -> bool {
    workflow.owner == user.name
        || user.role == Role::Admin
        || may_decide_now(workflow, user)
        || is_eligible(workflow, user) && has_decided(workflow, &user.name)
}

/// Returns whether an approval is open that `user` may decide.
pub(crate) fn may_decide_now(workflow: &Workflow, user: &User) -> bool {
    workflow.park().is_some() && may_decide(workflow, user)
}

/// Returns whether `user` may send a decision, also for a gate about to park or one that others decided meanwhile.
pub(crate) fn may_send_decision(workflow: &Workflow, user: &User) -> bool {
    let was_asked = workflow.closed_gates.iter().any(|gate| gate.outcome != GateOutcome::Released);
    is_visible(workflow, user) || (is_eligible(workflow, user) && (workflow.gate().is_some() || was_asked))
}

fn has_decided(workflow: &Workflow, name: &UserName) -> bool {
    workflow.decisions().any(|(_, decision)| decision.by == *name)
}

/// Returns whether the user has a valid vote at the open gate; a second one would be rejected.
fn has_voted(workflow: &Workflow, name: &UserName) -> bool {
    let votes = workflow.park().into_iter().flat_map(|park| &park.decisions);
    votes.filter(|decision| !decision.lapsed).any(|decision| decision.by == *name)
}

/// Returns whether an approval is open that `user` may decide and has not.
pub(crate) fn awaits_decision_of(workflow: &Workflow, user: &User) -> bool {
    may_decide_now(workflow, user) && !has_voted(workflow, &user.name)
}

/// Returns whether `user` may read the produced artifacts: after release, or to decide on it.
pub(crate) fn sees_artifacts(workflow: &Workflow, user: &User) -> bool {
    is_visible(workflow, user) && (workflow.is_released() || may_decide_now(workflow, user))
}

/// As [`sees_artifacts`], with the submission as accepted: workers write failures, and a forged one could claim that no
/// approval was required. A failed workflow shows no more than a successful one under the operator's policy.
pub(crate) async fn may_show_artifacts(
    workflows: &Workflows,
    workflow: &Workflow,
    user: &User,
) -> Result<bool, Problem> {
    if !sees_artifacts(workflow, user) {
        return Ok(false);
    }
    if workflow.phase.kind() != PhaseKind::Failed {
        return Ok(true);
    }
    let submitted = workflows.log.submission(workflow.id).await.map_err(|error| log_unavailable(&error))?;
    let Some(submission) = submitted.map(|submitted| submitted.workflow.submission) else { return Ok(false) };
    Ok(!submission.options.require_approval
        && !demands_human(workflows, &submission, workflow.artifacts.security_report.as_ref()).await?)
}

/// Returns whether a human may be asked before the result of a workflow is released: by its submission as accepted, or by
/// the operator's present rule for some findings, which a later round may have.
pub(crate) async fn may_be_gated(
    workflows: &Workflows,
    id: WorkflowId,
    demand_human_from: Option<RiskLevel>,
) -> Result<bool, Problem> {
    let submitted = workflows.log.submission(id).await.map_err(|error| log_unavailable(&error))?;
    let Some(submission) = submitted.map(|submitted| submitted.workflow.submission) else { return Ok(true) };
    let demand = demand_human_from.or(submission.policy.demand_human_from);
    Ok(submission.options.may_ask_human() || demand.is_some())
}

/// Returns whether `user` may read the output of a job that runs, as [`sees_artifacts`] of its result: without a gate
/// those who see the workflow, else those of them who may decide on the result.
pub(crate) fn may_watch_output(workflow: &Workflow, user: &User, is_gated: bool) -> bool {
    is_visible(workflow, user) && (!is_gated || may_decide_on_result(workflow, user))
}

/// Returns whether the operator requires a human for these findings. Code without analysis has the highest risk.
async fn demands_human(
    workflows: &Workflows,
    submission: &Submission,
    report: Option<&Content>,
) -> Result<bool, Problem> {
    let Some(from) = submission.policy.demand_human_from else { return Ok(false) };
    let Some(report) = report else { return Ok(true) };
    let text = workflows.blobs.load(report).await.map_err(|error| blobs_unavailable(&error))?;
    let found =
        serde_json::from_str(&text).map_or(RiskLevel::Critical, |report: AnalysisReport| RiskLevel::of(&report));
    Ok(submission.options.risk(found) >= from)
}

/// Parses a workflow id; UUIDs are case-insensitive.
pub(crate) fn parse_workflow_id(text: &str) -> Option<WorkflowId> {
    text.to_ascii_lowercase().parse().ok()
}

/// Returns the workflow if it is visible to the user; 404 otherwise, also for an invalid id.
pub(crate) async fn visible(workflows: &Workflows, user: &User, id: &str) -> Result<VersionedWorkflow, Problem> {
    let id = parse_workflow_id(id).ok_or_else(Problem::workflow_not_found)?;
    let stored = workflows.reader.get(id).await?.ok_or_else(Problem::workflow_not_found)?;
    if is_visible(&stored.workflow, user) { Ok(stored) } else { Err(Problem::workflow_not_found()) }
}

#[cfg(test)]
mod tests {
    use domain::approval::{Channel, Decision, Policy, Verdict};
    use domain::workflow::{Event, transition};

    use super::*;
    use crate::test_fixtures::{START, parked, parked_under, submitted, user};

    #[test]
    fn a_workflow_is_visible_to_its_owner_admins_and_deciders() {
        let (running, parked) = (submitted("ann"), parked("ann"));
        let (ann, eve) = (user("ann", Role::Developer), user("eve", Role::Developer));
        let (bob, root) = (user("bob", Role::Approver), user("root", Role::Admin));
        for (who, sees_running, sees_parked, sees_code) in [
            (&ann, true, true, false),
            (&eve, false, false, false),
            (&bob, false, true, true),
            (&root, true, true, true),
        ] {
            let name = &who.name;
            assert_eq!(is_visible(&running, who), sees_running, "{name}");
            assert_eq!(is_visible(&parked, who), sees_parked, "{name}");
            assert_eq!(sees_artifacts(&parked, who), sees_code, "{name}");
            assert!(!sees_artifacts(&running, who), "{name}");
        }
        let trusted = User { self_approval: true, ..ann };
        assert!(sees_artifacts(&parked, &trusted));
        let disabled = User { disabled: true, ..bob };
        assert!(!is_visible(&parked, &disabled));
    }

    #[test]
    fn output_of_a_running_job_is_for_those_who_could_read_its_result() {
        let running = submitted("ann");
        let ann = user("ann", Role::Developer);
        let trusted = User { self_approval: true, ..ann.clone() };
        let (bob, root) = (user("bob", Role::Approver), user("root", Role::Admin));
        for (who, ungated, gated) in
            [(&ann, true, false), (&trusted, true, true), (&bob, false, false), (&root, true, true)]
        {
            assert_eq!(may_watch_output(&running, who, false), ungated, "{}", who.name);
            assert_eq!(may_watch_output(&running, who, true), gated, "{}", who.name);
        }
    }

    fn decided_by(name: &str, workflow: &Workflow) -> Workflow {
        let decision = Decision {
            verdict: Verdict::Approved,
            by: name.parse().unwrap(),
            channel: Channel::Http,
            on_behalf_of: None,
            comment: None,
            input: None,
            message_id: "m".to_owned(),
            at: START,
            lapsed: false,
        };
        transition(workflow, Event::Decided { decision, lapsed: Vec::new() }, START).unwrap()
    }

    #[test]
    fn voters_keep_access_while_entitled_and_are_asked_once() {
        let two = Policy { two_approvers_from: Some(RiskLevel::Low), ..Policy::default() };
        let asked = parked_under("ann", &two);
        let (bob, carl) = (user("bob", Role::Approver), user("carl", Role::Approver));
        let demoted = User { role: Role::Developer, ..bob.clone() };
        let halfway = decided_by("bob", &asked);
        assert!(
            awaits_decision_of(&asked, &bob)
                && !awaits_decision_of(&halfway, &bob)
                && awaits_decision_of(&halfway, &carl)
        );
        assert!(sees_artifacts(&halfway, &bob), "voters may see the artifacts");
        let released = decided_by("carl", &halfway);
        assert!(released.is_released() && is_visible(&released, &bob) && !is_visible(&halfway, &demoted));
        assert!(!is_visible(&released, &demoted) && !sees_artifacts(&released, &demoted));
    }
}
