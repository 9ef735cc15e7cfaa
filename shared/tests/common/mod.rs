//! A submission that the tests of the domain start from.

use shared::clock::Timestamp;
use shared::ids::{Digest, UserName, WorkflowId};
use shared::workflow::{Options, SecurityLevel, Submission, Workflow};

pub(crate) const START: Timestamp = Timestamp::from_millis(1_767_225_600_000);

pub(crate) fn options() -> Options {
    Options {
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
    }
}

pub(crate) fn submitted(options: Options) -> Workflow {
    let owner: UserName = "ann".parse().expect("a name");
    let id: WorkflowId = "00000000-0000-4000-8000-000000000001".parse().expect("an id");
    let submission = Submission {
        goal: "a goal of some length".into(),
        code: None,
        current_file: None,
        language: None,
        repo_url: None,
        options,
        request_digest: Digest::of(b"request"),
    };
    Workflow::submitted(id, owner, submission, START)
}
