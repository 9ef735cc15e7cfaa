//! A gate: the place where a workflow waits for permission to continue, with the decisions made there.

use serde::{Deserialize, Serialize};

use crate::Timestamp;
use crate::analysis::{AnalysisReport, Finding, Severity};
use crate::ids::{ApprovalId, Digest, UserName, WorkflowId};
use crate::workflow::NewInput;

/// The originator of an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Actor {
    User(UserName),
    Bot(UserName),
    /// A service of PromptCraft, by kind.
    Service(String),
}

impl Actor {
    /// The approver process.
    pub fn approver() -> Self {
        Self::Service("approver".to_owned())
    }
}

impl std::fmt::Display for Actor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::User(name) => write!(f, "user {name}"),
            Self::Bot(name) => write!(f, "bot {name}"),
            Self::Service(kind) => write!(f, "service {kind}"),
        }
    }
}

/// The channel through which a decision came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    Http,
    Nats,
}

impl Channel {
    /// Returns the channel's name in audit records and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Nats => "nats",
        }
    }
}

/// The action that a gate guards.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Generation: no generator fits, a human may help. The hint says how; any of the recipes can be named.
    Input {
        hint: String,
        /// Empty in a gate of an older build, where any name is accepted.
        #[serde(default)]
        recipes: Vec<String>,
    },
    /// The run of the code.
    BeforeExecute,
    /// The release of the result.
    Release,
}

/// The type of the question, as announced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ApprovalType {
    /// May the code run?
    CodeExecution,
    /// May the result be released?
    CodeDeployment,
    /// May the result be released although analysis found something critical?
    SecurityOverride,
    /// Can someone supply code or a recipe? No generator could.
    NeedsInput,
}

impl ApprovalType {
    /// Returns the type's name in responses and announcements.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CodeExecution => "code_execution",
            Self::CodeDeployment => "code_deployment",
            Self::SecurityOverride => "security_override",
            Self::NeedsInput => "needs_input",
        }
    }
}

/// The risk shown to approvers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RiskLevel {
    Low,
    Medium,
    High,
    Critical,
}

impl RiskLevel {
    /// Returns the risk of the worst finding; at least high if some of the code was not analysed.
    pub fn of(report: &AnalysisReport) -> Self {
        let found = match report.security_findings(Severity::Low).map(|finding| finding.severity).max() {
            None | Some(Severity::Low) => Self::Low,
            Some(Severity::Medium) => Self::Medium,
            Some(Severity::High) => Self::High,
            Some(Severity::Critical) => Self::Critical,
        };
        let is_whole = !report.findings.iter().any(Finding::is_about_analysis);
        if is_whole { found } else { found.max(Self::High) }
    }

    /// Returns the level's name in responses and announcements.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

impl std::str::FromStr for RiskLevel {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let levels = [Self::Low, Self::Medium, Self::High, Self::Critical];
        levels.into_iter().find(|level| level.as_str() == text).ok_or("is low, medium, high or critical")
    }
}

/// The current gate of a workflow.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Gate {
    pub approval_id: ApprovalId,
    pub stage: Stage,
    pub state: GateState,
}

/// The state of a gate: pending, or parked for a human decision.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GateState {
    /// Not yet judged by the approver, which advances the workflow.
    Pending,
    /// Humans, bots or the deadline advance the workflow.
    Parked { park: Park },
}

impl Gate {
    /// Returns the workflow's `number`th gate, counted from 1, not yet judged.
    pub fn pending(workflow: WorkflowId, number: u32, stage: Stage) -> Self {
        Self { approval_id: ApprovalId::for_gate(workflow, number), stage, state: GateState::Pending }
    }

    /// Returns the question to humans, if one is open.
    pub fn park(&self) -> Option<&Park> {
        match &self.state {
            GateState::Pending => None,
            GateState::Parked { park } => Some(park),
        }
    }
}

/// The question to humans, and their decisions so far.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Park {
    pub approval_type: ApprovalType,
    pub description: String,
    pub risk: RiskLevel,
    pub requested_at: Timestamp,
    pub expires_at: Timestamp,
    /// Required approvals, each by a different person or bot; at least 1.
    pub required_approvers: u32,
    /// Digest of the parked content; an approval for any other digest is refused.
    pub digest: Digest,
    pub decisions: Vec<Decision>,
    /// The result of the deadline without a decision, fixed when the question is opened. A park of an older build
    /// fails.
    #[serde(default)]
    pub on_expiry: OnExpiry,
}

/// The effect of an expired question on its workflow.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnExpiry {
    #[default]
    Fail,
    Release,
}

impl Park {
    /// Returns the number of approvals so far, without those that lapsed.
    pub fn approvals(&self) -> u32 {
        let counts = |decision: &&Decision| decision.verdict == Verdict::Approved && !decision.lapsed;
        u32::try_from(self.decisions.iter().filter(counts).count()).unwrap_or(u32::MAX)
    }

    /// Marks the decisions of `voters` as lapsed.
    pub(crate) fn lapse(&mut self, voters: &[UserName]) {
        for decision in self.decisions.iter_mut().filter(|decision| voters.contains(&decision.by)) {
            decision.lapsed = true;
        }
    }
}

/// The verdict of a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Approved,
    Rejected,
    ChangesRequested,
}

impl Verdict {
    /// Returns the verdict's name in requests and responses.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Approved => "approved",
            Self::Rejected => "rejected",
            Self::ChangesRequested => "changes_requested",
        }
    }
}

/// One decision at a gate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    pub verdict: Verdict,
    pub by: UserName,
    pub channel: Channel,
    /// The person for whom a bot claims to decide; never counted.
    pub on_behalf_of: Option<String>,
    pub comment: Option<String>,
    pub input: Option<NewInput>,
    /// The sender's id of the message: the same id again is the same decision.
    pub message_id: String,
    pub at: Timestamp,
    /// The voter lost the right to decide while the gate was open, so the decision does not count.
    #[serde(default)]
    pub lapsed: bool,
}

/// The outcome of a closed gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GateOutcome {
    /// Policy required no human.
    Released,
    Approved,
    Rejected,
    ChangesRequested,
    Expired,
    /// The workflow ended otherwise while the gate was open.
    Abandoned,
}

/// A closed gate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClosedGate {
    pub approval_id: ApprovalId,
    pub stage: Stage,
    pub outcome: GateOutcome,
    pub digest: Option<Digest>,
    pub decisions: Vec<Decision>,
    pub closed_at: Timestamp,
}

impl ClosedGate {
    /// Returns the record of a gate that is closed now.
    pub fn of(gate: &Gate, outcome: GateOutcome, at: Timestamp) -> Self {
        Self {
            approval_id: gate.approval_id,
            stage: gate.stage.clone(),
            outcome,
            digest: gate.park().map(|park| park.digest),
            decisions: gate.park().map(|park| park.decisions.clone()).unwrap_or_default(),
            closed_at: at,
        }
    }
}
