//! Approval: the gate, the policy that decides whether it parks, and the rules of who may decide what.

mod decide;
mod gate;
mod help;
mod policy;

pub use decide::{DecisionRequest, Refusal, judge, may_decide};
pub use gate::{
    Actor, ApprovalType, Channel, ClosedGate, Decision, Gate, GateOutcome, GateState, Park, RiskLevel, Stage, Verdict,
};
pub use help::{BadHelp, CODE_BYTES, COMMENT_CHARS, read_help};
pub use policy::{Policy, Ruling};
