//! The audit log: append-only, each record bound to the one before by its hash, so that a removed or changed record shows.

use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::stream::LastRawMessageErrorKind;
use serde::{Deserialize, Serialize};

use super::broker::Broker;
use super::log::is_conflict;
use super::subjects;
use crate::approval::Actor;
use crate::clock::Timestamp;
use crate::ids::{ApprovalId, Digest, WorkflowId};

/// One record: who did what, by what path, on which digest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AuditRecord {
    /// The same cause has the same key; a record is kept once for each key within the broker's duplicate window.
    pub key: String,
    pub at: Timestamp,
    pub actor: Actor,
    /// E.g. `approved`, `rejected`, `released_without_human`, `refused`, `cancelled`, `expired`.
    pub action: String,
    /// `http`, `nats` or `log`.
    pub path: String,
    pub workflow_id: Option<WorkflowId>,
    pub approval_id: Option<ApprovalId>,
    pub digest: Option<Digest>,
    pub detail: Option<String>,
}

/// A record in its place in the chain, as JSON in the stream.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Link {
    /// SHA-256 of the payload before, 64 zeros for the first.
    previous: String,
    record: AuditRecord,
}

/// The audit stream. Several writers may append at once: a fence on the last sequence keeps the chain whole.
#[derive(Debug, Clone)]
pub struct AuditLog {
    broker: Broker,
}

impl AuditLog {
    /// The audit log behind `broker`.
    pub fn new(broker: &Broker) -> Self {
        Self { broker: broker.clone() }
    }

    /// Appends a record; returns once it is on disk. Idempotent by the record's key within two minutes, and beyond that by
    /// comparing with the newest record.
    pub async fn append(&self, record: AuditRecord) -> Result<(), String> {
        for _ in 0..64 {
            let (sequence, newest) = self.newest().await?;
            if newest.as_ref().is_some_and(|link| link.record.key == record.key) {
                return Ok(());
            }
            let previous = self.newest_hash(newest.as_ref())?;
            let link = Link { previous, record: record.clone() };
            let payload = serde_json::to_vec(&link).map_err(|error| error.to_string())?;
            let message = PublishMessage::build()
                .payload(payload.into())
                .message_id(&record.key)
                .expected_last_subject_sequence(sequence);
            let ack = self
                .broker
                .jetstream()
                .send_publish(subjects::AUDIT_RECORD, message)
                .await
                .map_err(|error| error.to_string())?;
            match ack.await {
                Ok(_) => return Ok(()),
                Err(error) if is_conflict(&error) => {}
                Err(error) => return Err(error.to_string()),
            }
        }
        Err("the audit log is written by too many at once".to_owned())
    }

    fn newest_hash(&self, newest: Option<&Link>) -> Result<String, String> {
        match newest {
            Some(link) => Ok(Digest::of(&serde_json::to_vec(link).map_err(|error| error.to_string())?).to_string()),
            None => Ok("0".repeat(64)),
        }
    }

    async fn newest(&self) -> Result<(u64, Option<Link>), String> {
        let stream =
            self.broker.jetstream().get_stream_no_info(subjects::AUDIT).await.map_err(|error| error.to_string())?;
        match stream.get_last_raw_message_by_subject(subjects::AUDIT_RECORD).await {
            Ok(message) => {
                let link = serde_json::from_slice(&message.payload).map_err(|error| error.to_string())?;
                Ok((message.sequence, Some(link)))
            }
            Err(error) if error.kind() == LastRawMessageErrorKind::NoMessageFound => Ok((0, None)),
            Err(error) => Err(error.to_string()),
        }
    }

    /// Every record, oldest first; an error names the first record whose chain does not hold.
    pub async fn read_all(&self) -> Result<Vec<AuditRecord>, String> {
        let stream =
            self.broker.jetstream().get_stream_no_info(subjects::AUDIT).await.map_err(|error| error.to_string())?;
        let (last, _) = self.newest().await?;
        let (mut records, mut expected) = (Vec::new(), "0".repeat(64));
        for sequence in 1..=last {
            let message = stream.direct_get(sequence).await.map_err(|error| error.to_string())?;
            let link: Link = serde_json::from_slice(&message.payload).map_err(|error| error.to_string())?;
            if link.previous != expected {
                return Err(format!("the audit chain breaks at record {sequence}"));
            }
            expected = Digest::of(&message.payload).to_string();
            records.push(link.record);
        }
        Ok(records)
    }
}
