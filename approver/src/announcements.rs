//! Announcements of open approvals to bots: when a workflow parks, at an interval, and on a bot's request.

use domain::approval::{Stage, lapse_votes};
use domain::identity::User;
use domain::workflow::{Action, Workflow};
use messaging::{Announcement, BucketCache};
use serde_json::json;

/// Returns the announcement of the workflow's open approval; `None` if it is not parked.
pub(crate) fn announcement_of(users: &BucketCache<User>, workflow: &Workflow) -> Option<Announcement> {
    let mut workflow = workflow.clone();
    lapse_votes(&mut workflow, |name| users.get(name.as_str()));
    let (gate, park) = (workflow.gate()?, workflow.park()?);
    let artifacts = &workflow.artifacts;
    let recipes = match &gate.stage {
        Stage::Input { recipes, .. } => recipes.as_slice(),
        Stage::BeforeExecute | Stage::Release => &[],
    };
    Some(Announcement {
        workflow_id: workflow.id,
        approval_id: gate.approval_id,
        approval_type: park.approval_type,
        description: park.description.clone(),
        risk_level: park.risk,
        digest: park.digest,
        context: json!({
            "owner": workflow.owner,
            "goal": workflow.submission.goal,
            "origin": artifacts.origin,
            "files": artifacts.files.iter().map(|file| &file.path).collect::<Vec<_>>(),
            "output_files": artifacts.output_files.iter().map(|file| &file.name).collect::<Vec<_>>(),
            "action": artifacts.done().map(Action::as_str),
            "tests": { "total": artifacts.tests.total, "passed": artifacts.tests.passed },
            "run": artifacts.run_end,
            "input": workflow.run_input(),
            "security_issues_found": workflow.metrics.security_issues_found,
            "approvals_so_far": park.approvals(),
            "recipes": recipes,
        }),
        required_approvers: park.required_approvers,
        expires_at: park.expires_at.to_rfc3339(),
        reply_subject: Announcement::reply_subject_of(workflow.id),
    })
}
