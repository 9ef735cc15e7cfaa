//! Users and submissions that the tests of every crate start from; only built with the feature `samples`.

use crate::clock::Timestamp;
use crate::identity::{Role, User};
use crate::ids::{Digest, UserName, WorkflowId};
use crate::workflow::{Mode, Options, SecurityLevel, Submission, Workflow};

/// When every sample begins.
pub const START: Timestamp = Timestamp::from_millis(1_769_860_800_000);

/// What a caller gets who chose nothing.
pub fn options() -> Options {
    Options {
        mode: Mode::Auto,
        recipe: None,
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
        demand_human_from: None,
        budget: 2.0,
    }
}

/// A workflow as it is accepted, always under the same id.
///
/// # Panics
/// Where `owner` is no user's name.
pub fn submitted(owner: &str, options: Options) -> Workflow {
    let submission = Submission {
        goal: "Write a function that adds numbers".to_owned(),
        code: None,
        current_file: None,
        language: Some("python".to_owned()),
        repo_url: None,
        options,
        request_digest: Digest::of(b"request"),
    };
    let id: WorkflowId = "018f3a52-61d7-7b0e-9a54-2f0f51c7a9d3".parse().expect("an id");
    Workflow::submitted(id, name(owner), submission, START)
}

/// A person who may not decide on their own work.
///
/// # Panics
/// Where `text` is no user's name.
pub fn user(text: &str, role: Role) -> User {
    User::new(name(text), role, START)
}

fn name(text: &str) -> UserName {
    text.parse().expect("a name")
}
