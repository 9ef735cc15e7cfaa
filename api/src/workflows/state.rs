//! The part of the application state for workflows.

use std::sync::Arc;

use messaging::{Blobs, SubmissionBatcher, WorkflowLog};
use read_model::ReadModel;
use service::clock::Clock;

use crate::workflows::feed::LogFeed;
use crate::workflows::live_output::LiveOutputFeed;
use crate::workflows::reader::WorkflowReader;

/// The log, its projection, and the contents that its entries refer to.
pub(crate) struct Workflows {
    pub(crate) log: WorkflowLog,
    pub(crate) submissions: SubmissionBatcher,
    pub(crate) blobs: Blobs,
    pub(crate) view: ReadModel,
    pub(crate) reader: Arc<WorkflowReader>,
    pub(crate) feed: LogFeed,
    pub(crate) live_output: LiveOutputFeed,
    pub(crate) clock: Clock,
}
