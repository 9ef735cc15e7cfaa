//! A workflow that tests start from.

use shared::clock::Timestamp;
use shared::ids::{Digest, WorkflowId};
use shared::workflow::{Options, SecurityLevel, Submission, Workflow};

pub(crate) fn workflow() -> Workflow {
    let options = Options {
        require_approval: true,
        enable_human_loop: true,
        max_iterations: 3,
        timeout_minutes: 30,
        security_level: SecurityLevel::Standard,
        enable_premium_search: false,
        max_agents: 1,
        include_artifacts: true,
        notification_webhook: None,
        gate_before_execute: false,
        budget: 2.0,
    };
    let submission = Submission {
        goal: "a goal of some length".to_owned(),
        code: None,
        current_file: None,
        language: None,
        repo_url: None,
        options,
        request_digest: Digest::of(b"request"),
    };
    let owner = "ann".parse().expect("a name");
    Workflow::submitted(WorkflowId::fresh(), owner, submission, Timestamp::from_millis(0))
}
