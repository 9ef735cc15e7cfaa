//! Recent output of running jobs: a bounded buffer for those who begin to watch, and a broadcast to event streams.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use domain::ids::WorkflowId;
use messaging::LiveOutput;
use tokio::sync::broadcast;

/// Maximum bytes of the buffer. The oldest output is dropped first; results hold all of it.
const MAX_BUFFERED_BYTES: usize = 16 << 20;
/// Memory of an output besides its text.
const OVERHEAD_BYTES: usize = 128;
/// Maximum text of one output; workers send less.
const MAX_TEXT_BYTES: usize = 256 << 10;
/// Outputs that a stream may lag behind; then it reads the buffer.
const BROADCAST_CAPACITY: usize = 1_024;

/// The output of all running jobs.
#[derive(Debug)]
pub(crate) struct LiveOutputFeed {
    sender: broadcast::Sender<Arc<LiveOutput>>,
    recent: Mutex<RecentOutput>,
}

#[derive(Debug, Default)]
struct RecentOutput {
    outputs: VecDeque<Arc<LiveOutput>>,
    bytes: usize,
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
        recent.bytes += cost_of(&output);
        recent.outputs.push_back(output.clone());
        while recent.bytes > MAX_BUFFERED_BYTES {
            let Some(oldest) = recent.outputs.pop_front() else { break };
            recent.bytes -= cost_of(&oldest);
        }
        // Under the lock, so that a subscriber finds each output in the buffer or in the broadcast, and not in both. An
        // error means that there are no subscribers, which is common.
        drop(self.sender.send(output));
    }

    /// Returns the buffered output of a log entry after `number`, and a receiver of what follows for all entries.
    pub(crate) fn subscribe(
        &self,
        id: WorkflowId,
        sequence: u64,
        number: u64,
    ) -> (Vec<Arc<LiveOutput>>, broadcast::Receiver<Arc<LiveOutput>>) {
        let recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        let is_wanted = |output: &&Arc<LiveOutput>| {
            (output.workflow_id, output.sequence) == (id, sequence) && output.number > number
        };
        (recent.outputs.iter().filter(is_wanted).cloned().collect(), self.sender.subscribe())
    }
}

fn cost_of(output: &LiveOutput) -> usize {
    output.text.len() + OVERHEAD_BYTES
}

#[cfg(test)]
mod tests {
    use messaging::LiveStream;

    use super::*;

    fn output(id: WorkflowId, number: u64, text: &str) -> LiveOutput {
        LiveOutput { workflow_id: id, sequence: 7, number, stream: LiveStream::Stdout, text: text.to_owned() }
    }

    fn buffered(feed: &LiveOutputFeed, id: WorkflowId, sequence: u64, number: u64) -> Vec<u64> {
        feed.subscribe(id, sequence, number).0.iter().map(|output| output.number).collect()
    }

    #[tokio::test]
    async fn a_subscriber_gets_each_output_of_its_entry_once() {
        let (feed, one, other) = (LiveOutputFeed::new(), WorkflowId::fresh(), WorkflowId::fresh());
        for (id, number) in [(one, 1), (other, 2), (one, 3)] {
            feed.publish(output(id, number, "x"));
        }
        assert_eq!(buffered(&feed, one, 7, 0), [1, 3]);
        assert_eq!(buffered(&feed, one, 7, 1), [3]);
        assert_eq!(buffered(&feed, one, 8, 0), Vec::<u64>::new(), "of another entry");
        let (_, mut later) = feed.subscribe(one, 7, 3);
        feed.publish(output(one, 4, "x"));
        assert_eq!(later.recv().await.unwrap().number, 4);
    }

    #[test]
    fn the_buffer_drops_the_oldest_output() {
        let (feed, id) = (LiveOutputFeed::new(), WorkflowId::fresh());
        let text = "x".repeat(MAX_TEXT_BYTES);
        for number in 1..=100 {
            feed.publish(output(id, number, &text));
        }
        feed.publish(output(id, 101, &"x".repeat(MAX_TEXT_BYTES + 1)));
        let numbers = buffered(&feed, id, 7, 0);
        assert_eq!((numbers.len(), numbers.last()), (63, Some(&100)));
    }
}
