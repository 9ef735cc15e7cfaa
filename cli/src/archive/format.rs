//! What stands in an archive: one workflow a line, readable without this program.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use shared::ids::{Digest, UserName, WorkflowId};
use shared::messaging::StoredMessage;
use shared::workflow::{Status, Workflow};

/// The first line of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FileHeader {
    /// The version of the form of the lines below.
    pub(crate) promptcraft_archive: u32,
    /// The log that the lines came from: sequences mean nothing in another.
    pub(crate) log: String,
}

impl FileHeader {
    pub(crate) fn new(log: &str) -> Self {
        Self { promptcraft_archive: 1, log: log.to_owned() }
    }
}

/// A workflow that has left the log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct ArchivedWorkflow {
    /// First in the line, so that a search need not read the rest of others.
    pub(crate) workflow_id: WorkflowId,
    pub(crate) owner: UserName,
    pub(crate) status: Status,
    pub(crate) created_at: String,
    pub(crate) ended_at: String,
    /// Contents that lie under their digests in the folder `contents`.
    pub(crate) contents: Vec<Digest>,
    /// Contents that were damaged before they came here: what stood in their place lies beside the others, with `.damaged` behind the digest.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) damaged_contents: Vec<Digest>,
    /// Everything that the log held of it, oldest first.
    pub(crate) messages: Vec<ArchivedMessage>,
}

/// What of a line it takes to have its workflow leave the log.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct WorkflowIndex {
    pub(crate) workflow_id: WorkflowId,
    pub(crate) owner: UserName,
    pub(crate) status: Status,
    pub(crate) messages: Vec<MessagePosition>,
}

/// Where a message stood in the log.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct MessagePosition {
    pub(crate) sequence: u64,
    /// When the broker stored it.
    pub(crate) at: String,
}

impl WorkflowIndex {
    /// The place of the workflow's end in the log.
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
    /// The whole payload, the fields of other builds included.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) body: Option<Value>,
    /// The payload of a message that is none of ours.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) bytes: Option<Vec<u8>>,
}

impl ArchivedWorkflow {
    /// An ended workflow with all its messages, oldest first, and none of its contents yet.
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

    /// The same workflow with what another line has of it as well: two are written where a broker lost the removal to a power cut.
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
    fn what_two_lines_have_of_a_workflow_is_one_history_with_the_later_end() {
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
