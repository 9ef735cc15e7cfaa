//! Approval: the gate, the policy that decides whether it parks, and the rules of entitlement.

mod decide;
mod decision_error;
mod entitlement;
mod gate;
mod policy;
mod supplied_input;

pub use decide::{DecisionRequest, validate_decision};
pub use decision_error::DecisionError;
pub use entitlement::{has_voted, is_eligible, lapse_votes, lapsed_voters, may_decide, may_decide_on_result};
pub use gate::{
    Actor, ApprovalType, Channel, ClosedGate, Decision, Gate, GateOutcome, GateState, OnExpiry, Park, RiskLevel, Stage,
    Verdict,
};
pub use policy::{GateDecision, Policy};
pub use supplied_input::{CODE_BYTES, COMMENT_CHARS, MAX_RECIPE_CHARS, SuppliedInputError, parse_supplied_input};
