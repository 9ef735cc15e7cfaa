//! Every subject, stream and consumer name. A test compares them with the broker's permissions.

use domain::ids::{Digest, UserName, WorkflowId};
use domain::workflow::{EventRecord, Lane, PhaseKind, Workflow};

pub(crate) const WORKFLOWS: &str = "WORKFLOWS";
pub(crate) const BLOBS: &str = "BLOBS";
pub(crate) const ANALYSES: &str = "ANALYSES";
pub(crate) const APPROVALS: &str = "APPROVALS";
pub(crate) const TIMERS: &str = "TIMERS";
pub(crate) const DEAD_LETTERS: &str = "DEAD_LETTERS";
pub(crate) const AUDIT: &str = "AUDIT";

pub(crate) const ALL_TRANSITIONS: &str = "wf.*.*.*";
/// Subjects of all workflows' ends; [`ends`] returns those of one.
pub(crate) const ALL_ENDS: [&str; 4] = ["wf.done.*.*", "wf.failed.*.*", "wf.judged.failed-std.*", "wf.cancelled.*.*"];
/// Subjects of all transitions that are audited: judgements, releases and cancels.
pub(crate) const ALL_ANSWERED_FOR: [&str; 3] = ["wf.judged.*.*", "wf.done.*.*", "wf.cancelled.*.*"];
pub(crate) const ALL_BLOBS: &str = "blob.*";
pub(crate) const ALL_ANALYSES: &str = "analysis.*";
pub(crate) const ANALYSIS_TASK: &str = "analysis.std";
pub(crate) const ALL_REQUESTED: &str = "approvals.requested.*";
pub(crate) const ALL_DECISIONS: &str = "approvals.decisions.*.*";
/// Prefix of the reply subjects that the broker generates for requests from another account.
pub(crate) const FOREIGN_REPLIES: &str = "_R_.";
pub(crate) const ALL_TIMERS: &str = "timers.>";
pub(crate) const FIRED_TIMERS: &str = "timers.fired.*.*";
pub(crate) const DUE_NOTIFICATIONS: &str = "timers.notification.*";
pub(crate) const ALL_DEAD_LETTERS: &str = "dead.>";
pub(crate) const AUDIT_RECORD: &str = "audit.log";
/// A subject outside the audit stream, so it never has a message.
pub(crate) const NEVER_AUDITED: &str = "audit.none";
pub(crate) const ALL_CANCELS: &str = "control.cancel.*";
pub(crate) const ALL_DECIDES: &str = "decide.*";
pub(crate) const ALL_WORKERS: &str = "presence.worker.*";
pub(crate) const ALL_APPROVERS: &str = "presence.approver.*";
pub(crate) const ALL_LIVE_OUTPUT: &str = "live.output.*";

/// Returns the only valid subject of a transition: permission to publish there is permission for the transition.
pub(crate) fn transition(workflow: &Workflow, happened: &EventRecord) -> String {
    let (phase, lane, id) = (workflow.phase.kind(), workflow.phase.lane(), workflow.id);
    // Workers may not publish any transition of these phases, so they need no second subject.
    let is_guarded = matches!(phase, PhaseKind::Plan | PhaseKind::Done | PhaseKind::Cancelled);
    if !is_guarded && (happened.is_judged() || workflow.park().is_some()) {
        format!("wf.judged.{}-{}.{id}", phase.as_str(), lane.as_str())
    } else {
        format!("wf.{}.{}.{id}", phase.as_str(), lane.as_str())
    }
}

/// Returns the subject of all transitions of a workflow; the newest message on it is its state.
pub(crate) fn workflow(id: WorkflowId) -> String {
    format!("wf.*.*.{id}")
}

/// Returns the subject of the accepted submission, to which only the API may publish.
pub(crate) fn submission(id: WorkflowId) -> String {
    format!("wf.{}.{}.{id}", PhaseKind::Plan.as_str(), Lane::standard().as_str())
}

/// Returns the subject to which only the approver may publish: parked gates, and results of its judgement before the
/// end.
pub(crate) fn judged(id: WorkflowId) -> String {
    format!("wf.judged.*.{id}")
}

/// Returns the subjects of the possible ends of a workflow.
pub(crate) fn ends(id: WorkflowId) -> [String; 4] {
    let [done, failed, cancelled] =
        [PhaseKind::Done, PhaseKind::Failed, PhaseKind::Cancelled].map(|phase| format!("wf.{}.*.{id}", phase.as_str()));
    let judged = format!("wf.judged.{}-{}.{id}", PhaseKind::Failed.as_str(), Lane::standard().as_str());
    [done, failed, judged, cancelled]
}

pub(crate) fn phase_lane(phase: PhaseKind, lane: &str) -> String {
    format!("wf.{}.{lane}.*", phase.as_str())
}

/// Returns the subject of judged transitions on a lane.
pub(crate) fn judged_lane(phase: PhaseKind, lane: &str) -> String {
    format!("wf.judged.{}-{lane}.*", phase.as_str())
}

/// Returns the workflow that a subject of the log names.
pub(crate) fn workflow_of(subject: &str) -> Option<WorkflowId> {
    subject.rsplit('.').next()?.parse().ok()
}

pub(crate) fn blob(digest: Digest) -> String {
    format!("blob.{digest}")
}

/// Returns the digest of the content stored on a subject.
pub(crate) fn content_of(subject: &str) -> Option<Digest> {
    subject.strip_prefix("blob.")?.parse().ok()
}

pub(crate) fn requested(id: WorkflowId) -> String {
    format!("approvals.requested.{id}")
}

/// Returns the subject of announcements that are not stored; in a bot's account they arrive on [`requested`].
pub(crate) fn repeated(id: WorkflowId) -> String {
    format!("approvals.repeated.{id}")
}

/// Returns the subject on which `bot` requests its open approvals.
pub(crate) fn open(bot: &UserName) -> String {
    format!("approvals.open.{bot}")
}

/// Returns the bot that requests its open approvals on `subject`.
pub(crate) fn open_bot(subject: &str) -> Option<UserName> {
    subject.strip_prefix("approvals.open.")?.parse().ok()
}

/// Returns the sender that a decision's subject proves, and the workflow that it names.
pub(crate) fn parse_decision(subject: &str) -> Option<(UserName, WorkflowId)> {
    let mut tokens = subject.strip_prefix("approvals.decisions.")?.split('.');
    let (bot, id) = (tokens.next()?.parse().ok()?, tokens.next()?.parse().ok()?);
    tokens.next().is_none().then_some((bot, id))
}

/// Returns the bot that a decision's subject names, even if the rest cannot be read.
pub(crate) fn decision_bot(subject: &str) -> Option<UserName> {
    subject.strip_prefix("approvals.decisions.")?.split('.').next()?.parse().ok()
}

/// Returns the subject of replies to a bot; in the bot's own account it is [`reply_for_bots`].
pub(crate) fn reply(bot: &UserName, token: &str) -> String {
    format!("approvals.replies.{bot}.{token}")
}

pub(crate) fn reply_for_bots(id: WorkflowId) -> String {
    format!("approvals.replies.{id}")
}

pub(crate) fn schedule(kind: &str, id: WorkflowId) -> String {
    format!("timers.schedule.{kind}.{id}")
}

pub(crate) fn fired(kind: &str, id: WorkflowId) -> String {
    format!("timers.fired.{kind}.{id}")
}

pub(crate) fn due_notification(id: WorkflowId) -> String {
    format!("timers.notification.{id}")
}

pub(crate) fn is_fired_timer(subject: &str) -> bool {
    subject.starts_with("timers.fired.")
}

pub(crate) fn dead_letter(cause: &str, stream: &str, sequence: u64) -> String {
    format!("dead.{cause}.{}.{sequence}", stream.to_ascii_lowercase())
}

pub(crate) fn dead_by(cause: &str) -> String {
    format!("dead.{cause}.>")
}

pub(crate) fn cancel(id: WorkflowId) -> String {
    format!("control.cancel.{id}")
}

pub(crate) fn live_output(id: WorkflowId) -> String {
    format!("live.output.{id}")
}

pub(crate) fn decide(id: WorkflowId) -> String {
    format!("decide.{id}")
}

/// Returns the subject of one analysis's answer: workers may publish on all of these, and only its caller, whose inbox this
/// is, subscribes. The token is random, so that only the worker that has the job knows the subject.
pub(crate) fn answer(inbox: &str, token: &str) -> String {
    format!("answers.{inbox}.{token}")
}

pub(crate) fn worker_presence(instance: &str) -> String {
    format!("presence.worker.{instance}")
}

pub(crate) fn approver_presence(instance: &str) -> String {
    format!("presence.approver.{instance}")
}

pub(crate) fn inbox_prefix(user: &str) -> String {
    format!("_INBOX_{user}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::approval::{Actor, Gate, Stage};
    use domain::ids::EventId;
    use domain::samples::{START, options, submitted};
    use domain::workflow::{EventKind, Failure, Phase};

    fn is_among(filters: &[&str], subject: &str) -> bool {
        let fits = |filter: &&str| {
            filter.split('.').zip(subject.split('.')).all(|(asked, token)| asked == "*" || asked == token)
        };
        filters.iter().any(fits)
    }

    #[test]
    fn judgements_and_ends_are_where_those_who_follow_them_listen() {
        let (before, failure) = (submitted("ann", options()), Failure::new("code", "message", "hint"));
        let phases = [
            Phase::Generate { feedback: None, input: None },
            Phase::Analyze,
            Phase::Execute { runtime: "python".to_owned() },
            Phase::Approve { gate: Gate::pending(before.id, 1, Stage::Release) },
            Phase::Done,
            Phase::Failed { failure },
        ];
        for phase in phases {
            let workflow = Workflow { phase, ..before.clone() };
            for (kind, actor) in [
                (EventKind::GateReleased, Actor::approver()),
                (EventKind::Decided, Actor::User("ann".parse().unwrap())),
                (EventKind::TimedOut, Actor::approver()),
                (EventKind::StepFailed, Actor::approver()),
                (EventKind::Executed, Actor::Service("worker".to_owned())),
            ] {
                let happened = EventRecord { event_id: EventId::fresh(), kind, actor, at: START, detail: None };
                let subject = transition(&workflow, &happened);
                if happened.is_judged() {
                    assert!(is_among(&ALL_ANSWERED_FOR, &subject), "{subject}");
                }
                assert_eq!(is_among(&ALL_ENDS, &subject), workflow.status().is_terminal(), "{subject}");
                let ends = ends(workflow.id);
                let ends: Vec<&str> = ends.iter().map(String::as_str).collect();
                assert_eq!(is_among(&ends, &subject), workflow.status().is_terminal(), "{subject}");
            }
        }
    }
}
