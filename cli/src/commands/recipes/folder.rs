//! Recipe directories on this machine, read and validated by the worker program.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{fs, io};

use serde_json::Value;

use crate::error::CommandError;
use crate::stack::worker_program;

/// A temporary copy of recipe directories, removed on drop. Its directories may be moved out before.
pub(super) struct Staging {
    root: PathBuf,
}

impl Staging {
    /// Creates an empty directory in `parent`.
    pub(super) fn create_in(parent: &Path) -> io::Result<Self> {
        let root = parent.join(format!("recipes-staging-{}", std::process::id()));
        fs::create_dir_all(&root)?;
        Ok(Self { root })
    }

    /// Copies the files of a recipe; returns the copy.
    pub(super) fn copy(&self, folder: &Path) -> Result<PathBuf, CommandError> {
        let unusable = |error: io::Error| format!("cannot copy {}: {error}", folder.display());
        let folder = folder.canonicalize().map_err(unusable)?;
        if !folder.join("recipe.toml").is_file() {
            return Err(format!("{} is not a recipe: it has no recipe.toml", folder.display()).into());
        }
        let copy = self.root.join(folder.file_name().unwrap_or_default());
        fs::create_dir(&copy).map_err(unusable)?;
        for entry in fs::read_dir(&folder).map_err(unusable)? {
            let path = entry.map_err(unusable)?.path();
            if path.is_file() {
                fs::copy(&path, copy.join(path.file_name().unwrap_or_default())).map_err(unusable)?;
            }
        }
        Ok(copy)
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        // A leftover temporary copy is harmless.
        drop(fs::remove_dir_all(&self.root));
    }
}

/// Returns every recipe below the catalogue directories `folders`, in the form of the API.
///
/// # Errors
/// The first violated rule, or a duplicate name (the built-in catalogue included).
pub(super) fn read_recipes(folders: &[&Path]) -> Result<Vec<Value>, CommandError> {
    let mut command = Command::new(worker_program()?);
    let output = command.arg("--recipes").args(folders).output()?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(said.trim().trim_start_matches("worker: ").to_owned().into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// Returns `folder` if it is a recipe, else the recipes directly inside it.
pub(super) fn recipe_folders(folder: &Path) -> Result<Vec<PathBuf>, CommandError> {
    if folder.join("recipe.toml").is_file() {
        return Ok(vec![folder.to_owned()]);
    }
    let entries = fs::read_dir(folder).map_err(|error| format!("cannot read {}: {error}", folder.display()))?;
    let mut folders: Vec<PathBuf> =
        entries.flatten().map(|entry| entry.path()).filter(|path| path.join("recipe.toml").is_file()).collect();
    folders.sort();
    if folders.is_empty() {
        return Err(format!("{} contains no directory with a recipe.toml", folder.display()).into());
    }
    Ok(folders)
}
