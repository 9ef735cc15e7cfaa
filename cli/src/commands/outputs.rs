//! `promptcraft outputs`: lists or saves the files that a run left.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Component, Path, PathBuf};
use std::process::ExitCode;

use serde_json::Value;

use crate::client::{ApiClient, ConnectionArgs};
use crate::error::CommandError;
use crate::output::out;
use crate::watch::print_output_files;

/// List or save the files that a run left in its folder `outputs`
#[derive(clap::Args)]
pub struct Outputs {
    /// Workflow id
    id: String,
    /// Folder to save the files in; existing files are kept
    #[arg(long, value_name = "FOLDER")]
    to: Option<PathBuf>,
    #[command(flatten)]
    connection: ConnectionArgs,
}

impl Outputs {
    pub async fn run(self) -> Result<ExitCode, CommandError> {
        let api = self.connection.connect().await?;
        let state = &api.get_raw(&format!("/api/v3/execute/status/{}", self.id)).await?["data"];
        match &self.to {
            Some(folder) => save_output_files(&api, state, folder).await?,
            None => print_output_files(state),
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Saves the output files of a workflow below `folder`. An existing file is an error: the names are those of the run.
pub(super) async fn save_output_files(api: &ApiClient, state: &Value, folder: &Path) -> Result<(), CommandError> {
    let id = state["workflow_id"].as_str().unwrap_or_default();
    for file in state["artifacts"]["files"].as_array().into_iter().flatten() {
        let name = file["name"].as_str().unwrap_or_default();
        let path =
            path_below(folder, name).ok_or_else(|| format!("cannot save {name:?}: its name leaves the folder"))?;
        let content = api.download(&["api", "v3", "execute", id, "artifacts", "outputs"], name).await?;
        save(&path, &content).map_err(|error| format!("cannot save {}: {error}", path.display()))?;
        out!("saved {}", path.display());
    }
    Ok(())
}

fn path_below(folder: &Path, name: &str) -> Option<PathBuf> {
    let is_plain = |part: Component| matches!(part, Component::Normal(_));
    (!name.is_empty() && Path::new(name).components().all(is_plain)).then(|| folder.join(name))
}

fn save(path: &Path, content: &[u8]) -> std::io::Result<()> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    OpenOptions::new().write(true).create_new(true).open(path)?.write_all(content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_of_a_run_cannot_leave_the_folder() {
        let below = |name: &str| path_below(Path::new("to"), name);
        assert_eq!(below("a/b.png"), Some(PathBuf::from("to/a/b.png")));
        for name in ["", "/etc/passwd", "../x", "a/../../x"] {
            assert_eq!(below(name), None, "{name}");
        }
    }
}
