//! The files of an archive. The name of a file shows its state:
//!
//! - `<number>-<day>.jsonl.part`: being written; disposable, because the log still has its workflows.
//! - `<number>-<day>.jsonl.pending`: synced; its workflows are being deleted from the log.
//! - `<number>-<day>.jsonl`: complete and immutable; the only copy of its workflows.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use domain::ids::Digest;
use rustix::fs::FlockOperation;

use super::ArchiveError;
use super::format::{ArchivedWorkflow, FileHeader, WorkflowIndex};
use crate::stack::private_file;

const COMPLETE: &str = ".jsonl";
const PENDING: &str = ".jsonl.pending";
const PARTIAL: &str = ".jsonl.part";

/// An archive directory. Its files are readable by their owner only.
#[derive(Debug)]
pub(crate) struct ArchiveDirectory {
    path: PathBuf,
}

/// An archive directory with an exclusive lock, held for the lifetime of the value.
#[derive(Debug)]
pub(crate) struct LockedDirectory {
    pub(crate) directory: ArchiveDirectory,
    _lock: File,
}

/// Writes a new file of the archive.
pub(crate) struct ArchiveWriter {
    path: PathBuf,
    file: BufWriter<File>,
}

fn failed(path: &Path) -> impl Fn(io::Error) -> ArchiveError {
    let path = path.display().to_string();
    move |error| ArchiveError::File { path: path.clone(), error }
}

impl ArchiveDirectory {
    pub(crate) fn at(path: PathBuf) -> Self {
        Self { path }
    }

    /// Creates the directory if needed and locks it; fails if another command holds the lock.
    pub(crate) fn lock(self) -> Result<LockedDirectory, ArchiveError> {
        create_private(&self.path)?;
        let path = self.path.join("lock");
        let lock = open_private(&path).map_err(failed(&path))?;
        match rustix::fs::flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(LockedDirectory { directory: self, _lock: lock }),
            Err(rustix::io::Errno::WOULDBLOCK) => Err(ArchiveError::Busy(self.path.display().to_string())),
            Err(error) => Err(failed(&path)(error.into())),
        }
    }

    /// Returns the files whose names end in `ending`, oldest first.
    fn files(&self, ending: &str) -> Result<Vec<PathBuf>, ArchiveError> {
        let mut found = Vec::new();
        let entries = match fs::read_dir(&self.path) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(found),
            Err(error) => return Err(failed(&self.path)(error)),
        };
        for entry in entries {
            let path = entry.map_err(failed(&self.path))?.path();
            if path.file_name().is_some_and(|name| name.to_string_lossy().ends_with(ending)) {
                found.push(path);
            }
        }
        found.sort();
        Ok(found)
    }

    /// Returns the files whose workflows may no longer be in the log.
    pub(crate) fn written(&self) -> Result<Vec<PathBuf>, ArchiveError> {
        Ok([self.files(COMPLETE)?, self.files(PENDING)?].concat())
    }

    /// Returns the files whose workflows may not all be deleted from the log.
    pub(crate) fn pending(&self) -> Result<Vec<PathBuf>, ArchiveError> {
        self.files(PENDING)
    }

    /// Creates a new file and deletes unfinished `.part` files.
    pub(crate) fn begin(&self, day: &str, header: &FileHeader) -> Result<ArchiveWriter, ArchiveError> {
        for left in self.files(PARTIAL)? {
            fs::remove_file(&left).map_err(failed(&left))?;
        }
        let number = self.written()?.iter().filter_map(|path| file_number(path)).max().unwrap_or(0) + 1;
        let path = self.path.join(format!("{number:08}-{day}{PARTIAL}"));
        let file = open_private(&path).map_err(failed(&path))?;
        let mut writer = ArchiveWriter { path, file: BufWriter::new(file) };
        writer.write(header)?;
        Ok(writer)
    }

    /// Marks a pending file as complete.
    pub(crate) fn complete(&self, pending: &Path) -> Result<(), ArchiveError> {
        let path = pending.with_extension("");
        fs::rename(pending, &path).map_err(failed(pending))?;
        sync_directory(&self.path)
    }

    /// Stores a content under its digest and syncs it. Idempotent.
    pub(crate) fn store_content(&self, digest: Digest, content: &[u8]) -> Result<(), ArchiveError> {
        store_file(&self.content(digest), content)
    }

    /// Stores a corrupted content, with `.damaged` after the digest. Idempotent.
    pub(crate) fn store_corrupted(&self, digest: Digest, content: &[u8]) -> Result<(), ArchiveError> {
        store_file(&self.corrupted_content(digest), content)
    }

    /// Returns whether the intact content is stored.
    pub(crate) fn has_content(&self, digest: Digest) -> bool {
        fs::read(self.content(digest)).is_ok_and(|found| Digest::of(&found) == digest)
    }

    /// Returns the path of a content.
    pub(crate) fn content(&self, digest: Digest) -> PathBuf {
        let name = digest.to_string();
        self.path.join("contents").join(&name[..2]).join(name)
    }

    /// Returns the path of a corrupted content.
    pub(crate) fn corrupted_content(&self, digest: Digest) -> PathBuf {
        self.content(digest).with_extension("damaged")
    }

    /// Returns the path of a state file.
    pub(crate) fn state_file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Finds a workflow in all files.
    pub(crate) fn find(&self, id: &str) -> Result<Option<ArchivedWorkflow>, ArchiveError> {
        let beginning = format!("{{\"workflow_id\":\"{id}\"");
        let mut found: Option<ArchivedWorkflow> = None;
        for path in self.written()? {
            each_line(&path, |number, line| {
                if line.starts_with(beginning.as_bytes()) {
                    let record: ArchivedWorkflow = parse(&path, number, line)?;
                    found = Some(match found.take() {
                        Some(earlier) => earlier.merge(record),
                        None => record,
                    });
                }
                Ok(())
            })?;
        }
        Ok(found)
    }
}

impl ArchiveWriter {
    /// Appends a line.
    pub(crate) fn write(&mut self, line: &impl serde::Serialize) -> Result<(), ArchiveError> {
        let written = serde_json::to_writer(&mut self.file, line).map_err(io::Error::from);
        written.and_then(|()| self.file.write_all(b"\n")).map_err(failed(&self.path))
    }

    /// Syncs the file and makes it pending; the next run completes it if this one does not.
    pub(crate) fn commit(self) -> Result<PathBuf, ArchiveError> {
        let Self { path, file } = self;
        let file = file.into_inner().map_err(|error| failed(&path)(error.into_error()))?;
        file.sync_all().map_err(failed(&path))?;
        let pending = path.with_extension("pending");
        fs::rename(&path, &pending).map_err(failed(&path))?;
        sync_directory(pending.parent().unwrap_or(Path::new(".")))?;
        Ok(pending)
    }
}

/// Reads the header and the index of a file.
pub(crate) fn read_file(path: &Path) -> Result<(FileHeader, Vec<WorkflowIndex>), ArchiveError> {
    let (mut header, mut indexes) = (FileHeader::new(""), Vec::new());
    each_line(path, |number, line| {
        if number == 1 {
            header = parse(path, number, line)?;
        } else {
            indexes.push(parse(path, number, line)?);
        }
        Ok(())
    })?;
    Ok((header, indexes))
}

fn each_line(path: &Path, mut visit: impl FnMut(usize, &[u8]) -> Result<(), ArchiveError>) -> Result<(), ArchiveError> {
    let mut lines = BufReader::with_capacity(1 << 20, File::open(path).map_err(failed(path))?);
    let (mut line, mut number) = (Vec::new(), 0);
    while lines.read_until(b'\n', &mut line).map_err(failed(path))? > 0 {
        number += 1;
        visit(number, &line)?;
        line.clear();
    }
    Ok(())
}

fn parse<T: serde::de::DeserializeOwned>(path: &Path, line: usize, text: &[u8]) -> Result<T, ArchiveError> {
    serde_json::from_slice(text).map_err(|error| ArchiveError::Line { path: path.display().to_string(), line, error })
}

fn file_number(path: &Path) -> Option<u64> {
    path.file_name()?.to_str()?.split('-').next()?.parse().ok()
}

/// Writes a file unless it has the content. Always syncs the directory: an interrupted run may not have.
fn store_file(path: &Path, content: &[u8]) -> Result<(), ArchiveError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    create_private(folder)?;
    if !fs::read(path).is_ok_and(|found| found == content) {
        private_file::write(path, content).map_err(failed(path))?;
    }
    sync_directory(folder)
}

fn create_private(path: &Path) -> Result<(), ArchiveError> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(failed(path))?;
    sync_directory(path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new(".")))
}

fn open_private(path: &Path) -> io::Result<File> {
    File::options().write(true).create(true).truncate(true).mode(0o600).open(path)
}

/// Syncs the names in a directory.
fn sync_directory(folder: &Path) -> Result<(), ArchiveError> {
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed(folder))
}
