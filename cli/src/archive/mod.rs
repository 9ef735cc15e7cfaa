//! The archive: a directory of files that hold what has left the log, and the way there.
//!
//! Ended workflows go from the log into files of JSON lines, one workflow a line, with every message that it had. A file is written
//! whole and synced before anything in it is taken from the log, and it carries its state in its name ([`directory`]), so that a run
//! that dies anywhere is finished by the next one: nothing is lost, and nothing stands in two files. Contents over 8 KiB lie
//! beside them under their digests. Start reading at [`run`].

pub(crate) mod directory;
pub(crate) mod format;
mod gc;
mod histories;
mod run;

pub(crate) use gc::collect_garbage;
pub(crate) use run::{ArchiveRun, ended_before};

/// The archive could not go on. What was begun is finished by the next run.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ArchiveError {
    #[error("{path}: {error}")]
    File { path: String, error: std::io::Error },
    #[error("{path}, line {line}: this is no line of an archive: {error}")]
    Line { path: String, line: usize, error: serde_json::Error },
    #[error("another archive command works on {0}")]
    Busy(String),
    #[error(
        "{path} was begun with another log, and nothing in this one is touched. If the log was restored from a backup, \
         rename the file to one without .pending: what it holds is archived once more then"
    )]
    OtherLog { path: String },
    #[error(transparent)]
    Log(#[from] shared::messaging::ReadError),
    #[error("Redis does not answer, or is still being filled ({0}); nothing is lost: run the command again")]
    View(String),
}
