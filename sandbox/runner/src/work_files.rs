//! The work directory: its two folders, a job's files in them before any of the job's code runs, and the wipe after it.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use crate::protocol::{FileFrame, JOB_DIR, Refused, TMP_DIR, WORK_DIR, path_problem};

/// Creates the two directories, in a work directory that has nothing or just them.
pub(crate) fn make_directories() -> Result<(), Refused> {
    [JOB_DIR, TMP_DIR].into_iter().try_for_each(|directory| match fs::create_dir(directory) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(refused(directory, &error)),
        Ok(()) | Err(_) => Ok(()),
    })
}

/// Creates the files.
pub(crate) fn write_all(files: &[FileFrame]) -> Result<(), Refused> {
    files.iter().try_for_each(write)
}

/// Creates the files of a positive control.
#[cfg(feature = "positive-controls")]
pub(crate) fn write_unchecked(files: &[FileFrame]) -> std::io::Result<()> {
    files.iter().try_for_each(|file| fs::write(Path::new(JOB_DIR).join(&file.path), &file.content))
}

/// Removes everything; what a job made hard to remove is an error.
pub(crate) fn remove_all() -> std::io::Result<()> {
    for entry in fs::read_dir(WORK_DIR)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() { fs::remove_dir_all(entry.path())? } else { fs::remove_file(entry.path())? }
    }
    Ok(())
}

fn write(file: &FileFrame) -> Result<(), Refused> {
    if let Some(problem) = path_problem(&file.path) {
        return Err(Refused { code: "file_rejected".into(), detail: format!("a file's path {problem}") });
    }
    let path = Path::new(JOB_DIR).join(&file.path);
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(|error| refused("a folder of the job's files", &error))?;
    }
    fs::write(&path, &file.content).map_err(|error| refused("a job file", &error))
}

fn refused(what: &str, error: &std::io::Error) -> Refused {
    let clashes = [ErrorKind::NotADirectory, ErrorKind::AlreadyExists, ErrorKind::IsADirectory];
    let code = if error.kind() == ErrorKind::StorageFull {
        "files_too_large"
    } else if clashes.contains(&error.kind()) {
        "file_rejected"
    } else {
        "work_directory_failed"
    };
    Refused { code: code.into(), detail: format!("cannot write {what}: {error}") }
}
