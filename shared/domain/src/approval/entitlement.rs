//! Entitlement: the users who may decide on a workflow, and the votes that count.

use super::gate::{Channel, Decision, Gate, GateState, Stage};
use crate::identity::{Role, User};
use crate::ids::UserName;
use crate::workflow::{NewInput, Phase, Workflow};

/// Returns whether `user` may decide at the gate of `workflow`: approvers and admins on others' work, authors on their
/// own only with permission.
pub fn may_decide(workflow: &Workflow, user: &User) -> bool {
    let asks_about_code = workflow.gate().is_some_and(|gate| !matches!(gate.stage, Stage::Input { .. }));
    let is_author = asks_about_code && has_supplied_code(workflow, &user.name);
    is_eligible(workflow, user) && (!is_author || user.self_approval)
}

/// Returns whether `user` may decide on the result of a workflow that has not reached its gate yet.
pub fn may_decide_on_result(workflow: &Workflow, user: &User) -> bool {
    is_eligible(workflow, user) && (!has_supplied_code(workflow, &user.name) || user.self_approval)
}

/// Returns whether `user` may decide at some gate of `workflow`, though perhaps not on code that they supplied
/// themselves.
///
/// Permission to decide on their own work requires the role that may submit.
pub fn is_eligible(workflow: &Workflow, user: &User) -> bool {
    let is_owner = workflow.owner == user.name;
    let is_entitled =
        if is_owner { user.self_approval && user.role >= Role::Developer } else { user.role >= Role::Approver };
    is_entitled && !user.disabled
}

/// Returns whether this user supplied code at an input gate of the workflow, in any round.
fn has_supplied_code(workflow: &Workflow, name: &UserName) -> bool {
    let decisions = workflow.closed_gates.iter().flat_map(|gate| &gate.decisions);
    decisions
        .filter(|decision| decision.by == *name)
        .any(|decision| matches!(decision.input, Some(NewInput::Code { .. })))
}

/// Returns whether `decision` came from `user` with their current rights, and not from before these ended or were
/// renewed.
pub(super) fn is_theirs(decision: &Decision, user: &User) -> bool {
    let is_bot = decision.channel == Channel::Nats;
    decision.by == user.name && user.bot == is_bot && decision.at >= user.counts_from()
}

/// Returns whether a vote of `user` counts at the open gate.
pub fn has_voted(workflow: &Workflow, user: &User) -> bool {
    let mut votes = workflow.park().into_iter().flat_map(|park| &park.decisions);
    votes.any(|decision| !decision.lapsed && is_theirs(decision, user)) && may_decide(workflow, user)
}

/// Returns the users whose votes at the open gate no longer count: they may not decide now, or could not at some time
/// since.
pub fn lapsed_voters(workflow: &Workflow, user_of: impl Fn(&UserName) -> Option<User>) -> Vec<UserName> {
    let counts = |decision: &Decision| {
        user_of(&decision.by).is_some_and(|user| is_theirs(decision, &user) && may_decide(workflow, &user))
    };
    let votes = workflow.park().into_iter().flat_map(|park| &park.decisions);
    votes.filter(|decision| !decision.lapsed && !counts(decision)).map(|decision| decision.by.clone()).collect()
}

/// Marks the votes of [`lapsed_voters`], so that the workflow shows only approvals that count.
pub fn lapse_votes(workflow: &mut Workflow, user_of: impl Fn(&UserName) -> Option<User>) {
    let lapsed = lapsed_voters(workflow, user_of);
    if let Phase::Approve { gate: Gate { state: GateState::Parked { park }, .. } } = &mut workflow.phase {
        park.lapse(&lapsed);
    }
}
