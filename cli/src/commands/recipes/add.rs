//! `promptcraft recipes add`.

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use super::folder::{self, Staging};
use crate::error::CommandError;
use crate::output::out;
use crate::stack::{DataDirectory, Manifest};

/// Add a folder with a recipe to the organization's own, in DATA/recipes, which `promptcraft up` gives to its workers.
///
/// Every rule of recipes is checked first. Workers of a stack that runs on the data directory are restarted. Workers elsewhere read the folders in
/// their setting generator.catalogue_dirs when they start.
#[derive(clap::Args)]
pub struct Add {
    /// The folder, with recipe.toml, code, tests and documentation.md.
    folder: PathBuf,
    /// The data directory.
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
            return Err(format!("the recipe {name} is there already: remove {} first", place.display()).into());
        }
        folder::read_recipes(&[own.as_path(), staging.root()])?;
        fs::rename(&copy, &place)?;
        out!("Added {name} to {}", own.display());
        match Manifest::read(&self.data) {
            Some(stack) => Ok(restart_workers(&stack)),
            None => {
                out!("Workers read it when they start: `promptcraft up`, or generator.catalogue_dirs of others.");
                Ok(ExitCode::SUCCESS)
            }
        }
    }
}

/// Asks each worker to end its steps and stop; `promptcraft up` starts it again. Fails where one could not be asked.
fn restart_workers(stack: &Manifest) -> ExitCode {
    let mut code = ExitCode::SUCCESS;
    for name in stack.pids.keys().filter(|name| name.starts_with("worker-")) {
        match stack.terminate(name, "worker") {
            Ok(()) => out!("{name} restarts with it"),
            Err(error) => {
                eprintln!("{name} could not be restarted: {error}. Stop and start the stack");
                code = ExitCode::FAILURE;
            }
        }
    }
    code
}
