//! Folders of recipes on this machine. The worker's program reads and checks them, because the rules are the generator's.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{fs, io};

use serde_json::Value;

use crate::error::CommandError;
use crate::stack::worker_program;

/// A copy of recipe folders that is removed when it is dropped, unless its folders are moved away.
pub(super) struct Staging {
    root: PathBuf,
}

impl Staging {
    /// Makes an empty folder inside `parent`.
    pub(super) fn create_in(parent: &Path) -> io::Result<Self> {
        let root = parent.join(format!("recipes-staging-{}", std::process::id()));
        fs::create_dir_all(&root)?;
        Ok(Self { root })
    }

    /// Copies the files of a recipe's folder; returns the copy.
    pub(super) fn copy(&self, folder: &Path) -> Result<PathBuf, CommandError> {
        let unusable = |error: io::Error| format!("{} cannot be copied: {error}", folder.display());
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
        // What is left of a temporary copy harms nothing.
        drop(fs::remove_dir_all(&self.root));
    }
}

/// Returns every recipe below `folders`, which may be catalogue folders only, as the API shows them.
///
/// # Errors
/// The first rule that a recipe breaks, or a name that occurs twice, in the built-in catalogue as well.
pub(super) fn read_recipes(folders: &[&Path]) -> Result<Vec<Value>, CommandError> {
    let mut command = Command::new(worker_program()?);
    let output = command.arg("--recipes").args(folders).output()?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(said.trim().trim_start_matches("worker: ").to_owned().into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// Returns the recipe folders of `folder`: itself, or those inside it.
pub(super) fn recipe_folders(folder: &Path) -> Result<Vec<PathBuf>, CommandError> {
    if folder.join("recipe.toml").is_file() {
        return Ok(vec![folder.to_owned()]);
    }
    let entries = fs::read_dir(folder).map_err(|error| format!("{} cannot be read: {error}", folder.display()))?;
    let mut folders: Vec<PathBuf> =
        entries.flatten().map(|entry| entry.path()).filter(|path| path.join("recipe.toml").is_file()).collect();
    folders.sort();
    if folders.is_empty() {
        return Err(format!("{} has no folder with a recipe.toml", folder.display()).into());
    }
    Ok(folders)
}
