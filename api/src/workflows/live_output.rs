//! Recent output of running jobs: a bounded buffer for those who begin to watch, and a broadcast to event streams.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use domain::ids::WorkflowId;
use messaging::{LiveOutput, LiveStream};
use tokio::sync::broadcast;
use tokio::time::Instant;

/// Maximum bytes of the buffer. The oldest output of the run with the most is dropped first; results hold all of it.
const MAX_BUFFERED_BYTES: usize = 16 << 20;
/// Memory of an output besides its text.
const OVERHEAD_BYTES: usize = 128;
/// Maximum text of one output; workers send less.
const MAX_TEXT_BYTES: usize = 256 << 10;
/// Time without output after which a run is forgotten: its worker may have died.
const MAX_SILENCE: Duration = Duration::from_secs(600);
/// Outputs that a stream may lag behind; then it reads the buffer.
const BROADCAST_CAPACITY: usize = 1_024;

/// The output of all running jobs.
#[derive(Debug)]
pub(crate) struct LiveOutputFeed {
    sender: broadcast::Sender<Arc<LiveOutput>>,
    recent: Mutex<RecentOutput>,
}

/// The step of a workflow that began with a log entry.
type StepKey = (WorkflowId, u64);

#[derive(Debug, Default)]
struct RecentOutput {
    runs: HashMap<StepKey, RunOutput>,
    bytes: usize,
}

#[derive(Debug)]
struct RunOutput {
    outputs: VecDeque<Arc<LiveOutput>>,
    bytes: usize,
    /// Number of the newest output that was dropped.
    dropped: u64,
    updated: Instant,
}

/// The output of a step that a subscriber gets.
pub(crate) struct Subscription {
    pub(crate) buffered: VecDeque<Arc<LiveOutput>>,
    /// True if output between the requested number and the buffer was dropped.
    pub(crate) is_cut: bool,
    /// Receives what follows, for all steps.
    pub(crate) receiver: broadcast::Receiver<Arc<LiveOutput>>,
}

impl LiveOutputFeed {
    pub(crate) fn new() -> Self {
        Self { sender: broadcast::Sender::new(BROADCAST_CAPACITY), recent: Mutex::default() }
    }

    pub(crate) fn publish(&self, output: LiveOutput) {
        if output.text.len() > MAX_TEXT_BYTES {
            return;
        }
        let output = Arc::new(output);
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        if output.stream == LiveStream::End {
            recent.forget((output.workflow_id, output.sequence));
        } else {
            recent.push(output.clone());
        }
        // Under the lock, so that a subscriber finds each output in the buffer or in the broadcast, and not in both. An
        // error means that there are no subscribers, which is common.
        drop(self.sender.send(output));
    }

    /// Subscribes to the output of a step after `number`.
    pub(crate) fn subscribe(&self, id: WorkflowId, sequence: u64, number: u64) -> Subscription {
        let recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        let run = recent.runs.get(&(id, sequence));
        let outputs = run.into_iter().flat_map(|run| &run.outputs);
        Subscription {
            buffered: outputs.filter(|output| output.number > number).cloned().collect(),
            is_cut: run.is_some_and(|run| run.dropped > number),
            receiver: self.sender.subscribe(),
        }
    }
}

impl RecentOutput {
    fn push(&mut self, output: Arc<LiveOutput>) {
        let now = Instant::now();
        let key = (output.workflow_id, output.sequence);
        if !self.runs.contains_key(&key) {
            self.forget_silent(now);
        }
        let new = || RunOutput { outputs: VecDeque::new(), bytes: 0, dropped: 0, updated: now };
        let run = self.runs.entry(key).or_insert_with(new);
        run.updated = now;
        run.bytes += cost_of(&output);
        self.bytes += cost_of(&output);
        run.outputs.push_back(output);
        while self.bytes > MAX_BUFFERED_BYTES {
            let Some(largest) = self.runs.values_mut().max_by_key(|run| run.bytes) else { return };
            let Some(oldest) = largest.outputs.pop_front() else { return };
            largest.bytes -= cost_of(&oldest);
            largest.dropped = oldest.number;
            self.bytes -= cost_of(&oldest);
        }
    }

    fn forget(&mut self, key: StepKey) {
        self.bytes -= self.runs.remove(&key).map_or(0, |run| run.bytes);
    }

    fn forget_silent(&mut self, now: Instant) {
        let silent = |run: &RunOutput| now.duration_since(run.updated) > MAX_SILENCE;
        let keys: Vec<StepKey> = self.runs.iter().filter(|(_, run)| silent(run)).map(|(key, _)| *key).collect();
        keys.into_iter().for_each(|key| self.forget(key));
    }
}

fn cost_of(output: &LiveOutput) -> usize {
    output.text.len() + OVERHEAD_BYTES
}

#[cfg(test)]
mod tests {
    use super::*;

    fn output(id: WorkflowId, number: u64, text: &str) -> LiveOutput {
        LiveOutput { workflow_id: id, sequence: 7, number, stream: LiveStream::Stdout, text: text.to_owned() }
    }

    fn buffered(feed: &LiveOutputFeed, id: WorkflowId, sequence: u64, number: u64) -> Vec<u64> {
        feed.subscribe(id, sequence, number).buffered.iter().map(|output| output.number).collect()
    }

    #[tokio::test]
    async fn a_subscriber_gets_each_output_of_its_step_once() {
        let (feed, one, other) = (LiveOutputFeed::new(), WorkflowId::fresh(), WorkflowId::fresh());
        for (id, number) in [(one, 1), (other, 2), (one, 3)] {
            feed.publish(output(id, number, "x"));
        }
        assert_eq!(buffered(&feed, one, 7, 0), [1, 3]);
        assert_eq!(buffered(&feed, one, 7, 1), [3]);
        assert_eq!(buffered(&feed, one, 8, 0), Vec::<u64>::new(), "of another entry");
        let mut later = feed.subscribe(one, 7, 3).receiver;
        feed.publish(output(one, 4, "x"));
        assert_eq!(later.recv().await.unwrap().number, 4);
        feed.publish(LiveOutput { stream: LiveStream::End, ..output(one, 5, "") });
        assert_eq!(buffered(&feed, one, 7, 0), Vec::<u64>::new(), "the result holds it");
        assert_eq!(buffered(&feed, other, 7, 0), [2]);
    }

    #[test]
    fn the_buffer_drops_the_oldest_output_of_the_loudest_run() {
        let (feed, loud, quiet) = (LiveOutputFeed::new(), WorkflowId::fresh(), WorkflowId::fresh());
        feed.publish(output(quiet, 1, "quiet"));
        let text = "x".repeat(MAX_TEXT_BYTES);
        for number in 1..=100 {
            feed.publish(output(loud, number, &text));
        }
        feed.publish(output(loud, 101, &"x".repeat(MAX_TEXT_BYTES + 1)));
        let numbers = buffered(&feed, loud, 7, 0);
        assert_eq!((numbers.len(), numbers.last()), (63, Some(&100)));
        assert_eq!(buffered(&feed, quiet, 7, 0), [1]);
        assert!(feed.subscribe(loud, 7, 0).is_cut && !feed.subscribe(loud, 7, 99).is_cut);
        assert!(!feed.subscribe(quiet, 7, 0).is_cut);
    }

    #[tokio::test(start_paused = true)]
    async fn a_run_without_an_end_is_forgotten() {
        let (feed, dead, living) = (LiveOutputFeed::new(), WorkflowId::fresh(), WorkflowId::fresh());
        feed.publish(output(dead, 1, "x"));
        tokio::time::advance(MAX_SILENCE + Duration::from_secs(1)).await;
        feed.publish(output(living, 2, "x"));
        assert_eq!((buffered(&feed, dead, 7, 0), buffered(&feed, living, 7, 0)), (Vec::new(), vec![2]));
    }
}
