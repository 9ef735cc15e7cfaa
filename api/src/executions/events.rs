//! `GET /api/v3/execute/{workflow_id}/events`: every transition as a server-sent event, from the first on or after
//! `Last-Event-ID`, and the output of running jobs for callers who may read it. Format: <https://html.spec.whatwg.org/multipage/server-sent-events.html>.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::{HttpMessage, HttpRequest, HttpResponse, web};
use bytes::Bytes;
use domain::approval::{Actor, RiskLevel};
use domain::ids::WorkflowId;
use domain::workflow::{PhaseKind, Workflow};
use futures_util::{Stream, stream};
use messaging::{Entry, LiveOutput, ReadError};
use serde_json::json;
use service::lifecycle::Lifecycle;
use tokio::sync::broadcast::{Receiver, error::RecvError};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::auth::state::Auth;
use crate::auth::tokens::Caller;
use crate::executions::event_stream_quota::{EventStreamPermit, EventStreamQuota, MAX_STREAMS_PER_USER};
use crate::executions::live_output::OutputWatch;
use crate::http::pagination::QueryParams;
use crate::http::problem::Problem;
use crate::http::rate_limit_headers::RateLimitStatus;
use crate::limits::admission::RateLimits;
use crate::limits::settings::Operation;
use crate::workflows::access::{is_visible, visible};
use crate::workflows::feed::FeedItem;
use crate::workflows::state::Workflows;

/// Interval of comments that keep idle connections open through proxies.
const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(15);
/// Maximum attempts to read the log; then the stream ends and the client resumes it with its last id.
const MAX_READ_ATTEMPTS: u64 = 5;
/// Time to wait for the rest of the output of a job whose step has ended: it comes another way than the log's entries.
const OUTPUT_DRAIN_TIMEOUT: Duration = Duration::from_secs(1);

/// The part of the application state for event streams.
pub(crate) struct EventStreams {
    pub(crate) workflows: web::Data<Workflows>,
    pub(crate) auth: web::Data<Auth>,
    pub(crate) lifecycle: web::Data<Lifecycle>,
    pub(crate) quota: EventStreamQuota,
    /// The operator's present rule.
    pub(crate) demand_human_from: Option<RiskLevel>,
}

/// Opens a stream. 204 if the workflow has ended and no event is left, after which browsers do not reconnect.
pub(crate) async fn events(
    streams: web::Data<EventStreams>,
    limits: web::Data<RateLimits>,
    caller: Caller,
    request: HttpRequest,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    limits.admit(&request, &caller.user, Operation::Status).await?;
    let stored = visible(&streams.workflows, &caller.user, &id).await?;
    let LastEventId { sequence: last, output_number } = last_event_id(&request)?;
    if stored.workflow.status().is_terminal() && last >= stored.sequence {
        return Ok(HttpResponse::NoContent().finish());
    }
    let limit = if limits.settings.are_lifted() { u32::MAX } else { MAX_STREAMS_PER_USER };
    let permit = streams.quota.acquire(&caller.user.name, limit).ok_or_else(|| too_many(&request))?;
    let workflow_id = stored.workflow.id;
    // Subscribe before reading history, so that no event is missed between the two.
    let subscription = streams.workflows.feed.subscribe();
    let (changes, expires_at) =
        (streams.auth.tokens.changes(), Instant::now() + streams.auth.tokens.remaining_lifetime(&caller));
    let stream_state = WorkflowEventStream {
        streams,
        changes,
        expires_at,
        caller,
        id: workflow_id,
        last,
        output_number,
        executing: (last == stored.sequence && is_executing(&stored.workflow)).then_some((stored.workflow, last)),
        output: None,
        subscription,
        must_read_log: true,
        has_caught_up: false,
        next_heartbeat: Instant::now() + HEARTBEAT_INTERVAL,
        pending: VecDeque::from([Bytes::from_static(b"retry: 1000\n\n")]),
        has_ended: false,
        _permit: permit,
    };
    Ok(HttpResponse::Ok()
        .content_type("text/event-stream")
        .insert_header(("cache-control", "no-store"))
        .insert_header(("x-accel-buffering", "no"))
        .streaming(stream_state.into_stream()))
}

fn too_many(request: &HttpRequest) -> Problem {
    const RETRY_DELAY: Duration = Duration::from_secs(5);
    request.extensions_mut().insert(RateLimitStatus::exhausted(MAX_STREAMS_PER_USER, RETRY_DELAY));
    let detail = format!(
        "Rate limit exceeded: at most {MAX_STREAMS_PER_USER} event streams of a user at once; close one first."
    );
    Problem::new(StatusCode::TOO_MANY_REQUESTS, "too-many-streams", detail).with_retry_after(RETRY_DELAY)
}

/// The id of the last event that a client received: that of a log entry, or of output of the step that it began.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct LastEventId {
    sequence: u64,
    output_number: u64,
}

impl LastEventId {
    /// Parses `SEQUENCE` or `SEQUENCE.NUMBER`.
    fn parse(text: &str) -> Option<Self> {
        let (sequence, number) = text.split_once('.').unwrap_or((text, "0"));
        let (sequence, output_number) = (sequence.parse().ok()?, number.parse().ok()?);
        (sequence < u64::MAX).then_some(Self { sequence, output_number })
    }
}

/// Reads the id from the header that browsers send, or from the query parameter.
fn last_event_id(request: &HttpRequest) -> Result<LastEventId, Problem> {
    let message = "must be the id of an event of this stream";
    if let Some(value) = request.headers().get("last-event-id") {
        let id = value.to_str().ok().map(str::trim);
        return match id {
            Some("") => Ok(LastEventId::default()),
            _ => id.and_then(LastEventId::parse).ok_or_else(|| Problem::invalid_field("Last-Event-ID", message)),
        };
    }
    let mut query = QueryParams::of(request)?;
    let last = query.read("last_event_id", message, LastEventId::parse);
    query.finish()?;
    Ok(last.unwrap_or_default())
}

/// The event stream of one client for one workflow.
struct WorkflowEventStream {
    streams: web::Data<EventStreams>,
    caller: Caller,
    /// Signals changes of users and of revocations.
    changes: [watch::Receiver<()>; 2],
    /// Expiry of the caller's token.
    expires_at: Instant,
    id: WorkflowId,
    /// Sequence of the last event sent.
    last: u64,
    /// Number of the last output that the client received of the step that `last` began; 0 after that.
    output_number: u64,
    /// The entry after which a job runs, until its output is watched.
    executing: Option<(Workflow, u64)>,
    /// `None` while no job runs, and if the caller may not read its output.
    output: Option<OutputWatch>,
    subscription: Receiver<FeedItem>,
    /// Reads the log after `last` before waiting for the feed.
    must_read_log: bool,
    /// All events that the log held when the stream began were sent.
    has_caught_up: bool,
    next_heartbeat: Instant,
    pending: VecDeque<Bytes>,
    has_ended: bool,
    _permit: EventStreamPermit,
}

impl WorkflowEventStream {
    fn into_stream(self) -> impl Stream<Item = Result<Bytes, Infallible>> {
        stream::unfold(self, |mut stream_state| async move {
            let bytes = stream_state.next().await?;
            Some((Ok(bytes), stream_state))
        })
    }

    /// Returns the next bytes of the stream. `None` ends it: after the last transition, on a drain, if the token
    /// expires or is revoked, if the workflow is no longer visible to the caller, or if the log cannot be read.
    async fn next(&mut self) -> Option<Bytes> {
        let stopping = self.streams.lifecycle.stopping();
        loop {
            if Instant::now() >= self.expires_at || !self.streams.auth.tokens.is_valid(&self.caller) {
                return None;
            }
            if let Some(bytes) = self.pending.pop_front() {
                return Some(bytes);
            }
            if self.has_ended || stopping.is_cancelled() {
                return None;
            }
            if self.must_read_log {
                self.read_history().await?;
                continue;
            }
            if let Some(entry) = self.executing.take() {
                self.watch_output(entry).await;
            }
            let [users, revocations] = &mut self.changes;
            tokio::select! {
                () = stopping.cancelled() => return None,
                () = tokio::time::sleep_until(self.expires_at) => return None,
                // Access is checked again at the top of the loop. The senders live as long as the application state.
                _ = users.changed() => {}
                _ = revocations.changed() => {}
                item = self.subscription.recv() => self.on_feed_item(item).await,
                output = next_output(&mut self.output) => self.push_output(&output),
                () = tokio::time::sleep_until(self.next_heartbeat) => {
                    self.next_heartbeat = Instant::now() + HEARTBEAT_INTERVAL;
                    if !self.may_still_see().await {
                        return None;
                    }
                    // Also finds events that a silently broken subscription missed.
                    self.must_read_log = true;
                    return Some(Bytes::from_static(b": still here\n\n"));
                }
            }
        }
    }

    async fn on_feed_item(&mut self, item: Result<FeedItem, RecvError>) {
        match item {
            Ok(FeedItem::Entry(entry)) => {
                if entry.workflow.id == self.id {
                    self.push(&entry).await;
                }
            }
            // The channel stays open as long as the application state; reading history is right in any case.
            Ok(FeedItem::Gap) | Err(RecvError::Lagged(_) | RecvError::Closed) => self.must_read_log = true,
        }
    }

    async fn push(&mut self, entry: &Entry) {
        // This instance learns only now what a client that resumes already knows.
        if entry.sequence == self.last && self.output.is_none() {
            self.note_execution(&entry.workflow, entry.sequence);
        }
        if entry.sequence > self.last {
            // Nothing of a cancelled job is sent.
            if entry.workflow.phase.kind() != PhaseKind::Cancelled {
                self.drain_output().await;
            }
            self.output = None;
            // A caller who may see a state may see its history; each later state is checked by itself.
            if self.has_caught_up && !self.is_visible_to_caller(&entry.workflow) {
                self.has_ended = true;
                return;
            }
            (self.last, self.output_number) = (entry.sequence, 0);
            self.note_execution(&entry.workflow, entry.sequence);
            self.has_ended = entry.workflow.status().is_terminal();
            self.pending.push_back(render(entry));
        }
    }

    fn note_execution(&mut self, workflow: &Workflow, sequence: u64) {
        self.executing = is_executing(workflow).then(|| (workflow.clone(), sequence));
    }

    async fn watch_output(&mut self, entry: (Workflow, u64)) {
        let Some(user) = self.streams.auth.tokens.current_user(&self.caller) else { return };
        let workflows = self.streams.workflows.clone();
        let demand = self.streams.demand_human_from;
        self.output = OutputWatch::start(workflows, entry, self.output_number, (&user, demand)).await;
    }

    fn push_output(&mut self, output: &LiveOutput) {
        let Some(user) = self.streams.auth.tokens.current_user(&self.caller) else { return };
        self.pending.extend(self.output.as_mut().and_then(|watch| watch.render(output, &user)));
    }

    /// Sends the rest of the output of a job whose step has ended.
    async fn drain_output(&mut self) {
        let until = Instant::now() + OUTPUT_DRAIN_TIMEOUT;
        while let Some(watch) = self.output.as_mut().filter(|watch| watch.is_open()) {
            match tokio::time::timeout_at(until, watch.next()).await {
                Ok(output) => self.push_output(&output),
                Err(_) => return,
            }
        }
    }

    /// Checks with the caller's current role.
    fn is_visible_to_caller(&self, workflow: &Workflow) -> bool {
        self.streams.auth.tokens.current_user(&self.caller).is_some_and(|user| is_visible(workflow, &user))
    }

    /// Returns whether the workflow's newest state is visible to the caller; true if it cannot be read.
    async fn may_still_see(&self) -> bool {
        match self.streams.workflows.reader.get(self.id).await {
            Ok(Some(stored)) => self.is_visible_to_caller(&stored.workflow),
            Ok(None) => false,
            Err(_) => true,
        }
    }

    /// Sends one transition after `last` from the log; if there is none, the feed takes over.
    async fn read_history(&mut self) -> Option<()> {
        match read_next(&self.streams.workflows, self.id, self.last).await? {
            Some(entry) => self.push(&entry).await,
            None => {
                self.must_read_log = false;
                self.has_caught_up = true;
            }
        }
        Some(())
    }
}

fn is_executing(workflow: &Workflow) -> bool {
    workflow.phase.kind() == PhaseKind::Execute
}

/// Waits for the next output; without a watch, for ever.
async fn next_output(output: &mut Option<OutputWatch>) -> Arc<LiveOutput> {
    match output {
        Some(watch) => watch.next().await,
        None => std::future::pending().await,
    }
}

/// Reads the transition after `last`, with retries; `None` if the log cannot be read.
///
/// Retries if a replica lags: it has no newer entry, but this process has observed one.
async fn read_next(workflows: &Workflows, id: WorkflowId, last: u64) -> Option<Option<Entry>> {
    for attempt in 1..=MAX_READ_ATTEMPTS {
        match workflows.log.next_after(id, last).await {
            Ok(None) if attempt < MAX_READ_ATTEMPTS && workflows.reader.knows_newer(id, last) => {}
            Ok(entry) => return Some(entry),
            Err(ReadError::Decode(error)) => {
                tracing::warn!(%error, workflow.id = %id, "Workflow {id}: event stream ended by unreadable entry");
                return None;
            }
            Err(error) => tracing::debug!(%error, workflow.id = %id, "Workflow {id}: failed to read history; retrying"),
        }
        tokio::time::sleep(Duration::from_millis(200 * attempt)).await;
    }
    None
}

fn render(entry: &Entry) -> Bytes {
    let (workflow, happened) = (&entry.workflow, &entry.happened);
    let actor = match &happened.actor {
        Actor::User(_) => "user",
        Actor::Bot(_) => "bot",
        Actor::Service(_) => "service",
    };
    let data = json!({
        "workflow_id": workflow.id,
        "event": happened.kind.as_str(),
        "status": workflow.status().as_str(),
        "phase": workflow.phase.kind().as_str(),
        "round": workflow.round,
        "current_step": workflow.current_step,
        "total_steps": workflow.plan.len(),
        "progress_percentage": workflow.progress_percentage(),
        "at": happened.at.to_rfc3339(),
        "actor": actor,
        "detail": happened.detail,
    });
    Bytes::from(format!("id: {}\nevent: {}\ndata: {data}\n\n", entry.sequence, happened.kind.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_fixtures::{START, cancelled};
    use actix_web::test::TestRequest;
    use domain::ids::EventId;
    use domain::workflow::{EventKind, EventRecord};
    use service::telemetry::TraceContext;

    #[test]
    fn an_event_is_one_block_with_the_sequence_as_its_id() {
        let workflow = cancelled("ann");
        let happened = EventRecord {
            event_id: EventId::fresh(),
            kind: EventKind::Cancelled,
            actor: Actor::User("ann".parse().unwrap()),
            at: START,
            detail: Some("two\nlines".to_owned()),
        };
        let entry =
            Entry { sequence: 42, workflow, happened, trace: TraceContext::root(), subject: "cancelled".to_owned() };
        let text = String::from_utf8(render(&entry).to_vec()).unwrap();
        let lines: Vec<&str> = text.split('\n').collect();
        assert_eq!((lines[0], lines[1], lines.len()), ("id: 42", "event: cancelled", 5));
        let data: serde_json::Value = serde_json::from_str(lines[2].strip_prefix("data: ").unwrap()).unwrap();
        assert_eq!((&data["status"], &data["actor"]), (&json!("cancelled"), &json!("user")));
        assert_eq!((&data["phase"], &data["round"]), (&json!("cancelled"), &json!(1)));
    }

    #[test]
    fn a_client_resumes_by_header_or_query() {
        let header = |value: &str| {
            last_event_id(&TestRequest::default().insert_header(("last-event-id", value)).to_http_request())
        };
        let id = |sequence, output_number| LastEventId { sequence, output_number };
        assert_eq!(header("7").unwrap(), id(7, 0));
        assert_eq!(header("7.12").unwrap(), id(7, 12));
        assert_eq!(header("").unwrap(), id(0, 0));
        assert!(header("7.").is_err() && header(".7").is_err() && header("7.1.2").is_err());
        assert!(header("x").is_err() && header("-1").is_err() && header(&u64::MAX.to_string()).is_err());
        let query = |uri: &str| last_event_id(&TestRequest::with_uri(uri).to_http_request());
        assert_eq!(query("/e?last_event_id=9").unwrap(), id(9, 0));
        assert_eq!(query("/e").unwrap(), id(0, 0));
        assert!(query("/e?last_event_id=x").is_err());
    }
}
