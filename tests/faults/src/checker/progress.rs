//! Whether work went on after the fault.

use std::time::Duration;

use shared::clock::Timestamp;

use super::log::is_end;
use super::{Complaint, Logs, RECOVERY};
use crate::history::Story;

/// No process judges so long; what claims to be from later was written by one whose clock was ahead.
const AHEAD: Duration = Duration::from_secs(240);

pub(super) fn late(recovery: Option<Duration>) -> Option<Complaint> {
    match recovery {
        Some(recovery) if recovery <= RECOVERY => None,
        Some(recovery) => Some(Complaint::whole(format!("fresh workflows took {recovery:.1?} after the fault's end"))),
        None => Some(Complaint::whole("a fresh workflow did not end well after the fault's end")),
    }
}

/// Workflows that stood still after the heal: neither ended nor parked then, and with no transition in time. A run may take as long
/// as its code runs by itself.
pub(super) fn stuck(stories: &[Story], logs: &Logs, healed: Timestamp) -> Vec<Complaint> {
    let stands = logs.iter().filter_map(|(id, log)| {
        let is_later = |at: Timestamp| at > healed && at.since(healed) < AHEAD;
        let before = log.iter().rev().find(|entry| !is_later(entry.happened.at))?;
        if is_end(before) || before.workflow.park().is_some() {
            return None;
        }
        let story = stories.iter().find(|story| story.id == Some(*id));
        let limit = RECOVERY + story.map_or(Duration::ZERO, |story| story.runs);
        let next = log.iter().find(|entry| entry.sequence > before.sequence);
        let waited = next.map(|next| next.happened.at.since(healed));
        let at = before.workflow.phase.kind().as_str();
        match waited {
            Some(waited) if waited <= limit => None,
            Some(waited) => {
                Some(Complaint::of(*id, format!("it stood at {at} for {waited:.1?} after the fault's end")))
            }
            None => Some(Complaint::of(*id, format!("it stood at {at} at the fault's end, and for ever"))),
        }
    });
    stands.collect()
}
