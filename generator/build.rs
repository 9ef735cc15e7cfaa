//! Embeds `catalogue/` in the library: a table of recipe folders and their files.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=catalogue");
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it")).join("catalogue");
    let mut table = String::from("&[\n");
    for folder in sorted_entries(&root)?.iter().filter(|path| path.is_dir()) {
        writeln!(table, "({:?}, &[", file_name(folder)).expect("a String takes any text");
        for file in sorted_entries(folder)?.iter().filter(|path| path.is_file()) {
            println!("cargo::rerun-if-changed={}", file.display());
            writeln!(table, "({:?}, include_str!({:?})),", file_name(file), file.display().to_string())
                .expect("a String takes any text");
        }
        table.push_str("]),\n");
    }
    table.push_str("]\n");
    let target = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it")).join("embedded_catalogue.rs");
    fs::write(target, table)
}

fn sorted_entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut entries = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    entries.sort();
    Ok(entries)
}

fn file_name(path: &Path) -> &str {
    path.file_name().and_then(|name| name.to_str()).expect("catalogue names are ASCII")
}
