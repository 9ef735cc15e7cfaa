//! The format of archive files: a header line, then one workflow per line as JSON.

use std::collections::{BTreeMap, BTreeSet};

use domain::ids::{Digest, UserName, WorkflowId};
use domain::workflow::{Status, Workflow};
use messaging::StoredMessage;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The first line of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FileHeader {
    /// Version of the format.
    pub(crate) promptcraft_archive: u32,
    /// Id of the log; sequences are valid only in this log.
    pub(crate) log: String,
}

impl FileHeader {
    pub(crate) fn new(log: &str) -> Self {
        Self { promptcraft_archive: 1, log: log.to_owned() }
    }
}

/// An archived workflow.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct ArchivedWorkflow {
    /// First in the line, so that a search compares only the beginning of each line.
    pub(crate) workflow_id: WorkflowId,
    pub(crate) owner: UserName,
    pub(crate) status: Status,
    pub(crate) created_at: String,
    pub(crate) ended_at: String,
    /// Digests of the contents in the directory `contents`.
    pub(crate) contents: Vec<Digest>,
    /// Digests of contents that were already corrupted in the log; stored with `.damaged` after the digest.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) damaged_contents: Vec<Digest>,
    /// All messages of the workflow, oldest first.
    pub(crate) messages: Vec<ArchivedMessage>,
}

/// The part of a line that is needed to delete its workflow from the log.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct WorkflowIndex {
    pub(crate) workflow_id: WorkflowId,
    pub(crate) owner: UserName,
    pub(crate) status: Status,
    pub(crate) messages: Vec<MessagePosition>,
}

/// The position of a message in the log.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct MessagePosition {
    pub(crate) sequence: u64,
    /// Time at which the broker stored it.
    pub(crate) at: String,
}

impl WorkflowIndex {
    /// Returns the sequence of the last message.
    pub(crate) fn end(&self) -> u64 {
        self.messages.last().map_or(0, |place| place.sequence)
    }
}

/// A message of the log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct ArchivedMessage {
    pub(crate) sequence: u64,
    pub(crate) at: String,
    pub(crate) subject: String,
    pub(crate) headers: Vec<(String, String)>,
    /// The decoded payload, including unknown fields.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) body: Option<Value>,
    /// The payload of an undecodable message.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) bytes: Option<Vec<u8>>,
}

impl ArchivedWorkflow {
    /// Creates the record of an ended workflow from its messages, oldest first, without contents.
    pub(crate) fn new(workflow: &Workflow, messages: &[StoredMessage]) -> Self {
        Self {
            workflow_id: workflow.id,
            owner: workflow.owner.clone(),
            status: workflow.status(),
            created_at: workflow.created_at.to_rfc3339(),
            ended_at: workflow.updated_at.to_rfc3339(),
            contents: Vec::new(),
            damaged_contents: Vec::new(),
            messages: messages.iter().map(ArchivedMessage::new).collect(),
        }
    }

    fn end(&self) -> u64 {
        self.messages.last().map_or(0, |message| message.sequence)
    }

    /// Merges another line of the same workflow. Two exist if a power failure undid the deletion from the log.
    pub(crate) fn merge(mut self, other: Self) -> Self {
        let later = if other.end() > self.end() { other.clone() } else { self.clone() };
        let messages = self.messages.drain(..).chain(other.messages);
        let messages: BTreeMap<u64, ArchivedMessage> = messages.map(|message| (message.sequence, message)).collect();
        let contents: BTreeSet<Digest> = self.contents.into_iter().chain(other.contents).collect();
        let mut damaged: BTreeSet<Digest> = self.damaged_contents.into_iter().chain(other.damaged_contents).collect();
        damaged.retain(|digest| !contents.contains(digest));
        Self {
            messages: messages.into_values().collect(),
            contents: contents.into_iter().collect(),
            damaged_contents: damaged.into_iter().collect(),
            ..later
        }
    }
}

impl ArchivedMessage {
    fn new(stored: &StoredMessage) -> Self {
        let body = stored.to_json();
        Self {
            sequence: stored.sequence,
            at: stored.at.to_rfc3339(),
            subject: stored.subject.clone(),
            headers: stored.headers.clone(),
            bytes: body.is_none().then(|| stored.payload.clone()),
            body,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(sequences: &[u64], status: Status) -> ArchivedWorkflow {
        let message = |sequence: &u64| ArchivedMessage {
            sequence: *sequence,
            at: String::new(),
            subject: String::new(),
            headers: Vec::new(),
            body: None,
            bytes: Some(vec![0xc1]),
        };
        ArchivedWorkflow {
            workflow_id: WorkflowId::fresh(),
            owner: "ann".parse().unwrap(),
            status,
            created_at: String::new(),
            ended_at: String::new(),
            contents: vec![Digest::of(b"a text")],
            damaged_contents: Vec::new(),
            messages: sequences.iter().map(message).collect(),
        }
    }

    #[test]
    fn two_lines_merge_into_one_history_with_the_later_end() {
        let (first, second) = (record(&[1, 2, 5], Status::Failed), record(&[5, 9], Status::Cancelled));
        for merged in [first.clone().merge(second.clone()), second.merge(first)] {
            let sequences: Vec<u64> = merged.messages.iter().map(|message| message.sequence).collect();
            assert_eq!((sequences, merged.status, merged.contents.len()), (vec![1, 2, 5, 9], Status::Cancelled, 1));
        }
    }

    #[test]
    fn a_line_begins_with_the_workflow_and_reads_back() {
        let record = record(&[3], Status::Completed);
        let line = serde_json::to_string(&record).unwrap();
        assert!(line.starts_with(&format!("{{\"workflow_id\":\"{}\"", record.workflow_id)));
        assert_eq!(serde_json::from_str::<ArchivedWorkflow>(&line).unwrap(), record);
    }
}
