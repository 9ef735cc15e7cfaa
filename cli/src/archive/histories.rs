//! Collects complete histories of ended workflows from the log in bounded memory.
//!
//! Histories are interleaved in the log, so incomplete ones are in memory as well. If these exceed their limit, the
//! newest are deferred: the next scan begins at the first deferred one.

use std::collections::{BTreeMap, HashMap, HashSet};

use domain::ids::WorkflowId;
use messaging::StoredMessage;

/// The messages of an ended workflow, the last being its end.
pub(super) struct History(pub(super) Vec<StoredMessage>);

/// Maximum bytes of payloads in memory, each exceeded by at most one workflow.
#[derive(Debug, Clone, Copy)]
pub(super) struct MemoryLimits {
    /// Of complete histories.
    pub(super) complete: usize,
    /// Of incomplete histories.
    pub(super) open: usize,
}

/// One scan of the log.
pub(super) struct HistoryCollector<'e> {
    limits: MemoryLimits,
    /// Sequences of the ends of the wanted workflows; complete ones are removed.
    ended: &'e mut HashMap<WorkflowId, u64>,
    open: HashMap<WorkflowId, Vec<StoredMessage>>,
    /// The incomplete ones by the sequence of their first message.
    begun: BTreeMap<u64, WorkflowId>,
    deferred: HashSet<WorkflowId>,
    first_deferred: Option<u64>,
    complete: Vec<History>,
    complete_bytes: usize,
    open_bytes: usize,
}

fn bytes_of(messages: &[StoredMessage]) -> usize {
    messages.iter().map(|message| message.payload.len()).sum()
}

impl<'e> HistoryCollector<'e> {
    pub(super) fn new(limits: MemoryLimits, ended: &'e mut HashMap<WorkflowId, u64>) -> Self {
        Self {
            limits,
            ended,
            open: HashMap::new(),
            begun: BTreeMap::new(),
            deferred: HashSet::new(),
            first_deferred: None,
            complete: Vec::new(),
            complete_bytes: 0,
            open_bytes: 0,
        }
    }

    /// Adds the next message of the log.
    pub(super) fn add(&mut self, message: StoredMessage) {
        let (id, sequence) = (message.workflow_id, message.sequence);
        let Some(end) = self.ended.get(&id).copied() else { return };
        if self.deferred.contains(&id) {
            return;
        }
        self.open_bytes += message.payload.len();
        let messages = self.open.entry(id).or_default();
        if messages.is_empty() {
            self.begun.insert(sequence, id);
        }
        messages.push(message);
        if sequence >= end {
            self.finish(id);
        }
        while self.open_bytes > self.limits.open && self.open.len() > 1 {
            self.defer_newest();
        }
    }

    fn finish(&mut self, id: WorkflowId) {
        let messages = self.close(id);
        self.ended.remove(&id);
        self.complete_bytes += bytes_of(&messages);
        self.complete.push(History(messages));
    }

    fn defer_newest(&mut self) {
        let Some((first, id)) = self.begun.last_key_value().map(|(first, id)| (*first, *id)) else { return };
        drop(self.close(id));
        self.deferred.insert(id);
        self.first_deferred = Some(self.first_deferred.map_or(first, |earlier| earlier.min(first)));
    }

    fn close(&mut self, id: WorkflowId) -> Vec<StoredMessage> {
        let messages = self.open.remove(&id).unwrap_or_default();
        if let Some(first) = messages.first() {
            self.begun.remove(&first.sequence);
        }
        self.open_bytes -= bytes_of(&messages);
        messages
    }

    /// Returns whether the complete histories have reached their limit.
    pub(super) fn is_full(&self) -> bool {
        self.complete_bytes >= self.limits.complete
    }

    /// Ends the scan before `next`; returns the complete histories and the start of the next scan.
    pub(super) fn stop(self, next: u64) -> (Vec<History>, Option<u64>) {
        let open = self.begun.first_key_value().map(|(first, _)| *first);
        let next = [open, self.first_deferred].into_iter().flatten().min().unwrap_or(next);
        (self.complete, Some(next))
    }

    /// Like [`Self::stop`], at the end of the log; gives up workflows whose end was not found.
    pub(super) fn end(self) -> (Vec<History>, Option<u64>) {
        for id in self.open.keys() {
            self.ended.remove(id);
        }
        (self.complete, self.first_deferred)
    }
}

#[cfg(test)]
mod tests {
    use domain::Timestamp;

    use super::*;

    const BYTES: usize = 10;

    /// Creates a log of messages of equal size, one for each given workflow number.
    fn log_of(workflows: &[usize], ids: &[WorkflowId]) -> Vec<StoredMessage> {
        let message = |(place, workflow): (usize, &usize)| StoredMessage {
            workflow_id: ids[*workflow],
            sequence: place as u64 + 1,
            at: Timestamp::from_millis(0),
            subject: String::new(),
            headers: Vec::new(),
            payload: vec![0; BYTES],
        };
        workflows.iter().enumerate().map(message).collect()
    }

    #[test]
    fn every_history_is_collected_completely_and_once_within_the_limits() {
        let ids: Vec<WorkflowId> = (0..6).map(|_| WorkflowId::fresh()).collect();
        let log = log_of(&[0, 1, 2, 1, 3, 2, 4, 4, 3, 5, 1, 2, 5, 3, 0], &ids);
        for open in [1, 3, 4, 6, 100].map(|messages| messages * BYTES) {
            for complete in [1, 5, 100].map(|messages| messages * BYTES) {
                let mut ended: HashMap<_, _> =
                    log.iter().map(|message| (message.workflow_id, message.sequence)).collect();
                // Its end was deleted concurrently.
                ended.insert(ids[5], 99);
                let (mut found, mut next) = (Vec::new(), Some(1));
                while let Some(from) = next {
                    let mut collector = HistoryCollector::new(MemoryLimits { complete, open }, &mut ended);
                    let mut stopped = None;
                    for message in log.iter().filter(|message| message.sequence >= from) {
                        collector.add(message.clone());
                        let held: usize = collector.open.values().map(|messages| bytes_of(messages)).sum();
                        assert_eq!(held, collector.open_bytes);
                        assert!(held <= open || collector.open.len() == 1, "{held} of {open}");
                        if collector.is_full() {
                            stopped = Some(message.sequence + 1);
                            break;
                        }
                    }
                    let (histories, then) = match stopped {
                        Some(next) => collector.stop(next),
                        None => collector.end(),
                    };
                    assert!(then.is_none_or(|then| then > from || !histories.is_empty()), "no progress");
                    found.extend(histories.into_iter().map(|History(messages)| messages));
                    next = then;
                }
                found.sort_by_key(|messages| messages[0].sequence);
                let sequences: Vec<Vec<u64>> =
                    found.iter().map(|messages| messages.iter().map(|message| message.sequence).collect()).collect();
                let expected: [&[u64]; 5] = [&[1, 15], &[2, 4, 11], &[3, 6, 12], &[5, 9, 14], &[7, 8]];
                assert_eq!(sequences, expected, "{open} {complete}");
            }
        }
    }
}
