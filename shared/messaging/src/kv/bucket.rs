//! Key-value buckets: users, keys, revocations, refresh families, attempts, charges and catalogues.

use std::marker::PhantomData;
use std::time::Duration;

use async_nats::HeaderMap;
use async_nats::jetstream::context::PublishError;
use async_nats::jetstream::kv::{self, CreateErrorKind, UpdateErrorKind};
use futures_util::StreamExt;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::connection::broker::Broker;
use crate::envelope::{decode, encode};
use crate::kv::catalogues;
use crate::log::raw_get::{Choice, is_removed, read_message};
use domain::identity::{RefreshFamily, Revocation, SigningKey, User};
use service::failpoints;

pub(crate) const USERS: &str = "users";
pub(crate) const REVOCATIONS: &str = "revocations";
pub(crate) const REFRESH: &str = "refresh";
pub(crate) const SIGNING_KEYS: &str = "signing_keys";
pub(crate) const ATTEMPTS: &str = "attempts";
pub(crate) const CHARGES: &str = "charges";
pub(crate) const CATALOGUES: &str = "catalogues";

/// Every bucket with the retention time of its entries (zero: unlimited).
pub(crate) const ALL_BUCKETS: &[(&str, Duration)] = &[
    (USERS, Duration::ZERO),
    (SIGNING_KEYS, Duration::ZERO),
    // Longer than the lifetime of any access token.
    (REVOCATIONS, Duration::from_secs(2 * 86_400)),
    // Longer than the lifetime of any refresh token.
    (REFRESH, Duration::from_secs(91 * 86_400)),
    (ATTEMPTS, Duration::from_secs(2 * 86_400)),
    // Longer than the day of the charge.
    (CHARGES, Duration::from_secs(3 * 86_400)),
    (CATALOGUES, catalogues::CATALOGUE_RETENTION),
];

/// A failure of a bucket operation.
#[derive(Debug, thiserror::Error)]
pub enum BucketError {
    #[error("the entry was changed concurrently")]
    Conflict,
    #[error("bucket {bucket} is unavailable: {reason}")]
    Unavailable { bucket: &'static str, reason: String },
}

/// Opens the buckets by content.
#[derive(Debug, Clone)]
pub struct Buckets {
    broker: Broker,
}

impl Buckets {
    /// Creates the opener on `broker`.
    pub fn new(broker: &Broker) -> Self {
        Self { broker: broker.clone() }
    }

    /// Opens users by name.
    pub async fn users(&self) -> Result<Bucket<User>, BucketError> {
        self.open(USERS).await
    }

    /// Opens revoked tokens by `jti`.
    pub async fn revocations(&self) -> Result<Bucket<Revocation>, BucketError> {
        self.open(REVOCATIONS).await
    }

    /// Opens refresh families by id.
    pub async fn refresh_families(&self) -> Result<Bucket<RefreshFamily>, BucketError> {
        self.open(REFRESH).await
    }

    /// Opens signing keys by `kid`.
    pub async fn signing_keys(&self) -> Result<Bucket<SigningKey>, BucketError> {
        self.open(SIGNING_KEYS).await
    }

    /// Opens the restart counts of steps by message sequence.
    pub async fn attempts(&self) -> Result<Bucket<u64>, BucketError> {
        self.open(ATTEMPTS).await
    }

    /// Opens charges beside the log, by day and user.
    pub(crate) async fn charges(&self) -> Result<Bucket<f64>, BucketError> {
        self.open(CHARGES).await
    }

    /// Opens recipes and recipe lists by digest.
    pub(crate) async fn catalogues(&self) -> Result<Bucket<String>, BucketError> {
        self.open(CATALOGUES).await
    }

    async fn open<T>(&self, name: &'static str) -> Result<Bucket<T>, BucketError> {
        let store = self
            .broker
            .jetstream()
            .get_key_value(name)
            .await
            .map_err(|error| BucketError::Unavailable { bucket: name, reason: error.to_string() })?;
        Ok(Bucket { broker: self.broker.clone(), store, name, holds: PhantomData })
    }
}

/// Maximum tries of a change that conflicts with concurrent ones; their pauses sum up to about a second.
const MAX_CHANGE_ATTEMPTS: u32 = 8;
/// First pause; each is twice the previous one.
const CHANGE_DELAY: Duration = Duration::from_millis(5);

/// A bucket of entries of one type. Keys are single tokens of `A-Z a-z 0-9 _ - = /`.
#[derive(Debug, Clone)]
pub struct Bucket<T> {
    broker: Broker,
    pub(crate) store: kv::Store,
    name: &'static str,
    holds: PhantomData<fn() -> T>,
}

/// Extent of a bucket's stream.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Extent {
    /// Sequence of the last change, even if that message was removed.
    pub(crate) last: u64,
    pub(crate) is_empty: bool,
}

impl<T: Serialize + DeserializeOwned> Bucket<T> {
    pub(crate) fn unavailable(&self, error: &dyn std::fmt::Display) -> BucketError {
        BucketError::Unavailable { bucket: self.name, reason: error.to_string() }
    }

    /// Returns the entry and its revision, as the leader of the bucket's stream has it.
    pub async fn get(&self, key: &str) -> Result<Option<(T, u64)>, BucketError> {
        if key.contains(['*', '>', '.']) {
            return Err(self.unavailable(&"the key holds a wildcard or a dot"));
        }
        let subject = format!("$KV.{}.{key}", self.name);
        let choice = Choice::Newest { last_by_subj: &subject };
        let entry = read_message(&self.broker, &self.store.stream_name, choice).await;
        match entry.map_err(|error| self.unavailable(&error))?.filter(|entry| !is_deletion(&entry.headers)) {
            Some(entry) => {
                let value = decode(&entry.payload).map_err(|error| self.unavailable(&error))?;
                Ok(Some((value, entry.sequence)))
            }
            None => Ok(None),
        }
    }

    /// Writes the entry unconditionally; returns its revision.
    pub async fn put(&self, key: &str, value: &T) -> Result<u64, BucketError> {
        failpoints::reach("bucket.before").await;
        let put = self.store.put(key, encode(value).into()).await;
        failpoints::reach("bucket.after").await;
        put.map_err(|error| self.unavailable(&error))
    }

    /// Writes a new entry; [`BucketError::Conflict`] if one exists.
    pub async fn create(&self, key: &str, value: &T) -> Result<u64, BucketError> {
        failpoints::reach("bucket.before").await;
        let created = self.store.create(key, encode(value).into()).await;
        failpoints::reach("bucket.after").await;
        created.map_err(|error| {
            if error.kind() == CreateErrorKind::AlreadyExists || is_conflict(&error) {
                BucketError::Conflict
            } else {
                self.unavailable(&error)
            }
        })
    }

    /// Replaces the entry at `revision`; [`BucketError::Conflict`] if it has another revision.
    pub async fn update(&self, key: &str, value: &T, revision: u64) -> Result<u64, BucketError> {
        failpoints::reach("bucket.before").await;
        let updated = self.store.update(key, encode(value).into(), revision).await;
        failpoints::reach("bucket.after").await;
        updated.map_err(|error| {
            if error.kind() == UpdateErrorKind::WrongLastRevision || is_conflict(&error) {
                BucketError::Conflict
            } else {
                self.unavailable(&error)
            }
        })
    }

    /// Writes the result of `change`; returns false if that is `None`, which leaves the entry unchanged.
    ///
    /// A conflicting change is tried up to 8 times with growing pauses. At most once: a write without an answer is not
    /// retried.
    pub async fn change(&self, key: &str, change: impl Fn(Option<T>) -> Option<T>) -> Result<bool, BucketError> {
        for attempt in 0..MAX_CHANGE_ATTEMPTS {
            let (value, revision) = self.get(key).await?.unzip();
            let Some(changed) = change(value) else { return Ok(false) };
            let written = match revision {
                Some(revision) => self.update(key, &changed, revision).await,
                None => self.create(key, &changed).await,
            };
            match written {
                Ok(_) => return Ok(true),
                Err(BucketError::Conflict) => tokio::time::sleep(CHANGE_DELAY * 2_u32.pow(attempt)).await,
                Err(error @ BucketError::Unavailable { .. }) => return Err(error),
            }
        }
        Err(self.unavailable(&"too many concurrent changes of the entry"))
    }

    /// Deletes the entry; idempotent.
    pub async fn delete(&self, key: &str) -> Result<(), BucketError> {
        self.store.delete(key).await.map_err(|error| self.unavailable(&error))
    }

    /// Returns the current extent of the bucket from the leader of its stream.
    pub(crate) async fn extent(&self) -> Result<Extent, BucketError> {
        let info = self.store.stream.get_info().await.map_err(|error| self.unavailable(&error))?;
        Ok(Extent { last: info.state.last_sequence, is_empty: info.state.messages == 0 })
    }

    /// Returns whether the leader of the bucket's stream no longer has the change with this sequence.
    pub(crate) async fn is_gone(&self, sequence: u64) -> Result<bool, BucketError> {
        let removed = is_removed(self.broker.jetstream(), &self.store.stream_name, sequence).await;
        removed.map_err(|error| self.unavailable(&error))
    }

    /// Returns every entry by key.
    pub async fn all(&self) -> Result<Vec<(String, T)>, BucketError> {
        let mut keys = self.store.keys().await.map_err(|error| self.unavailable(&error))?;
        let mut entries = Vec::new();
        while let Some(key) = keys.next().await {
            let key = key.map_err(|error| self.unavailable(&error))?;
            if let Some((value, _)) = self.get(&key).await? {
                entries.push((key, value));
            }
        }
        entries.sort_by(|(left, _), (right, _)| left.cmp(right));
        Ok(entries)
    }
}

/// Returns whether the headers of an entry mark its deletion; those of a value have no operation.
fn is_deletion(headers: &HeaderMap) -> bool {
    headers.get("KV-Operation").is_some_and(|operation| operation.as_str() != "PUT")
}

/// Recognises both conflict errors: the client has a kind for that of a single server, and none for that of several
/// replicas.
fn is_conflict(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut causes = std::iter::successors(Some(error), |error| error.source());
    causes.any(|cause| cause.downcast_ref::<PublishError>().is_some_and(crate::log::is_conflict))
}
