//! The work directory: its folders, the job's files, and the wipe after the job.

use std::fs;
use std::io::{ErrorKind, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Stdio;

use crate::protocol::{
    FileFrame, JOB_DIR, Refused, SHARED_MEMORY, SHARED_MEMORY_DIR, STDIN_FILE, TMP_DIR, WORK_DIR, path_problem,
};
use crate::sys;

/// Creates the directories in an empty work directory; existing ones are kept.
pub(crate) fn make_directories() -> Result<(), Refused> {
    [JOB_DIR, TMP_DIR, SHARED_MEMORY_DIR].into_iter().try_for_each(|directory| match fs::create_dir(directory) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(refused(directory, &error)),
        Ok(()) | Err(_) => Ok(()),
    })
}

/// Creates the files.
pub(crate) fn write_all(files: &[FileFrame]) -> Result<(), Refused> {
    write_all_below(Path::new(JOB_DIR), files)
}

fn write_all_below(root: &Path, files: &[FileFrame]) -> Result<(), Refused> {
    let root = fs::File::open(root).map_err(|error| refused("below the job's folder", &error))?.into();
    files.iter().try_for_each(|file| write(&root, file))
}

/// Returns a job's stdin. A file, because a pipe would have to be fed while the job runs. It has no name once it is open,
/// lies on the job's own file system, which executes nothing, and counts towards the job's disk limit.
pub(crate) fn stdin_of(content: &[u8]) -> Result<Stdio, Refused> {
    if content.is_empty() {
        return Ok(Stdio::null());
    }
    let open = || {
        fs::OpenOptions::new().write(true).create_new(true).open(STDIN_FILE)?.write_all(content)?;
        let file = fs::File::open(STDIN_FILE)?;
        fs::remove_file(STDIN_FILE)?;
        Ok(file)
    };
    open().map(Stdio::from).map_err(|error: std::io::Error| refused("the job's stdin", &error))
}

/// Creates the files of a positive control without checks.
#[cfg(feature = "positive-controls")]
pub(crate) fn write_unchecked(files: &[FileFrame]) -> std::io::Result<()> {
    files.iter().try_for_each(|file| fs::write(Path::new(JOB_DIR).join(&file.path), &file.content))
}

/// Removes everything; fails on files that the job made undeletable.
pub(crate) fn remove_all() -> std::io::Result<()> {
    empty(WORK_DIR)?;
    // The job may have closed the folder, which an empty one would leave to the next job.
    fs::set_permissions(SHARED_MEMORY, fs::Permissions::from_mode(0o700))?;
    empty(SHARED_MEMORY)
}

fn empty(folder: &str) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() { fs::remove_dir_all(entry.path())? } else { fs::remove_file(entry.path())? }
    }
    Ok(())
}

/// Creates a file and its folders relative to opened folders. A link at any part of the path and an existing file are
/// errors.
fn write(root: &OwnedFd, file: &FileFrame) -> Result<(), Refused> {
    if let Some(problem) = path_problem(&file.path) {
        return Err(Refused { code: "file_rejected".into(), detail: format!("the path of a file {problem}") });
    }
    let (folders, name) = file.path.rsplit_once('/').unwrap_or(("", &file.path));
    let mut opened: Option<OwnedFd> = None;
    for folder in folders.split('/').filter(|folder| !folder.is_empty()) {
        let below = sys::make_directory_in(opened.as_ref().unwrap_or(root).as_fd(), folder);
        opened = Some(below.map_err(|error| refused("a folder of the job's files", &error))?);
    }
    sys::create_file_in(opened.as_ref().unwrap_or(root).as_fd(), name)
        .and_then(|mut created| created.write_all(&file.content))
        .map_err(|error| refused("a job file", &error))
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

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str) -> FileFrame {
        FileFrame { path: path.into(), content: b"new".to_vec() }
    }

    #[test]
    fn files_are_written_where_they_say_and_never_through_a_link() {
        let place = std::env::temp_dir().join(format!("promptcraft-work-files-{}", std::process::id()));
        let (job, elsewhere) = (place.join("job"), place.join("elsewhere"));
        fs::create_dir_all(&job).expect("makes a folder");
        fs::create_dir_all(&elsewhere).expect("makes a folder");
        let write = |path: &str| write_all_below(&job, &[file(path)]).map_err(|refused| refused.code);
        assert_eq!((write("a/b/c.txt"), write("a/b/d.txt"), write("e")), (Ok(()), Ok(()), Ok(())));
        assert_eq!(fs::read(job.join("a/b/c.txt")).expect("is there"), b"new");

        std::os::unix::fs::symlink(&elsewhere, job.join("folder")).expect("links");
        std::os::unix::fs::symlink(elsewhere.join("not_yet"), job.join("file")).expect("links");
        for clash in ["folder/x", "folder", "file", "e", "e/x", "a"] {
            assert_eq!(write(clash), Err("file_rejected".to_owned()), "{clash}");
        }
        assert_eq!(fs::read_dir(&elsewhere).expect("lists").count(), 0, "nothing was written elsewhere");
        fs::remove_dir_all(&place).expect("cleans up");
    }
}
