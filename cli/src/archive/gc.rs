//! Garbage collection of contents that the log no longer references.
//!
//! A content is unreferenced for a moment between being stored and the append that references it. It is therefore
//! deleted only if two runs at least a day apart find it unreferenced and not stored again (same sequence). Both times
//! are from this machine's clock.

use std::collections::{HashMap, HashSet};
use std::pin::pin;
use std::time::Duration;

use domain::Timestamp;
use domain::ids::Digest;
use futures_util::{StreamExt, TryStreamExt, stream};
use messaging::Retention;
use serde::{Deserialize, Serialize};
use service::failpoints;

use super::ArchiveError;
use super::directory::ArchiveDirectory;
use crate::stack::private_file;

/// Minimum time unreferenced; far longer than any process takes from storing a content to referencing it.
const MIN_UNUSED_AGE: Duration = Duration::from_secs(24 * 3_600);
const STATE_FILE: &str = "unused-contents.json";
const MAX_CONCURRENT_REQUESTS: usize = 16;

/// The result of a collection.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct GcStats {
    /// Deleted now.
    pub(crate) dropped: usize,
    /// Unreferenced, but not for long enough.
    pub(crate) waiting: usize,
}

/// The contents that were unreferenced at the last run.
#[derive(Debug, Default, Serialize, Deserialize)]
struct UnusedContents {
    log: String,
    contents: HashMap<Digest, UnusedSince>,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct UnusedSince {
    sequence: u64,
    /// The first run that found it unreferenced.
    since: Timestamp,
}

/// Deletes contents that have been unreferenced for [`MIN_UNUSED_AGE`]. Idempotent.
pub(crate) async fn collect_garbage(
    retention: &Retention,
    directory: &ArchiveDirectory,
    now: Timestamp,
) -> Result<GcStats, ArchiveError> {
    let log = retention.name_of_log().await?;
    let earlier = read_state(directory, &log)?;
    let unused = find_unused(retention).await?;
    let seen = unused.into_iter().map(|(digest, sequence)| {
        let known = earlier.contents.get(&digest).filter(|known| known.sequence == sequence);
        (digest, known.copied().unwrap_or(UnusedSince { sequence, since: now }))
    });
    let (old, young): (HashMap<_, _>, HashMap<_, _>) =
        seen.partition(|(_, seen)| now.since(seen.since) >= MIN_UNUSED_AGE);
    failpoints::reach("archive.contents").await;
    stream::iter(old.values())
        .map(|seen| retention.delete_content(seen.sequence))
        .buffer_unordered(MAX_CONCURRENT_REQUESTS)
        .try_collect::<()>()
        .await?;
    let cleared = GcStats { dropped: old.len(), waiting: young.len() };
    write_state(directory, &UnusedContents { log, contents: young })?;
    Ok(cleared)
}

/// Returns the unreferenced contents. Contents are listed before messages: a later reference stores its content again.
async fn find_unused(retention: &Retention) -> Result<HashMap<Digest, u64>, ArchiveError> {
    let mut unused = retention.contents().await?;
    if unused.is_empty() {
        return Ok(unused);
    }
    let mut named = HashSet::new();
    let mut messages = pin!(retention.messages(1).await?);
    while let Some(message) = messages.try_next().await? {
        named.extend(message.digests().into_iter().filter(|digest| unused.contains_key(digest)));
    }
    unused.retain(|digest, _| !named.contains(digest));
    Ok(unused)
}

/// Reads the state of the last run; empty if it is unreadable or belongs to another log.
fn read_state(directory: &ArchiveDirectory, log: &str) -> Result<UnusedContents, ArchiveError> {
    let path = directory.state_file(STATE_FILE);
    match std::fs::read(&path) {
        Ok(text) => {
            let found: UnusedContents = serde_json::from_slice(&text).unwrap_or_default();
            Ok(if found.log == log { found } else { UnusedContents::default() })
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(UnusedContents::default()),
        Err(error) => Err(ArchiveError::File { path: path.display().to_string(), error }),
    }
}

fn write_state(directory: &ArchiveDirectory, unused: &UnusedContents) -> Result<(), ArchiveError> {
    let path = directory.state_file(STATE_FILE);
    let failed = |error| ArchiveError::File { path: path.display().to_string(), error };
    let text = serde_json::to_vec(unused).map_err(|error| failed(error.into()))?;
    private_file::write(&path, &text).map_err(failed)
}
