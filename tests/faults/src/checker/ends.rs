//! Which ends each wish allows, and which only a fault explains.

use shared::approval::Park;
use shared::messaging::Entry;
use shared::workflow::{EventKind, Status};

use super::RECOVERY;
use super::log::is_end;
use crate::evidence::Evidence;
use crate::history::{Story, Wish};

/// The code of a step that had all its attempts.
pub(super) const EXHAUSTED: &str = "attempts_exhausted";

/// A transition that nobody asked for and that only a fault brings about, or time that went by.
pub(super) fn unexplained(log: &[Entry], evidence: &Evidence) -> Option<String> {
    let explained = evidence.explained;
    let odd = log.iter().find(|entry| match entry.happened.kind {
        EventKind::TimedOut => !explained.timeouts,
        EventKind::Expired => !explained.timeouts && !is_due(log, entry, evidence),
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
    Some(format!("{} at {}, for which there is no reason", odd.happened.kind.as_str(), odd.sequence))
}

/// The question that was closed here.
fn question<'a>(log: &'a [Entry], closing: &Entry) -> Option<&'a Park> {
    log.iter().take_while(|entry| entry.sequence < closing.sequence).last()?.workflow.park()
}

/// Whether an answer to the question that was closed here had a fault in its way: it expired before everything had to be well again.
fn was_in_the_way(log: &[Entry], closing: &Entry, evidence: &Evidence) -> bool {
    let park = question(log, closing);
    park.zip(evidence.healed).is_some_and(|(park, healed)| park.expires_at <= healed.after(RECOVERY))
}

/// Whether the time of the question that was closed here was over. When it was closed is what the broker says.
fn is_due(log: &[Entry], closing: &Entry, evidence: &Evidence) -> bool {
    let park = question(log, closing);
    let closed = evidence.stored.get(&closing.sequence);
    park.zip(closed).is_some_and(|(park, closed)| *closed >= park.expires_at)
}

/// An end that the client did not ask for. A step that was killed in each of its attempts had to be given up, and one whose time
/// ran out by a wrong clock had to end, where the fault is such a one.
pub(super) fn unwished(story: &Story, log: &[Entry], evidence: &Evidence) -> Option<String> {
    let explained = evidence.explained;
    let end = log.iter().find(|entry| is_end(entry))?;
    let ended = &end.workflow;
    let code = ended.failure().map(|failure| failure.code.as_str());
    let is_excused = match code {
        Some(EXHAUSTED) => explained.exhausted,
        Some("timeout") => explained.timeouts,
        Some("approval_expired") => explained.timeouts || explained.late_answers && was_in_the_way(log, end, evidence),
        Some(_) | None => false,
    };
    let is_wished = match (story.wish, ended.status()) {
        (Wish::Run | Wish::Approve | Wish::Bot | Wish::Change | Wish::Cancel | Wish::Race, Status::Completed)
        | (Wish::Cancel | Wish::Race, Status::Cancelled) => true,
        (Wish::Reject, Status::Failed) => code == Some("rejected"),
        // Who cancels leaves questions unanswered until then.
        (Wish::Expire | Wish::Cancel, Status::Failed) => code == Some("approval_expired"),
        (_, _) => false,
    };
    let end = ended.status().as_str();
    (!is_wished && !is_excused).then(|| {
        format!("it was to {:?}, and {end}{}", story.wish, code.map(|code| format!(": {code}")).unwrap_or_default())
    })
}
