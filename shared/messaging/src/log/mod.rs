//! The workflow log: fenced append by expected sequence, and reading the newest.

mod advance;
pub(crate) mod fence;
pub(crate) mod group_commit;
pub(crate) mod raw_get;
pub(crate) mod retention;
pub(crate) mod scan;
pub(crate) mod tail;

use std::cmp::Ordering;
use std::time::Duration;

use async_nats::jetstream;
use async_nats::jetstream::consumer::DeliverPolicy;
use async_nats::jetstream::consumer::pull::OrderedConfig;
use async_nats::jetstream::context::{PublishError, PublishErrorKind};
use async_nats::jetstream::message::{PublishMessage, StreamMessage};
use async_nats::jetstream::stream::DirectGetErrorKind;
use async_nats::{HeaderMap, StatusCode};
use futures_util::future::try_join_all;
use futures_util::{Stream, StreamExt};
use serde::{Deserialize, Serialize};

use crate::connection::broker::Broker;
use crate::envelope::{DecodeError, decode, encode_state};
use crate::log::fence::{ConflictOutcome, classify_conflict};
use crate::log::raw_get::{Choice, read_message};
use crate::log::scan::{read_to_end, unavailable};
use crate::log::tail::tail;
use crate::queue::dead_letters::{Cause, DeadLetter, texts};
use crate::subjects;
use crate::trace_headers::{extract, inject};
use domain::Timestamp;
use domain::ids::{EventId, WorkflowId};
use domain::workflow::{EventRecord, Workflow};
use service::failpoints::{self, FailpointAction};
use service::telemetry::{Span, SpanKind, TraceContext};

pub use advance::AdvanceError;

const EXPECTED_SEQUENCE: &str = "Nats-Expected-Last-Subject-Sequence";
const EXPECTED_SUBJECT: &str = "Nats-Expected-Last-Subject-Sequence-Subject";
/// Fence conflicts: code 10071 on one replica, 10164 on several (nats.go#2097).
const CONFLICT_CODES: [u64; 2] = [10_071, 10_164];
const MAX_APPEND_ATTEMPTS: u32 = 5;

/// A transition read from the log.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    pub sequence: u64,
    pub workflow: Workflow,
    pub happened: EventRecord,
    pub trace: TraceContext,
    /// The subject, whose phase and lane the broker's permissions guarantee.
    pub subject: String,
}

impl Entry {
    /// Starts the span of this transition's consumer in the exported trace.
    pub fn consumer_span(&self, name: &str) -> Span {
        Span::start(SpanKind::Consumer, name, &self.trace)
            .with("workflow.id", &self.workflow.id.to_string())
            .with("phase", self.workflow.phase.kind().as_str())
    }

    /// Returns a span for the work on this transition: every line logged inside has its ids.
    pub fn span(&self) -> tracing::Span {
        tracing::info_span!(
            "step",
            workflow.id = %self.workflow.id,
            phase = self.workflow.phase.kind().as_str(),
            trace.id = self.trace.trace_id(),
            request.id = self.trace.request_id(),
        )
    }
}

/// The body of every message of the log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Transition {
    pub(crate) workflow: Workflow,
    pub(crate) happened: EventRecord,
}

/// A transition with its fence, ready to publish.
#[derive(Debug, Clone)]
pub(crate) struct FencedAppend {
    pub(crate) id: WorkflowId,
    /// The newest sequence that its author had read; 0 for none.
    expected: u64,
    event_id: EventId,
    pub(crate) subject: String,
    pub(crate) headers: HeaderMap,
    pub(crate) payload: bytes::Bytes,
}

impl FencedAppend {
    pub(crate) fn new(expected: u64, workflow: &Workflow, happened: &EventRecord, trace: &TraceContext) -> Self {
        let body = Transition { workflow: workflow.clone(), happened: happened.clone() };
        let mut headers = HeaderMap::new();
        headers.insert(EXPECTED_SEQUENCE, expected.to_string().as_str());
        headers.insert(EXPECTED_SUBJECT, subjects::workflow(workflow.id).as_str());
        inject(&mut headers, trace);
        Self {
            id: workflow.id,
            expected,
            event_id: happened.event_id,
            subject: subjects::transition(workflow, happened),
            headers,
            payload: encode_state(&body).into(),
        }
    }

    /// Returns the fence and trace headers.
    pub(crate) async fn headers(&self) -> HeaderMap {
        match failpoints::reach("log.fence").await {
            FailpointAction::Skip => HeaderMap::new(),
            FailpointAction::Nothing | FailpointAction::Repeat => self.headers.clone(),
        }
    }
}

/// The start of a read of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadFrom {
    Sequence(u64),
    /// The first transition that the broker stored then or later.
    Time(Timestamp),
}

/// A failed append.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// A concurrent transition came first; the result must be discarded.
    #[error("superseded by a concurrent transition")]
    Lost,
    /// The broker did not acknowledge it in time; it may have been written or not.
    #[error("the log cannot be written: {0}")]
    Unavailable(String),
}

/// A failed read of the log.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    #[error("the log cannot be read: {0}")]
    Unavailable(String),
    #[error(transparent)]
    Decode(#[from] DecodeError),
}

impl ReadError {
    /// Returns whether no build can ever read it: broken or forged.
    pub fn is_hopeless(&self) -> bool {
        matches!(self, Self::Decode(DecodeError::Malformed(_) | DecodeError::Forged | DecodeError::Unanswerable))
    }
}

/// The stream that is both log and queue. Clones share the connection.
#[derive(Debug, Clone)]
pub struct WorkflowLog {
    broker: Broker,
}

impl WorkflowLog {
    /// Creates the log on `broker`.
    pub fn new(broker: &Broker) -> Self {
        Self { broker: broker.clone() }
    }

    /// Appends a transition if the workflow's newest message still has the sequence `expected` (0: none).
    ///
    /// Returns the new sequence. Idempotent by `happened.event_id`: an append whose acknowledgement was lost is
    /// recognised and not repeated. Cancel safe: if dropped, it has happened or not, and the fence keeps it single.
    pub async fn append(
        &self,
        expected: u64,
        workflow: &Workflow,
        happened: &EventRecord,
        trace: TraceContext,
    ) -> Result<u64, AppendError> {
        self.send_fenced(&FencedAppend::new(expected, workflow, happened, &trace)).await
    }

    /// Publishes an append until it is acknowledged or rejected.
    pub(crate) async fn send_fenced(&self, append: &FencedAppend) -> Result<u64, AppendError> {
        let mut trouble = String::new();
        let headers = append.headers().await;
        for attempt in 0..MAX_APPEND_ATTEMPTS {
            let message = PublishMessage::build().payload(append.payload.clone()).headers(headers.clone());
            // A permanently lost direct connection must not prevent appends.
            let context = if attempt == 0 { self.broker.direct() } else { self.broker.jetstream() };
            match send(context, &append.subject, message).await {
                Ok(sequence) => return Ok(sequence),
                Err(error) if is_conflict(&error) => match self.after_conflict(append).await? {
                    Some(sequence) => return Ok(sequence),
                    None => trouble = "conflicting append is not in the log yet".to_owned(),
                },
                Err(error) => {
                    trouble = error.to_string();
                    if attempt == 0 {
                        self.broker.avoid_direct();
                        continue;
                    }
                }
            }
            tokio::time::sleep(Duration::from_millis(100 << attempt)).await;
        }
        Err(AppendError::Unavailable(trouble))
    }

    /// Resolves a conflict, which may be with an earlier attempt of this append whose acknowledgement was lost. `None`
    /// if the log has no newer transition: with several replicas the rejection may be due to an in-flight append that
    /// may never commit.
    async fn after_conflict(&self, append: &FencedAppend) -> Result<Option<u64>, AppendError> {
        let newest = match self.newest_from_leader(append.id).await {
            Ok(newest) => newest,
            Err(ReadError::Decode(_)) => return Err(AppendError::Lost),
            Err(ReadError::Unavailable(reason)) => return Err(AppendError::Unavailable(reason)),
        };
        let newest = newest.as_ref().map(|newest| (newest.sequence, &newest.happened.event_id));
        match classify_conflict(newest, append.expected, &append.event_id) {
            ConflictOutcome::Own(sequence) => Ok(Some(sequence)),
            ConflictOutcome::NotApplied => Ok(None),
            ConflictOutcome::Superseded => Err(AppendError::Lost),
        }
    }

    /// Returns the submission as the API accepted it, from a subject to which only the API may publish.
    pub async fn submission(&self, id: WorkflowId) -> Result<Option<Entry>, ReadError> {
        self.last_from_leader(&subjects::submission(id)).await
    }

    /// Returns the approver's last judgement except a release, i.e. the newest park or its result, from a subject to
    /// which only the approver may publish.
    pub async fn newest_judgement(&self, id: WorkflowId) -> Result<Option<Entry>, ReadError> {
        self.last_from_leader(&subjects::judged(id)).await
    }

    /// Returns the first readable end of a workflow. Later entries are invalid; an end that no build can read does not
    /// end the workflow.
    pub async fn end(&self, id: WorkflowId) -> Result<Option<Entry>, ReadError> {
        let ends = try_join_all(subjects::ends(id).map(|subject| self.first_on(subject))).await?;
        Ok(ends.into_iter().flatten().min_by_key(|entry| entry.sequence))
    }

    /// Returns the first readable message on a subject from the stream's leader.
    async fn first_on(&self, subject: String) -> Result<Option<Entry>, ReadError> {
        let mut from = 1;
        loop {
            let Some(message) = self.raw_get(Choice::First { next_by_subj: &subject, seq: from }).await? else {
                return Ok(None);
            };
            from = message.sequence + 1;
            match read_entry(message) {
                Err(error) if error.is_hopeless() => {}
                first => return first.map(Some),
            }
        }
    }

    /// Returns whether one replica has an end of the workflow in the log, readable or not.
    ///
    /// One request for all subjects of ends. A lagging replica may not have the end yet.
    pub async fn has_end(&self, id: WorkflowId) -> Result<bool, ReadError> {
        // Without an upper sequence: the broker would search its blocks backwards for an end behind that.
        let wish = serde_json::json!({ "multi_last": subjects::ends(id) });
        let subject = format!("$JS.API.DIRECT.GET.{}", subjects::WORKFLOWS);
        // The first of several answers suffices.
        let answer = self.broker.client().request(subject, wish.to_string().into()).await.map_err(unavailable)?;
        match answer.status {
            None | Some(StatusCode::OK) => Ok(true),
            Some(StatusCode::NOT_FOUND) => Ok(false),
            Some(status) => Err(unavailable(status)),
        }
    }

    /// Returns whether the log has several replicas.
    pub async fn is_replicated(&self) -> Result<bool, ReadError> {
        let stream = self.broker.jetstream().get_stream(subjects::WORKFLOWS).await;
        let stream = stream.map_err(|error| ReadError::Unavailable(error.to_string()))?;
        Ok(stream.cached_info().config.num_replicas > 1)
    }

    /// Returns the newest transition of a workflow from the stream's leader.
    pub async fn newest_from_leader(&self, id: WorkflowId) -> Result<Option<Entry>, ReadError> {
        self.last_from_leader(&subjects::workflow(id)).await
    }

    /// Returns a transition as a whole dead letter; `None` if it is no longer in the log.
    pub async fn letter(
        &self,
        sequence: u64,
        cause: Cause,
        reason: &str,
        attempts: u64,
    ) -> Result<Option<DeadLetter>, ReadError> {
        let Some(message) = self.raw_get(Choice::Sequence { seq: sequence }).await? else { return Ok(None) };
        Ok(Some(DeadLetter {
            stream: subjects::WORKFLOWS.to_owned(),
            sequence,
            subject: message.subject.to_string(),
            cause,
            reason: reason.to_owned(),
            attempts,
            headers: texts(&message.headers),
            payload: message.payload.to_vec(),
        }))
    }

    async fn last_from_leader(&self, subject: &str) -> Result<Option<Entry>, ReadError> {
        self.raw_get(Choice::Newest { last_by_subj: subject }).await?.map(read_entry).transpose()
    }

    /// Returns whether `entry` is still the newest of its workflow on the stream's leader.
    ///
    /// A leader that lags behind the replica which returned the entry is an error: with `false` the caller would settle
    /// a step that was never executed.
    pub async fn is_newest(&self, entry: &Entry) -> Result<bool, ReadError> {
        let newest = self.newest_from_leader(entry.workflow.id).await?.map_or(0, |newest| newest.sequence);
        match newest.cmp(&entry.sequence) {
            Ordering::Equal => Ok(true),
            Ordering::Greater => Ok(false),
            Ordering::Less => Err(ReadError::Unavailable("the leader of the log is behind".to_owned())),
        }
    }

    /// Returns the first transition of a workflow after sequence `after`; `None` if there is none yet.
    pub async fn next_after(&self, id: WorkflowId, after: u64) -> Result<Option<Entry>, ReadError> {
        let stream = self.stream().await?;
        match stream.direct_get_next_for_subject(subjects::workflow(id), Some(after + 1)).await {
            Ok(message) => read_entry(message).map(Some),
            Err(error) if error.kind() == DirectGetErrorKind::NotFound => Ok(None),
            Err(error) => Err(ReadError::Unavailable(error.to_string())),
        }
    }

    /// Returns the newest message on every subject, in log order; each workflow's newest transition is among them.
    ///
    /// Ends after all messages that were in the log at the call.
    pub async fn scan(&self) -> Result<impl Stream<Item = Result<Entry, ReadError>> + use<>, ReadError> {
        self.read(DeliverPolicy::LastPerSubject).await
    }

    /// Returns every transition from `start` on, in log order; ends as [`Self::scan`] does.
    pub async fn read_from(
        &self,
        start: ReadFrom,
    ) -> Result<impl Stream<Item = Result<Entry, ReadError>> + use<>, ReadError> {
        self.read(match start {
            ReadFrom::Sequence(start_sequence) => DeliverPolicy::ByStartSequence { start_sequence },
            ReadFrom::Time(time) => DeliverPolicy::ByStartTime { start_time: time.to_date_time() },
        })
        .await
    }

    async fn read(
        &self,
        deliver_policy: DeliverPolicy,
    ) -> Result<impl Stream<Item = Result<Entry, ReadError>> + use<>, ReadError> {
        let filter = vec![subjects::ALL_TRANSITIONS.to_owned()];
        let config = OrderedConfig { filter_subjects: filter, deliver_policy, ..OrderedConfig::default() };
        let messages = read_to_end(&self.broker, subjects::WORKFLOWS, config).await?;
        Ok(messages.map(|message| from_delivery(&message?)))
    }

    /// Returns every future transition of every workflow, in log order, and the sequence after which they start.
    ///
    /// Ends after an error other than [`ReadError::Decode`]: the log is unavailable, or transitions were missed.
    pub async fn follow(&self) -> Result<(u64, impl Stream<Item = Result<Entry, ReadError>> + use<>), ReadError> {
        let stream = self.stream().await?;
        let since = stream.get_info().await.map_err(unavailable)?.state.last_sequence;
        let messages = tail(&stream, subjects::ALL_TRANSITIONS, since).await?;
        Ok((since, messages.map(|message| from_delivery(&message?))))
    }

    async fn raw_get(&self, choice: Choice<'_>) -> Result<Option<StreamMessage>, ReadError> {
        read_message(&self.broker, subjects::WORKFLOWS, choice).await.map_err(unavailable)
    }

    async fn stream(&self) -> Result<jetstream::stream::Stream<()>, ReadError> {
        self.broker
            .jetstream()
            .get_stream_no_info(subjects::WORKFLOWS)
            .await
            .map_err(|error| ReadError::Unavailable(error.to_string()))
    }
}

async fn send(context: &jetstream::Context, subject: &str, message: PublishMessage) -> Result<u64, PublishError> {
    failpoints::reach("append.before").await;
    let ack = context.send_publish(subject.to_owned(), message).await?;
    let sequence = ack.await.map(|ack| ack.sequence);
    failpoints::reach("append.after").await;
    sequence
}

pub(crate) fn is_conflict(error: &PublishError) -> bool {
    if error.kind() == PublishErrorKind::WrongLastSequence {
        return true;
    }
    std::error::Error::source(error)
        .and_then(|source| source.downcast_ref::<jetstream::Error>())
        .is_some_and(|source| CONFLICT_CODES.contains(&source.error_code().0))
}

fn read_entry(message: StreamMessage) -> Result<Entry, ReadError> {
    Ok(entry_of(&message.subject, Some(&message.headers), &message.payload, message.sequence)?)
}

fn entry_of(subject: &str, headers: Option<&HeaderMap>, payload: &[u8], sequence: u64) -> Result<Entry, DecodeError> {
    let Transition { workflow, happened } = read_transition(subject, payload)?;
    Ok(Entry { sequence, workflow, happened, trace: extract(headers), subject: subject.to_owned() })
}

/// Reads a transition and checks that it belongs on its subject, which is all that the broker guarantees.
pub(crate) fn read_transition(subject: &str, payload: &[u8]) -> Result<Transition, DecodeError> {
    let transition: Transition = decode(payload)?;
    let Transition { workflow, happened } = &transition;
    let belongs = subjects::transition(workflow, happened) == subject && happened.befits(workflow);
    if belongs { Ok(transition) } else { Err(DecodeError::Forged) }
}

pub(crate) fn from_delivery(message: &jetstream::Message) -> Result<Entry, ReadError> {
    let sequence = message.info().map_err(|error| ReadError::Unavailable(error.to_string()))?.stream_sequence;
    decode_entry(message, sequence).map_err(ReadError::from)
}

pub(crate) fn decode_entry(message: &jetstream::Message, sequence: u64) -> Result<Entry, DecodeError> {
    entry_of(&message.subject, message.headers.as_ref(), &message.payload, sequence)
}
