//! What the client asked and what it was answered, call by call.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Serialize;
use shared::approval::Channel;
use shared::ids::{ApprovalId, Digest, WorkflowId};
use tokio::time::Instant;

/// What the client wants of a workflow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Wish {
    /// Run it, release it without a human.
    Run,
    /// Approve the result.
    Approve,
    /// Reject the result.
    Reject,
    /// Ask for changes once, then approve.
    Change,
    /// Cancel it a moment after the submission.
    Cancel,
    /// Approve and cancel at the same time.
    Race,
    /// Have the bot approve the result.
    Bot,
    /// Leave the question about the result unanswered until it expires.
    Expire,
}

impl Wish {
    /// Whether the result waits for a human.
    pub fn is_gated(self) -> bool {
        !matches!(self, Self::Run | Self::Cancel)
    }
}

/// What was asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Asked {
    Submit,
    Status,
    /// A look after everything has caught up, at one API after the other.
    LastLook,
    Cancel,
    Decide {
        approval_id: ApprovalId,
        decision: &'static str,
        /// By HTTP the client's, on NATS the bot's.
        channel: Channel,
    },
    /// The list of workflows.
    List,
    /// The questions that wait.
    Inbox,
    /// An analysis whose caller waits.
    Analyze,
    /// A token, and its end.
    SignIn,
    Revoke,
}

impl Asked {
    /// Whether it is a look at the workflow.
    pub fn is_look(&self) -> bool {
        matches!(self, Self::Status | Self::LastLook)
    }
}

/// What came back: a status and the words that matter, or nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Answered {
    /// 0 where no answer came.
    pub code: u16,
    /// The workflow's status, or what the problem says.
    pub words: String,
}

/// One call.
#[derive(Debug, Clone, Serialize)]
pub struct Call {
    /// Milliseconds since the history began.
    pub from_ms: u64,
    pub to_ms: u64,
    /// Which API was asked, unless it was the bot that spoke.
    pub api: Option<usize>,
    pub asked: Asked,
    pub answered: Answered,
}

/// Everything the client knows of one workflow.
#[derive(Debug, Clone, Serialize)]
pub struct Story {
    pub number: usize,
    pub wish: Wish,
    /// The id of the first 202, if there was one.
    pub id: Option<WorkflowId>,
    /// Ids of further 202 answers to the same key.
    pub other_ids: Vec<WorkflowId>,
    pub calls: Vec<Call>,
    /// Whether the client saw the question that it leaves unanswered.
    pub is_left_open: bool,
    /// How long its code runs by itself.
    pub runs: Duration,
    /// What its code prints.
    pub expected: Option<Digest>,
    /// What was shown as printed by it once it was completed, each once.
    pub outputs: Vec<Digest>,
}

impl Story {
    /// One in which nothing has happened.
    pub fn new(number: usize, wish: Wish) -> Self {
        Self {
            number,
            wish,
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

/// The stories of a client.
#[derive(Debug)]
pub struct History {
    began: Instant,
    stories: Mutex<Vec<Story>>,
}

impl Default for History {
    fn default() -> Self {
        Self { began: Instant::now(), stories: Mutex::default() }
    }
}

impl History {
    /// Milliseconds since the history began.
    pub fn now_ms(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Begins a story; returns its number.
    pub fn begin(&self, wish: Wish) -> usize {
        let mut stories = self.lock();
        let number = stories.len();
        stories.push(Story::new(number, wish));
        number
    }

    /// Goes on with a story.
    pub fn tell(&self, number: usize, more: impl FnOnce(&mut Story)) {
        if let Some(story) = self.lock().get_mut(number) {
            more(story);
        }
    }

    /// The id that a story's workflow was accepted under.
    pub fn id_of(&self, number: usize) -> Option<WorkflowId> {
        self.lock().get(number)?.id
    }

    /// What the last call of a story was answered.
    pub fn last_words(&self, number: usize) -> Option<String> {
        self.lock().get(number)?.calls.last().map(|call| call.answered.words.clone())
    }

    /// Every story from this number on, as it stands now.
    pub fn since(&self, number: usize) -> Vec<Story> {
        self.lock().iter().skip(number).cloned().collect()
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.lock().len()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Story>> {
        self.stories.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
