//! Approval: the gate, the policy that decides whether it parks, and the rules of entitlement.

mod decide;
mod entitlement;
mod gate;
mod policy;
mod refusal;
mod supplied_input;

pub use decide::{DecisionRequest, judge};
pub use entitlement::{has_voted, is_eligible, lapse_votes, lapsed_voters, may_decide, may_decide_on_result};
pub use gate::{
    Actor, ApprovalType, Channel, ClosedGate, Decision, Gate, GateOutcome, GateState, OnExpiry, Park, RiskLevel, Stage,
    Verdict,
};
pub use policy::{GateDecision, Policy};
pub use refusal::Refusal;
pub use supplied_input::{CODE_BYTES, COMMENT_CHARS, MAX_RECIPE_CHARS, SuppliedInputError, parse_supplied_input};
