//! Single messages of a stream, read from its leader. Unlike in the client's own read, a malformed header block is not
//! an error.

use async_nats::datetime::parse_rfc3339;
use async_nats::jetstream::context::{RequestError, RequestErrorKind};
use async_nats::jetstream::message::StreamMessage;
use async_nats::jetstream::response::Response;
use async_nats::jetstream::{self, Context, ErrorCode};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use crate::connection::HeaderBlock;
use crate::connection::broker::Broker;

/// A selection of one message of a stream.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(untagged)]
pub(crate) enum Choice<'a> {
    Sequence {
        seq: u64,
    },
    /// The newest on a subject, which may hold wildcards.
    Newest {
        last_by_subj: &'a str,
    },
    /// The first on a subject, from a sequence on.
    First {
        next_by_subj: &'a str,
        seq: u64,
    },
}

/// A failure to read a message.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RawGetError {
    #[error(transparent)]
    Request(#[from] RequestError),
    #[error(transparent)]
    Refused(#[from] jetstream::Error),
}

#[derive(Deserialize)]
struct Answer {
    message: Stored,
}

/// A message in the broker's JSON API; texts in Base64.
#[derive(Deserialize)]
struct Stored {
    subject: String,
    seq: u64,
    /// RFC 3339.
    time: String,
    #[serde(default)]
    hdrs: String,
    #[serde(default)]
    data: String,
}

/// Returns the selected message of `stream`, if any.
pub(crate) async fn raw_get(
    context: &Context,
    stream: &str,
    choice: Choice<'_>,
) -> Result<Option<StreamMessage>, RawGetError> {
    match context.request(format!("STREAM.MSG.GET.{stream}"), &choice).await? {
        Response::Ok(Answer { message }) => Ok(Some(read(message)?)),
        Response::Err { error } if error.error_code() == ErrorCode::NO_MESSAGE_FOUND => Ok(None),
        Response::Err { error } => Err(error.into()),
    }
}

/// Returns the selected message as [`raw_get`] does, over the direct connection, or the relay if that does not answer.
pub(crate) async fn read_message(
    broker: &Broker,
    stream: &str,
    choice: Choice<'_>,
) -> Result<Option<StreamMessage>, RawGetError> {
    let direct = raw_get(broker.direct(), stream, choice).await;
    let Err(RawGetError::Request(_)) = direct else { return direct };
    broker.avoid_direct();
    raw_get(broker.jetstream(), stream, choice).await
}

/// Returns whether the leader of `stream` no longer has the message with this sequence.
pub(crate) async fn is_removed(context: &Context, stream: &str, seq: u64) -> Result<bool, RawGetError> {
    Ok(raw_get(context, stream, Choice::Sequence { seq }).await?.is_none())
}

fn read(stored: Stored) -> Result<StreamMessage, RequestError> {
    let malformed = |error| RequestError::with_source(RequestErrorKind::Other, error);
    let bytes = |text: &str| STANDARD.decode(text).map_err(|error| malformed(error.into()));
    let headers = HeaderBlock::read(&bytes(&stored.hdrs)?, None).to_map();
    Ok(StreamMessage {
        headers,
        payload: bytes(&stored.data)?.into(),
        subject: stored.subject.into(),
        sequence: stored.seq,
        time: parse_rfc3339(&stored.time).map_err(malformed)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_are_what_the_broker_expects() {
        for (choice, expected) in [
            (Choice::Sequence { seq: 7 }, r#"{"seq":7}"#),
            (Choice::Newest { last_by_subj: "a.*" }, r#"{"last_by_subj":"a.*"}"#),
            (Choice::First { next_by_subj: "a.*", seq: 7 }, r#"{"next_by_subj":"a.*","seq":7}"#),
        ] {
            assert_eq!(serde_json::to_string(&choice).unwrap(), expected);
        }
    }

    #[test]
    fn malformed_header_blocks_are_read() {
        let hdrs = STANDARD.encode(b"NATS/1.0\r\nBy: a\rworker\r\nno header\r\n\r\n");
        let json = format!(
            r#"{{"message":{{"subject":"a.b","seq":7,"hdrs":"{hdrs}","data":"dGV4dA==","time":"2026-11-29T01:02:03Z"}}}}"#
        );
        let Response::Ok(Answer { message }) = serde_json::from_str(&json).unwrap() else { panic!("an answer") };
        let read = read(message).unwrap();
        assert_eq!((read.sequence, read.subject.as_str(), read.payload.as_ref()), (7, "a.b", b"text".as_slice()));
        assert_eq!(read.headers.get("By").map(|value| value.as_str()), Some("a worker"));
    }

    #[test]
    fn absent_messages_and_other_refusals_differ() {
        let code = |json: &str| match serde_json::from_str::<Response<Answer>>(json).unwrap() {
            Response::Err { error } => error.error_code(),
            Response::Ok(_) => panic!("an error"),
        };
        let absent = r#"{"error":{"code":404,"err_code":10037,"description":"no message found"}}"#;
        assert_eq!(code(absent), ErrorCode::NO_MESSAGE_FOUND);
        let missing = r#"{"error":{"code":404,"err_code":10059,"description":"stream not found"}}"#;
        assert_ne!(code(missing), ErrorCode::NO_MESSAGE_FOUND);
    }
}
