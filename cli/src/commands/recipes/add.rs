//! `promptcraft recipes add`.

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use super::folder::{self, Staging};
use crate::error::CommandError;
use crate::output::out;
use crate::stack::{DataDirectory, Manifest};

/// Add a recipe to DATA/recipes, which the workers of `promptcraft up` read
///
/// The recipe is validated first. The workers of a stack that runs on the data directory are restarted. Other
/// workers read the directories of their setting generator.catalogue_dirs when they start.
#[derive(clap::Args)]
pub struct Add {
    /// Directory with recipe.toml, code, tests and documentation.md
    folder: PathBuf,
    /// Data directory
    #[arg(long, default_value = "./data")]
    data: PathBuf,
}

impl Add {
    pub fn run(self) -> Result<ExitCode, CommandError> {
        let data = DataDirectory::open_unlocked(&self.data).map_err(|error| {
            format!("{} is not a data directory: {error}. Name one with --data", self.data.display())
        })?;
        let own = data.recipes();
        fs::create_dir_all(&own)?;
        let staging = Staging::create_in(&self.data)?;
        let copy = staging.copy(&self.folder)?;
        let name = copy.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let place = own.join(&name);
        if place.exists() {
            return Err(format!("recipe {name} already exists: remove {} first", place.display()).into());
        }
        folder::read_recipes(&[own.as_path(), staging.root()])?;
        fs::rename(&copy, &place)?;
        out!("Added {name} to {}", own.display());
        match Manifest::read(&self.data) {
            Some(stack) => Ok(restart_workers(&stack)),
            None => {
                out!(
                    "Workers read it when they start: run `promptcraft up`, or set generator.catalogue_dirs elsewhere."
                );
                Ok(ExitCode::SUCCESS)
            }
        }
    }
}

/// Signals each worker to drain and exit; `promptcraft up` restarts it. Fails if a worker cannot be signalled.
fn restart_workers(stack: &Manifest) -> ExitCode {
    let mut code = ExitCode::SUCCESS;
    for name in stack.pids.keys().filter(|name| name.starts_with("worker-")) {
        match stack.terminate(name, "worker") {
            Ok(()) => out!("{name} is restarting"),
            Err(error) => {
                eprintln!("cannot restart {name}: {error}. Stop and start the stack");
                code = ExitCode::FAILURE;
            }
        }
    }
    code
}
