//! Embeds every `runtimes/<name>/runtime.toml` and `tools/<name>/runtime.toml`, so that adding a folder adds a
//! language.

use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

fn main() {
    // Set by `fuzz/run.sh` only.
    println!("cargo::rustc-check-cfg=cfg(fuzzing)");
    let here = env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets the package's folder");
    let target = env::var_os("OUT_DIR").expect("cargo sets the output folder");
    let here = Path::new(&here);
    let source =
        format!("{}{}", constant("SOURCES", &here.join("runtimes")), constant("TOOL_SOURCES", &here.join("tools")));
    fs::write(Path::new(&target).join("runtime_sources.rs"), source).expect("the output folder is writable");
}

/// Returns the source of a constant with the `runtime.toml` of every subfolder.
fn constant(name: &str, folder: &Path) -> String {
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut files: Vec<_> = fs::read_dir(folder)
        .expect("the folder is part of the source")
        .map(|entry| entry.expect("the folder is readable").path().join("runtime.toml"))
        .filter(|file| file.exists())
        .collect();
    files.sort();
    let mut source = format!("pub(crate) const {name}: &[&str] = &[\n");
    for file in files {
        println!("cargo::rerun-if-changed={}", file.display());
        writeln!(source, "    include_str!({:?}),", file.display().to_string()).expect("a string takes any text");
    }
    source.push_str("];\n");
    source
}
