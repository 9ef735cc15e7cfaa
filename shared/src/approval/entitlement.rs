//! Entitlement: who may decide on a workflow, and whose votes count.

use super::gate::{Channel, Decision, Gate, GateState, Stage};
use crate::identity::{Role, User};
use crate::ids::UserName;
use crate::workflow::{NewInput, Phase, Workflow};

/// Returns whether `user` may decide what `workflow` asks: approvers and admins for others' work, authors for their own only with leave to.
pub fn may_decide(workflow: &Workflow, user: &User) -> bool {
    let asks_about_code = workflow.gate().is_some_and(|gate| !matches!(gate.stage, Stage::Input { .. }));
    let is_author = asks_about_code && has_supplied_code(workflow, &user.name);
    is_eligible(workflow, user) && (!is_author || user.self_approval)
}

/// Returns whether `user` may decide at some gate of `workflow`, though perhaps not on code that they supplied themselves.
///
/// Leave to decide on their own work ends with the role that may submit.
pub fn is_eligible(workflow: &Workflow, user: &User) -> bool {
    let is_owner = workflow.owner == user.name;
    let is_entitled =
        if is_owner { user.self_approval && user.role >= Role::Developer } else { user.role >= Role::Approver };
    is_entitled && !user.disabled
}

/// Returns whether the code of the workflow, or of a round before, came from this name in answer to a question.
fn has_supplied_code(workflow: &Workflow, name: &UserName) -> bool {
    let decisions = workflow.closed_gates.iter().flat_map(|gate| &gate.decisions);
    decisions
        .filter(|decision| decision.by == *name)
        .any(|decision| matches!(decision.input, Some(NewInput::Code { .. })))
}

/// Returns whether `decision` came from `user` as they are now, and not from a time before their rights ended or began anew.
pub(super) fn is_theirs(decision: &Decision, user: &User) -> bool {
    let is_bot = decision.channel == Channel::Nats;
    decision.by == user.name && user.bot == is_bot && decision.at >= user.counts_from()
}

/// Returns whether a vote of `user` counts at the open gate.
pub fn has_voted(workflow: &Workflow, user: &User) -> bool {
    let mut votes = workflow.park().into_iter().flat_map(|park| &park.decisions);
    votes.any(|decision| !decision.lapsed && is_theirs(decision, user)) && may_decide(workflow, user)
}

/// The names whose votes at the open gate do not count any more: they may not decide now, or could not at some time since.
pub fn lapsed_voters(workflow: &Workflow, user_of: impl Fn(&UserName) -> Option<User>) -> Vec<UserName> {
    let counts = |decision: &Decision| {
        user_of(&decision.by).is_some_and(|user| is_theirs(decision, &user) && may_decide(workflow, &user))
    };
    let votes = workflow.park().into_iter().flat_map(|park| &park.decisions);
    votes.filter(|decision| !decision.lapsed && !counts(decision)).map(|decision| decision.by.clone()).collect()
}

/// Marks the votes of [`lapsed_voters`], so that the workflow shows the approvals that count now.
pub fn lapse_votes(workflow: &mut Workflow, user_of: impl Fn(&UserName) -> Option<User>) {
    let lapsed = lapsed_voters(workflow, user_of);
    if let Phase::Approve { gate: Gate { state: GateState::Parked { park }, .. } } = &mut workflow.phase {
        park.lapse(&lapsed);
    }
}
