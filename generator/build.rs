//! Embeds `catalogue/` and the word lists of `words/` in the library.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    fs::write(out.join("embedded_catalogue.rs"), catalogue(&root.join("catalogue"))?)?;
    fs::create_dir_all(out.join("words"))?;
    println!("cargo::rerun-if-changed=words");
    for file in sorted_entries(&root.join("words"))? {
        println!("cargo::rerun-if-changed={}", file.display());
        let constants = constants(&fs::read_to_string(&file)?);
        fs::write(out.join("words").join(file_name(&file)).with_extension("rs"), constants)?;
    }
    Ok(())
}

/// Returns a table of the recipe folders and their files.
fn catalogue(root: &Path) -> io::Result<String> {
    println!("cargo::rerun-if-changed=catalogue");
    let mut table = String::from("&[\n");
    for folder in sorted_entries(root)?.iter().filter(|path| path.is_dir()) {
        writeln!(table, "({:?}, &[", file_name(folder)).expect("writing to a String does not fail");
        for file in sorted_entries(folder)?.iter().filter(|path| path.is_file()) {
            println!("cargo::rerun-if-changed={}", file.display());
            writeln!(table, "({:?}, include_str!({:?})),", file_name(file), file.display().to_string())
                .expect("writing to a String does not fail");
        }
        table.push_str("]),\n");
    }
    table.push_str("]\n");
    Ok(table)
}

/// Returns one constant per list of a file. `[NAME]` begins a list, blanks separate words, `_` is a blank inside a
/// phrase, and the `#` lines before a list become its documentation.
fn constants(lists: &str) -> String {
    let mut code = String::new();
    for list in lists.split("\n\n").filter(|list| list.contains("\n[") || list.starts_with('[')) {
        for line in list.lines() {
            if let Some(doc) = line.strip_prefix('#') {
                writeln!(code, "///{doc}").expect("writing to a String does not fail");
            } else if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
                write!(code, "pub(crate) const {name}: &[&str] = &[").expect("writing to a String does not fail");
            } else {
                for word in line.split_whitespace() {
                    write!(code, "{:?}, ", word.replace('_', " ")).expect("writing to a String does not fail");
                }
            }
        }
        code.push_str("];\n");
    }
    code
}

fn sorted_entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut entries = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    entries.sort();
    Ok(entries)
}

fn file_name(path: &Path) -> &str {
    path.file_name().and_then(|name| name.to_str()).expect("file names of the crate are ASCII")
}
