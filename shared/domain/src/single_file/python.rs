//! Python files that import each other.

use std::collections::BTreeSet;

use super::Part;

const FUTURE: &str = "from __future__ import ";

/// Returns the text of each file without its imports of the other files. Moves `from __future__` imports to the start
/// of the first file, because they are an error elsewhere. Returns `None` if an import cannot be replaced, or if two
/// files define the same name, because one definition would replace the other.
pub(super) fn without_own_imports(parts: &[Part<'_>]) -> Option<Vec<String>> {
    if define_same_name(parts) {
        return None;
    }
    let mut futures: Vec<String> = Vec::new();
    let mut texts = Vec::new();
    let files: Vec<String> = parts.iter().map(|part| dotted(part.path)).collect();
    for (number, part) in parts.iter().enumerate() {
        let modules = Modules { files: &files, importer: part.path };
        let mut text = String::new();
        for statement in statements(&part.text) {
            let is_future = statement.starts_with(FUTURE);
            if is_future && number > 0 {
                futures.push(statement);
            } else {
                text.push_str(&replaced(&statement, &modules)?);
            }
        }
        texts.push(text);
    }
    futures.sort();
    futures.dedup();
    futures.retain(|future| !texts[0].contains(future.trim_end()));
    texts[0].insert_str(0, &futures.concat());
    Some(texts)
}

fn define_same_name(parts: &[Part<'_>]) -> bool {
    let mut known = BTreeSet::new();
    parts.iter().any(|part| {
        let own: BTreeSet<String> = statements(&part.text).iter().filter_map(|it| defined_name(it)).collect();
        let is_repeated = own.iter().any(|name| known.contains(name));
        known.extend(own);
        is_repeated
    })
}

/// Returns the name that a statement at the start of a line defines; a special name such as `__all__` is ignored.
fn defined_name(statement: &str) -> Option<String> {
    let definition = ["def ", "async def ", "class "].iter().find_map(|word| statement.strip_prefix(word));
    let text = definition.unwrap_or(statement);
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    let rest = rest.trim_start();
    let is_assigned = rest.starts_with('=') && !rest.starts_with("==") || rest.starts_with(':') && rest.contains('=');
    let is_name = name.starts_with(|c: char| c.is_alphabetic() || c == '_') && !name.starts_with("__");
    // `x = a.x` is another way to import it.
    let is_import = rest.split(['#', ';']).next().is_some_and(|value| value.trim_end().ends_with(&format!(".{name}")));
    (is_name && (definition.is_some() || is_assigned && !is_import)).then(|| name.to_owned())
}

/// Returns the import path of a file: `src/a.py` is `src.a`.
fn dotted(path: &str) -> String {
    let module = path.strip_suffix(".py").unwrap_or(path);
    module.strip_suffix("/__init__").unwrap_or(module).replace('/', ".")
}

/// The files as seen by the imports of one of them.
struct Modules<'m> {
    files: &'m [String],
    importer: &'m str,
}

impl Modules<'_> {
    /// Returns whether one of the files is this module. Any of their folders may be on Python's path.
    fn hold(&self, module: &str) -> bool {
        let end = format!(".{module}");
        self.files.iter().any(|file| file == module || file.ends_with(&end))
    }

    /// Returns whether the module is a folder with files in it.
    fn hold_package(&self, module: &str) -> bool {
        let start = format!("{module}.");
        self.files.iter().any(|file| file.starts_with(&start))
    }

    /// Returns the absolute name of the module; leading dots count from the importing file.
    fn absolute(&self, module: &str) -> String {
        let name = module.trim_start_matches('.');
        let dots = module.len() - name.len();
        let folders: Vec<&str> = self.importer.split('/').collect();
        let depth = if dots == 0 { 0 } else { folders.len().saturating_sub(dots) };
        let steps = folders[..depth].iter().copied().chain([name]).filter(|step| !step.is_empty());
        steps.collect::<Vec<_>>().join(".")
    }
}

/// Splits a text into lines, keeping the lines of an import and of a string in triple quotes together.
fn statements(text: &str) -> Vec<String> {
    let mut statements: Vec<String> = Vec::new();
    let (mut is_open, mut quotes) = (false, None);
    for line in text.split_inclusive('\n') {
        match statements.last_mut().filter(|_| is_open) {
            Some(last) => last.push_str(line),
            None => statements.push(line.to_owned()),
        }
        quotes = open_quotes(line, quotes);
        let statement = statements.last().map_or("", String::as_str);
        is_open = quotes.is_some() || is_import(statement) && is_continued(statement);
    }
    statements
}

/// Returns the triple quotes that are open after a line.
fn open_quotes(line: &str, before: Option<&'static str>) -> Option<&'static str> {
    let (mut open, mut rest) = (before, line);
    loop {
        let next = match open {
            Some(quotes) => rest.find(quotes).map(|at| (at, quotes)),
            None => ["\"\"\"", "'''"].into_iter().filter_map(|quotes| Some((rest.find(quotes)?, quotes))).min(),
        };
        let Some((at, quotes)) = next else { return open };
        open = if open.is_some() { None } else { Some(quotes) };
        rest = &rest[at + quotes.len()..];
    }
}

fn is_import(statement: &str) -> bool {
    let start = statement.trim_start();
    start.starts_with("from ") || start.starts_with("import ")
}

fn is_continued(statement: &str) -> bool {
    let code: String = statement.lines().map(without_comment).collect();
    code.contains('(') && !code.contains(')') || statement.trim_end_matches(['\r', '\n']).ends_with('\\')
}

fn without_comment(line: &str) -> &str {
    line.split_once('#').map_or(line, |(code, _)| code)
}

/// Returns the statement, or its replacement if it imports one of the files; `None` if it cannot be replaced.
fn replaced(statement: &str, modules: &Modules<'_>) -> Option<String> {
    if !is_import(statement) {
        return Some(statement.to_owned());
    }
    let indent = &statement[..statement.len() - statement.trim_start().len()];
    let list = statement.split_once(';').filter(|(first, _)| !first.contains(['#', '\n']));
    if let Some((first, rest)) = list {
        return Some(
            replaced(&format!("{first}\n"), modules)? + &replaced(&format!("{indent}{}", rest.trim_start()), modules)?,
        );
    }
    let code: String = statement.lines().map(|line| without_comment(line).trim_end_matches('\\')).collect();
    let lines = match code.trim().strip_prefix("from ").map(|import| import.split_once(" import ")) {
        Some(Some((module, names))) => from_module(module.trim(), names, modules),
        Some(None) => return Some(statement.to_owned()),
        None => without_modules(code.trim().strip_prefix("import ")?, modules),
    };
    let lines = match lines {
        Replacement::Kept => return Some(statement.to_owned()),
        Replacement::Impossible => return None,
        // A block must not be empty.
        Replacement::Lines(lines) if lines.is_empty() && !indent.is_empty() => vec!["pass".to_owned()],
        Replacement::Lines(lines) => lines,
    };
    Some(lines.iter().map(|line| format!("{indent}{line}\n")).collect())
}

/// The replacement of an import.
enum Replacement {
    /// Kept: it imports no module of the files.
    Kept,
    Lines(Vec<String>),
    Impossible,
}

/// Returns an assignment of the joined module to this name.
fn this_file(name: &str) -> String {
    format!("{name} = __import__(\"sys\").modules[__name__]")
}

/// Returns an assignment for each name that is a module or has an alias.
fn from_module(module: &str, names: &str, modules: &Modules<'_>) -> Replacement {
    let origin = modules.absolute(module);
    let names = names.trim().trim_matches(['(', ')']).split(',').map(str::trim).filter(|name| !name.is_empty());
    let names: Vec<(&str, &str)> = names.map(aliased).collect();
    let is_module = |name: &str| modules.hold(format!("{origin}.{name}").trim_start_matches('.'));
    let is_held = !origin.is_empty() && modules.hold(&origin);
    if !is_held && !names.iter().all(|(name, _)| is_module(name)) {
        let is_near = module.starts_with('.') || names.iter().any(|(name, _)| is_module(name));
        return if is_near { Replacement::Impossible } else { Replacement::Kept };
    }
    let line = |(name, alias): &(&str, &str)| match is_module(name) {
        true => Some(this_file(alias)),
        false => (name != alias).then(|| format!("{alias} = {name}")),
    };
    Replacement::Lines(names.iter().filter_map(line).collect())
}

/// Splits `name as alias`; a name without alias is its own.
fn aliased(name: &str) -> (&str, &str) {
    name.split_once(" as ").map_or((name, name), |(name, alias)| (name.trim(), alias.trim()))
}

/// Returns the remaining imports of `import a, b`, and assignments of the joined module for the files.
fn without_modules(names: &str, modules: &Modules<'_>) -> Replacement {
    let names: Vec<(&str, &str)> = names.split(',').map(str::trim).map(aliased).collect();
    let is_held = |(name, _): &(&str, &str)| modules.hold(name);
    // `import src.a` binds `src`, which is not a module of the joined file.
    if names.iter().any(|name| is_held(name) && name.1.contains('.') || modules.hold_package(name.0)) {
        return Replacement::Impossible;
    }
    if !names.iter().any(is_held) {
        return Replacement::Kept;
    }
    let line = |names: &(&str, &str)| match (is_held(names), names) {
        (true, (_, alias)) => this_file(alias),
        (false, (name, alias)) if name == alias => format!("import {name}"),
        (false, (name, alias)) => format!("import {name} as {alias}"),
    };
    Replacement::Lines(names.iter().map(line).collect())
}
