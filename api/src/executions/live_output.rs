//! Output of a running job on its workflow's event stream.

use std::collections::VecDeque;
use std::sync::Arc;

use actix_web::web;
use bytes::Bytes;
use domain::approval::RiskLevel;
use domain::identity::User;
use domain::workflow::Workflow;
use messaging::{LiveOutput, LiveStream};
use serde_json::json;
use tokio::sync::broadcast::{Receiver, error::RecvError};

use crate::workflows::access::{may_be_gated, may_watch_output};
use crate::workflows::live_output::Subscription;
use crate::workflows::state::Workflows;

/// The output of the step that a log entry began.
pub(crate) struct OutputWatch {
    workflows: web::Data<Workflows>,
    workflow: Workflow,
    sequence: u64,
    /// A human may be asked before the result is released.
    is_gated: bool,
    last_number: u64,
    /// Output before the next one was dropped.
    is_cut: bool,
    buffered: VecDeque<Arc<LiveOutput>>,
    receiver: Receiver<Arc<LiveOutput>>,
    /// A job has sent output and not its end.
    is_open: bool,
}

impl OutputWatch {
    /// Watches the output after `number` of the step that the entry began and that runs now; `None` if `user` may not read
    /// it. The operator demands a human for some findings if `demand_human_from` is set.
    pub(crate) async fn start(
        workflows: web::Data<Workflows>,
        (workflow, sequence): (Workflow, u64),
        number: u64,
        (user, demand_human_from): (&User, Option<RiskLevel>),
    ) -> Option<Self> {
        // An error hides the output.
        let is_gated = may_be_gated(&workflows, workflow.id, demand_human_from).await.unwrap_or(true);
        // The step may have ended meanwhile; its output is then in the result, for those who may read that.
        if workflows.reader.knows_newer(workflow.id, sequence) || !may_watch_output(&workflow, user, is_gated) {
            return None;
        }
        let Subscription { buffered, is_cut, receiver } =
            workflows.live_output.subscribe(workflow.id, sequence, number);
        let last_number = number;
        Some(Self { workflows, workflow, sequence, is_gated, last_number, is_cut, buffered, receiver, is_open: false })
    }

    /// Waits for the next output of this step. Cancel safe.
    pub(crate) async fn next(&mut self) -> Arc<LiveOutput> {
        loop {
            let output = match self.buffered.pop_front() {
                Some(output) => output,
                None => match self.receiver.recv().await {
                    Ok(output) => output,
                    Err(RecvError::Lagged(_)) => {
                        let (id, sequence) = (self.workflow.id, self.sequence);
                        let again = self.workflows.live_output.subscribe(id, sequence, self.last_number);
                        (self.buffered, self.receiver) = (again.buffered, again.receiver);
                        self.is_cut |= again.is_cut;
                        continue;
                    }
                    // The sender lives as long as the application state.
                    Err(RecvError::Closed) => std::future::pending().await,
                },
            };
            let is_own = (output.workflow_id, output.sequence) == (self.workflow.id, self.sequence);
            if is_own && output.number > self.last_number {
                self.last_number = output.number;
                self.is_open = output.stream != LiveStream::End;
                return output;
            }
        }
    }

    /// Returns whether a job has sent output that its end has not followed yet.
    pub(crate) fn is_open(&self) -> bool {
        self.is_open
    }

    /// Returns the event of an output; `None` for the end of a job, and if `user` may no longer read it.
    pub(crate) fn render(&mut self, output: &LiveOutput, user: &User) -> Option<Bytes> {
        let stream = match output.stream {
            LiveStream::Stdout => "stdout",
            LiveStream::Stderr => "stderr",
            LiveStream::End => return None,
        };
        if !may_watch_output(&self.workflow, user, self.is_gated) {
            return None;
        }
        let mut data = json!({
            "workflow_id": output.workflow_id,
            "event": "output",
            "stream": stream,
            "text": output.text,
        });
        if std::mem::take(&mut self.is_cut) {
            data["earlier_output_dropped"] = true.into();
        }
        Some(Bytes::from(format!("id: {}.{}\nevent: output\ndata: {data}\n\n", output.sequence, output.number)))
    }
}
