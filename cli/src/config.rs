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
