//! The history: every operation of the client with its response.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::approval::Channel;
use domain::ids::{ApprovalId, Digest, WorkflowId};
use serde::Serialize;
use tokio::time::Instant;

/// The client's intent for a workflow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientIntent {
    /// Run it and release it without a human.
    Run,
    /// Approve the result.
    Approve,
    /// Reject the result.
    Reject,
    /// Request changes once, then approve.
    Change,
    /// Cancel it a moment after the submission.
    Cancel,
    /// Approve and cancel at the same time.
    Race,
    /// Approve the result as the bot.
    Bot,
    /// Leave the question about the result unanswered until it expires.
    Expire,
}

impl ClientIntent {
    /// Returns whether the result waits for a human.
    pub fn is_gated(self) -> bool {
        !matches!(self, Self::Run | Self::Cancel)
    }
}

/// An operation of the client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientOperation {
    Submit,
    Status,
    /// A status after everything has caught up, at each API.
    FinalStatus,
    Cancel,
    Decide {
        approval_id: ApprovalId,
        decision: &'static str,
        /// HTTP for the client, NATS for the bot.
        channel: Channel,
    },
    /// The list of workflows.
    List,
    /// The open questions.
    Inbox,
    /// A synchronous analysis.
    Analyze,
    /// A new token, and its revocation.
    SignIn,
    Revoke,
}

impl ClientOperation {
    /// Returns whether it reads the workflow's status.
    pub fn is_status(&self) -> bool {
        matches!(self, Self::Status | Self::FinalStatus)
    }
}

/// A response: its status code and the words that the checker compares.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Response {
    /// 0 without a response.
    pub code: u16,
    /// The workflow's status, or the problem's detail.
    pub words: String,
}

/// One operation and its response.
#[derive(Debug, Clone, Serialize)]
pub struct RecordedCall {
    /// Milliseconds since the history began.
    pub from_ms: u64,
    pub to_ms: u64,
    /// The API that was called; `None` for the bot.
    pub api: Option<usize>,
    pub operation: ClientOperation,
    pub response: Response,
}

/// Everything that the client saw of one workflow.
#[derive(Debug, Clone, Serialize)]
pub struct WorkflowHistory {
    pub number: usize,
    pub intent: ClientIntent,
    /// The id in the first 202.
    pub id: Option<WorkflowId>,
    /// Ids in further 202 responses to the same key.
    pub other_ids: Vec<WorkflowId>,
    pub calls: Vec<RecordedCall>,
    /// True once the client saw the question that it leaves unanswered.
    pub is_left_open: bool,
    /// The run time of its code.
    pub runs: Duration,
    /// The digest of the output of its code.
    pub expected: Option<Digest>,
    /// Distinct outputs that were shown after it was completed.
    pub outputs: Vec<Digest>,
}

impl WorkflowHistory {
    /// Returns an empty history.
    pub fn new(number: usize, intent: ClientIntent) -> Self {
        Self {
            number,
            intent,
            id: None,
            other_ids: Vec::new(),
            calls: Vec::new(),
            is_left_open: false,
            runs: Duration::ZERO,
            expected: None,
            outputs: Vec::new(),
        }
    }
}

/// The histories of all workflows of a client.
#[derive(Debug)]
pub struct ClientHistory {
    began: Instant,
    histories: Mutex<Vec<WorkflowHistory>>,
}

impl Default for ClientHistory {
    fn default() -> Self {
        Self { began: Instant::now(), histories: Mutex::default() }
    }
}

impl ClientHistory {
    /// Returns the milliseconds since the history began.
    pub fn now_ms(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Begins the history of a workflow and returns its number.
    pub fn begin(&self, intent: ClientIntent) -> usize {
        let mut histories = self.lock();
        let number = histories.len();
        histories.push(WorkflowHistory::new(number, intent));
        number
    }

    /// Changes the history of a workflow.
    pub fn update(&self, number: usize, more: impl FnOnce(&mut WorkflowHistory)) {
        if let Some(history) = self.lock().get_mut(number) {
            more(history);
        }
    }

    /// Returns the id under which a workflow was accepted.
    pub fn id_of(&self, number: usize) -> Option<WorkflowId> {
        self.lock().get(number)?.id
    }

    /// Returns the words of a workflow's last response.
    pub fn last_words(&self, number: usize) -> Option<String> {
        self.lock().get(number)?.calls.last().map(|call| call.response.words.clone())
    }

    /// Returns a copy of every history from this number on.
    pub fn since(&self, number: usize) -> Vec<WorkflowHistory> {
        self.lock().iter().skip(number).cloned().collect()
    }

    /// Returns the number of histories.
    pub fn count(&self) -> usize {
        self.lock().len()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<WorkflowHistory>> {
        self.histories.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
