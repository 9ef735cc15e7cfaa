//! Dead letters: messages that failed in all attempts, stored whole with the reason.

use std::collections::BTreeMap;

use async_nats::header::{HeaderName, HeaderValue};
use async_nats::jetstream::message::{PublishMessage, StreamMessage};
use async_nats::jetstream::stream::DirectGetErrorKind;
use async_nats::{HeaderMap, jetstream};
use futures_util::TryStreamExt;
use serde::{Deserialize, Serialize};

use crate::connection::broker::Broker;
use crate::envelope::{decode, encode};
use crate::log::raw_get::{Choice, raw_get};
use crate::subjects;
use domain::Timestamp;
use domain::ids::WorkflowId;
use service::failpoints;
use service::telemetry::counters;

/// The reason why a message became a dead letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// No build can read it.
    #[default]
    Unreadable,
    /// It does not belong on its subject.
    Forged,
    /// All its attempts were used.
    Exhausted,
    /// Its receiver never accepted it.
    Undelivered,
}

impl Cause {
    /// Every cause.
    pub const ALL: [Self; 4] = [Self::Unreadable, Self::Forged, Self::Exhausted, Self::Undelivered];

    /// Returns the cause's name, one subject token.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unreadable => "unreadable",
            Self::Forged => "forged",
            Self::Exhausted => "exhausted",
            Self::Undelivered => "undelivered",
        }
    }
}

impl std::str::FromStr for Cause {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|cause| cause.as_str() == text);
        found.ok_or("a cause is unreadable, forged, exhausted or undelivered")
    }
}

/// A message with everything needed to inspect it and to put it back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeadLetter {
    pub stream: String,
    /// Sequence in that stream.
    pub sequence: u64,
    pub subject: String,
    #[serde(default)]
    pub cause: Cause,
    pub reason: String,
    pub attempts: u64,
    pub headers: Vec<(String, String)>,
    #[serde(with = "serde_bytes")]
    pub payload: Vec<u8>,
}

impl DeadLetter {
    /// Returns the workflow that the message's subject names.
    pub fn workflow_id(&self) -> Option<WorkflowId> {
        subjects::workflow_of(&self.subject)
    }
}

/// Maximum bytes of a header in a letter, and maximum headers: a publisher may send more than a letter may hold.
const MAX_HEADER_BYTES: usize = 1_024;
const MAX_HEADERS: usize = 64;

/// Returns the headers of a message as stored in a letter.
pub(crate) fn texts(headers: &HeaderMap) -> Vec<(String, String)> {
    let short = |text: &str| text[..text.floor_char_boundary(MAX_HEADER_BYTES)].to_owned();
    let of_name = |(name, values): (&HeaderName, &Vec<HeaderValue>)| -> Vec<(String, String)> {
        values.iter().map(|value| (short(name.as_ref()), short(value.as_str()))).collect()
    };
    headers.iter().flat_map(of_name).take(MAX_HEADERS).collect()
}

/// A letter in its stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredDeadLetter {
    /// Sequence among the letters: increasing and never reused.
    pub id: u64,
    pub at: Timestamp,
    pub letter: DeadLetter,
}

/// A failure to read or write the dead letters.
#[derive(Debug, thiserror::Error)]
#[error("dead letters are unavailable: {0}")]
pub struct DeadLetterError(pub(crate) String);

/// The stream of dead letters.
#[derive(Debug, Clone)]
pub struct DeadLetters {
    broker: Broker,
}

impl DeadLetters {
    /// Creates the client of the stream on `broker`.
    pub fn new(broker: &Broker) -> Self {
        Self { broker: broker.clone() }
    }

    /// Stores a dead letter; returns once it is on disk. Idempotent by cause, stream and sequence while it is kept.
    pub async fn publish(&self, letter: &DeadLetter) -> Result<(), DeadLetterError> {
        // The fence on sequence 0 stores a letter once; a conflict means that it is already stored.
        let message = PublishMessage::build().payload(encode(letter).into()).expected_last_subject_sequence(0);
        let subject = subjects::dead_letter(letter.cause.as_str(), &letter.stream, letter.sequence);
        failpoints::reach("letter.before").await;
        let ack = self.broker.store(subject, message).await;
        failpoints::reach("letter.after").await;
        match ack {
            Ok(_) => {
                counters("promptcraft_dead_letters_total").with_label_values(&[letter.cause.as_str()]).inc();
                Ok(())
            }
            Err(error) if crate::log::is_conflict(&error) => Ok(()),
            Err(error) => Err(unavailable(error)),
        }
    }

    /// Returns at most `limit` letters after the one with id `after`, oldest first; 0 starts at the oldest.
    pub async fn list(
        &self,
        cause: Option<Cause>,
        after: u64,
        limit: usize,
    ) -> Result<Vec<StoredDeadLetter>, DeadLetterError> {
        let stream = self.stream().await?;
        let filter = cause.map_or_else(|| subjects::ALL_DEAD_LETTERS.to_owned(), |c| subjects::dead_by(c.as_str()));
        let (mut found, mut next) = (Vec::new(), after + 1);
        while found.len() < limit {
            match stream.direct_get_next_for_subject(filter.clone(), Some(next)).await {
                Ok(message) => {
                    next = message.sequence + 1;
                    found.push(read(message));
                }
                Err(error) if error.kind() == DirectGetErrorKind::NotFound => break,
                Err(error) => return Err(unavailable(error)),
            }
        }
        Ok(found)
    }

    /// Returns the letter with this id.
    pub async fn get(&self, id: u64) -> Result<Option<StoredDeadLetter>, DeadLetterError> {
        // Sequence 0 means the newest message to the broker; no letter has it.
        if id == 0 {
            return Ok(None);
        }
        let found = raw_get(self.broker.jetstream(), subjects::DEAD_LETTERS, Choice::Sequence { seq: id }).await;
        Ok(found.map_err(unavailable)?.map(read))
    }

    /// Deletes a letter; returns false if none has this id.
    pub async fn discard(&self, id: u64) -> Result<bool, DeadLetterError> {
        if self.get(id).await?.is_none() {
            return Ok(false);
        }
        self.stream().await?.delete_message(id).await.map_err(unavailable)
    }

    /// Returns the number of letters by cause.
    pub async fn counts(&self) -> Result<BTreeMap<Cause, u64>, DeadLetterError> {
        let stream = self.stream().await?;
        let mut counts: BTreeMap<Cause, u64> = Cause::ALL.into_iter().map(|cause| (cause, 0)).collect();
        let mut listing = stream.info_with_subjects(subjects::ALL_DEAD_LETTERS).await.map_err(unavailable)?;
        while let Some((subject, count)) = listing.try_next().await.map_err(unavailable)? {
            let cause = subject.split('.').nth(1).and_then(|token| token.parse().ok()).unwrap_or_default();
            *counts.entry(cause).or_default() += u64::try_from(count).unwrap_or_default();
        }
        Ok(counts)
    }

    async fn stream(&self) -> Result<jetstream::stream::Stream<()>, DeadLetterError> {
        self.broker.jetstream().get_stream_no_info(subjects::DEAD_LETTERS).await.map_err(unavailable)
    }
}

pub(super) fn unavailable(error: impl std::fmt::Display) -> DeadLetterError {
    DeadLetterError(error.to_string())
}

/// Reads a letter; an unreadable message becomes a letter as well, so that it is listed.
fn read(message: StreamMessage) -> StoredDeadLetter {
    let letter = decode(&message.payload).unwrap_or_else(|error| DeadLetter {
        stream: subjects::DEAD_LETTERS.to_owned(),
        sequence: message.sequence,
        subject: message.subject.to_string(),
        cause: Cause::Unreadable,
        reason: format!("not a dead letter: {error}"),
        attempts: 0,
        headers: Vec::new(),
        payload: message.payload.to_vec(),
    });
    StoredDeadLetter { id: message.sequence, at: Timestamp::of_date_time(message.time), letter }
}
