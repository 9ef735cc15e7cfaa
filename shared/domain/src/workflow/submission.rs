//! A validated submission: fixed at the first append, never changed later.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::artifacts::Content;
use super::project::ProjectFile;
use crate::approval::RiskLevel;
use crate::ids::Digest;

/// The level of isolation between sandbox jobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SecurityLevel {
    Strict,
    #[default]
    Standard,
    Permissive,
}

/// The requested work; derived from the goal if [`Mode::Auto`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    #[default]
    Auto,
    Run,
    Test,
    WriteTests,
    Change,
    Document,
    Explain,
    Generate,
}

impl Mode {
    /// Every mode, with its name in requests.
    pub const ALL: [(&'static str, Self); 8] = [
        ("auto", Self::Auto),
        ("run", Self::Run),
        ("test", Self::Test),
        ("write_tests", Self::WriteTests),
        ("change", Self::Change),
        ("document", Self::Document),
        ("explain", Self::Explain),
        ("generate", Self::Generate),
    ];
}

/// The caller's choices.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SubmissionOptions {
    #[serde(default)]
    pub mode: Mode,
    /// The recipe to use, regardless of the goal.
    #[serde(default)]
    pub recipe: Option<String>,
    pub require_approval: bool,
    pub enable_human_loop: bool,
    /// 1..=10.
    pub max_iterations: u32,
    /// 1..=120; parked time is not counted.
    pub timeout_minutes: u32,
    /// 1..=7200; limits one run of the code, within the workflow's limit.
    #[serde(default = "default_timeout_seconds")]
    pub timeout_seconds: u32,
    pub security_level: SecurityLevel,
    pub enable_premium_search: bool,
    /// 1..=8.
    pub max_agents: u32,
    pub include_artifacts: bool,
    pub notification_webhook: Option<String>,
}

/// The operator's policy at the time of the submission, which applies to its workflow until the end.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SubmissionPolicy {
    /// A gate precedes the run.
    pub gate_before_execute: bool,
    /// From this risk on a human must approve the result.
    #[serde(default)]
    pub demand_human_from: Option<RiskLevel>,
    /// The cost at which the workflow fails, in the unit of `metrics.total_cost`.
    pub budget: f64,
}

/// The limit of one run in seconds if the caller sets none.
pub const DEFAULT_TIMEOUT_SECONDS: u32 = 60;

const fn default_timeout_seconds() -> u32 {
    DEFAULT_TIMEOUT_SECONDS
}

impl SubmissionOptions {
    /// The time limit of one run of the code.
    pub fn run_timeout(&self) -> Duration {
        Duration::from_secs(u64::from(self.timeout_seconds))
    }

    /// The time limit of the whole workflow.
    pub fn timeout(&self) -> Duration {
        Duration::from_secs(u64::from(self.timeout_minutes) * 60)
    }

    /// Returns the risk shown to approvers, given the worst finding: the permissive level raises the minimum risk to
    /// medium.
    pub fn risk(&self, found: RiskLevel) -> RiskLevel {
        match self.security_level {
            SecurityLevel::Permissive => found.max(RiskLevel::Medium),
            SecurityLevel::Strict | SecurityLevel::Standard => found,
        }
    }

    /// Returns true if the caller permits asking a human.
    pub fn may_ask_human(&self) -> bool {
        self.require_approval && self.enable_human_loop
    }
}

/// A validated submission.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "StoredSubmission")]
pub struct Submission {
    pub goal: String,
    pub code: Option<Content>,
    /// Several files in place of `code`.
    pub files: Vec<ProjectFile>,
    /// Path of the file to run, among `files`.
    pub entry: Option<String>,
    pub current_file: Option<String>,
    pub language: Option<String>,
    pub repo_url: Option<String>,
    /// The whole stdin of the run.
    pub stdin: Option<Content>,
    /// An [`Invocation`] as JSON.
    ///
    /// [`Invocation`]: super::Invocation
    pub invocation: Option<Content>,
    pub options: SubmissionOptions,
    pub policy: SubmissionPolicy,
    /// Digest of the request's body: distinguishes a repeated `Idempotency-Key` from a reused one.
    pub request_digest: Digest,
}

impl Submission {
    /// Returns true if the caller supplied code, in one file or in several.
    pub fn has_code(&self) -> bool {
        self.code.is_some() || !self.files.is_empty()
    }

    /// Returns the content of every file that the caller supplied.
    pub fn code_contents(&self) -> impl Iterator<Item = &Content> {
        self.code.iter().chain(self.files.iter().map(|file| &file.content))
    }
}

/// A submission in any form that a log holds: messages of version 1 have the policy among the options.
#[derive(Deserialize)]
struct StoredSubmission {
    goal: String,
    code: Option<Content>,
    #[serde(default)]
    files: Vec<ProjectFile>,
    entry: Option<String>,
    current_file: Option<String>,
    language: Option<String>,
    repo_url: Option<String>,
    stdin: Option<Content>,
    invocation: Option<Content>,
    options: StoredOptions,
    policy: Option<SubmissionPolicy>,
    request_digest: Digest,
}

#[derive(Deserialize)]
struct StoredOptions {
    #[serde(flatten)]
    options: SubmissionOptions,
    #[serde(flatten)]
    policy: Option<SubmissionPolicy>,
}

impl TryFrom<StoredSubmission> for Submission {
    type Error = &'static str;

    fn try_from(stored: StoredSubmission) -> Result<Self, Self::Error> {
        Ok(Self {
            goal: stored.goal,
            code: stored.code,
            files: stored.files,
            entry: stored.entry,
            stdin: stored.stdin,
            invocation: stored.invocation,
            current_file: stored.current_file,
            language: stored.language,
            repo_url: stored.repo_url,
            options: stored.options.options,
            policy: stored.policy.or(stored.options.policy).ok_or("missing field `policy`")?,
            request_digest: stored.request_digest,
        })
    }
}
