//! Moves ended workflows from the log into an archive directory.
//!
//! The files are JSON lines, one workflow per line with all its messages. A file is complete and synced before any of
//! its messages is deleted from the log, and its name shows its state ([`directory`]), so that the next run completes
//! an interrupted one: nothing is lost or archived twice. Contents over 8 KiB are stored beside the files under their
//! digests. Start reading at [`run`].

pub(crate) mod directory;
pub(crate) mod format;
mod gc;
mod histories;
mod run;

pub(crate) use gc::collect_garbage;
pub(crate) use run::{ArchiveRun, ended_before};

/// The error of a run. The next run completes the interrupted one.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ArchiveError {
    #[error("{path}: {error}")]
    File { path: String, error: std::io::Error },
    #[error("{path}, line {line}: not a valid archive record: {error}")]
    Line { path: String, line: usize, error: serde_json::Error },
    #[error("another archive command is using {0}; wait until it ends")]
    Busy(String),
    #[error(
        "{path} belongs to another log; nothing was changed. If the log was restored from a backup, remove .pending \
         from the name of the file: its workflows are then archived again"
    )]
    OtherLog { path: String },
    #[error(transparent)]
    Log(#[from] messaging::ReadError),
    #[error("Redis is unavailable or being rebuilt ({0}); nothing was lost: run the command again")]
    ReadModel(String),
}
