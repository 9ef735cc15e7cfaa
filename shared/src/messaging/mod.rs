//! The broker: the only module with subjects, streams and consumers.
//!
//! [`WorkflowLog`] is both log and job queue; [`Queue`] returns its messages as [`Delivery`]s, each of which must be
//! settled once; each other module is one stream or one conversation.

mod analyses;
mod audit;
mod blobs;
mod bot_channel;
mod connection;
mod control;
mod envelope;
mod kv;
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
    Announcement, ApprovalDesk, BotDecision, BotReply, OpenDesk, OpenPage, OpenRequest, OpenRequests, Received,
};
pub use connection::broker::{Broker, BrokerError, BrokerSettings, MINIMUM_BROKER, is_supported_broker};
pub use control::{
    ApprovalAnswer, ApproverReport, CancelSignals, Control, GeneratorReport, HttpDecision, Question, Questions,
    Reports, WorkerReport,
};
pub use envelope::{DecodeError, Envelope, decode, encode};
pub use kv::bucket::{Bucket, BucketError, Buckets};
pub use kv::cache::Watched;
pub use kv::catalogues::{
    CatalogueEntry, Catalogues, PUBLISH_INTERVAL, PublishedRecipe, RecipeFile, RecipeParameter, RecipeSummary,
};
pub use kv::charges::Charges;
pub use log::fence::{Met, met};
pub use log::group_commit::Submissions;
pub use log::retention::{End, Original, Retention, StoredMessage};
pub use log::{AdvanceError, AppendError, Entry, ReadError, Start, WorkflowLog};
pub use queue::backlog::{Backlog, MEASURED_STREAMS, StreamSize, stream_size};
pub use queue::consumer::{Consumer, Queue, Unreadable, consume};
pub use queue::dead_letters::{Cause, DeadLetter, DeadLetters, KeptLetter, LettersAway};
pub use queue::delivery::{Delivery, Settlement};
pub use queue::redrive::{PutBackError, put_back};
pub use timers::{TimerKind, Timers};
pub use topology::provision::{LARGEST_TRANSITION_BYTES, ProvisionError, provision};
pub use topology::verify::{Needs, verify};
