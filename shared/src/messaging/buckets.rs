//! Key-value buckets: users, keys, revocations, refresh families, attempts and charges; watched where every instance must know at once.

use std::collections::HashMap;
use std::marker::PhantomData;
use std::sync::{Arc, RwLock};
use std::time::Duration;

use async_nats::jetstream::context::PublishError;
use async_nats::jetstream::kv::{self, CreateErrorKind, Operation, UpdateErrorKind};
use futures_util::StreamExt;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::watch;

use super::broker::Broker;
use super::envelope::{decode, encode};
use crate::identity::{RefreshFamily, Revocation, SigningKey, User};
use crate::lifecycle::Lifecycle;

const USERS: &str = "users";
const REVOCATIONS: &str = "revocations";
const REFRESH: &str = "refresh";
const SIGNING_KEYS: &str = "signing_keys";
const ATTEMPTS: &str = "attempts";
const CHARGES: &str = "charges";

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

    async fn open<T>(&self, name: &'static str) -> Result<Bucket<T>, BucketError> {
        let store = self
            .broker
            .jetstream()
            .get_key_value(name)
            .await
            .map_err(|error| BucketError::Unavailable { bucket: name, reason: error.to_string() })?;
        Ok(Bucket { store, name, holds: PhantomData })
    }
}

/// A bucket of entries of one type. Keys are single tokens of `A-Z a-z 0-9 _ - = /`.
#[derive(Debug, Clone)]
pub struct Bucket<T> {
    store: kv::Store,
    name: &'static str,
    holds: PhantomData<fn() -> T>,
}

impl<T: Serialize + DeserializeOwned> Bucket<T> {
    fn unavailable(&self, error: &dyn std::fmt::Display) -> BucketError {
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
        self.store.put(key, encode(value).into()).await.map_err(|error| self.unavailable(&error))
    }

    /// Writes the entry where none stands; [`BucketError::Conflict`] where one does.
    pub async fn create(&self, key: &str, value: &T) -> Result<u64, BucketError> {
        self.store.create(key, encode(value).into()).await.map_err(|error| {
            if error.kind() == CreateErrorKind::AlreadyExists || is_conflict(&error) {
                BucketError::Conflict
            } else {
                self.unavailable(&error)
            }
        })
    }

    /// Writes the entry where `revision` still stands; [`BucketError::Conflict`] where it does not.
    pub async fn update(&self, key: &str, value: &T, revision: u64) -> Result<u64, BucketError> {
        self.store.update(key, encode(value).into(), revision).await.map_err(|error| {
            if error.kind() == UpdateErrorKind::WrongLastRevision || is_conflict(&error) {
                BucketError::Conflict
            } else {
                self.unavailable(&error)
            }
        })
    }

    /// Takes the entry away; idempotent.
    pub async fn delete(&self, key: &str) -> Result<(), BucketError> {
        self.store.delete(key).await.map_err(|error| self.unavailable(&error))
    }

    async fn is_empty(&self) -> Result<bool, BucketError> {
        let status = self.store.status().await.map_err(|error| self.unavailable(&error))?;
        Ok(status.info.state.messages == 0)
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

/// A copy of a bucket that follows every change, usually within a millisecond.
#[derive(Debug, Clone)]
pub struct Watched<T> {
    entries: Arc<RwLock<HashMap<String, T>>>,
    changed: watch::Sender<()>,
}

impl<T: Clone + Serialize + DeserializeOwned + Send + Sync + 'static> Watched<T> {
    /// Loads the bucket, and follows it until the life ends. Returns when all entries of now are loaded.
    pub async fn follow(bucket: Bucket<T>, life: &Lifecycle) -> Result<Self, BucketError> {
        let watched = Self { entries: Arc::default(), changed: watch::Sender::default() };
        let (loaded, mut is_loaded) = watch::channel(false);
        let (task, stopping) = (watched.clone(), life.stopping());
        life.spawn(async move {
            while !stopping.is_cancelled() {
                tokio::select! {
                    () = stopping.cancelled() => return,
                    outcome = task.run(&bucket, &loaded) => {
                        if let Err(error) = outcome {
                            tracing::warn!(%error, "a watch was lost; starting it anew");
                        }
                    }
                }
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        });
        let wait = tokio::time::timeout(Duration::from_secs(10), is_loaded.wait_for(|loaded| *loaded));
        match wait.await {
            Ok(Ok(_)) => Ok(watched),
            Ok(Err(_)) | Err(_) => {
                Err(BucketError::Unavailable { bucket: "watched", reason: "no answer within 10 s".into() })
            }
        }
    }

    async fn run(&self, bucket: &Bucket<T>, loaded: &watch::Sender<bool>) -> Result<(), BucketError> {
        // One pass over what stands there and all that follows; the copy is replaced when all that stood there has come.
        let mut changes = bucket.store.watch_with_history(">").await.map_err(|error| bucket.unavailable(&error))?;
        let mut loading = Some(HashMap::new());
        if bucket.is_empty().await? {
            self.replace(&mut loading, loaded);
        }
        while let Some(change) = changes.next().await {
            let change = change.map_err(|error| bucket.unavailable(&error))?;
            let is_last = change.delta == 0;
            match &mut loading {
                Some(entries) => apply(entries, change),
                None => {
                    apply(&mut self.lock_mut(), change);
                    self.changed.send_replace(());
                }
            }
            if is_last {
                self.replace(&mut loading, loaded);
            }
        }
        Ok(())
    }

    /// Puts what was loaded in the place of what was known.
    fn replace(&self, loading: &mut Option<HashMap<String, T>>, loaded: &watch::Sender<bool>) {
        if let Some(entries) = loading.take() {
            *self.lock_mut() = entries;
            self.changed.send_replace(());
            loaded.send_replace(true);
        }
    }

    /// Tells of every change of the copy from now on, after it was made.
    pub fn changes(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    /// Forgets the entries that `is_over` finds over; they may stand in the bucket for a while yet.
    pub fn prune(&self, is_over: impl Fn(&T) -> bool) {
        self.lock_mut().retain(|_, value| !is_over(value));
    }

    fn lock_mut(&self) -> std::sync::RwLockWriteGuard<'_, HashMap<String, T>> {
        self.entries.write().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// The entry as it stands in the copy.
    pub fn get(&self, key: &str) -> Option<T> {
        self.entries.read().unwrap_or_else(std::sync::PoisonError::into_inner).get(key).cloned()
    }

    /// Every entry of the copy.
    pub fn values(&self) -> Vec<T> {
        self.entries.read().unwrap_or_else(std::sync::PoisonError::into_inner).values().cloned().collect()
    }
}

fn apply<T: DeserializeOwned>(entries: &mut HashMap<String, T>, change: kv::Entry) {
    match change.operation {
        Operation::Put => match decode(&change.value) {
            Ok(value) => {
                entries.insert(change.key, value);
            }
            Err(error) => tracing::error!(%error, key = change.key, "an entry cannot be read"),
        },
        Operation::Delete | Operation::Purge => {
            entries.remove(&change.key);
        }
    }
}
