//! Whole histories of ended workflows, put together from the log in bounded memory.
//!
//! Histories lie in the log between each other, so those whose end has not come yet are in memory too. Where they grow too large,
//! the ones that began last are put off: the next reading begins with the first of them.

use std::collections::{BTreeMap, HashMap, HashSet};

use shared::ids::WorkflowId;
use shared::messaging::StoredMessage;

/// A workflow's messages, the last of which is its end.
pub(super) struct History(pub(super) Vec<StoredMessage>);

/// How many bytes of payloads may be in memory, but for the last workflow of each kind.
#[derive(Debug, Clone, Copy)]
pub(super) struct MemoryLimits {
    /// Of histories that are whole.
    pub(super) complete: usize,
    /// Of histories whose end has not come yet.
    pub(super) open: usize,
}

/// One reading of the log.
pub(super) struct HistoryCollector<'e> {
    limits: MemoryLimits,
    /// Where the workflows end that are wanted; those that are whole leave it.
    ended: &'e mut HashMap<WorkflowId, u64>,
    open: HashMap<WorkflowId, Vec<StoredMessage>>,
    /// The open ones by the place of their first message.
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

    /// Takes the next message of the log.
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

    /// Whether there are as many whole histories as may be in memory.
    pub(super) fn is_full(&self) -> bool {
        self.complete_bytes >= self.limits.complete
    }

    /// The whole histories, and where the next reading is to begin after this one stopped before `next`.
    pub(super) fn stop(self, next: u64) -> (Vec<History>, Option<u64>) {
        let open = self.begun.first_key_value().map(|(first, _)| *first);
        let next = [open, self.first_deferred].into_iter().flatten().min().unwrap_or(next);
        (self.complete, Some(next))
    }

    /// As [`Self::stop`], at the end of the log; what has not come to its end by then does not.
    pub(super) fn end(self) -> (Vec<History>, Option<u64>) {
        for id in self.open.keys() {
            self.ended.remove(id);
        }
        (self.complete, self.first_deferred)
    }
}

#[cfg(test)]
mod tests {
    use shared::clock::Timestamp;

    use super::*;

    const BYTES: usize = 10;

    /// A log of messages of equal size, each of the workflow of that number.
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
    fn every_history_is_taken_whole_and_once_in_the_room_there_is() {
        let ids: Vec<WorkflowId> = (0..6).map(|_| WorkflowId::fresh()).collect();
        let log = log_of(&[0, 1, 2, 1, 3, 2, 4, 4, 3, 5, 1, 2, 5, 3, 0], &ids);
        for open in [1, 3, 4, 6, 100].map(|messages| messages * BYTES) {
            for complete in [1, 5, 100].map(|messages| messages * BYTES) {
                let mut ended: HashMap<_, _> =
                    log.iter().map(|message| (message.workflow_id, message.sequence)).collect();
                // Its end was taken away meanwhile.
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
                    assert!(then.is_none_or(|then| then > from || !histories.is_empty()), "it comes no further");
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
