//! Generates the lists of runtimes from the directories in `sandbox/runtimes`.

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
    let is_default = |name: &&String| {
        let file = folder.join(name.as_str()).join("runtime.toml");
        println!("cargo::rerun-if-changed={}", file.display());
        let text = fs::read_to_string(file).expect("a runtime's file is readable");
        !text.lines().any(|line| line == "default = false")
    };
    let defaults: Vec<_> = names.iter().filter(is_default).collect();
    let source = format!(
        "/// Every runtime of this version, by name.\npub const RUNTIMES: &[&str] = &{names:?};\n\
         /// The runtimes whose roots are built unless others are named.\npub const DEFAULT_RUNTIMES: &[&str] = &{defaults:?};\n"
    );
    fs::write(Path::new(&target).join("runtimes.rs"), source).expect("the output folder is writable");
}
