//! Everything that is read from the environment, and nowhere else.

use std::path::PathBuf;

/// Finds the program `name` on `PATH`, else in the first of `directories` that has it.
pub fn find_program(name: &str, directories: &[PathBuf]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(directories.iter().cloned())
        .map(|directory| directory.join(name))
        .find(|candidate| candidate.is_file())
}

/// Whether the environment sets `name`, to whatever value.
pub fn is_set(name: &str) -> bool {
    std::env::var_os(name).is_some()
}

/// `PROMPTCRAFT_TOKEN`: an access token.
pub fn token() -> Option<String> {
    read("PROMPTCRAFT_TOKEN")
}

/// `PROMPTCRAFT_URL`: the API's address.
pub fn url() -> Option<String> {
    read("PROMPTCRAFT_URL")
}

/// `PROMPTCRAFT_USER`: who signs in.
pub fn user() -> Option<String> {
    read("PROMPTCRAFT_USER")
}

/// `PROMPTCRAFT_PASSWORD`: their password.
pub fn password() -> Option<String> {
    read("PROMPTCRAFT_PASSWORD")
}

fn read(name: &'static str) -> Option<String> {
    std::env::var_os(name)?.into_string().ok().filter(|value| !value.is_empty())
}
