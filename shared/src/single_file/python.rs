//! Python files that import each other.

use std::collections::BTreeSet;

use super::Part;

const FUTURE: &str = "from __future__ import ";

/// Returns the text of each file without its imports of `modules`. `from __future__` imports go to the beginning of the first file, because
/// they are an error anywhere else.
pub(super) fn without_own_imports(parts: &[Part<'_>], modules: &BTreeSet<&str>) -> Vec<String> {
    let mut futures: Vec<String> = Vec::new();
    let mut texts = Vec::new();
    for (number, part) in parts.iter().enumerate() {
        let mut text = String::new();
        for statement in statements(&part.text) {
            let is_future = statement.starts_with(FUTURE);
            if is_future && number > 0 {
                futures.push(statement.clone());
            } else {
                text.push_str(&replaced(&statement, modules).unwrap_or(statement));
            }
        }
        texts.push(text);
    }
    futures.sort();
    futures.dedup();
    futures.retain(|future| !texts[0].contains(future.trim_end()));
    texts[0].insert_str(0, &futures.concat());
    texts
}

/// Splits a text into its lines, the lines of an import and of a string in triple quotes kept together.
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

/// Returns the triple quotes that are open behind a line.
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

/// Returns what takes the place of an import of `modules`; `None` for any other statement.
fn replaced(statement: &str, modules: &BTreeSet<&str>) -> Option<String> {
    let indent = &statement[..statement.len() - statement.trim_start().len()];
    let code: String = statement.lines().map(|line| without_comment(line).trim_end_matches('\\')).collect();
    let lines = match code.trim().strip_prefix("from ") {
        Some(import) => {
            let (module, names) = import.split_once(" import ")?;
            modules.contains(module.trim().trim_start_matches('.')).then(|| renamed(names))?
        }
        None => without_modules(code.trim().strip_prefix("import ")?, modules)?,
    };
    let lines = match lines.as_slice() {
        // A block must not be left empty.
        [] if !indent.is_empty() => vec!["pass".to_owned()],
        _ => lines,
    };
    Some(lines.iter().map(|line| format!("{indent}{line}\n")).collect())
}

/// Returns an assignment for each name that is imported under another one.
fn renamed(names: &str) -> Vec<String> {
    let names = names.trim().trim_matches(['(', ')']).split(',');
    let aliases = names.filter_map(|name| name.trim().split_once(" as "));
    let aliases = aliases.map(|(name, alias)| (name.trim(), alias.trim())).filter(|(name, alias)| name != alias);
    aliases.map(|(name, alias)| format!("{alias} = {name}")).collect()
}

/// Returns the imports that remain of `import a, b`, and this file under the name of each module that it now holds.
fn without_modules(names: &str, modules: &BTreeSet<&str>) -> Option<Vec<String>> {
    let of = |name: &str| {
        let (module, alias) = name.split_once(" as ").unwrap_or((name, name));
        modules.contains(module.trim()).then(|| alias.trim().to_owned())
    };
    let names: Vec<&str> = names.split(',').map(str::trim).collect();
    if names.iter().all(|name| of(name).is_none()) {
        return None;
    }
    let line = |name: &&str| match of(name) {
        Some(alias) => format!("{alias} = __import__(\"sys\").modules[__name__]"),
        None => format!("import {name}"),
    };
    Some(names.iter().map(line).collect())
}
