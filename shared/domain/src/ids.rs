//! Ids and names: newtypes with private fields, so that one cannot be used as another.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

/// An invalid name or id; the text describes a valid one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidId(pub(crate) &'static str);

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);

        impl $name {
            /// Returns the id as a UUID.
            pub const fn as_uuid(&self) -> &Uuid {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.as_hyphenated().fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            /// Parses only the hyphenated lower-case form, which is the form in subjects and addresses.
            fn from_str(text: &str) -> Result<Self, InvalidId> {
                let id = Uuid::try_parse(text).map_err(|_| InvalidId("an id is a hyphenated UUID"))?;
                if id.as_hyphenated().to_string() == text {
                    Ok(Self(id))
                } else {
                    Err(InvalidId("an id is a hyphenated UUID in lower case"))
                }
            }
        }

        // Text in every format, so that MessagePack and JSON readers see the same id.
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
            }
        }
    };
}

uuid_id! {
    /// The id of a workflow: one goal until its terminal state.
    WorkflowId
}
uuid_id! {
    /// The id of a question to a human, derived from its workflow and gate.
    ApprovalId
}
uuid_id! {
    /// The id of an append to the log; an appender that lost its acknowledgement recognises its own append by it.
    EventId
}

/// Namespace of every derived id: the version 5 id of `promptcraft` under the null namespace.
const NAMESPACE: Uuid = Uuid::from_u128(0x8c1f_3a52_61d7_5b0e_9a54_2f0f_51c7_a9d3);

impl WorkflowId {
    /// Returns a new id, ordered by time.
    pub fn fresh() -> Self {
        Self(Uuid::now_v7())
    }

    /// Returns the id derived from this user's `Idempotency-Key`, so that a repeated submission finds its first append.
    pub fn for_key(user: &UserName, key: &str) -> Self {
        Self(Uuid::new_v5(&NAMESPACE, format!("workflow\0{user}\0{key}").as_bytes()))
    }
}

impl ApprovalId {
    /// Returns the id of a workflow's `number`th gate, counted from 1.
    pub fn for_gate(workflow: WorkflowId, number: u32) -> Self {
        Self(Uuid::new_v5(&NAMESPACE, format!("approval\0{workflow}\0{number}").as_bytes()))
    }
}

impl ApprovalId {
    /// Returns the id that no approval has.
    pub const fn nobodys() -> Self {
        Self(Uuid::nil())
    }
}

impl EventId {
    /// Returns a new id.
    pub fn fresh() -> Self {
        Self(Uuid::new_v4())
    }

    /// Returns the id derived from `name`, for messages that the sender repeats under one name.
    pub fn derived(name: &str) -> Self {
        Self(Uuid::new_v5(&NAMESPACE, format!("event\0{name}").as_bytes()))
    }
}

/// The name that a user signs in with: 1 to 64 of `a-z A-Z 0-9 _ -`, so that it is one token of a subject.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct UserName(String);

impl UserName {
    /// Returns the name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for UserName {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let fits = (1..=64).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
        if fits { Ok(Self(text.to_owned())) } else { Err(InvalidId("a user name is 1 to 64 of a-z A-Z 0-9 _ -")) }
    }
}

impl TryFrom<String> for UserName {
    type Error = InvalidId;

    fn try_from(text: String) -> Result<Self, InvalidId> {
        text.parse()
    }
}

impl From<UserName> for String {
    fn from(name: UserName) -> Self {
        name.0
    }
}

impl fmt::Display for UserName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A SHA-256 of content: the key of a blob, and the digest that an approver approves.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// Returns the digest of `content`.
    pub fn of(content: &[u8]) -> Self {
        Self(Sha256::digest(content).into())
    }

    /// Returns the digest of several named parts: over names, lengths and contents, so that different lists of parts
    /// differ.
    pub fn of_parts<'a>(parts: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Self {
        let mut hasher = Sha256::new();
        for (name, content) in parts {
            for piece in [name.as_bytes(), content] {
                hasher.update((piece.len() as u64).to_be_bytes());
                hasher.update(piece);
            }
        }
        Self(hasher.finalize().into())
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

impl FromStr for Digest {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| InvalidId("a digest is 64 hexadecimal digits"))?;
        Ok(Self(bytes))
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_idempotency_key_leads_each_user_to_an_id_of_their_own() {
        let (ann, bob): (UserName, UserName) = ("ann".parse().unwrap(), "bob".parse().unwrap());
        assert_eq!(WorkflowId::for_key(&ann, "k"), WorkflowId::for_key(&ann, "k"));
        assert_ne!(WorkflowId::for_key(&ann, "k"), WorkflowId::for_key(&bob, "k"));
        assert_ne!(WorkflowId::for_key(&ann, "k"), WorkflowId::for_key(&ann, "l"));
    }

    #[test]
    fn only_the_canonical_form_of_an_id_is_read() {
        let id = WorkflowId::fresh().to_string();
        assert!(id.parse::<WorkflowId>().is_ok());
        for other in [id.to_uppercase(), id.replace('-', ""), format!("{{{id}}}"), "*".into(), String::new()] {
            assert!(other == id || other.parse::<WorkflowId>().is_err(), "{other}");
        }
    }

    #[test]
    fn a_user_name_is_one_subject_token() {
        for bad in ["", "a.b", "a b", "*", ">", "a\n", "é", &"x".repeat(65)] {
            assert!(bad.parse::<UserName>().is_err(), "{bad:?}");
        }
        assert!("demo_bot-2".parse::<UserName>().is_ok());
    }

    #[test]
    fn parts_do_not_run_into_each_other() {
        let split = Digest::of_parts([("a", b"bc".as_slice()), ("d", b"".as_slice())]);
        let other = Digest::of_parts([("a", b"b".as_slice()), ("cd", b"".as_slice())]);
        assert_ne!(split, other);
        assert_eq!(split.to_string().parse::<Digest>().unwrap(), split);
    }
}
