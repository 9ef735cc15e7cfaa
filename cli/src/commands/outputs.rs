//! `promptcraft outputs`: lists or saves the files that a run left.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::path::{Component, Path, PathBuf};
use std::process::ExitCode;

use serde_json::Value;

use crate::client::{ApiClient, ConnectionArgs};
use crate::error::CommandError;
use crate::output::{out, sanitize};
use crate::workflow_display::print_output_files;

/// List or save the files that a run left in its folder `outputs`
#[derive(clap::Args)]
pub struct Outputs {
    /// Workflow id
    id: String,
    /// Folder to save the files in. Existing files are kept: the code chooses the names, so choose an empty folder
    #[arg(long, value_name = "FOLDER")]
    to: Option<PathBuf>,
    #[command(flatten)]
    connection: ConnectionArgs,
}

impl Outputs {
    pub async fn run(self) -> Result<ExitCode, CommandError> {
        let api = self.connection.connect().await?;
        match &self.to {
            Some(folder) => save_output_files(&api, &self.id, folder).await?,
            None => {
                let state = api.get(&status_path(&self.id)).await?["data"].take();
                if state["artifacts"]["files"].as_array().is_none_or(Vec::is_empty) {
                    print_no_files(&state);
                }
                print_output_files(&state);
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn status_path(id: &str) -> String {
    format!("/api/v3/execute/status/{id}")
}

/// Saves the output files of a workflow below `folder`, and fails at the end if one was not saved. An existing file is
/// never overwritten: the names are those of the run.
pub(super) async fn save_output_files(api: &ApiClient, id: &str, folder: &Path) -> Result<(), CommandError> {
    // Unchanged names, which are those to request.
    let state = api.get_raw_with_retry(&status_path(id)).await?["data"].take();
    let files = state["artifacts"]["files"].as_array().map_or(&[][..], Vec::as_slice);
    if files.is_empty() {
        print_no_files(&state);
    }
    let mut failures = Vec::new();
    for file in files {
        let name = file["name"].as_str().unwrap_or_default();
        match save_output_file(api, id, name, folder).await {
            Ok(saved) => out!("{}", sanitize(&saved)),
            Err(error) => failures.push(sanitize(&format!("cannot save {name}: {error}"))),
        }
    }
    if failures.is_empty() { Ok(()) } else { Err(failures.join("; ").into()) }
}

/// Saves one file; returns what was done.
async fn save_output_file(api: &ApiClient, id: &str, name: &str, folder: &Path) -> Result<String, CommandError> {
    let path = path_below(folder, name).ok_or_else(|| "its name leaves the folder".to_owned())?;
    let content = api.download(&["api", "v3", "execute", id, "artifacts", "outputs"], name).await?;
    match save(&path, &content) {
        Ok(()) => Ok(format!("saved {}", path.display())),
        Err(error) if error.kind() == ErrorKind::AlreadyExists && has_content(&path, &content) => {
            Ok(format!("unchanged {}", path.display()))
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Err(format!(
            "{} exists with other content, and is kept because a program could choose any name; save into an empty folder",
            path.display()
        )
        .into()),
        Err(error) => Err(error.into()),
    }
}

fn print_no_files(state: &Value) {
    let status = state["status"].as_str().unwrap_or("unknown");
    let remark = if status == "completed" { String::new() } else { format!(" (the workflow is {})", sanitize(status)) };
    out!("no files in outputs{remark}");
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

/// Returns whether a regular file has this content; nothing else is opened.
fn has_content(path: &Path, content: &[u8]) -> bool {
    fs::symlink_metadata(path).is_ok_and(|entry| entry.is_file() && entry.len() == content.len() as u64)
        && fs::read(path).is_ok_and(|existing| existing == content)
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
