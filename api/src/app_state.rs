//! What every handler works with: one per process, the same on all its threads.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use shared::clock::Clock;
use shared::identity::{RefreshFamily, Revocation};
use shared::lifecycle::Lifecycle;
use shared::messaging::{
    AnalysisRequests, ApproverReport, Blobs, Broker, Bucket, Catalogues, Charges, Control, DeadLetters, Submissions,
    WorkerReport, WorkflowLog,
};
use shared::read_model::{RateLimiter, ReadModel};

use crate::auth::sign_in_queue::SignInQueue;
use crate::auth::tokens::Tokens;
use crate::budget::daily_budget::{Days, Spending};
use crate::config::Config;
use crate::executions::event_stream_quota::OpenStreams;
use crate::http::body::Room;
use crate::middleware::access_log::AccessLog;
use crate::middleware::rate_limit::AddressBuckets;
use crate::recipes::catalogue::KnownCatalogues;
use crate::workflows::feed::Feed;
use crate::workflows::heartbeats::Present;
use crate::workflows::reader::Newest;

/// Connections, watched copies and settings. Holds nothing that another instance lacks and that an answer depends on.
pub(crate) struct State {
    pub(crate) config: Config,
    pub(crate) clock: Clock,
    pub(crate) broker: Broker,
    pub(crate) log: WorkflowLog,
    pub(crate) submissions: Submissions,
    pub(crate) view: ReadModel,
    pub(crate) newest: Newest,
    pub(crate) spending: Spending,
    pub(crate) days: Days,
    pub(crate) charges: Charges,
    pub(crate) blobs: Blobs,
    pub(crate) control: Control,
    pub(crate) analyses: AnalysisRequests,
    pub(crate) letters: DeadLetters,
    pub(crate) catalogues: Catalogues,
    pub(crate) known_catalogues: KnownCatalogues,
    pub(crate) limiter: RateLimiter,
    /// Limits of requests without a valid token.
    pub(crate) addresses: AddressBuckets,
    pub(crate) access_log: AccessLog,
    pub(crate) tokens: Tokens,
    pub(crate) families: Bucket<RefreshFamily>,
    pub(crate) revocations: Bucket<Revocation>,
    pub(crate) room: Room,
    /// Bounds how many passwords are checked at once.
    pub(crate) sign_ins: SignInQueue,
    pub(crate) feed: Feed,
    pub(crate) streams: OpenStreams,
    pub(crate) workers: Present<WorkerReport>,
    pub(crate) approvers: Present<ApproverReport>,
    /// Requests whose answer's head is not ready yet; a drain waits for them.
    pub(crate) running: Arc<AtomicUsize>,
    pub(crate) life: Lifecycle,
}
