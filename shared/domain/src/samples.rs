//! Users and submissions for the tests of all crates; only built with the feature `samples`.

use crate::Timestamp;
use crate::identity::{Role, User};
use crate::ids::{Digest, UserName, WorkflowId};
use crate::workflow::{
    DEFAULT_TIMEOUT_SECONDS, Mode, SecurityLevel, Submission, SubmissionOptions, SubmissionPolicy, Workflow,
};

/// The creation time of every sample.
pub const START: Timestamp = Timestamp::from_millis(1_769_860_800_000);

/// Returns the options of a request without options.
pub fn options() -> SubmissionOptions {
    SubmissionOptions {
        mode: Mode::Auto,
        recipe: None,
        require_approval: true,
        enable_human_loop: true,
        max_iterations: 3,
        timeout_minutes: 30,
        timeout_seconds: DEFAULT_TIMEOUT_SECONDS,
        security_level: SecurityLevel::Standard,
        enable_premium_search: false,
        max_agents: 1,
        include_artifacts: true,
        notification_webhook: None,
    }
}

/// Returns the policy of an operator without settings.
pub const fn policy() -> SubmissionPolicy {
    SubmissionPolicy { gate_before_execute: false, demand_human_from: None, budget: 2.0 }
}

/// Returns a workflow as accepted, always with the same id.
///
/// # Panics
/// If `owner` is not a valid user name.
pub fn submitted(owner: &str, options: SubmissionOptions) -> Workflow {
    let submission = Submission {
        goal: "Write a function that adds numbers".to_owned(),
        code: None,
        files: Vec::new(),
        entry: None,
        current_file: None,
        language: Some("python".to_owned()),
        repo_url: None,
        stdin: None,
        invocation: None,
        options,
        policy: policy(),
        request_digest: Digest::of(b"request"),
    };
    let id: WorkflowId = "018f3a52-61d7-7b0e-9a54-2f0f51c7a9d3".parse().expect("an id");
    Workflow::submitted(id, name(owner), submission, START)
}

/// Returns a person who may not decide on their own work.
///
/// # Panics
/// If `text` is not a valid user name.
pub fn user(text: &str, role: Role) -> User {
    User::new(name(text), role, START)
}

fn name(text: &str) -> UserName {
    text.parse().expect("a name")
}
