//! Whether work went on after the fault.

use std::time::Duration;

use shared::clock::Timestamp;

use super::log::is_end;
use super::{Complaint, RECOVERY};
use crate::evidence::Evidence;
use crate::history::Story;

pub(super) fn late(recovery: Option<Duration>) -> Option<Complaint> {
    match recovery {
        Some(recovery) if recovery <= RECOVERY => None,
        Some(recovery) => Some(Complaint::whole(format!("fresh workflows took {recovery:.1?} after the fault's end"))),
        None => Some(Complaint::whole("a fresh workflow did not end well after the fault's end")),
    }
}

/// Workflows that stood still after the heal: not ended then, and with no transition in time. A run may take as long as its code runs by
/// itself, and a question as long as it may stand. When a transition happened is what the broker says: the clock of who wrote it may
/// have been wrong.
pub(super) fn stuck(stories: &[Story], evidence: &Evidence, healed: Timestamp) -> Vec<Complaint> {
    let stands = evidence.logs.iter().filter_map(|(id, log)| {
        let times: Option<Vec<Timestamp>> =
            log.iter().map(|entry| evidence.stored.get(&entry.sequence).copied()).collect();
        let Some(times) = times else { return Some(Complaint::of(*id, "the log does not say when it was written")) };
        let after = times.partition_point(|time| *time <= healed);
        let before = log[..after].last()?;
        if is_end(before) {
            return None;
        }
        let expiry = before.workflow.park().map(|park| park.expires_at);
        // What nobody answers yet may do so for longer than anybody looks.
        if expiry.is_some() && times.len() == after {
            return None;
        }
        let from = expiry.map_or(healed, |expiry| expiry.max(healed));
        let story = stories.iter().find(|story| story.id == Some(*id));
        let limit = RECOVERY + story.map_or(Duration::ZERO, |story| story.runs);
        let at = before.workflow.phase.kind().as_str();
        match times.get(after).map(|next| next.since(from)) {
            Some(waited) if waited <= limit => None,
            Some(waited) => {
                Some(Complaint::of(*id, format!("it stood at {at} for {waited:.1?} after the fault's end")))
            }
            None => Some(Complaint::of(*id, format!("it stood at {at} at the fault's end, and for ever"))),
        }
    });
    stands.collect()
}
