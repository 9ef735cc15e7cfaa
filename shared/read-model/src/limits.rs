//! Rate limits and step leases in Redis, shared by every instance. Without Redis, a local bucket of the same size
//! applies.

use std::sync::LazyLock;
use std::time::Duration;

use redis::Script;

use super::gcra::{Gcra, RateVerdict};
use super::local_buckets::LocalBuckets;
use super::store::{ReadModel, ReadModelError};
use service::clock::Clock;
use service::failpoints;

/// The same steps as [`Gcra::take`], in Redis and by its clock, so that instances with different clocks agree.
static TAKE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
local interval, capacity = tonumber(ARGV[1]), tonumber(ARGV[2])
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local arrival = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), now)
local next = arrival + interval
if next - now > capacity then
  return {0, 0, next - now - capacity, arrival - now}
end
redis.call('SET', KEYS[1], string.format('%.0f', next), 'PX', math.ceil((next - now) / 1000) + 1000)
return {1, math.floor((capacity - (next - now)) / interval), 0, next - now}
",
    )
});

/// The same steps as [`Gcra::give_back`].
static GIVE_BACK: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local next = tonumber(redis.call('GET', KEYS[1]) or '0') - tonumber(ARGV[1])
if next <= now then
  redis.call('DEL', KEYS[1])
else
  redis.call('SET', KEYS[1], string.format('%.0f', next), 'PX', math.ceil((next - now) / 1000) + 1000)
end
return 1
",
    )
});

/// A lease is a set member with its end as score; expired ones are dropped before counting.
static LEASE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
local known = redis.call('ZSCORE', KEYS[1], ARGV[1])
if not known and redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[2]) then
  return 0
end
redis.call('ZADD', KEYS[1], now + tonumber(ARGV[3]), ARGV[1])
redis.call('PEXPIRE', KEYS[1], tonumber(ARGV[3]) + 1000)
return 1
",
    )
});

/// Rate limits by name.
#[derive(Debug)]
pub struct RateLimiter {
    model: ReadModel,
    local: LocalBuckets<String>,
}

impl RateLimiter {
    /// Returns limits stored in `model`.
    pub fn new(model: ReadModel, clock: Clock) -> Self {
        Self { model, local: LocalBuckets::new(clock) }
    }

    /// Takes one call from the bucket `name`, e.g. `execute:ann`.
    pub async fn take(&self, name: &str, bucket: Gcra) -> RateVerdict {
        match self.take_shared(name, bucket).await {
            Ok(verdict) => verdict,
            Err(error) => {
                tracing::debug!(%error, "Using local rate limits: read model unavailable");
                self.local.take(name.to_owned(), bucket)
            }
        }
    }

    async fn take_shared(&self, name: &str, bucket: Gcra) -> Result<RateVerdict, ReadModelError> {
        let interval = bucket.interval_us();
        let mut call = TAKE.key(format!("rate:{name}"));
        call.arg(interval).arg(interval * i64::from(bucket.burst.max(1)));
        let (allowed, remaining, retry, reset): (i64, i64, i64, i64) = {
            failpoints::reach("rate.before").await;
            let taken = self.model.invoke(&call).await;
            failpoints::reach("rate.after").await;
            taken?
        };
        Ok(bucket.verdict(allowed == 1, remaining, retry, reset))
    }

    /// Returns one call to the bucket `name`, e.g. after a sign-in with the right password.
    pub async fn give_back(&self, name: &str, bucket: Gcra) {
        let mut call = GIVE_BACK.key(format!("rate:{name}"));
        call.arg(bucket.interval_us());
        if self.model.invoke::<i64>(&call).await.is_err() {
            self.local.give_back(&name.to_owned(), bucket);
        }
    }
}

/// Limits the steps of one user that run at once, over all workers.
#[derive(Debug, Clone)]
pub struct StepLeases {
    model: ReadModel,
    limit: u32,
    ttl: Duration,
}

impl StepLeases {
    /// Allows `limit` leases per user; a lease that is not renewed for `ttl` (its worker died) expires.
    pub fn new(model: ReadModel, limit: u32, ttl: Duration) -> Self {
        Self { model, limit, ttl }
    }

    /// Takes or renews the lease of one step. Without Redis every step may run: work continues without fairness.
    pub async fn hold(&self, user: &str, step: &str) -> bool {
        let mut call = LEASE.key(lease_key(user));
        call.arg(step).arg(self.limit).arg(u64::try_from(self.ttl.as_millis()).unwrap_or(u64::MAX));
        failpoints::reach("lease.before").await;
        let held = self.model.invoke::<i64>(&call).await;
        failpoints::reach("lease.after").await;
        match held {
            Ok(held) => held == 1,
            Err(error) => {
                tracing::debug!(%error, "Step leases disabled: read model unavailable");
                true
            }
        }
    }

    /// Releases the lease; idempotent.
    pub async fn release(&self, user: &str, step: &str) {
        let mut command = redis::cmd("ZREM");
        command.arg(lease_key(user)).arg(step);
        failpoints::reach("release.before").await;
        let released = self.model.query::<i64>(&command).await;
        failpoints::reach("release.after").await;
        if let Err(error) = released {
            tracing::debug!(%error, "Failed to release step lease {step}; it expires by itself");
        }
    }
}

fn lease_key(user: &str) -> String {
    format!("steps:{user}")
}
