//! The broker: the only module with subjects, streams and consumers.
//!
//! [`WorkflowLog`] is both log and job queue; [`Queue`] returns its messages as [`Delivery`]s, each of which must be
//! settled once; each other module is one stream or one conversation.

mod analyses;
mod approvals;
mod audit;
mod blobs;
mod broker;
mod broker_clock;
mod buckets;
mod carried;
mod catalogues;
mod charges;
mod connection;
mod control;
mod dead_letters;
mod delivery;
mod envelope;
mod fence;
mod log;
mod needs;
mod put_back;
mod queue;
mod raw_get;
mod reading;
mod retention;
mod streams;
mod subjects;
mod submissions;
mod tail;
mod timers;
mod watched;

/// A message from the broker with its body not yet read.
pub use async_nats::jetstream::Message as RawMessage;

pub use analyses::{AnalysisAnswer, AnalysisError, AnalysisRequests, answer_analysis};
pub use approvals::{
    Announcement, ApprovalDesk, BotDecision, BotReply, OpenDesk, OpenPage, OpenRequest, OpenRequests, Received,
};
pub use audit::{AuditLog, AuditRecord};
pub use blobs::{BlobError, Blobs};
pub use broker::{Broker, BrokerError, BrokerSettings, MINIMUM_BROKER, is_supported_broker};
pub use buckets::{Bucket, BucketError, Buckets};
pub use catalogues::{
    CatalogueEntry, Catalogues, PUBLISH_INTERVAL, PublishedRecipe, RecipeFile, RecipeParameter, RecipeSummary,
};
pub use charges::Charges;
pub use control::{
    ApprovalAnswer, ApproverReport, CancelSignals, Control, GeneratorReport, HttpDecision, Question, Questions,
    Reports, WorkerReport,
};
pub use dead_letters::{Cause, DeadLetter, DeadLetters, KeptLetter, LettersAway};
pub use delivery::{Delivery, Settlement};
pub use envelope::{DecodeError, Envelope, decode, encode};
pub use fence::{Met, met};
pub use log::{AdvanceError, AppendError, Entry, ReadError, Start, WorkflowLog};
pub use needs::{Needs, verify};
pub use put_back::{PutBackError, put_back};
pub use queue::{Consumer, Queue, Unreadable, consume};
pub use retention::{End, Original, Retention, StoredMessage};
pub use streams::{LARGEST_TRANSITION_BYTES, ProvisionError, provision};
pub use submissions::Submissions;
pub use timers::{TimerKind, Timers};
pub use watched::Watched;
