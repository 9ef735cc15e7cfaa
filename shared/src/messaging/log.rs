//! The workflow log: append with the expected-sequence fence, and reading the newest.

mod advance;

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

use super::broker::Broker;
use super::carried::{carried, carry};
use super::dead_letters::{Cause, DeadLetter, texts};
use super::envelope::{DecodeError, decode, encode};
use super::fence::{Met, met};
use super::raw_get::{Choice, RawGetError, raw_get};
use super::reading::{read_to_end, unavailable};
use super::subjects;
use super::tail::tail;
use crate::clock::Timestamp;
use crate::failpoints::{self, Injected};
use crate::ids::{EventId, WorkflowId};
use crate::telemetry::TraceContext;
use crate::workflow::{Happened, Workflow};

pub use advance::AdvanceError;

const EXPECTED_SEQUENCE: &str = "Nats-Expected-Last-Subject-Sequence";
const EXPECTED_SUBJECT: &str = "Nats-Expected-Last-Subject-Sequence-Subject";
/// Fence conflicts: code 10071 on one replica, 10164 on several (nats.go#2097).
const CONFLICT_CODES: [u64; 2] = [10_071, 10_164];
const APPEND_ATTEMPTS: u32 = 5;

/// A transition as it stands in the log.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    pub sequence: u64,
    pub workflow: Workflow,
    pub happened: Happened,
    pub trace: TraceContext,
    /// The subject's phase and lane, which the broker's permissions vouch for.
    pub subject: String,
}

impl Entry {
    /// A span for the work on this transition: every line logged inside carries its ids.
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
    pub(crate) happened: Happened,
}

/// An append as it goes to the broker: the transition with its fence.
#[derive(Debug, Clone)]
pub(super) struct Fenced {
    pub(super) id: WorkflowId,
    /// The newest that its author had read; 0: none.
    expected: u64,
    event_id: EventId,
    pub(super) subject: String,
    pub(super) headers: HeaderMap,
    pub(super) payload: bytes::Bytes,
}

impl Fenced {
    pub(super) fn new(expected: u64, workflow: &Workflow, happened: &Happened, trace: &TraceContext) -> Self {
        let body = Transition { workflow: workflow.clone(), happened: happened.clone() };
        let mut headers = HeaderMap::new();
        headers.insert(EXPECTED_SEQUENCE, expected.to_string().as_str());
        headers.insert(EXPECTED_SUBJECT, subjects::workflow(workflow.id).as_str());
        carry(&mut headers, trace);
        Self {
            id: workflow.id,
            expected,
            event_id: happened.event_id,
            subject: subjects::transition(workflow, happened),
            headers,
            payload: encode(&body).into(),
        }
    }

    /// The fence and what travels with it.
    pub(super) async fn headers(&self) -> HeaderMap {
        match failpoints::reach("log.fence").await {
            Injected::Skip => HeaderMap::new(),
            Injected::Nothing | Injected::Repeat => self.headers.clone(),
        }
    }
}

/// Where a reading of the log begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    Sequence(u64),
    /// With the first transition that the broker stored then or later.
    Time(Timestamp),
}

/// Why an append did not happen.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// Someone else moved the workflow on first; whatever was done is to be dropped.
    #[error("the workflow was moved on by someone else")]
    Lost,
    /// The broker did not take it in time; nothing is known to have changed.
    #[error("the log cannot be written: {0}")]
    Unavailable(String),
}

/// Why the log could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    #[error("the log cannot be read: {0}")]
    Unavailable(String),
    #[error(transparent)]
    Decode(#[from] DecodeError),
}

impl ReadError {
    /// Whether no build will ever read it: broken or forged.
    pub fn is_hopeless(&self) -> bool {
        matches!(self, Self::Decode(DecodeError::Malformed(_) | DecodeError::Forged | DecodeError::Unanswerable))
    }
}

/// The stream that is log and queue in one. Clones share the connection.
#[derive(Debug, Clone)]
pub struct WorkflowLog {
    broker: Broker,
}

impl WorkflowLog {
    /// The log behind `broker`.
    pub fn new(broker: &Broker) -> Self {
        Self { broker: broker.clone() }
    }

    /// Appends a transition if the workflow's newest message still is `expected` (0: there is none).
    ///
    /// Returns the new sequence. Idempotent by `happened.event_id`: an append whose acknowledgement was lost is
    /// recognised and not repeated. Cancel safe: dropped, it has happened or not, and the fence keeps it single.
    pub async fn append(
        &self,
        expected: u64,
        workflow: &Workflow,
        happened: &Happened,
        trace: TraceContext,
    ) -> Result<u64, AppendError> {
        self.send_fenced(&Fenced::new(expected, workflow, happened, &trace)).await
    }

    /// Publishes an append until it is acknowledged or refused.
    pub(super) async fn send_fenced(&self, append: &Fenced) -> Result<u64, AppendError> {
        let mut trouble = String::new();
        let headers = append.headers().await;
        for attempt in 0..APPEND_ATTEMPTS {
            let message = PublishMessage::build().payload(append.payload.clone()).headers(headers.clone());
            // A connection that is lost for good must not keep appends from the log.
            let context = if attempt == 0 { self.broker.direct() } else { self.broker.jetstream() };
            match send(context, &append.subject, message).await {
                Ok(sequence) => return Ok(sequence),
                Err(error) if is_conflict(&error) => match self.after_conflict(append).await? {
                    Some(sequence) => return Ok(sequence),
                    None => trouble = "what it met is not in the log yet".to_owned(),
                },
                Err(error) => trouble = error.to_string(),
            }
            tokio::time::sleep(Duration::from_millis(100 << attempt)).await;
        }
        Err(AppendError::Unavailable(trouble))
    }

    /// A conflict may be with our own earlier attempt, whose acknowledgement was lost. `None` where nobody has moved
    /// the workflow on: on several replicas it was refused for the sake of what is still on its way, which may never
    /// arrive.
    async fn after_conflict(&self, append: &Fenced) -> Result<Option<u64>, AppendError> {
        let newest = match self.newest_from_leader(append.id).await {
            Ok(newest) => newest,
            Err(ReadError::Decode(_)) => return Err(AppendError::Lost),
            Err(ReadError::Unavailable(reason)) => return Err(AppendError::Unavailable(reason)),
        };
        let newest = newest.as_ref().map(|newest| (newest.sequence, &newest.happened.event_id));
        match met(newest, append.expected, &append.event_id) {
            Met::Itself(sequence) => Ok(Some(sequence)),
            Met::Nothing => Ok(None),
            Met::Another => Err(AppendError::Lost),
        }
    }

    /// The submission as the API accepted it, on a subject that no other process may publish to.
    pub async fn submission(&self, id: WorkflowId) -> Result<Option<Entry>, ReadError> {
        self.last_from_leader(&subjects::submission(id)).await
    }

    /// What the approver judged last, its release aside: the newest park or what came of it, on a subject that no other
    /// process may publish to.
    pub async fn newest_judgement(&self, id: WorkflowId) -> Result<Option<Entry>, ReadError> {
        self.last_from_leader(&subjects::judged(id)).await
    }

    /// The first end of a workflow. Whatever stands behind it in the log should not. What nobody will ever read ends
    /// nothing.
    pub async fn end(&self, id: WorkflowId) -> Result<Option<Entry>, ReadError> {
        let ends = try_join_all(subjects::ends(id).map(|subject| self.first_on(subject))).await?;
        Ok(ends.into_iter().flatten().min_by_key(|entry| entry.sequence))
    }

    /// The first message on a subject that can be read, as the stream's leader knows it.
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

    /// Whether an end of the workflow stands in the log, as one replica knows it; also where that is not to be read.
    ///
    /// One look at all subjects that a workflow may end on. A replica that is behind may not know of an end yet.
    pub async fn has_end(&self, id: WorkflowId) -> Result<bool, ReadError> {
        // Not only up to a sequence: the broker would walk its blocks back for an end that stands behind that.
        let wish = serde_json::json!({ "multi_last": subjects::ends(id) });
        let subject = format!("$JS.API.DIRECT.GET.{}", subjects::WORKFLOWS);
        // Of several answers the first says enough.
        let answer = self.broker.client().request(subject, wish.to_string().into()).await.map_err(unavailable)?;
        match answer.status {
            None | Some(StatusCode::OK) => Ok(true),
            Some(StatusCode::NOT_FOUND) => Ok(false),
            Some(status) => Err(unavailable(status)),
        }
    }

    /// Whether the log is kept on several nodes.
    pub async fn is_replicated(&self) -> Result<bool, ReadError> {
        let stream = self.broker.jetstream().get_stream(subjects::WORKFLOWS).await;
        let stream = stream.map_err(|error| ReadError::Unavailable(error.to_string()))?;
        Ok(stream.cached_info().config.num_replicas > 1)
    }

    /// The newest transition of a workflow as the stream's leader knows it.
    pub async fn newest_from_leader(&self, id: WorkflowId) -> Result<Option<Entry>, ReadError> {
        self.last_from_leader(&subjects::workflow(id)).await
    }

    /// A transition as a dead letter, whole; `None` where it has left the log.
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

    /// Whether `entry` still is the newest of its workflow, as the stream's leader knows it.
    ///
    /// A leader that is just behind the replica which handed the entry out is an error and not an answer: whoever took
    /// it for one would settle a step that nobody has done.
    pub async fn is_newest(&self, entry: &Entry) -> Result<bool, ReadError> {
        let newest = self.newest_from_leader(entry.workflow.id).await?.map_or(0, |newest| newest.sequence);
        match newest.cmp(&entry.sequence) {
            Ordering::Equal => Ok(true),
            Ordering::Greater => Ok(false),
            Ordering::Less => Err(ReadError::Unavailable("the leader of the log is behind".to_owned())),
        }
    }

    /// The first transition of a workflow after sequence `after`; `None` when there is none yet.
    pub async fn next_after(&self, id: WorkflowId, after: u64) -> Result<Option<Entry>, ReadError> {
        let stream = self.stream().await?;
        match stream.direct_get_next_for_subject(subjects::workflow(id), Some(after + 1)).await {
            Ok(message) => read_entry(message).map(Some),
            Err(error) if error.kind() == DirectGetErrorKind::NotFound => Ok(None),
            Err(error) => Err(ReadError::Unavailable(error.to_string())),
        }
    }

    /// The newest message on every subject, in log order: for each workflow its newest transition is among them.
    ///
    /// Ends when all that stood in the log at the call was delivered.
    pub async fn scan(&self) -> Result<impl Stream<Item = Result<Entry, ReadError>> + use<>, ReadError> {
        self.read(DeliverPolicy::LastPerSubject).await
    }

    /// Every transition from `start` on, in log order; ends as [`Self::scan`] does.
    pub async fn read_from(
        &self,
        start: Start,
    ) -> Result<impl Stream<Item = Result<Entry, ReadError>> + use<>, ReadError> {
        self.read(match start {
            Start::Sequence(start_sequence) => DeliverPolicy::ByStartSequence { start_sequence },
            Start::Time(time) => DeliverPolicy::ByStartTime { start_time: time.to_date_time() },
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

    /// Every transition of every workflow from now on, in log order, and the sequence behind which that begins.
    ///
    /// Ends behind an error other than [`ReadError::Decode`]: the log cannot be read now, or transitions were missed.
    pub async fn follow(&self) -> Result<(u64, impl Stream<Item = Result<Entry, ReadError>> + use<>), ReadError> {
        let stream = self.stream().await?;
        let since = stream.get_info().await.map_err(unavailable)?.state.last_sequence;
        let messages = tail(&stream, subjects::ALL_TRANSITIONS, since).await?;
        Ok((since, messages.map(|message| from_delivery(&message?))))
    }

    async fn raw_get(&self, choice: Choice<'_>) -> Result<Option<StreamMessage>, ReadError> {
        let direct = raw_get(self.broker.direct(), subjects::WORKFLOWS, choice).await;
        let Err(RawGetError::Request(_)) = direct else { return direct.map_err(unavailable) };
        raw_get(self.broker.jetstream(), subjects::WORKFLOWS, choice).await.map_err(unavailable)
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

pub(super) fn is_conflict(error: &PublishError) -> bool {
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
    Ok(Entry { sequence, workflow, happened, trace: carried(headers), subject: subject.to_owned() })
}

/// The broker vouches for the subject alone, so the content has to be what belongs on it.
pub(super) fn read_transition(subject: &str, payload: &[u8]) -> Result<Transition, DecodeError> {
    let transition: Transition = decode(payload)?;
    let Transition { workflow, happened } = &transition;
    let belongs = subjects::transition(workflow, happened) == subject && happened.befits(workflow);
    if belongs { Ok(transition) } else { Err(DecodeError::Forged) }
}

pub(super) fn from_delivery(message: &jetstream::Message) -> Result<Entry, ReadError> {
    let sequence = message.info().map_err(|error| ReadError::Unavailable(error.to_string()))?.stream_sequence;
    decode_entry(message, sequence).map_err(ReadError::from)
}

pub(super) fn decode_entry(message: &jetstream::Message, sequence: u64) -> Result<Entry, DecodeError> {
    entry_of(&message.subject, message.headers.as_ref(), &message.payload, sequence)
}
