//! Content over 8 KiB, stored once under its SHA-256.

use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::stream::DirectGetErrorKind;

use super::broker::Broker;
use super::raw_get::{Choice, raw_get};
use super::subjects;
use crate::failpoints;
use crate::ids::Digest;
use crate::workflow::Content;

/// Why content could not be stored or read.
#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    #[error("content cannot be stored or read now: {0}")]
    Unavailable(String),
    #[error("content {0} is not there")]
    Missing(Digest),
    #[error("content {0} is damaged: its digest is another")]
    Damaged(Digest),
}

/// The blob stream.
#[derive(Debug, Clone)]
pub struct Blobs {
    broker: Broker,
}

impl Blobs {
    /// The blobs behind `broker`.
    pub fn new(broker: &Broker) -> Self {
        Self { broker: broker.clone() }
    }

    /// Takes a text into content: small ones stay inline, large ones go to the stream first. Idempotent.
    ///
    /// What is there already is written anew: whoever takes away contents that no workflow refers to knows by its new place that it
    /// may be about to be referred to again ([`super::Retention`]).
    pub async fn store(&self, text: String) -> Result<Content, BlobError> {
        let mut content = Content::new(text);
        let Some(text) = content.inline.take_if(|text| text.len() > Content::INLINE_LIMIT_BYTES) else {
            return Ok(content);
        };
        let message = PublishMessage::build().payload(text.into_bytes().into());
        let subject = subjects::blob(content.digest);
        let unavailable = |error: &dyn std::fmt::Display| BlobError::Unavailable(error.to_string());
        failpoints::reach("content.before").await;
        let ack = self.broker.jetstream().send_publish(subject, message).await.map_err(|error| unavailable(&error))?;
        let ack = ack.await;
        failpoints::reach("content.after").await;
        ack.map_err(|error| unavailable(&error))?;
        Ok(content)
    }

    /// The text of content, checked against its digest.
    pub async fn load(&self, content: &Content) -> Result<String, BlobError> {
        if let Some(text) = &content.inline {
            return Ok(text.clone());
        }
        let unavailable = |error: &dyn std::fmt::Display| BlobError::Unavailable(error.to_string());
        let stream =
            self.broker.jetstream().get_stream_no_info(subjects::BLOBS).await.map_err(|error| unavailable(&error))?;
        let subject = subjects::blob(content.digest);
        let payload = match stream.direct_get_last_for_subject(subject.clone()).await {
            Ok(message) => message.payload,
            // A replica may be a moment behind; the leader is not.
            Err(error) if error.kind() == DirectGetErrorKind::NotFound => {
                let newest = Choice::Newest { last_by_subj: &subject };
                let newest = raw_get(self.broker.jetstream(), subjects::BLOBS, newest).await;
                let newest = newest.map_err(|error| unavailable(&error))?;
                newest.ok_or(BlobError::Missing(content.digest))?.payload
            }
            Err(error) => return Err(unavailable(&error)),
        };
        if Digest::of(&payload) != content.digest {
            return Err(BlobError::Damaged(content.digest));
        }
        String::from_utf8(payload.to_vec()).map_err(|_| BlobError::Damaged(content.digest))
    }
}
