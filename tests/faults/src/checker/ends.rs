//! Ends that an intent allows, and ends that only a fault allows.

use domain::approval::Park;
use domain::workflow::{EventKind, Status};
use messaging::Entry;

use super::MAX_RECOVERY;
use super::log::is_end;
use crate::client::history::{ClientIntent, WorkflowHistory};
use crate::evidence::Evidence;

/// The failure code of a step that used up its attempts.
pub(super) const EXHAUSTED: &str = "attempts_exhausted";

/// Reports a transition that only a fault or elapsed time can cause, where neither applies.
pub(super) fn unexplained(log: &[Entry], evidence: &Evidence) -> Option<String> {
    let allowed = evidence.allowed;
    let odd = log.iter().find(|entry| match entry.happened.kind {
        EventKind::TimedOut => !allowed.timeouts,
        EventKind::Expired => !allowed.timeouts && !is_due(log, entry, evidence),
        EventKind::Retried => true,
        EventKind::Submitted
        | EventKind::Planned
        | EventKind::Generated
        | EventKind::NoGenerator
        | EventKind::Analyzed
        | EventKind::Executed
        | EventKind::GateReleased
        | EventKind::Parked
        | EventKind::Decided
        | EventKind::StepFailed
        | EventKind::Cancelled => false,
    })?;
    Some(format!("unexplained {} at {}", odd.happened.kind.as_str(), odd.sequence))
}

/// Returns the question that was closed by this entry.
fn question<'a>(log: &'a [Entry], closing: &Entry) -> Option<&'a Park> {
    log.iter().take_while(|entry| entry.sequence < closing.sequence).last()?.workflow.park()
}

/// Returns whether a fault may have delayed the answer: the question expired within the allowed recovery time.
fn was_in_the_way(log: &[Entry], closing: &Entry, evidence: &Evidence) -> bool {
    let park = question(log, closing);
    park.zip(evidence.healed).is_some_and(|(park, healed)| park.expires_at <= healed.after(MAX_RECOVERY))
}

/// Returns whether the question had expired when it was closed, by the broker's clock.
fn is_due(log: &[Entry], closing: &Entry, evidence: &Evidence) -> bool {
    let park = question(log, closing);
    let closed = evidence.stored.get(&closing.sequence);
    park.zip(closed).is_some_and(|(park, closed)| *closed >= park.expires_at)
}

/// Reports an end that the client did not ask for. Exhausted attempts and timeouts are allowed where the fault can
/// cause them.
pub(super) fn unintended_end(history: &WorkflowHistory, log: &[Entry], evidence: &Evidence) -> Option<String> {
    let allowed = evidence.allowed;
    let end = log.iter().find(|entry| is_end(entry))?;
    let ended = &end.workflow;
    let code = ended.failure().map(|failure| failure.code.as_str());
    let is_excused = match code {
        Some(EXHAUSTED) => allowed.exhausted,
        Some("timeout") => allowed.timeouts,
        Some("approval_expired") => allowed.timeouts || allowed.late_answers && was_in_the_way(log, end, evidence),
        Some(_) | None => false,
    };
    let is_intended = match (history.intent, ended.status()) {
        (
            ClientIntent::Run
            | ClientIntent::Approve
            | ClientIntent::Bot
            | ClientIntent::Change
            | ClientIntent::Cancel
            | ClientIntent::Race,
            Status::Completed,
        )
        | (ClientIntent::Cancel | ClientIntent::Race, Status::Cancelled) => true,
        (ClientIntent::Reject, Status::Failed) => code == Some("rejected"),
        // A client that cancels leaves questions unanswered until then.
        (ClientIntent::Expire | ClientIntent::Cancel, Status::Failed) => code == Some("approval_expired"),
        (_, _) => false,
    };
    let end = ended.status().as_str();
    (!is_intended && !is_excused).then(|| {
        format!(
            "intent {:?}, but it is {end}{}",
            history.intent,
            code.map(|code| format!(": {code}")).unwrap_or_default()
        )
    })
}
