//! Writes a job's files into the empty work directory, before any of the job's code runs.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use crate::protocol::{FileFrame, JOB_DIR, Refused, TMP_DIR, path_problem};

/// Creates the two directories and the files.
pub(crate) fn write_all(files: &[FileFrame]) -> Result<(), Refused> {
    for directory in [JOB_DIR, TMP_DIR] {
        fs::create_dir(directory).map_err(|error| refused(directory, &error))?;
    }
    files.iter().try_for_each(write)
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
