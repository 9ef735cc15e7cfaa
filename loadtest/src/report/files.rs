//! Writes the files of a report.

use std::fs;
use std::path::{Path, PathBuf};

use super::{Report, to_html, to_junit};

#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    #[error("cannot write {path}: {source}")]
    File { path: PathBuf, source: std::io::Error },
    #[error("cannot encode the report: {0}")]
    Encode(#[from] serde_json::Error),
}

/// Writes `report.json`, `junit.xml` and `report.html`; creates the folder.
pub fn write_all(report: &Report, folder: &Path) -> Result<(), WriteError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| WriteError::File { path, source }
    };
    fs::create_dir_all(folder).map_err(failed(folder))?;
    let files = [
        ("report.json", serde_json::to_string_pretty(report)? + "\n"),
        ("junit.xml", to_junit(report)),
        ("report.html", to_html(report)),
    ];
    for (name, text) in files {
        let path = folder.join(name);
        fs::write(&path, text).map_err(failed(&path))?;
    }
    Ok(())
}
