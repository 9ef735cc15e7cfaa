//! Output of a running job, sent to those who watch the workflow.

use std::time::Duration;

use domain::ids::WorkflowId;
use messaging::{Entry, LiveOutput, LiveOutputChannel, LiveStream};
use sandbox::{JobResult, OutputChunk, OutputStream};
use service::clock::Clock;
use tokio::sync::mpsc::UnboundedReceiver;

use crate::context::WorkerContext;

/// Maximum time to hand one message to the connection: watching must not delay the step.
const SEND_TIMEOUT: Duration = Duration::from_millis(200);
/// Chunks to take at once, and maximum bytes of the text of one message.
const MAX_CHUNKS: usize = 64;
const MAX_TEXT_BYTES: usize = 64 << 10;

/// The forwarding of one job's output.
pub(super) struct LiveOutputForwarder<'a> {
    channel: &'a LiveOutputChannel,
    clock: &'a Clock,
    workflow_id: WorkflowId,
    /// Sequence of the log entry whose step runs the job.
    sequence: u64,
    last_number: u64,
    texts: TextDecoder,
}

impl<'a> LiveOutputForwarder<'a> {
    pub(super) fn new(context: &'a WorkerContext, entry: &Entry) -> Self {
        Self {
            channel: &context.live_output,
            clock: &context.clock,
            workflow_id: entry.workflow.id,
            sequence: entry.sequence,
            last_number: 0,
            texts: TextDecoder::default(),
        }
    }

    /// Forwards the chunks until the job drops its end of the channel.
    pub(super) async fn forward(&mut self, mut chunks: UnboundedReceiver<OutputChunk>) {
        let mut received = Vec::new();
        while chunks.recv_many(&mut received, MAX_CHUNKS).await > 0 {
            self.send_all(received.drain(..)).await;
        }
    }

    /// Sends the output that the runner had not sent when the job ended, and the end. Nothing is sent for a job without
    /// live output, whose result follows at once.
    pub(super) async fn finish(mut self, result: Option<&JobResult>) {
        if self.texts.received == [0, 0] {
            return;
        }
        if let Some(JobResult { stdout, stderr, .. }) = result {
            let rests = [(OutputStream::Stdout, stdout), (OutputStream::Stderr, stderr)];
            for ((stream, whole), received) in rests.into_iter().zip(self.texts.received) {
                for bytes in whole.get(received..).unwrap_or_default().chunks(MAX_TEXT_BYTES) {
                    self.send_all([OutputChunk { stream, bytes: bytes.to_vec() }].into_iter()).await;
                }
            }
        }
        self.send(LiveStream::End, String::new()).await;
    }

    async fn send_all(&mut self, chunks: impl Iterator<Item = OutputChunk>) {
        for (stream, text) in self.texts.merge(chunks) {
            self.send(stream, text).await;
        }
    }

    async fn send(&mut self, stream: LiveStream, text: String) {
        // Time, so that the numbers of a later attempt on another worker are higher if its clock is about right.
        self.last_number = (self.last_number + 1).max(u64::try_from(self.clock.now().as_millis()).unwrap_or(0));
        let (workflow_id, sequence, number) = (self.workflow_id, self.sequence, self.last_number);
        let output = LiveOutput { workflow_id, sequence, number, stream, text };
        if tokio::time::timeout(SEND_TIMEOUT, self.channel.send(&output)).await.is_err() {
            tracing::debug!(workflow.id = %workflow_id, "Timed out sending output of a running job");
        }
    }
}

/// Decodes chunks, whose ends may be inside a character, as the text that their stream has in the result.
#[derive(Default)]
struct TextDecoder {
    /// Bytes of each stream that begin a character.
    partial: [Vec<u8>; 2],
    /// Number of bytes of each stream so far.
    received: [usize; 2],
}

impl TextDecoder {
    /// Returns the text of chunks in their order; consecutive ones of a stream become one up to the maximum size.
    fn merge(&mut self, chunks: impl Iterator<Item = OutputChunk>) -> Vec<(LiveStream, String)> {
        let mut texts: Vec<(LiveStream, String)> = Vec::new();
        for chunk in chunks {
            let (stream, index) = match chunk.stream {
                OutputStream::Stdout => (LiveStream::Stdout, 0),
                OutputStream::Stderr => (LiveStream::Stderr, 1),
            };
            self.received[index] += chunk.bytes.len();
            let text = decode(&mut self.partial[index], chunk.bytes);
            match texts.last_mut() {
                Some((last, merged)) if *last == stream && merged.len() < MAX_TEXT_BYTES => merged.push_str(&text),
                Some(_) | None if text.is_empty() => {}
                Some(_) | None => texts.push((stream, text)),
            }
        }
        texts
    }
}

/// Decodes `bytes` after `partial`, where an unfinished character at the end stays.
fn decode(partial: &mut Vec<u8>, bytes: Vec<u8>) -> String {
    partial.extend(bytes);
    let unfinished = partial.utf8_chunks().last().map_or(0, |last| {
        let error = std::str::from_utf8(last.invalid()).err();
        if error.is_some_and(|error| error.error_len().is_none()) { last.invalid().len() } else { 0 }
    });
    let rest = partial.split_off(partial.len() - unfinished);
    let text = String::from_utf8_lossy(partial).into_owned();
    *partial = rest;
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn chunk(stream: OutputStream, bytes: &[u8]) -> OutputChunk {
        OutputChunk { stream, bytes: bytes.to_vec() }
    }

    #[test]
    fn chunks_of_a_stream_become_one_text_and_the_order_stays() {
        let mut decoder = TextDecoder::default();
        let (out, err) = (OutputStream::Stdout, OutputStream::Stderr);
        let chunks = [chunk(out, b"a"), chunk(out, b"b\xc3"), chunk(err, b"e"), chunk(out, b"\xa9")];
        let expected = [(LiveStream::Stdout, "ab"), (LiveStream::Stderr, "e"), (LiveStream::Stdout, "é")];
        assert_eq!(decoder.merge(chunks.into_iter()), expected.map(|(stream, text)| (stream, text.to_owned())));
        assert_eq!(decoder.merge([chunk(out, b"\xf0\x9f")].into_iter()), []);
    }

    proptest! {
        #[test]
        fn text_is_the_same_however_it_is_cut(text in ".{0,40}", cuts in proptest::collection::vec(1_usize..5, 0..80)) {
            let (mut decoder, mut rest, mut read) = (TextDecoder::default(), text.as_bytes(), String::new());
            for cut in cuts.into_iter().chain([usize::MAX]) {
                let (now, later) = rest.split_at(cut.min(rest.len()));
                rest = later;
                for (_, part) in decoder.merge([chunk(OutputStream::Stdout, now)].into_iter()) {
                    read.push_str(&part);
                }
            }
            prop_assert_eq!(read, text);
        }
    }
}
