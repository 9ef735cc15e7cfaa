//! Progress after the fault.

use std::time::Duration;

use domain::Timestamp;

use super::log::is_end;
use super::{Anomaly, MAX_RECOVERY};
use crate::client::history::WorkflowHistory;
use crate::evidence::Evidence;

pub(super) fn late(recovery: Option<Duration>) -> Option<Anomaly> {
    match recovery {
        Some(recovery) if recovery <= MAX_RECOVERY => None,
        Some(recovery) => Some(Anomaly::whole(format!("new workflows took {recovery:.1?} after the fault"))),
        None => Some(Anomaly::whole("a new workflow did not complete after the fault")),
    }
}

/// Returns workflows that had not ended at the heal and had no transition within [`MAX_RECOVERY`] after it. Running
/// code and open questions extend the limit. Times are the broker's, because a writer's clock may be wrong.
pub(super) fn stuck(histories: &[WorkflowHistory], evidence: &Evidence, healed: Timestamp) -> Vec<Anomaly> {
    let stuck = evidence.logs.iter().filter_map(|(id, log)| {
        let times: Option<Vec<Timestamp>> =
            log.iter().map(|entry| evidence.stored.get(&entry.sequence).copied()).collect();
        let Some(times) = times else { return Some(Anomaly::of(*id, "the log has no time for an entry")) };
        let after = times.partition_point(|time| *time <= healed);
        let before = log[..after].last()?;
        if is_end(before) {
            return None;
        }
        let expiry = before.workflow.park().map(|park| park.expires_at);
        // An unanswered question may stay open longer than the round.
        if expiry.is_some() && times.len() == after {
            return None;
        }
        let from = expiry.map_or(healed, |expiry| expiry.max(healed));
        let history = histories.iter().find(|history| history.id == Some(*id));
        let limit = MAX_RECOVERY + history.map_or(Duration::ZERO, |history| history.runs);
        let at = before.workflow.phase.kind().as_str();
        match times.get(after).map(|next| next.since(from)) {
            Some(waited) if waited <= limit => None,
            Some(waited) => Some(Anomaly::of(*id, format!("it stayed at {at} for {waited:.1?} after the fault"))),
            None => Some(Anomaly::of(*id, format!("it stayed at {at} after the fault and did not progress"))),
        }
    });
    stuck.collect()
}
