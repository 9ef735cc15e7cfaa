//! Content over 8 KiB, stored once by its SHA-256.

use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::stream::DirectGetErrorKind;

use bytes::Bytes;

use super::subjects;
use crate::connection::broker::Broker;
use crate::log::raw_get::{Choice, raw_get};
use domain::ids::Digest;
use domain::workflow::Content;
use service::failpoints;

/// A failure to store or read content.
#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    #[error("content storage is unavailable: {0}")]
    Unavailable(String),
    /// Longer than the broker's longest message, so it can never be stored.
    #[error("the content has {bytes} bytes, more than the broker's {maximum}")]
    TooLarge { bytes: usize, maximum: usize },
    #[error("content {0} not found")]
    Missing(Digest),
    #[error("content {0} is corrupted: digest mismatch")]
    Damaged(Digest),
}

/// The blob stream.
#[derive(Debug, Clone)]
pub struct Blobs {
    broker: Broker,
}

impl Blobs {
    /// Creates the blob stream's client on `broker`.
    pub fn new(broker: &Broker) -> Self {
        Self { broker: broker.clone() }
    }

    /// Converts a text into content: small texts stay inline, large ones go to the stream first. Idempotent.
    ///
    /// Existing content is written again: by its new sequence [`super::Retention`] recognises that a reference may
    /// follow, and keeps it.
    pub async fn store(&self, text: String) -> Result<Content, BlobError> {
        if text.len() > Content::INLINE_LIMIT_BYTES { self.store_apart(text).await } else { Ok(Content::new(text)) }
    }

    /// Stores a text of any size in the stream, as [`Self::store`] does with large ones.
    pub async fn store_apart(&self, text: String) -> Result<Content, BlobError> {
        let mut content = Content::new(text);
        let text = content.inline.take().unwrap_or_default();
        self.store_bytes(content.digest, text.into_bytes().into()).await?;
        Ok(content)
    }

    /// Stores bytes of any size under their digest. Idempotent.
    pub async fn store_bytes(&self, digest: Digest, bytes: Bytes) -> Result<(), BlobError> {
        let maximum = self.broker.max_payload();
        if bytes.len() > maximum {
            return Err(BlobError::TooLarge { bytes: bytes.len(), maximum });
        }
        let message = PublishMessage::build().payload(bytes);
        let subject = subjects::blob(digest);
        let unavailable = |error: &dyn std::fmt::Display| BlobError::Unavailable(error.to_string());
        failpoints::reach("content.before").await;
        let ack = self.broker.store(subject, message).await;
        failpoints::reach("content.after").await;
        ack.map_err(|error| unavailable(&error))?;
        Ok(())
    }

    /// Loads the text of content and checks its digest.
    pub async fn load(&self, content: &Content) -> Result<String, BlobError> {
        if let Some(text) = &content.inline {
            return Ok(text.clone());
        }
        let bytes = self.load_bytes(content.digest).await?;
        String::from_utf8(bytes.into()).map_err(|_| BlobError::Damaged(content.digest))
    }

    /// Loads the bytes stored under a digest, and checks it.
    pub async fn load_bytes(&self, digest: Digest) -> Result<Bytes, BlobError> {
        let unavailable = |error: &dyn std::fmt::Display| BlobError::Unavailable(error.to_string());
        let stream =
            self.broker.jetstream().get_stream_no_info(subjects::BLOBS).await.map_err(|error| unavailable(&error))?;
        let subject = subjects::blob(digest);
        let payload = match stream.direct_get_last_for_subject(subject.clone()).await {
            Ok(message) => message.payload,
            // A replica may lag; the leader does not.
            Err(error) if error.kind() == DirectGetErrorKind::NotFound => {
                let newest = Choice::Newest { last_by_subj: &subject };
                let newest = raw_get(self.broker.jetstream(), subjects::BLOBS, newest).await;
                let newest = newest.map_err(|error| unavailable(&error))?;
                newest.ok_or(BlobError::Missing(digest))?.payload
            }
            Err(error) => return Err(unavailable(&error)),
        };
        if Digest::of(&payload) == digest { Ok(payload) } else { Err(BlobError::Damaged(digest)) }
    }
}
