//! Removal of ended workflows from the log, and of unreferenced content: for the operator only.

use std::collections::{BTreeSet, HashMap};

use async_nats::jetstream;
use async_nats::jetstream::consumer::DeliverPolicy;
use async_nats::jetstream::consumer::pull::OrderedConfig;
use async_nats::jetstream::response::Response;
use async_nats::jetstream::stream::DeleteStatus;
use futures_util::{Stream, StreamExt};
use serde_json::json;

use crate::connection::broker::Broker;
use crate::envelope::as_json;
use crate::log::raw_get::{Choice, is_removed, raw_get};
use crate::log::scan::{read_to_end, unavailable};
use crate::log::{ReadError, from_delivery, read_transition};
use crate::queue::consumer::Consumer;
use crate::subjects;
use domain::Timestamp;
use domain::ids::{Digest, WorkflowId};
use domain::workflow::Workflow;

/// A message of the log as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredMessage {
    pub workflow_id: WorkflowId,
    pub sequence: u64,
    /// Time at which the broker stored it.
    pub at: Timestamp,
    pub subject: String,
    pub headers: Vec<(String, String)>,
    pub payload: Vec<u8>,
}

impl StoredMessage {
    /// Returns the payload as JSON with all fields of any build; `None` if it is not an envelope.
    pub fn to_json(&self) -> Option<serde_json::Value> {
        as_json(&self.payload)
    }

    /// Returns the workflow's state; `None` if this build cannot read it.
    pub fn to_workflow(&self) -> Option<Workflow> {
        read_transition(&self.subject, &self.payload).ok().map(|transition| transition.workflow)
    }

    /// Returns every digest in any field of the payload.
    pub fn digests(&self) -> BTreeSet<Digest> {
        digests_in(&self.payload)
    }
}

/// An end of a workflow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkflowEnd {
    pub workflow_id: WorkflowId,
    pub sequence: u64,
    /// Time at which the broker stored it, independent of the writer's clock.
    pub at: Timestamp,
}

/// Content stored under a digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BlobContent {
    Intact(Vec<u8>),
    /// The text has another digest; any process that may store content can cause that.
    Corrupted(Vec<u8>),
}

/// Returns the digests in a payload: texts of 64 characters, which MessagePack starts with these two bytes.
fn digests_in(payload: &[u8]) -> BTreeSet<Digest> {
    let text = |window: &[u8]| std::str::from_utf8(window.strip_prefix(b"\xd9\x40")?).ok()?.parse().ok();
    payload.windows(66).filter(|window| window.starts_with(b"\xd9\x40")).filter_map(text).collect()
}

/// The operator's access to log and content for retention. Clones share the connection.
#[derive(Debug, Clone)]
pub struct Retention {
    broker: Broker,
}

impl Retention {
    /// Creates the access on `broker`, which must be signed in as the operator.
    pub fn new(broker: &Broker) -> Self {
        Self { broker: broker.clone() }
    }

    /// Returns the creation time of the log, which identifies it.
    pub async fn name_of_log(&self) -> Result<String, ReadError> {
        let stream = self.broker.jetstream().get_stream(subjects::WORKFLOWS).await.map_err(unavailable)?;
        Ok(Timestamp::of_date_time(stream.cached_info().created).to_rfc3339())
    }

    /// Returns the sequence up to which all transitions have had their effects: read model, audit, notifications and
    /// timers.
    pub async fn settled_up_to(&self) -> Result<u64, ReadError> {
        let context = self.broker.jetstream();
        let stream = context.get_stream(subjects::WORKFLOWS).await.map_err(unavailable)?;
        let mut settled = stream.cached_info().state.last_sequence;
        for consumer in [Consumer::Projector, Consumer::Audit, Consumer::Webhooks, Consumer::Schedules] {
            let info = stream.consumer_info(consumer.name()).await.map_err(unavailable)?;
            if info.num_pending > 0 || info.num_ack_pending > 0 {
                settled = settled.min(info.ack_floor.stream_sequence);
            }
        }
        Ok(settled)
    }

    /// Returns every end in log order; a workflow has several if its end was appended again.
    pub async fn ends(&self) -> Result<impl Stream<Item = Result<WorkflowEnd, ReadError>> + use<>, ReadError> {
        let filter_subjects = subjects::ALL_ENDS.map(str::to_owned).to_vec();
        let config = OrderedConfig { filter_subjects, deliver_policy: DeliverPolicy::All, ..OrderedConfig::default() };
        let messages = read_to_end(&self.broker, subjects::WORKFLOWS, config).await?;
        Ok(messages.map(|message| end_of(&message?)))
    }

    /// Returns sequence and time of a workflow's newest message from the log's leader, if any.
    pub async fn newest(&self, id: WorkflowId) -> Result<Option<(u64, Timestamp)>, ReadError> {
        let newest = Choice::Newest { last_by_subj: &subjects::workflow(id) };
        let newest = raw_get(self.broker.jetstream(), subjects::WORKFLOWS, newest).await.map_err(unavailable)?;
        Ok(newest.map(|message| (message.sequence, Timestamp::of_date_time(message.time))))
    }

    /// Returns every message of the log from `sequence` on, readable or not, in log order.
    pub async fn messages(
        &self,
        sequence: u64,
    ) -> Result<impl Stream<Item = Result<StoredMessage, ReadError>> + use<>, ReadError> {
        let deliver_policy = DeliverPolicy::ByStartSequence { start_sequence: sequence.max(1) };
        let filter_subjects = vec![subjects::ALL_TRANSITIONS.to_owned()];
        let config = OrderedConfig { filter_subjects, deliver_policy, ..OrderedConfig::default() };
        let messages = read_to_end(&self.broker, subjects::WORKFLOWS, config).await?;
        Ok(messages.filter_map(|message| async { message.and_then(|message| stored(&message)).transpose() }))
    }

    /// Deletes the message at `sequence` from the log; idempotent.
    pub async fn delete_message(&self, sequence: u64) -> Result<(), ReadError> {
        self.delete(subjects::WORKFLOWS, sequence).await
    }

    /// Returns every content over 8 KiB by digest, with its sequence, which changes when it is stored again.
    pub async fn contents(&self) -> Result<HashMap<Digest, u64>, ReadError> {
        let config = OrderedConfig {
            filter_subjects: vec![subjects::ALL_BLOBS.to_owned()],
            deliver_policy: DeliverPolicy::All,
            headers_only: true,
            ..OrderedConfig::default()
        };
        let messages = read_to_end(&self.broker, subjects::BLOBS, config).await?;
        let mut messages = std::pin::pin!(messages);
        let mut found = HashMap::new();
        while let Some(message) = messages.next().await {
            let message = message?;
            let sequence = message.info().map_err(unavailable)?.stream_sequence;
            if let Some(digest) = subjects::content_of(&message.subject) {
                found.insert(digest, sequence);
            }
        }
        Ok(found)
    }

    /// Returns the content stored under a digest from the stream's leader, if any.
    pub async fn content(&self, digest: Digest) -> Result<Option<BlobContent>, ReadError> {
        let newest = Choice::Newest { last_by_subj: &subjects::blob(digest) };
        let newest = raw_get(self.broker.jetstream(), subjects::BLOBS, newest).await.map_err(unavailable)?;
        let Some(text) = newest.map(|message| message.payload.to_vec()) else { return Ok(None) };
        let is_whole = Digest::of(&text) == digest;
        Ok(Some(if is_whole { BlobContent::Intact(text) } else { BlobContent::Corrupted(text) }))
    }

    /// Deletes the content at `sequence`; content stored again meanwhile has another sequence and stays. Idempotent.
    pub async fn delete_content(&self, sequence: u64) -> Result<(), ReadError> {
        self.delete(subjects::BLOBS, sequence).await
    }

    async fn delete(&self, stream: &str, sequence: u64) -> Result<(), ReadError> {
        // Not overwritten with noise first: no guarantee requires it, and it costs a write each.
        let request = json!({"seq": sequence, "no_erase": true});
        let subject = format!("STREAM.MSG.DELETE.{stream}");
        let answer: Response<DeleteStatus> =
            self.broker.jetstream().request(subject, &request).await.map_err(unavailable)?;
        let Response::Err { error } = answer else { return Ok(()) };
        // A missing message has several codes and texts.
        match is_removed(self.broker.jetstream(), stream, sequence).await {
            Ok(true) => Ok(()),
            Ok(false) | Err(_) => Err(unavailable(error)),
        }
    }
}

/// Reads an end; an error if this build cannot read it.
fn end_of(message: &jetstream::Message) -> Result<WorkflowEnd, ReadError> {
    let entry = from_delivery(message)?;
    let info = message.info().map_err(unavailable)?;
    Ok(WorkflowEnd {
        workflow_id: entry.workflow.id,
        sequence: entry.sequence,
        at: Timestamp::of_date_time(info.published),
    })
}

/// Converts a message; `None` if its subject names no workflow.
fn stored(message: &jetstream::Message) -> Result<Option<StoredMessage>, ReadError> {
    let info = message.info().map_err(unavailable)?;
    let Some(workflow_id) = subjects::workflow_of(&message.subject) else { return Ok(None) };
    let headers = message.headers.iter().flat_map(|headers| headers.iter());
    let headers = headers.flat_map(|(name, values)| values.iter().map(move |value| (name, value)));
    Ok(Some(StoredMessage {
        workflow_id,
        sequence: info.stream_sequence,
        at: Timestamp::of_date_time(info.published),
        subject: message.subject.to_string(),
        headers: headers.map(|(name, value)| (name.to_string(), value.to_string())).collect(),
        payload: message.payload.to_vec(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encode;
    use domain::workflow::{Content, NewInput, Phase};

    #[test]
    fn every_digest_of_a_state_is_found_wherever_it_stands() {
        let [code, input] = ["the code", "what a human supplied"].map(|text| Content::new(text.to_owned()));
        let mut workflow = domain::samples::submitted("ann", domain::samples::options());
        workflow.submission.code = Some(code.clone());
        workflow.phase = Phase::Generate { feedback: None, input: Some(NewInput::Code { content: input.clone() }) };
        let expected = [code.digest, input.digest, workflow.submission.request_digest];
        assert_eq!(digests_in(&encode(&workflow)), BTreeSet::from(expected));
        assert_eq!(digests_in(&[0xd9; 200]), BTreeSet::new());
    }
}
