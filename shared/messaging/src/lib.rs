//! The broker: the only module with subjects, streams and consumers.
//!
//! [`WorkflowLog`] is both log and job queue; [`Queue`] returns its messages as [`Delivery`]s, each of which must be
//! settled once; each other module is one stream or one conversation.

mod analyses;
mod audit;
mod blobs;
mod bot_channel;
mod cancellations;
mod connection;
mod decision_rpc;
mod envelope;
mod error;
mod heartbeats;
mod kv;
mod live_output;
mod log;
mod queue;
mod subjects;
mod timers;
mod topology;
mod trace_headers;

/// A message from the broker with its body not yet read.
pub use async_nats::jetstream::Message as RawMessage;

pub use analyses::{AnalysisAnswer, AnalysisError, AnalysisRequests, answer_analysis};
pub use audit::{AuditLog, AuditRecord};
pub use blobs::{BlobError, Blobs};
pub use bot_channel::{
    Announcement, BotChannel, BotDecision, BotMessage, BotReply, OpenApprovalsChannel, OpenPage, OpenRequest,
    OpenRequests,
};
pub use cancellations::{CancelSignals, Cancellations};
pub use connection::broker::{Broker, BrokerError, BrokerSettings, MINIMUM_BROKER, is_supported_broker};
pub use decision_rpc::{
    ApprovalAnswer, DECISION_APPEND_TIMEOUT, DecisionRequests, DecisionRpc, HttpDecision, PendingDecision,
};
pub use envelope::{DecodeError, Envelope, decode, encode, encode_state};
pub use error::MessagingError;
pub use heartbeats::{ApproverReport, GeneratorReport, Heartbeats, Reports, RuntimeReport, WorkerReport};
pub use kv::bucket::{Bucket, BucketError, Buckets};
pub use kv::cache::BucketCache;
pub use kv::catalogues::{
    CatalogueEntry, Catalogues, PUBLISH_INTERVAL, PublishedRecipe, RecipeFile, RecipeParameter, RecipeSummary,
};
pub use kv::charges::{Charges, FollowedCharges};
pub use live_output::{LiveOutput, LiveOutputChannel, LiveOutputs, LiveStream};
pub use log::fence::{ConflictOutcome, classify_conflict};
pub use log::group_commit::SubmissionBatcher;
pub use log::retention::{BlobContent, Retention, StoredMessage, WorkflowEnd};
pub use log::{AdvanceError, AppendError, Entry, ReadError, ReadFrom, WorkflowLog};
pub use queue::backlog::{Backlog, MEASURED_STREAMS, StreamSize, stream_size};
pub use queue::consumer::{Consumer, Queue, Unreadable, consume};
pub use queue::dead_letters::{Cause, DeadLetter, DeadLetterError, DeadLetters, StoredDeadLetter};
pub use queue::delivery::{Delivery, Settlement};
pub use queue::redrive::{RedriveError, redrive};
pub use timers::{TimerKind, Timers};
pub use topology::provision::{MAX_TRANSITION_BYTES, ProvisionError, provision};
pub use topology::verify::{Requirements, verify};
