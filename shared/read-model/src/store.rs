//! Workflows, lists and spending in Redis. Every write compares sequences, so an older one never replaces a newer.

use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::Duration;

use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{FromRedisValue, Script, ScriptInvocation};
use tokio::time::Instant;

use super::ListPosition;
use domain::Timestamp;
use domain::ids::{UserName, WorkflowId};
use domain::workflow::{Status, Workflow};
use messaging::{decode, encode_state};
use service::failpoints;
use service::lifecycle::Lifecycle;
use service::telemetry::{gauge, watch_server};

/// Timeout of a call; the caller reads the log instead.
const CALL_TIMEOUT: Duration = Duration::from_millis(500);
/// Time for which calls fail immediately after a call without a reply: callers read the log instead of queueing here.
const BREAKER_OPEN: Duration = Duration::from_millis(500);

/// Minimum time for which the read model counts as stale after a failed write: longer than the delay until its retry.
const MIN_STALE: Duration = Duration::from_secs(2);

/// Writes a workflow and its list entries, unless the stored sequence is the same or newer.
static PROJECT: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
local seen = tonumber(redis.call('HGET', KEYS[1], 'seq') or '0')
if seen >= tonumber(ARGV[1]) then return 0 end
local id, owner, status, created = ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local before = redis.call('HMGET', KEYS[1], 'status', 'cost')
if before[1] then
  redis.call('ZREM', 'list:' .. owner .. ':' .. before[1], id)
  redis.call('ZREM', 'list:*:' .. before[1], id)
end
for _, list in ipairs({'list:' .. owner, 'list:*', 'list:' .. owner .. ':' .. status, 'list:*:' .. status}) do
  redis.call('ZADD', list, created, id)
end
local spent = tonumber(ARGV[7]) - tonumber(before[2] or '0')
if spent ~= 0 then
  redis.call('INCRBYFLOAT', KEYS[2], spent)
  redis.call('EXPIRE', KEYS[2], 172800)
end
redis.call('HSET', KEYS[1], 'seq', ARGV[1], 'state', ARGV[2], 'status', status, 'cost', ARGV[7])
return 1
",
    )
});

/// The read model did not reply in time, or not as expected.
#[derive(Debug, thiserror::Error)]
#[error("the read model is unavailable: {0}")]
pub struct ReadModelError(String);

/// A workflow with the sequence of its last transition.
#[derive(Debug, Clone, PartialEq)]
pub struct VersionedWorkflow {
    pub sequence: u64,
    pub workflow: Workflow,
}

/// The filter of a list of workflows, newest first.
#[derive(Debug, Clone, PartialEq)]
pub struct ListQuery {
    /// `None` lists the workflows of all users.
    pub owner: Option<UserName>,
    pub status: Option<Status>,
    /// Only workflows before this creation time and id.
    pub before: Option<ListPosition>,
    pub limit: usize,
}

/// One page of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    pub items: Vec<VersionedWorkflow>,
    /// The start of the next page, to be passed as [`ListQuery::before`]. It follows every item, including filtered
    /// ones.
    pub next: Option<ListPosition>,
}

/// The connection to Redis. Clones share it; it reconnects automatically.
#[derive(Clone)]
pub struct ReadModel {
    connection: ConnectionManager,
    /// End of the time for which calls fail immediately, after one without a reply.
    breaker_open_until: Arc<Mutex<Option<Instant>>>,
    /// End of the time for which the read model may lack a failed write.
    stale_until: Arc<Mutex<Option<Instant>>>,
}

impl std::fmt::Debug for ReadModel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ReadModel")
    }
}

impl ReadModel {
    /// Opens the connection; Redis need not be reachable yet.
    pub fn open(url: &str) -> Result<Self, ReadModelError> {
        let client = redis::Client::open(url).map_err(|error| ReadModelError(error.to_string()))?;
        let config = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(CALL_TIMEOUT))
            .set_response_timeout(Some(CALL_TIMEOUT))
            .set_number_of_retries(1)
            .set_max_delay(Duration::from_millis(500));
        let connection = ConnectionManager::new_lazy_with_config(client, config)
            .map_err(|error| ReadModelError(error.to_string()))?;
        Ok(Self { connection, breaker_open_until: Arc::default(), stale_until: Arc::default() })
    }

    /// Reports to the probes and metrics whether Redis answers, until the process stops. Without it the process works
    /// on, so it stays ready.
    pub fn watch(&self, lifecycle: &Lifecycle) {
        let (view, task) = (self.clone(), lifecycle.health().task("Redis check"));
        let answers = move || {
            let view = view.clone();
            async move { view.is_up().await }
        };
        let up = gauge("promptcraft_redis_up");
        lifecycle.spawn(watch_server(task, up, None, answers, lifecycle.stopping()));
    }

    /// Returns true if Redis responds.
    pub async fn is_up(&self) -> bool {
        self.query::<String>(&redis::cmd("PING")).await.is_ok()
    }

    pub(super) async fn query<T: FromRedisValue>(&self, command: &redis::Cmd) -> Result<T, ReadModelError> {
        let mut connection = self.connection.clone();
        self.within(command.query_async(&mut connection)).await
    }

    pub(super) async fn invoke<T: FromRedisValue>(&self, call: &ScriptInvocation<'_>) -> Result<T, ReadModelError> {
        let mut connection = self.connection.clone();
        self.within(call.invoke_async(&mut connection)).await
    }

    async fn within<T>(&self, call: impl Future<Output = redis::RedisResult<T>>) -> Result<T, ReadModelError> {
        if self.breaker_open_until().is_some_and(|until| Instant::now() < until) {
            return Err(ReadModelError("no reply to a recent call".to_owned()));
        }
        match tokio::time::timeout(CALL_TIMEOUT, call).await {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => {
                if error.is_io_error() || error.is_timeout() || error.is_connection_dropped() {
                    *self.breaker_open_until() = Some(Instant::now() + BREAKER_OPEN);
                }
                Err(ReadModelError(error.to_string()))
            }
            Err(_) => {
                *self.breaker_open_until() = Some(Instant::now() + BREAKER_OPEN);
                Err(ReadModelError(format!("no reply within {} ms", CALL_TIMEOUT.as_millis())))
            }
        }
    }

    fn breaker_open_until(&self) -> std::sync::MutexGuard<'_, Option<Instant>> {
        self.breaker_open_until.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes a transition's result, unless the stored one is the same or newer. Idempotent.
    pub async fn project(&self, sequence: u64, workflow: &Workflow) -> Result<(), ReadModelError> {
        let mut call = PROJECT.key(workflow_key(workflow.id));
        call.key(spend_key(&workflow.owner, &workflow.created_at.day()))
            .arg(sequence)
            .arg(encode_state(workflow))
            .arg(workflow.id.to_string())
            .arg(workflow.owner.as_str())
            .arg(workflow.status().as_str())
            .arg(workflow.created_at.as_millis())
            .arg(workflow.metrics.total_cost);
        failpoints::reach("view.before").await;
        let written = self.invoke::<i64>(&call).await.map(|_| ());
        failpoints::reach("view.after").await;
        if written.is_err() {
            *self.stale_until.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now() + MIN_STALE);
        }
        written
    }

    /// Fails for `MIN_STALE` after a failed write.
    pub(super) fn check_keeps_up(&self) -> Result<(), ReadModelError> {
        let stale_until = *self.stale_until.lock().unwrap_or_else(PoisonError::into_inner);
        match stale_until {
            Some(until) if Instant::now() < until => Err(ReadModelError("a recent write failed".to_owned())),
            Some(_) | None => Ok(()),
        }
    }

    /// Returns the workflow as stored in the read model; `None` if it is not there.
    pub async fn get(&self, id: WorkflowId) -> Result<Option<VersionedWorkflow>, ReadModelError> {
        let mut command = redis::cmd("HMGET");
        command.arg(workflow_key(id)).arg("seq").arg("state");
        read_stored(self.query(&command).await?)
    }

    /// Reads several workflows in one round trip, each as [`Self::get`] does.
    async fn get_many(&self, ids: &[WorkflowId]) -> Result<Vec<Option<VersionedWorkflow>>, ReadModelError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let mut commands = redis::pipe();
        for id in ids {
            commands.cmd("HMGET").arg(workflow_key(*id)).arg("seq").arg("state");
        }
        let mut connection = self.connection.clone();
        let all: Vec<Fields> = self.within(commands.query_async(&mut connection)).await?;
        all.into_iter().map(read_stored).collect()
    }

    /// Returns one page of workflows, newest first.
    pub async fn list(&self, query: &ListQuery) -> Result<Page, ReadModelError> {
        let mut found = Vec::new();
        let (mut offset, window) = (0_usize, query.limit + 1);
        let top = query.before.map_or("+inf".to_owned(), |before| before.created_at.as_millis().to_string());
        while found.len() <= query.limit {
            let mut command = redis::cmd("ZREVRANGEBYSCORE");
            command.arg(list_key(query)).arg(&top).arg("-inf").arg("WITHSCORES").arg("LIMIT").arg(offset).arg(window);
            let batch: Vec<(String, i64)> = self.query(&command).await?;
            let ended = batch.len() < window;
            offset += batch.len();
            let positions = batch.into_iter().filter_map(|(id, created)| {
                Some(ListPosition { created_at: Timestamp::from_millis(created), id: id.parse().ok()? })
            });
            // Entries of one millisecond are in reverse order of their ids, so some may precede the cursor.
            found.extend(positions.filter(|position| query.before.is_none_or(|before| *position < before)));
            if ended {
                break;
            }
        }
        let more = found.len() > query.limit;
        found.truncate(query.limit);
        let next = found.last().copied().filter(|_| more);
        let ids: Vec<WorkflowId> = found.into_iter().map(|position| position.id).collect();
        let items = self.get_many(&ids).await?.into_iter().flatten().collect();
        Ok(Page { items, next })
    }

    /// Returns the cost so far of the workflows that a user submitted on a day (UTC).
    pub async fn spent(&self, user: &UserName, day: &str) -> Result<f64, ReadModelError> {
        let mut command = redis::cmd("GET");
        command.arg(spend_key(user, day));
        Ok(self.query::<Option<f64>>(&command).await?.unwrap_or(0.0))
    }

    /// Caches a small value under a name for `ttl`.
    pub async fn cache(&self, name: &str, value: &[u8], ttl: Duration) -> Result<(), ReadModelError> {
        let mut command = redis::cmd("SET");
        command
            .arg(format!("cache:{name}"))
            .arg(value)
            .arg("PX")
            .arg(u64::try_from(ttl.as_millis()).unwrap_or(1).max(1));
        failpoints::reach("cache.before").await;
        let kept = self.query::<()>(&command).await;
        failpoints::reach("cache.after").await;
        kept
    }

    /// Returns the cached value of a name.
    pub async fn cached(&self, name: &str) -> Result<Option<Vec<u8>>, ReadModelError> {
        let mut command = redis::cmd("GET");
        command.arg(format!("cache:{name}"));
        self.query(&command).await
    }
}

/// Sequence and state of an entry.
type Fields = (Option<u64>, Option<Vec<u8>>);

fn read_stored((sequence, state): Fields) -> Result<Option<VersionedWorkflow>, ReadModelError> {
    let (Some(sequence), Some(state)) = (sequence, state) else { return Ok(None) };
    let workflow = decode(&state).map_err(|error| ReadModelError(error.to_string()))?;
    Ok(Some(VersionedWorkflow { sequence, workflow }))
}

pub(super) fn workflow_key(id: WorkflowId) -> String {
    format!("workflow:{id}")
}

pub(super) fn spend_key(user: &UserName, day: &str) -> String {
    format!("spend:{user}:{day}")
}

fn list_key(query: &ListQuery) -> String {
    let owner = query.owner.as_ref().map_or("*", UserName::as_str);
    match query.status {
        Some(status) => format!("list:{owner}:{}", status.as_str()),
        None => format!("list:{owner}"),
    }
}
