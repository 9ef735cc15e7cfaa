//! Approval: the gate, the policy that decides whether it parks, and the rules of entitlement.

mod decide;
mod entitlement;
mod gate;
mod help;
mod policy;
mod refusal;

pub use decide::{DecisionRequest, judge};
pub use entitlement::{has_voted, is_eligible, lapse_votes, lapsed_voters, may_decide};
pub use gate::{
    Actor, ApprovalType, Channel, ClosedGate, Decision, Gate, GateOutcome, GateState, OnExpiry, Park, RiskLevel, Stage,
    Verdict,
};
pub use help::{BadHelp, CODE_BYTES, COMMENT_CHARS, MAX_RECIPE_CHARS, read_help};
pub use policy::{Policy, Ruling};
pub use refusal::Refusal;
