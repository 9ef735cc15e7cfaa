//! Key-value buckets: users, keys, revocations, refresh families, attempts, charges and catalogues.

use std::marker::PhantomData;
use std::time::Duration;

use async_nats::jetstream::context::PublishError;
use async_nats::jetstream::kv::{self, CreateErrorKind, Operation, UpdateErrorKind};
use futures_util::StreamExt;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::broker::Broker;
use super::catalogues;
use super::envelope::{decode, encode};
use super::raw_get::is_removed;
use crate::failpoints;
use crate::identity::{RefreshFamily, Revocation, SigningKey, User};

pub(super) const USERS: &str = "users";
pub(super) const REVOCATIONS: &str = "revocations";
pub(super) const REFRESH: &str = "refresh";
pub(super) const SIGNING_KEYS: &str = "signing_keys";
pub(super) const ATTEMPTS: &str = "attempts";
pub(super) const CHARGES: &str = "charges";
pub(super) const CATALOGUES: &str = "catalogues";

/// Every bucket, with how long an entry is kept (zero: for good).
pub(super) const ALL_BUCKETS: &[(&str, Duration)] = &[
    (USERS, Duration::ZERO),
    (SIGNING_KEYS, Duration::ZERO),
    // Longer than any access token lasts.
    (REVOCATIONS, Duration::from_secs(2 * 86_400)),
    // Longer than any refresh token lasts.
    (REFRESH, Duration::from_secs(91 * 86_400)),
    (ATTEMPTS, Duration::from_secs(2 * 86_400)),
    // Longer than the day they count for.
    (CHARGES, Duration::from_secs(3 * 86_400)),
    (CATALOGUES, catalogues::KEPT),
];

/// Why a bucket did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum BucketError {
    #[error("the entry was changed by someone else")]
    Conflict,
    #[error("the bucket {bucket} cannot be used now: {reason}")]
    Unavailable { bucket: &'static str, reason: String },
}

/// Opens the buckets by what they hold.
#[derive(Debug, Clone)]
pub struct Buckets {
    broker: Broker,
}

impl Buckets {
    /// The buckets behind `broker`.
    pub fn new(broker: &Broker) -> Self {
        Self { broker: broker.clone() }
    }

    /// Users by name.
    pub async fn users(&self) -> Result<Bucket<User>, BucketError> {
        self.open(USERS).await
    }

    /// Revoked tokens by `jti`.
    pub async fn revocations(&self) -> Result<Bucket<Revocation>, BucketError> {
        self.open(REVOCATIONS).await
    }

    /// Refresh families by their id.
    pub async fn refresh_families(&self) -> Result<Bucket<RefreshFamily>, BucketError> {
        self.open(REFRESH).await
    }

    /// Signing keys by `kid`.
    pub async fn signing_keys(&self) -> Result<Bucket<SigningKey>, BucketError> {
        self.open(SIGNING_KEYS).await
    }

    /// How often a step was begun again, by the sequence of its message.
    pub async fn attempts(&self) -> Result<Bucket<u64>, BucketError> {
        self.open(ATTEMPTS).await
    }

    /// What was charged beside the log, by day and user.
    pub(super) async fn charges(&self) -> Result<Bucket<f64>, BucketError> {
        self.open(CHARGES).await
    }

    /// Recipes and lists of them, by digest.
    pub(super) async fn catalogues(&self) -> Result<Bucket<String>, BucketError> {
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

/// So often an entry is changed anew that others changed meanwhile; the pauses sum up to about a second.
const CHANGE_ATTEMPTS: u32 = 8;
/// The first pause; each is twice the one before.
const CHANGE_PAUSE: Duration = Duration::from_millis(5);

/// A bucket of entries of one type. Keys are single tokens of `A-Z a-z 0-9 _ - = /`.
#[derive(Debug, Clone)]
pub struct Bucket<T> {
    broker: Broker,
    pub(super) store: kv::Store,
    name: &'static str,
    holds: PhantomData<fn() -> T>,
}

/// How far the stream of a bucket goes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Extent {
    /// The sequence of the last change, also where that is gone again.
    pub(super) last: u64,
    pub(super) is_empty: bool,
}

impl<T: Serialize + DeserializeOwned> Bucket<T> {
    pub(super) fn unavailable(&self, error: &dyn std::fmt::Display) -> BucketError {
        BucketError::Unavailable { bucket: self.name, reason: error.to_string() }
    }

    /// The entry and its revision.
    pub async fn get(&self, key: &str) -> Result<Option<(T, u64)>, BucketError> {
        let entry = self.store.entry(key).await.map_err(|error| self.unavailable(&error))?;
        match entry.filter(|entry| entry.operation == Operation::Put) {
            Some(entry) => {
                let value = decode(&entry.value).map_err(|error| self.unavailable(&error))?;
                Ok(Some((value, entry.revision)))
            }
            None => Ok(None),
        }
    }

    /// Writes the entry, whatever stood there; returns its revision.
    pub async fn put(&self, key: &str, value: &T) -> Result<u64, BucketError> {
        failpoints::reach("bucket.before").await;
        let put = self.store.put(key, encode(value).into()).await;
        failpoints::reach("bucket.after").await;
        put.map_err(|error| self.unavailable(&error))
    }

    /// Writes the entry where none stands; [`BucketError::Conflict`] where one does.
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

    /// Writes the entry where `revision` still stands; [`BucketError::Conflict`] where it does not.
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

    /// Writes what `change` makes of the entry; false where it makes nothing of it, and all stays as it is.
    ///
    /// Tried again where another write came between, a few times with growing pauses. At most once: where the answer stays away
    /// it is not tried again.
    pub async fn change(&self, key: &str, change: impl Fn(Option<T>) -> Option<T>) -> Result<bool, BucketError> {
        for attempt in 0..CHANGE_ATTEMPTS {
            let (value, revision) = self.get(key).await?.unzip();
            let Some(changed) = change(value) else { return Ok(false) };
            let written = match revision {
                Some(revision) => self.update(key, &changed, revision).await,
                None => self.create(key, &changed).await,
            };
            match written {
                Ok(_) => return Ok(true),
                Err(BucketError::Conflict) => tokio::time::sleep(CHANGE_PAUSE * 2_u32.pow(attempt)).await,
                Err(error @ BucketError::Unavailable { .. }) => return Err(error),
            }
        }
        Err(self.unavailable(&"others keep changing the entry"))
    }

    /// Takes the entry away; idempotent.
    pub async fn delete(&self, key: &str) -> Result<(), BucketError> {
        self.store.delete(key).await.map_err(|error| self.unavailable(&error))
    }

    /// How far the bucket goes now, as the leader of its stream knows it.
    pub(super) async fn extent(&self) -> Result<Extent, BucketError> {
        let info = self.store.stream.get_info().await.map_err(|error| self.unavailable(&error))?;
        Ok(Extent { last: info.state.last_sequence, is_empty: info.state.messages == 0 })
    }

    /// Whether the leader of the bucket's stream no longer has the change with this sequence.
    pub(super) async fn is_gone(&self, sequence: u64) -> Result<bool, BucketError> {
        let removed = is_removed(self.broker.jetstream(), &self.store.stream_name, sequence).await;
        removed.map_err(|error| self.unavailable(&error))
    }

    /// Every entry by key.
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

/// The client has a kind for the conflict that one server alone reports, and none for that of several replicas.
fn is_conflict(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut causes = std::iter::successors(Some(error), |error| error.source());
    causes.any(|cause| cause.downcast_ref::<PublishError>().is_some_and(super::log::is_conflict))
}
