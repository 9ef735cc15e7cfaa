//! JavaScript files that require or import each other.

use std::collections::{BTreeMap, BTreeSet};

use super::Part;
use super::javascript_names::{Import, Names, names_in, statements};

/// Returns the text of each file without imports of other files and repeated imports, with bindings for exports
/// that have no name in the joined file. Returns `None` if that would not run: files that bind the same name, CommonJS
/// mixed with ES modules, or imports that no binding can replace.
pub(super) fn without_own_imports(parts: &[Part<'_>]) -> Option<Vec<String>> {
    let files: Vec<Names> =
        parts.iter().map(|part| Names::of(&part.text, |module| find(part, module, parts))).collect();
    let is_es = files.iter().any(|file| file.is_es);
    let declared: Vec<&String> = files.iter().flat_map(|file| &file.declared).collect();
    let unique: BTreeSet<&String> = declared.iter().copied().collect();
    let imported: BTreeSet<&String> = files.iter().flat_map(|file| &file.imported).collect();
    if is_es && files.iter().any(|file| file.is_common)
        || unique.len() < declared.len()
        || !unique.is_disjoint(&imported)
    {
        return None;
    }
    let mut known = BTreeSet::new();
    let mut bindings =
        Bindings { files: &files, taken: &unique | &imported, is_es, lines: vec![BTreeMap::new(); parts.len()] };
    let mut texts = Vec::new();
    for part in parts {
        texts.push(text_of(part, parts, &mut known, &mut bindings)?);
    }
    for (text, lines) in texts.iter_mut().zip(bindings.lines) {
        if !lines.is_empty() {
            *text = format!("{}\n\n{}", text.trim_end(), lines.into_values().collect::<String>());
        }
    }
    Some(texts)
}

fn text_of(
    part: &Part<'_>,
    parts: &[Part<'_>],
    known: &mut BTreeSet<String>,
    bindings: &mut Bindings<'_>,
) -> Option<String> {
    let mut bound = Vec::new();
    let mut text = String::new();
    for statement in statements(&part.text) {
        let Some(import) = Import::read(&statement) else {
            if names_a_file(&statement, part, parts) {
                return None;
            }
            text.push_str(&statement);
            continue;
        };
        if let Some(file) = find(part, &import.module, parts) {
            bindings.take_the_place_of(&import, file)?;
        } else {
            text.push_str(&import.without(known).unwrap_or_else(|| statement.clone()));
            bound.extend(import.bindings());
        }
    }
    known.extend(bound);
    Some(text)
}

/// The lines to add after each file, one for each name.
struct Bindings<'f> {
    files: &'f [Names],
    taken: BTreeSet<&'f String>,
    is_es: bool,
    lines: Vec<BTreeMap<String, String>>,
}

impl Bindings<'_> {
    /// Binds the names that an import binds, unless they are bound in the joined file; `None` if that is impossible.
    fn take_the_place_of(&mut self, import: &Import, file: usize) -> Option<()> {
        let Some(names) = import.names() else { return self.bind_module(&import.pattern, file) };
        for (name, binding) in names {
            let exporter = &self.files[file];
            let line = match exporter.local(name) {
                Some(local) if local == binding => continue,
                Some(local) => format!("const {binding} = {local};\n"),
                None if self.is_es => return None,
                None if name == binding => format!("const {{ {name} }} = {};\n", exporter.exports()),
                None => format!("const {{ {name}: {binding} }} = {};\n", exporter.exports()),
            };
            self.add(file, binding, line)?;
        }
        Some(())
    }

    /// Binds a whole module, or its default export.
    fn bind_module(&mut self, binding: &str, file: usize) -> Option<()> {
        let exporter = &self.files[file];
        match &exporter.default {
            Some(local) if local == binding => Some(()),
            Some(local) => self.add(file, binding, format!("const {binding} = {local};\n")),
            None if self.is_es => None,
            None => self.add(file, binding, format!("const {binding} = {};\n", exporter.exports())),
        }
    }

    fn add(&mut self, file: usize, binding: &str, line: String) -> Option<()> {
        let is_elsewhere = |(number, lines): (usize, &BTreeMap<String, String>)| {
            lines.get(binding).is_some_and(|other| number != file || *other != line)
        };
        if self.taken.iter().any(|name| *name == binding) || self.lines.iter().enumerate().any(is_elsewhere) {
            return None;
        }
        self.lines[file].insert(binding.to_owned(), line);
        Some(())
    }
}

/// Returns the number of the file that `module` names in an import by `importer`.
fn find(importer: &Part<'_>, module: &str, parts: &[Part<'_>]) -> Option<usize> {
    if !["./", "../"].iter().any(|start| module.starts_with(start)) {
        return None;
    }
    let mut folders: Vec<&str> = importer.path.split('/').collect();
    folders.pop();
    for step in module.split('/') {
        match step {
            "." | "" => {}
            ".." => drop(folders.pop()),
            _ => folders.push(step),
        }
    }
    let path = folders.join("/");
    let stem = without_ending(path.rsplit('/').next().unwrap_or_default());
    let is_at = |part: &Part<'_>| {
        part.path == path
            || without_ending(part.path) == without_ending(&path)
            || without_ending(part.path) == format!("{path}/index")
    };
    let has_stem = |part: &Part<'_>| without_ending(part.path.rsplit('/').next().unwrap_or_default()) == stem;
    parts.iter().position(is_at).or_else(|| parts.iter().position(has_stem))
}

fn without_ending(path: &str) -> &str {
    [".js", ".cjs", ".mjs"].iter().find_map(|ending| path.strip_suffix(ending)).unwrap_or(path)
}

/// Returns whether a kept statement has the path of another file in quotes, so that it needs that file.
fn names_a_file(statement: &str, part: &Part<'_>, parts: &[Part<'_>]) -> bool {
    let is_comment = ["//", "/*", "*"].iter().any(|start| statement.trim_start().starts_with(start));
    !is_comment && names_in(statement).any(|name| find(part, name, parts).is_some())
}
