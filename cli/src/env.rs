//! The only reader of environment variables and `PATH`.

use std::path::{Path, PathBuf};
use std::process::Command;

use messaging::is_supported_broker;
use service::config::Settings;

/// Finds the program `name` on `PATH`, else in `directories`.
pub fn find_program(name: &str, directories: &[PathBuf]) -> Option<PathBuf> {
    programs(name, directories).into_iter().next()
}

/// Finds the first supported `nats-server` on `PATH` or in `directory`, else the first older one.
pub fn find_nats_server(directory: &Path) -> Option<PathBuf> {
    let all = programs("nats-server", &[directory.to_owned()]);
    all.iter().find(|program| is_new_enough(program)).or(all.first()).cloned()
}

/// Returns every program `name`, in the order of `PATH`, then of `directories`.
fn programs(name: &str, directories: &[PathBuf]) -> Vec<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let places = std::env::split_paths(&path).chain(directories.iter().cloned());
    places.map(|directory| directory.join(name)).filter(|candidate| candidate.is_file()).collect()
}

fn is_new_enough(nats_server: &Path) -> bool {
    let Ok(output) = Command::new(nats_server).arg("--version").output() else { return false };
    let text = String::from_utf8_lossy(&output.stdout);
    is_supported_broker(text.trim().rsplit('v').next().unwrap_or_default())
}

/// Returns whether the environment variable `name` is set, to any value.
pub fn is_set(name: &str) -> bool {
    std::env::var_os(name).is_some()
}

/// Reads `PROMPTCRAFT_TOKEN`, an access token.
pub fn token() -> Option<String> {
    read("PROMPTCRAFT_TOKEN")
}

/// Reads `PROMPTCRAFT_URL`, the base URL of the API.
pub fn url() -> Option<String> {
    read("PROMPTCRAFT_URL")
}

/// Reads `PROMPTCRAFT_USER`, the user name to sign in with.
pub fn user() -> Option<String> {
    read("PROMPTCRAFT_USER")
}

/// Reads `PROMPTCRAFT_PASSWORD`, the password to sign in with.
pub fn password() -> Option<String> {
    read("PROMPTCRAFT_PASSWORD")
}

/// Reads the setting `generator.catalogue_dirs` as services do: from the environment, else the settings file.
pub fn catalogue_folders() -> Vec<String> {
    Settings::from_environment().list("generator.catalogue_dirs")
}

/// Reads the setting `sandbox.runtimes` as services do; empty if it is not set.
pub fn runtimes() -> Vec<String> {
    Settings::from_environment().list_or("sandbox.runtimes", Vec::new())
}

fn read(name: &'static str) -> Option<String> {
    std::env::var_os(name)?.into_string().ok().filter(|value| !value.is_empty())
}
