//! Documents name files that exist.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

const EXTENSIONS: [&str; 9] = ["rs", "md", "sh", "py", "toml", "conf", "template", "json", "txt"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").to_owned()
}

/// Returns the documents at the root, in `docs`, and every README of a crate.
fn documents() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root(), root().join("docs")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder").flatten() {
            let path = entry.path();
            if path.is_dir() && folder != root() {
                folders.push(path);
            } else if path.is_dir() {
                found.extend(Some(path.join("README.md")).filter(|readme| readme.is_file()));
            } else if path.extension().is_some_and(|extension| extension == "md") {
                found.push(path);
            }
        }
    }
    found
}

/// Returns the paths of files that a document names in backticks: they have a folder and one of our extensions, and no word of a
/// command beside them.
fn named_files(text: &str) -> BTreeSet<&str> {
    let words = text.split('`').skip(1).step_by(2);
    let is_path = |word: &&str| {
        let is_plain =
            word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"./_-".contains(&byte));
        let extension = word.rsplit_once('.').map_or("", |(_, extension)| extension);
        is_plain && word.contains('/') && !word.starts_with('/') && EXTENSIONS.contains(&extension)
    };
    words.filter(is_path).collect()
}

#[test]
fn documents_name_files_that_exist() {
    let documents = documents();
    assert!(documents.len() > 10, "{documents:?}");
    let mut count = 0;
    for document in documents {
        let text = fs::read_to_string(&document).expect("text");
        let folder = document.parent().expect("a folder");
        // Reports are written by commands that the document describes.
        for file in named_files(&text).into_iter().filter(|file| !file.starts_with("reports/")) {
            count += 1;
            let exists = root().join(file).exists() || folder.join(file).exists();
            assert!(exists, "{} names {file}, which does not exist", document.display());
        }
    }
    assert!(count > 20, "only {count} files are named");
}

#[test]
fn the_map_of_the_readme_names_folders_that_exist() {
    let text = fs::read_to_string(root().join("README.md")).expect("a README");
    let (_, map) = text.split_once("\n## The map\n").expect("a map");
    let (map, walk) = map.split_once("\n## A walk through one request\n").expect("a walk behind the map");
    let folders: Vec<&str> = map.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect();
    assert!(folders.len() >= 10, "{folders:?}");
    for folder in folders {
        assert!(root().join(folder).is_dir(), "the map names {folder}, which is not a folder");
    }
    assert!(named_files(walk).len() >= 3, "the walk names the files of the way");
}

#[test]
fn the_reference_of_settings_is_current() {
    check_reference("docs/reference/settings.md", &service::config::reference());
}

#[test]
fn the_reference_of_metrics_is_current() {
    check_reference("docs/reference/metrics.md", &service::telemetry::metrics_reference());
}

/// Compares a generated page. With `UPDATE_REFERENCE` in the environment the page is written instead.
#[track_caller]
fn check_reference(path: &str, page: &str) {
    let path = root().join(path);
    if std::env::vars().any(|(name, _)| name == "UPDATE_REFERENCE") {
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(&path, page).expect("the page is written");
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(found, page, "run this test with UPDATE_REFERENCE=1");
}
