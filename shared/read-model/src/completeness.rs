//! The read model as a whole: its completeness, its contents, and removal of entries that are not in the log.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use redis::Script;

use super::store::{ReadModel, ReadModelError, spend_key, workflow_key};
use domain::ids::{EventId, UserName, WorkflowId};
use domain::workflow::Status;
use service::failpoints;

const COMPLETE: &str = "view:complete";
const PROBE: &str = "view:probe";

/// Returns whether the read model was filled since this Redis started (a loaded snapshot may lack acknowledged writes),
/// and optionally a number with it. Fails if Redis is read-only or out of memory: the read model is falling behind
/// then.
static IS_COMPLETE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
redis.call('SET', KEYS[2], '1', 'EX', 60)
local run = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
if redis.call('GET', KEYS[1]) ~= run then return false end
return KEYS[3] and redis.call('GET', KEYS[3]) or '0'
",
    )
});

/// The marker of a rebuild is lost with everything else when Redis is emptied; a day is longer than any rebuild takes.
static BEGIN_REBUILD: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
redis.call('SET', KEYS[1], string.match(redis.call('INFO', 'server'), 'run_id:(%x+)'), 'EX', 86400)
return 1
",
    )
});

static MARK_COMPLETE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
local run = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
if redis.call('GET', KEYS[2]) ~= run then return redis.call('GET', KEYS[1]) == run and 1 or 0 end
redis.call('DEL', KEYS[2])
redis.call('SET', KEYS[1], run)
return 1
",
    )
});

/// Lets the next write replace the entry, unless the entry was rewritten meanwhile.
static INVALIDATE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
if redis.call('HGET', KEYS[1], 'seq') == ARGV[1] then redis.call('HSET', KEYS[1], 'seq', '0') end
return 1
",
    )
});

/// Removes the entry, unless it was rewritten meanwhile; KEYS from the second on are the lists.
static REMOVE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
if redis.call('HGET', KEYS[1], 'seq') ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[1])
for list = 2, #KEYS do redis.call('ZREM', KEYS[list], ARGV[2]) end
return 1
",
    )
});

/// Number of keys or members scanned in one call.
const SCAN_COUNT: usize = 1_000;

/// A running rebuild. Its marker detects that Redis was emptied before the end.
#[derive(Debug)]
pub(super) struct RebuildMarker(String);

impl ReadModel {
    /// Returns whether the read model was filled from the log since Redis last started or was emptied; an error while
    /// it is stale.
    pub async fn is_complete(&self) -> Result<bool, ReadModelError> {
        self.check_keeps_up()?;
        let mut call = IS_COMPLETE.key(COMPLETE);
        call.key(PROBE);
        self.invoke::<Option<f64>>(&call).await.map(|complete| complete.is_some())
    }

    /// Returns the cost so far of the workflows that a user submitted on a day (UTC); `None` if the read model is
    /// incomplete, an error as [`Self::is_complete`].
    pub async fn spent_if_complete(&self, user: &UserName, day: &str) -> Result<Option<f64>, ReadModelError> {
        self.check_keeps_up()?;
        let mut call = IS_COMPLETE.key(COMPLETE);
        call.key(PROBE).key(spend_key(user, day));
        self.invoke(&call).await
    }

    /// Must be called before the first write of a rebuild.
    pub(super) async fn begin_rebuild(&self) -> Result<RebuildMarker, ReadModelError> {
        let key = format!("view:filling:{}", EventId::fresh());
        failpoints::reach("filling.before").await;
        self.invoke::<i64>(&BEGIN_REBUILD.key(&key)).await?;
        failpoints::reach("filling.after").await;
        Ok(RebuildMarker(key))
    }

    /// Marks the read model as complete; false if Redis was restarted or emptied since `marker` was set. Idempotent,
    /// also between several rebuilds.
    pub(super) async fn mark_complete(&self, marker: &RebuildMarker) -> Result<bool, ReadModelError> {
        let mut call = MARK_COMPLETE.key(COMPLETE);
        call.key(&marker.0);
        failpoints::reach("complete.before").await;
        let marked = self.invoke::<i64>(&call).await;
        failpoints::reach("complete.after").await;
        marked.map(|marked| marked == 1)
    }

    /// Returns every workflow with an entry.
    pub(super) async fn ids(&self) -> Result<HashSet<WorkflowId>, ReadModelError> {
        let keys = self.keys("workflow:*").await?;
        Ok(keys.iter().filter_map(|key| key.strip_prefix("workflow:")?.parse().ok()).collect())
    }

    /// Returns the lists that each workflow is in, by name.
    pub(super) async fn listings(&self) -> Result<HashMap<WorkflowId, HashSet<String>>, ReadModelError> {
        let mut listings: HashMap<WorkflowId, HashSet<String>> = HashMap::new();
        for list in self.keys("list:*").await? {
            let mut cursor = 0_u64;
            loop {
                let mut command = redis::cmd("ZSCAN");
                command.arg(&list).arg(cursor).arg("COUNT").arg(SCAN_COUNT);
                let (next, members): (u64, Vec<(String, f64)>) = self.query(&command).await?;
                for id in members.iter().filter_map(|(id, _)| id.parse().ok()) {
                    listings.entry(id).or_default().insert(list.clone());
                }
                cursor = next;
                if cursor == 0 {
                    break;
                }
            }
        }
        Ok(listings)
    }

    async fn keys(&self, pattern: &str) -> Result<HashSet<String>, ReadModelError> {
        let (mut found, mut cursor) = (HashSet::new(), 0_u64);
        loop {
            let mut command = redis::cmd("SCAN");
            command.arg(cursor).arg("MATCH").arg(pattern).arg("COUNT").arg(SCAN_COUNT);
            let (next, keys): (u64, Vec<String>) = self.query(&command).await?;
            found.extend(keys);
            cursor = next;
            if cursor == 0 {
                return Ok(found);
            }
        }
    }

    /// Returns the sequence of a workflow's entry; `None` without an entry or without a sequence.
    pub(super) async fn sequence_of(&self, id: WorkflowId) -> Result<Option<u64>, ReadModelError> {
        let mut command = redis::cmd("HGET");
        command.arg(workflow_key(id)).arg("seq");
        self.query(&command).await
    }

    /// Lets the next write replace the entry at `sequence`, which is not in the log.
    pub(super) async fn invalidate(&self, id: WorkflowId, sequence: u64) -> Result<(), ReadModelError> {
        self.invoke::<i64>(INVALIDATE.key(workflow_key(id)).arg(sequence)).await.map(|_| ())
    }

    /// Removes the entry of a workflow that is not in the log, also from the lists.
    pub(super) async fn remove(
        &self,
        id: WorkflowId,
        sequence: u64,
        lists: &HashSet<String>,
    ) -> Result<(), ReadModelError> {
        let mut call = REMOVE.key(workflow_key(id));
        for list in lists {
            call.key(list);
        }
        self.invoke::<i64>(call.arg(sequence).arg(id.to_string())).await.map(|_| ())
    }

    /// Removes a workflow that was archived from the log, if its entry is at `sequence`. Idempotent.
    pub async fn forget(
        &self,
        id: WorkflowId,
        sequence: u64,
        owner: &UserName,
        status: Status,
    ) -> Result<(), ReadModelError> {
        self.remove(id, sequence, &lists_of(owner.as_str(), status)).await
    }

    /// Removes a workflow from lists that it does not belong in.
    pub(super) async fn remove_from_lists(
        &self,
        id: WorkflowId,
        lists: &HashSet<String>,
    ) -> Result<(), ReadModelError> {
        for list in lists {
            let mut command = redis::cmd("ZREM");
            command.arg(list).arg(id.to_string());
            self.query::<i64>(&command).await?;
        }
        Ok(())
    }
}

/// Returns the lists that a workflow belongs in.
pub(super) fn lists_of(owner: &str, status: Status) -> HashSet<String> {
    let status = status.as_str();
    HashSet::from([
        format!("list:{owner}"),
        "list:*".to_owned(),
        format!("list:{owner}:{status}"),
        format!("list:*:{status}"),
    ])
}

#[cfg(test)]
mod tests {
    use test_support::RedisServer;

    use super::*;

    #[tokio::test]
    async fn a_view_that_was_emptied_while_it_was_filled_is_not_complete() {
        let redis = RedisServer::start().await;
        let view = ReadModel::open(&redis.url()).unwrap();
        let (first, second) = (view.begin_rebuild().await.unwrap(), view.begin_rebuild().await.unwrap());
        view.query::<()>(&redis::cmd("FLUSHALL")).await.unwrap();
        assert!(!view.mark_complete(&first).await.unwrap());
        assert!(!view.is_complete().await.unwrap());
        let third = view.begin_rebuild().await.unwrap();
        assert!(!view.mark_complete(&second).await.unwrap(), "the marker of another rebuild");
        assert!(view.mark_complete(&third).await.unwrap() && view.is_complete().await.unwrap());
    }
}
