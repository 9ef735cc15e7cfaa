//! The encoding of bodies: MessagePack with named fields, in an envelope with a version.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// Newest version that this build reads.
pub(crate) const VERSION: u32 = 2;
/// Version of bodies with the state of a workflow: their submission has another form than in version 1.
const STATE_VERSION: u32 = 2;
/// Version of every other body: builds that read no newer one run beside this during an upgrade.
const PLAIN_VERSION: u32 = 1;

/// A body with its version.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Envelope<T> {
    pub v: u32,
    pub body: T,
}

/// A message that this build cannot read.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// Written by a newer build; left to a newer reader.
    #[error("the message has version {0}, newer than this build's {VERSION}")]
    Newer(u32),
    #[error("cannot read the message: {0}")]
    Malformed(#[from] rmp_serde::decode::Error),
    /// Its content belongs on another subject, where its sender may not publish.
    #[error("the message does not belong on its subject")]
    Forged,
    #[error("the message has no reply subject")]
    Unanswerable,
}

/// Encodes a body without the state of a workflow.
pub fn encode<T: Serialize>(body: &T) -> Vec<u8> {
    encode_as(PLAIN_VERSION, body)
}

/// Encodes the state of a workflow, or a body that holds one.
pub fn encode_state<T: Serialize>(body: &T) -> Vec<u8> {
    encode_as(STATE_VERSION, body)
}

fn encode_as<T: Serialize>(v: u32, body: &T) -> Vec<u8> {
    #[derive(Serialize)]
    struct Borrowed<'a, T> {
        v: u32,
        body: &'a T,
    }
    // These types are always encodable: no maps of unknown length, no failing Serialize.
    rmp_serde::to_vec_named(&Borrowed { v, body }).unwrap_or_default()
}

/// Decodes a body. The version is read first, to distinguish a newer form from a broken one.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, DecodeError> {
    #[derive(Deserialize)]
    struct VersionOnly {
        v: u32,
    }
    let VersionOnly { v } = rmp_serde::from_slice(bytes)?;
    if v > VERSION {
        return Err(DecodeError::Newer(v));
    }
    Ok(rmp_serde::from_slice::<Envelope<T>>(bytes)?.body)
}

/// Returns a message of any version as JSON; `None` if it has no such form.
pub(super) fn as_json(bytes: &[u8]) -> Option<serde_json::Value> {
    rmp_serde::from_slice(bytes).ok().filter(serde_json::Value::is_object)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_newer_message_is_told_from_a_broken_one() {
        let newer = rmp_serde::to_vec_named(&Envelope { v: VERSION + 1, body: ("a", 1) }).unwrap();
        assert!(matches!(decode::<String>(&newer), Err(DecodeError::Newer(v)) if v == VERSION + 1));
        assert!(matches!(decode::<String>(b"\xff\x00"), Err(DecodeError::Malformed(_))));
    }

    #[test]
    fn only_a_state_has_the_newer_version() {
        let text = "text".to_owned();
        for (bytes, version) in [(encode(&text), 1), (encode_state(&text), 2)] {
            assert_eq!(rmp_serde::from_slice::<Envelope<String>>(&bytes).unwrap().v, version);
            assert_eq!(decode::<String>(&bytes).unwrap(), text);
        }
    }
}
