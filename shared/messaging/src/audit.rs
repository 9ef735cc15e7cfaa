//! The audit log: append-only; each record holds the hash of the one before, so removed or changed records are
//! detected.

use std::sync::Arc;

use async_nats::jetstream::message::PublishMessage;
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

use super::log::is_conflict;
use super::subjects;
use crate::connection::broker::Broker;
use crate::error::MessagingError;
use crate::log::raw_get::{Choice, raw_get};
use domain::Timestamp;
use domain::approval::Actor;
use domain::ids::{ApprovalId, Digest, WorkflowId};
use service::failpoints;

/// One record: actor, action, path and digest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AuditRecord {
    /// Derived from the cause; one record is kept for each key within the broker's duplicate window.
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

/// A record with its link to the one before, as JSON in the stream.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Link {
    /// SHA-256 of the previous payload, 64 zeros for the first record.
    previous: String,
    record: AuditRecord,
}

/// The audit stream. Several processes may append at once: a fence on the last sequence keeps the chain intact.
///
/// The chain does not detect records cut off at the end; the stream denies deletion and purge.
#[derive(Debug, Clone)]
pub struct AuditLog {
    broker: Broker,
    /// Appends within a process wait for each other instead of racing.
    turn: Arc<Mutex<()>>,
}

/// Sequence, key and hash of the newest record.
struct Newest {
    sequence: u64,
    key: Option<String>,
    hash: String,
}

impl AuditLog {
    /// Creates the audit log on `broker`.
    pub fn new(broker: &Broker) -> Self {
        Self { broker: broker.clone(), turn: Arc::default() }
    }

    /// Appends a record; returns once it is on disk. Idempotent by the record's key within two minutes, and later by
    /// comparison with the newest record.
    pub async fn append(&self, record: AuditRecord) -> Result<(), MessagingError> {
        let _turn = self.turn.lock().await;
        for _ in 0..64 {
            let Newest { sequence, key, hash } = self.newest().await?;
            if key.as_ref() == Some(&record.key) {
                return Ok(());
            }
            let link = Link { previous: hash, record: record.clone() };
            let payload = serde_json::to_vec(&link).map_err(MessagingError::unreadable)?;
            let message = PublishMessage::build()
                .payload(payload.into())
                .message_id(&record.key)
                .expected_last_subject_sequence(sequence);
            failpoints::reach("record.before").await;
            let ack = self.broker.store(subjects::AUDIT_RECORD.to_owned(), message).await;
            failpoints::reach("record.after").await;
            match ack {
                Ok(_) => return Ok(()),
                Err(error) if is_conflict(&error) => {}
                Err(error) => return Err(MessagingError::unavailable(error)),
            }
        }
        Err(MessagingError::Contended)
    }

    async fn newest(&self) -> Result<Newest, MessagingError> {
        let newest = Choice::Newest { last_by_subj: subjects::AUDIT_RECORD };
        match raw_get(self.broker.jetstream(), subjects::AUDIT, newest).await.map_err(MessagingError::unavailable)? {
            Some(message) => {
                let link: Link = serde_json::from_slice(&message.payload).map_err(MessagingError::unreadable)?;
                // Of the stored bytes: a newer build may have written fields that this one does not know.
                let hash = Digest::of(&message.payload).to_string();
                Ok(Newest { sequence: message.sequence, key: Some(link.record.key), hash })
            }
            None => Ok(Newest { sequence: 0, key: None, hash: "0".repeat(64) }),
        }
    }

    /// Returns every record, oldest first; an error names the first record that does not match the chain.
    pub async fn read_all(&self) -> Result<Vec<AuditRecord>, MessagingError> {
        let stream =
            self.broker.jetstream().get_stream_no_info(subjects::AUDIT).await.map_err(MessagingError::unavailable)?;
        let last = self.newest().await?.sequence;
        let (mut records, mut expected) = (Vec::new(), "0".repeat(64));
        for sequence in 1..=last {
            let message = stream.direct_get(sequence).await.map_err(MessagingError::unavailable)?;
            let link: Link = serde_json::from_slice(&message.payload).map_err(MessagingError::unreadable)?;
            if link.previous != expected {
                return Err(MessagingError::Unreadable(format!("the audit chain breaks at record {sequence}")));
            }
            expected = Digest::of(&message.payload).to_string();
            records.push(link.record);
        }
        Ok(records)
    }
}
