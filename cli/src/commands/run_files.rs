//! The files of `promptcraft run`: their paths in the submission.

use std::path::{Component, Path, PathBuf};

use serde_json::{Value, json};

use super::read_text;
use crate::error::CommandError;

/// Returns the `project_context` of files. One file is sent alone; several keep their places relative to each other.
pub(super) fn project_of(files: &[PathBuf], entry: Option<&Path>) -> Result<Value, CommandError> {
    if let ([file], None) = (files, entry) {
        return Ok(json!({"file_content": read_text(file)?, "current_file": file.display().to_string()}));
    }
    let absolute = files.iter().map(|file| absolute(file)).collect::<Result<Vec<_>, _>>()?;
    let root = root_of(&absolute, &absolute_folder()?);
    let mut sent = Vec::new();
    for (file, absolute) in files.iter().zip(&absolute) {
        sent.push(json!({"path": below(&root, absolute)?, "content": read_text(file)?}));
    }
    let mut project = json!({ "files": sent });
    if let Some(entry) = entry {
        project["entry"] = below(&root, &entry_of(entry, &absolute, &root)?)?.into();
    }
    Ok(project)
}

/// Returns the file that `entry` names by its path as given, or as sent.
fn entry_of(entry: &Path, files: &[PathBuf], root: &Path) -> Result<PathBuf, CommandError> {
    let (given, sent) = (absolute_path(entry)?, absolute_path(&root.join(entry))?);
    if let Some(path) = [given, sent].into_iter().find(|path| files.contains(path)) {
        return Ok(path);
    }
    let names = files.iter().map(|file| below(root, file)).collect::<Result<Vec<_>, _>>()?;
    Err(format!("--entry {} is not one of the files: {}", entry.display(), names.join(", ")).into())
}

/// Returns the folder to which paths are relative: the current one if all files are below it, else their common one.
fn root_of(files: &[PathBuf], current: &Path) -> PathBuf {
    if files.iter().all(|file| file.starts_with(current)) {
        return current.to_owned();
    }
    let mut root = files.first().and_then(|file| file.parent()).unwrap_or(current).to_owned();
    while !files.iter().all(|file| file.starts_with(&root)) && root.pop() {}
    root
}

fn below(root: &Path, file: &Path) -> Result<String, CommandError> {
    let path = file.strip_prefix(root).unwrap_or(file);
    let path = path.to_str().ok_or_else(|| format!("the name of {} is not UTF-8", file.display()))?;
    Ok(path.to_owned())
}

fn absolute(file: &Path) -> Result<PathBuf, CommandError> {
    if file.is_dir() {
        return Err(format!("{} is a folder; name its files", file.display()).into());
    }
    absolute_path(file)
}

fn absolute_folder() -> Result<PathBuf, CommandError> {
    absolute_path(Path::new("."))
}

/// Returns the absolute path without `.` and `..`, so that links do not change where a file belongs.
fn absolute_path(path: &Path) -> Result<PathBuf, CommandError> {
    let absolute = std::path::absolute(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let mut plain = PathBuf::new();
    for part in absolute.components() {
        match part {
            Component::ParentDir => drop(plain.pop()),
            Component::CurDir => {}
            Component::Prefix(_) | Component::RootDir | Component::Normal(_) => plain.push(part),
        }
    }
    Ok(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_keep_their_places_relative_to_each_other() {
        let check = |files: &[&str], root: &str| {
            let files: Vec<PathBuf> = files.iter().map(PathBuf::from).collect();
            assert_eq!(root_of(&files, Path::new("/home/ann/app")), Path::new(root), "{files:?}");
        };
        check(&["/home/ann/app/main.py", "/home/ann/app/lib/a.py"], "/home/ann/app");
        check(&["/home/ann/app/src/main.py", "/home/ann/app/src/a.py"], "/home/ann/app");
        check(&["/tmp/x/main.py", "/tmp/x/lib/a.py"], "/tmp/x");
        check(&["/home/ann/app/main.py", "/home/ann/data.csv"], "/home/ann");
        check(&["/home/ann/application/main.py"], "/home/ann/application");
        assert_eq!(absolute_path(Path::new("/a/./b/../c")).unwrap(), Path::new("/a/c"));
        assert_eq!(below(Path::new("/a"), Path::new("/a/b/c.py")).unwrap(), "b/c.py");
    }

    #[test]
    fn an_entry_is_named_by_its_path_as_given_or_as_sent() {
        let files = ["/nowhere/x/main.py", "/nowhere/x/lib/d.csv"].map(PathBuf::from);
        let entry = |name: &str| entry_of(Path::new(name), &files, Path::new("/nowhere/x"));
        for name in ["/nowhere/x/main.py", "/nowhere/x/./main.py", "main.py", "./main.py", "lib/../main.py"] {
            assert_eq!(entry(name).unwrap(), files[0], "{name}");
        }
        let refused = entry("x/main.py").unwrap_err().to_string();
        assert_eq!(refused, "--entry x/main.py is not one of the files: main.py, lib/d.csv");
    }
}
