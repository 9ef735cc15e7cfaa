//! Follows an accepted workflow to its end: by status requests, with a decision where it waits, or by its event stream.

use std::sync::Arc;

use serde_json::{Value, json};
use tokio::time::{Instant, sleep_until};

use crate::client::{EventStream, RequestFailure, is_end};
use crate::engine::{Arrival, Context};
use crate::measure::ledger::End;
use crate::scenario::Series;

/// Maximum interval of status requests, in intervals of the scenario. It doubles after each request, so that a queue of
/// waiting workflows does not multiply the load.
const MAX_POLL_FACTOR: u32 = 8;

/// The ends of a workflow that are right.
pub(super) enum Expectation {
    /// Completed, or failed because no generator serves the goal.
    AnyEnd,
    /// Completed, with this output of the script.
    Output(String),
}

/// An accepted workflow that is followed.
pub(super) struct Following {
    pub(super) context: Arc<Context>,
    pub(super) arrival: Arrival,
    pub(super) id: String,
    pub(super) user: usize,
    pub(super) expectation: Expectation,
}

impl Following {
    /// Returns after the end. Failed requests are recorded and repeated.
    pub(super) async fn run(&self) {
        if self.arrival.operation == Series::Events {
            self.read_events().await;
        }
        let state = self.poll().await;
        let result = self.judge(&state);
        if result.is_err() {
            self.context.ledger.mark_wrong(&self.id);
        }
        self.context.recorder.record(Series::Workflow, self.arrival.planned, &result);
    }

    /// Requests the status until the workflow has ended; decides once if it waits for an approval.
    async fn poll(&self) -> Value {
        let mut is_decided = false;
        let mut planned = Instant::now();
        let mut pause = self.context.scenario.poll;
        loop {
            if let Ok(state) = self.status(planned).await {
                let status = state["status"].as_str().unwrap_or_default();
                if is_end(status) {
                    self.context.ledger.end(&self.id, end_of(&state));
                    return state;
                }
                if status == "waiting_approval" && !is_decided {
                    is_decided = self.decide(&state).await;
                }
            }
            // Slow responses do not lead to a burst of requests.
            planned = (planned + pause).max(Instant::now());
            pause = (pause * 2).min(self.context.scenario.poll * MAX_POLL_FACTOR);
            sleep_until(planned).await;
        }
    }

    async fn status(&self, planned: Instant) -> Result<Value, RequestFailure> {
        let state = status_of(&self.context, self.user, &self.id).await;
        self.context.recorder.record(
            Series::Status,
            planned,
            &state.as_ref().map(|_| ()).map_err(RequestFailure::clone),
        );
        state
    }

    /// Approves what is parked; returns whether the decision was accepted.
    async fn decide(&self, state: &Value) -> bool {
        let planned = Instant::now();
        let approval = &state["pending_approvals"][0];
        let body = json!({
            "workflow_id": self.id,
            "approval_id": approval["approval_id"],
            "decision": "approved",
            "digest": approval["digest"],
            "comment": "load test",
        });
        let context = &self.context;
        let token = context.approver.as_ref().map_or_else(|| context.token_of(self.user), |approver| approver.token());
        let path = format!("/api/v3/execute/approve/{}", self.id);
        let result =
            context.api.post(&path, Some(&token), &body).await.and_then(|answer| answer.expect(200)).map(|_| ());
        context.recorder.record(Series::Decide, planned, &result);
        result.is_ok()
    }

    /// Reads the event stream to its end; a broken stream is resumed after its last event.
    async fn read_events(&self) {
        let (mut last, mut step, mut is_first) = (0, 0, true);
        loop {
            let planned = Instant::now();
            match self.read_stream(planned, &mut last, &mut step, &mut is_first).await {
                Ok(true) => return,
                Ok(false) => {}
                Err(failure) => self.context.recorder.record(Series::FirstEvent, planned, &Err(failure)),
            }
            sleep_until(planned + self.context.scenario.poll).await;
        }
    }

    /// Returns whether the end was among the events.
    async fn read_stream(
        &self,
        planned: Instant,
        last: &mut u64,
        step: &mut u64,
        is_first: &mut bool,
    ) -> Result<bool, RequestFailure> {
        let context = &self.context;
        let token = context.token_of(self.user);
        let Some(mut stream) = EventStream::open(&context.api, &self.id, Some(&token), *last).await? else {
            return Ok(true);
        };
        while let Some(event) = stream.next_event().await? {
            if std::mem::take(is_first) {
                context.recorder.record(Series::FirstEvent, planned, &Ok(()));
            }
            let next_step = event.data["current_step"].as_u64().unwrap_or(*step);
            if event.id <= *last || next_step < *step {
                context.ledger.mark_reordered(&self.id);
            }
            (*last, *step) = (event.id, next_step);
            if event.is_end() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn judge(&self, state: &Value) -> Result<(), RequestFailure> {
        let is_completed = state["status"].as_str() == Some("completed");
        let is_unserved = state["error"]["code"].as_str() == Some("no_generator");
        match &self.expectation {
            Expectation::AnyEnd if is_completed || is_unserved => Ok(()),
            Expectation::AnyEnd => Err(RequestFailure::Unexpected("ended otherwise than completed or no_generator")),
            Expectation::Output(_) if !is_completed => Err(RequestFailure::Unexpected("script not completed")),
            Expectation::Output(expected) => {
                let output = state["artifacts"]["test_results"]["stdout"].as_str().unwrap_or_default();
                if output.trim() == expected { Ok(()) } else { Err(RequestFailure::Unexpected("wrong output")) }
            }
        }
    }
}

/// Requests the status document of a workflow.
pub(super) async fn status_of(context: &Context, user: usize, id: &str) -> Result<Value, RequestFailure> {
    let token = context.token_of(user);
    let answer = context.api.get(&format!("/api/v3/execute/status/{id}"), Some(&token)).await?.expect(200)?;
    let state = answer["data"].clone();
    if state["status"].is_string() { Ok(state) } else { Err(RequestFailure::Unexpected("no status")) }
}

/// Returns the end that a status document shows.
pub(super) fn end_of(state: &Value) -> End {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    End {
        status: text(&state["status"]).unwrap_or_default(),
        code: text(&state["error"]["code"]),
        at: text(&state["updated_at"]).unwrap_or_default(),
        job_cpu_ms: state["artifacts"]["test_results"]["usage"]["cpu_ms"].as_u64().unwrap_or(0),
    }
}
