//! Generates the list of runtimes from the directories in `sandbox/runtimes`.

use std::path::Path;
use std::{env, fs};

fn main() {
    let here = env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets the package's folder");
    let target = env::var_os("OUT_DIR").expect("cargo sets the output folder");
    let folder = Path::new(&here).join("../sandbox/runtimes");
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut names: Vec<_> = fs::read_dir(&folder)
        .expect("the runtimes folder is part of the source")
        .map(|entry| entry.expect("the runtimes folder is readable"))
        .filter(|entry| entry.path().join("runtime.toml").exists())
        .map(|entry| entry.file_name().into_string().expect("a runtime's name is plain"))
        .collect();
    names.sort();
    let source = format!("/// Every runtime of this version, by name.\npub const RUNTIMES: &[&str] = &{names:?};\n");
    fs::write(Path::new(&target).join("runtimes.rs"), source).expect("the output folder is writable");
}
