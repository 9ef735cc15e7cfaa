//! The audit log: append-only, each record bound to the one before by its hash, so that a removed or changed record shows.

use std::sync::Arc;

use async_nats::jetstream::message::PublishMessage;
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

use super::broker::Broker;
use super::log::is_conflict;
use super::raw_get::{Choice, raw_get};
use super::subjects;
use crate::approval::Actor;
use crate::clock::Timestamp;
use crate::failpoints;
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

/// The audit stream. Several processes may append at once: a fence on the last sequence keeps the chain whole.
///
/// Records cut off at the end do not show by the chain; the stream denies deletion and purge.
#[derive(Debug, Clone)]
pub struct AuditLog {
    broker: Broker,
    /// Within a process one append waits for the other instead of racing it.
    turn: Arc<Mutex<()>>,
}

/// The newest record's place, key and hash.
struct Newest {
    sequence: u64,
    key: Option<String>,
    hash: String,
}

impl AuditLog {
    /// The audit log behind `broker`.
    pub fn new(broker: &Broker) -> Self {
        Self { broker: broker.clone(), turn: Arc::default() }
    }

    /// Appends a record; returns once it is on disk. Idempotent by the record's key within two minutes, and beyond that by
    /// comparing with the newest record.
    pub async fn append(&self, record: AuditRecord) -> Result<(), String> {
        let _turn = self.turn.lock().await;
        for _ in 0..64 {
            let Newest { sequence, key, hash } = self.newest().await?;
            if key.as_ref() == Some(&record.key) {
                return Ok(());
            }
            let link = Link { previous: hash, record: record.clone() };
            let payload = serde_json::to_vec(&link).map_err(|error| error.to_string())?;
            let message = PublishMessage::build()
                .payload(payload.into())
                .message_id(&record.key)
                .expected_last_subject_sequence(sequence);
            failpoints::reach("record.before").await;
            let ack = self
                .broker
                .jetstream()
                .send_publish(subjects::AUDIT_RECORD, message)
                .await
                .map_err(|error| error.to_string())?;
            let ack = ack.await;
            failpoints::reach("record.after").await;
            match ack {
                Ok(_) => return Ok(()),
                Err(error) if is_conflict(&error) => {}
                Err(error) => return Err(error.to_string()),
            }
        }
        Err("the audit log is written by too many at once".to_owned())
    }

    async fn newest(&self) -> Result<Newest, String> {
        let newest = Choice::Newest { last_by_subj: subjects::AUDIT_RECORD };
        match raw_get(self.broker.jetstream(), subjects::AUDIT, newest).await.map_err(|error| error.to_string())? {
            Some(message) => {
                let link: Link = serde_json::from_slice(&message.payload).map_err(|error| error.to_string())?;
                // Of the stored bytes: a build that knows more fields than this one wrote them as they are.
                let hash = Digest::of(&message.payload).to_string();
                Ok(Newest { sequence: message.sequence, key: Some(link.record.key), hash })
            }
            None => Ok(Newest { sequence: 0, key: None, hash: "0".repeat(64) }),
        }
    }

    /// Every record, oldest first; an error names the first record whose chain does not hold.
    pub async fn read_all(&self) -> Result<Vec<AuditRecord>, String> {
        let stream =
            self.broker.jetstream().get_stream_no_info(subjects::AUDIT).await.map_err(|error| error.to_string())?;
        let last = self.newest().await?.sequence;
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
