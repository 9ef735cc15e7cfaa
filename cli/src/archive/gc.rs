//! Contents that no workflow of the log refers to.
//!
//! Between storing a content and appending what refers to it there is a moment in which nothing does. Hence a content goes only
//! after two looks: at both nothing referred to it, a day or more lay between them, and nobody stored it again meanwhile, which
//! would have given it another place. No two clocks are compared: both looks are this machine's.

use std::collections::{HashMap, HashSet};
use std::pin::pin;
use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt, stream};
use serde::{Deserialize, Serialize};
use shared::clock::Timestamp;
use shared::failpoints;
use shared::ids::Digest;
use shared::messaging::Retention;

use super::ArchiveError;
use super::directory::Folder;
use crate::stack::private_file;

/// Far longer than any process takes from storing a content to appending what refers to it.
const BETWEEN_LOOKS: Duration = Duration::from_secs(24 * 3_600);
const NOTE: &str = "unused-contents.json";
const AT_ONCE: usize = 16;

/// What a look found.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Cleared {
    /// Taken away now.
    pub(crate) dropped: usize,
    /// Referred to by nothing, but not for long enough yet.
    pub(crate) waiting: usize,
}

/// The contents that nothing referred to at the last look.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Unused {
    log: String,
    contents: HashMap<Digest, Seen>,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Seen {
    sequence: u64,
    /// The first look at which nothing referred to it.
    since: Timestamp,
}

/// Looks for contents that nothing refers to, and takes away those that an earlier look found as well.
pub(crate) async fn clear_contents(
    retention: &Retention,
    folder: &Folder,
    now: Timestamp,
) -> Result<Cleared, ArchiveError> {
    let log = retention.name_of_log().await?;
    let earlier = read_note(folder, &log)?;
    let unused = unused(retention).await?;
    let seen = unused.into_iter().map(|(digest, sequence)| {
        let known = earlier.contents.get(&digest).filter(|known| known.sequence == sequence);
        (digest, known.copied().unwrap_or(Seen { sequence, since: now }))
    });
    let (old, young): (HashMap<_, _>, HashMap<_, _>) =
        seen.partition(|(_, seen)| now.since(seen.since) >= BETWEEN_LOOKS);
    failpoints::reach("archive.contents").await;
    stream::iter(old.values())
        .map(|seen| retention.drop_content(seen.sequence))
        .buffer_unordered(AT_ONCE)
        .try_collect::<()>()
        .await?;
    let cleared = Cleared { dropped: old.len(), waiting: young.len() };
    write_note(folder, &Unused { log, contents: young })?;
    Ok(cleared)
}

/// Every content that no message of the log names. The contents are listed first: whoever names a later one stores it anew.
async fn unused(retention: &Retention) -> Result<HashMap<Digest, u64>, ArchiveError> {
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

/// What another log's look found, or nobody can read, counts for nothing: the day begins anew.
fn read_note(folder: &Folder, log: &str) -> Result<Unused, ArchiveError> {
    let path = folder.note(NOTE);
    match std::fs::read(&path) {
        Ok(text) => {
            let found: Unused = serde_json::from_slice(&text).unwrap_or_default();
            Ok(if found.log == log { found } else { Unused::default() })
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Unused::default()),
        Err(error) => Err(ArchiveError::File { path: path.display().to_string(), error }),
    }
}

fn write_note(folder: &Folder, unused: &Unused) -> Result<(), ArchiveError> {
    let path = folder.note(NOTE);
    let failed = |error| ArchiveError::File { path: path.display().to_string(), error };
    let text = serde_json::to_vec(unused).map_err(|error| failed(error.into()))?;
    private_file::write(&path, &text).map_err(failed)
}
