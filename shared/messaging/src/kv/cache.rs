//! A copy of a bucket that follows every change, with the time until which it is known to be complete.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use async_nats::jetstream::kv::{self, Operation};
use futures_util::{Stream, StreamExt};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior};

use crate::envelope::decode;
use crate::kv::bucket::{Bucket, BucketError, Extent};
use service::lifecycle::Lifecycle;

/// Interval between checks of the bucket's extent, and the timeout of each.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);
/// Maximum lag of a copy; beyond it the watch counts as lost. The client would notice only after 10 s of silence.
const MAX_LAG: Duration = Duration::from_secs(2);
/// Maximum pause between entries while a bucket is loaded.
const LOAD_TIMEOUT: Duration = Duration::from_secs(10);

/// `None` for an entry that this build cannot read, so that no older value is returned in its place.
type Entries<T> = HashMap<String, Option<T>>;

/// A copy of a bucket that follows every change, usually within a millisecond. Clones share the copy.
#[derive(Debug, Clone)]
pub struct BucketCache<T> {
    entries: Arc<RwLock<Entries<T>>>,
    changed: watch::Sender<()>,
    /// The copy has every change up to this sequence of the bucket's stream.
    applied: watch::Sender<u64>,
    complete_at: watch::Sender<Instant>,
}

impl<T: Clone + Serialize + DeserializeOwned + Send + Sync + 'static> BucketCache<T> {
    /// Loads the bucket and follows it until the life ends. Returns once all current entries are loaded.
    pub async fn follow(bucket: Bucket<T>, life: &Lifecycle) -> Result<Self, BucketError> {
        let watched = Self {
            entries: Arc::default(),
            changed: watch::Sender::default(),
            applied: watch::Sender::default(),
            complete_at: watch::Sender::new(Instant::now()),
        };
        let (loaded, mut is_loaded) = watch::channel(false);
        let (task, stopping) = (watched.clone(), life.stopping());
        life.spawn(async move {
            while !stopping.is_cancelled() {
                tokio::select! {
                    () = stopping.cancelled() => return,
                    outcome = task.run(&bucket, &loaded) => {
                        if let Err(error) = outcome {
                            tracing::warn!(%error, "Watch lost; restarting it");
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

    /// Loads the bucket once and applies all following changes.
    async fn run(&self, bucket: &Bucket<T>, loaded: &watch::Sender<bool>) -> Result<(), BucketError> {
        let extent = bucket.extent().await?;
        let mut changes = bucket.store.watch_with_history(">").await.map_err(|error| bucket.unavailable(&error))?;
        self.load(bucket, &extent, &mut changes).await?;
        loaded.send_replace(true);
        tokio::select! {
            outcome = self.apply_all(bucket, changes) => outcome,
            lost = self.compare(bucket) => Err(lost),
        }
    }

    /// Replaces the copy with the bucket's content once all of it has arrived.
    async fn load(
        &self,
        bucket: &Bucket<T>,
        extent: &Extent,
        changes: &mut (impl Stream<Item = Result<kv::Entry, kv::WatcherError>> + Unpin),
    ) -> Result<(), BucketError> {
        let (mut entries, mut applied, mut is_whole) = (HashMap::new(), 0, extent.is_empty);
        while !is_whole {
            let next = tokio::time::timeout(LOAD_TIMEOUT, changes.next()).await.ok().flatten();
            let change = next.ok_or_else(|| bucket.unavailable(&"its watch timed out during the load"))?;
            let change = change.map_err(|error| bucket.unavailable(&error))?;
            (applied, is_whole) = (change.revision, change.delta == 0);
            apply(&mut entries, change);
        }
        // The serving replica may be behind; but a change that the leader no longer has will not arrive.
        if applied < extent.last && !extent.is_empty && !bucket.is_gone(extent.last).await? {
            return Err(bucket.unavailable(&"its watch lacks the newest change"));
        }
        *self.lock_mut() = entries;
        self.applied.send_replace(applied.max(extent.last));
        self.changed.send_replace(());
        Ok(())
    }

    async fn apply_all(
        &self,
        bucket: &Bucket<T>,
        mut changes: impl Stream<Item = Result<kv::Entry, kv::WatcherError>> + Unpin,
    ) -> Result<(), BucketError> {
        while let Some(change) = changes.next().await {
            let change = change.map_err(|error| bucket.unavailable(&error))?;
            let revision = change.revision;
            apply(&mut self.lock_mut(), change);
            self.applied.send_replace(revision);
            self.changed.send_replace(());
        }
        Ok(())
    }

    /// Compares the copy with the extent on the stream's leader once a second. Returns when the copy lags.
    async fn compare(&self, bucket: &Bucket<T>) -> BucketError {
        let mut applied = self.applied.subscribe();
        let mut ticks = tokio::time::interval(CHECK_INTERVAL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let asked = Instant::now();
            // An unavailable broker says nothing about the watch.
            let Ok(Ok(extent)) = tokio::time::timeout(CHECK_INTERVAL, bucket.extent()).await else { continue };
            let reached = applied.wait_for(|applied| *applied >= extent.last);
            if tokio::time::timeout(MAX_LAG, reached).await.is_err() {
                return bucket.unavailable(&"its watch lags");
            }
            self.complete_at.send_replace(asked);
        }
    }

    /// Returns the last moment at which the copy was known to be complete; at most two seconds ago while broker and
    /// watch work.
    pub fn complete_at(&self) -> Instant {
        *self.complete_at.borrow()
    }

    /// Returns a receiver notified after every change of the copy from now on.
    pub fn changes(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    /// Removes the entries that `is_over` accepts from the copy; they may remain in the bucket for a while.
    pub fn prune(&self, is_over: impl Fn(&T) -> bool) {
        self.lock_mut().retain(|_, value| value.as_ref().is_none_or(|value| !is_over(value)));
    }

    /// Removes the entries whose keys do not begin with this from the copy.
    pub(crate) fn keep_prefix(&self, prefix: &str) {
        self.lock_mut().retain(|key, _| key.starts_with(prefix));
    }

    fn lock(&self) -> RwLockReadGuard<'_, Entries<T>> {
        self.entries.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock_mut(&self) -> RwLockWriteGuard<'_, Entries<T>> {
        self.entries.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the entry; `None` also if this build cannot read it.
    pub fn get(&self, key: &str) -> Option<T> {
        self.lock().get(key).cloned().flatten()
    }

    /// Returns whether an entry exists, readable or not.
    pub fn contains(&self, key: &str) -> bool {
        self.lock().contains_key(key)
    }

    /// Returns every readable entry of the copy.
    pub fn values(&self) -> Vec<T> {
        self.lock().values().flatten().cloned().collect()
    }
}

fn apply<T: DeserializeOwned>(entries: &mut Entries<T>, change: kv::Entry) {
    match change.operation {
        Operation::Put => {
            let value = decode(&change.value);
            if let Err(error) = &value {
                tracing::error!(%error, key = change.key, "Failed to read entry");
            }
            entries.insert(change.key, value.ok());
        }
        Operation::Delete | Operation::Purge => {
            entries.remove(&change.key);
        }
    }
}
