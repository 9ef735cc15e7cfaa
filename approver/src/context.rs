//! Dependencies of the approver's tasks. A task that needs one or two of them takes those alone.

use std::time::Duration;

use domain::approval::Policy;
use domain::identity::User;
use messaging::{Blobs, BotChannel, BucketCache, DeadLetters, Timers, WorkflowLog};
use service::clock::Clock;

use crate::integrity::Integrity;
use crate::timers::debounce::TimerDebounce;
use crate::transitions::TransitionAppender;

/// Dependencies shared by the gate and timer tasks.
#[derive(Debug)]
pub(crate) struct ApproverContext {
    pub(crate) log: WorkflowLog,
    pub(crate) blobs: Blobs,
    pub(crate) bots: BotChannel,
    pub(crate) timers: Timers,
    pub(crate) dead_letters: DeadLetters,
    pub(crate) users: BucketCache<User>,
    pub(crate) integrity: Integrity,
    pub(crate) transitions: TransitionAppender,
    pub(crate) debounce: TimerDebounce,
    pub(crate) policy: Policy,
    /// Time between two announcements of an open approval; zero announces it once.
    pub(crate) announce_interval: Duration,
    pub(crate) clock: Clock,
}
