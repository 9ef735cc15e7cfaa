//! JavaScript files that require or import each other.

use std::collections::BTreeSet;

use super::Part;

/// Returns the text of each file without its imports of `modules`, and without imports that a file before has as well.
pub(super) fn without_own_imports(parts: &[Part<'_>], modules: &BTreeSet<&str>) -> Vec<String> {
    let mut known = BTreeSet::new();
    let text_of = |part: &Part<'_>| {
        let mut bound = Vec::new();
        let mut text = String::new();
        for statement in statements(&part.text) {
            match Import::read(&statement) {
                Some(import) if import.is_of(modules) => text.push_str(&import.renamed()),
                Some(import) => {
                    text.push_str(&import.without(&known).unwrap_or_else(|| statement.clone()));
                    bound.extend(import.bindings());
                }
                None => text.push_str(&statement),
            }
        }
        known.extend(bound);
        text
    };
    parts.iter().map(text_of).collect()
}

/// Splits a text into its lines, the lines of an import kept together.
fn statements(text: &str) -> Vec<String> {
    let mut statements: Vec<String> = Vec::new();
    let mut is_open = false;
    for line in text.split_inclusive('\n') {
        match statements.last_mut().filter(|_| is_open) {
            Some(last) => last.push_str(line),
            None => statements.push(line.to_owned()),
        }
        let statement = statements.last().map_or("", String::as_str);
        let starts = ["const {", "let {", "var {", "import {"].iter().any(|start| statement.starts_with(start));
        is_open = starts && !statement.contains('}');
    }
    statements
}

/// A statement that binds what another module exports.
#[derive(Debug)]
struct Import<'s> {
    /// `const`, `let`, `var` or `import`.
    keyword: &'s str,
    /// A name, or names in braces.
    pattern: &'s str,
    module: &'s str,
}

impl<'s> Import<'s> {
    fn read(statement: &'s str) -> Option<Self> {
        let code = statement.trim_end().trim_end_matches(';');
        let (keyword, rest) = code.split_once(' ')?;
        let (pattern, source) = match keyword {
            "const" | "let" | "var" => rest.split_once(" = require(")?,
            "import" => rest.rsplit_once(" from ")?,
            _ => return None,
        };
        let module = source.trim_end_matches(')').trim_matches(['\'', '"']);
        // `require('x').name` is left as it is.
        let is_plain = !module.contains(['\'', '"', '(', ')', ' ']);
        is_plain.then_some(Self { keyword, pattern: pattern.trim(), module })
    }

    fn is_of(&self, modules: &BTreeSet<&str>) -> bool {
        let name = self.module.rsplit('/').next().unwrap_or_default();
        let module = name.split_once('.').map_or(name, |(module, _)| module);
        self.module.starts_with('.') && modules.contains(module)
    }

    /// The names in braces, as written; `None` where the whole module is bound.
    fn names(&self) -> Option<Vec<&'s str>> {
        let names = self.pattern.strip_prefix('{')?.strip_suffix('}')?;
        Some(names.split(',').map(str::trim).filter(|name| !name.is_empty()).collect())
    }

    fn bindings(&self) -> Vec<String> {
        let names = self.names().unwrap_or_else(|| vec![self.pattern]);
        names.into_iter().map(|name| split(name).1.to_owned()).collect()
    }

    /// Returns what takes the place of the import where its module is part of the same file.
    fn renamed(&self) -> String {
        let Some(names) = self.names() else { return format!("const {} = module.exports;\n", self.pattern) };
        let renamed = names.into_iter().map(split).filter(|(name, binding)| name != binding);
        renamed.map(|(name, binding)| format!("const {binding} = {name};\n")).collect()
    }

    /// Returns the import without the names that are known; `None` where it binds none of them.
    fn without(&self, known: &BTreeSet<String>) -> Option<String> {
        let is_new = |name: &&str| !known.contains(split(name).1);
        let names = self.names().unwrap_or_else(|| vec![self.pattern]);
        let new: Vec<&str> = names.iter().copied().filter(is_new).collect();
        if new.len() == names.len() {
            return None;
        }
        let Self { keyword, module, .. } = self;
        Some(match (new.is_empty(), *keyword) {
            (true, _) => String::new(),
            (false, "import") => format!("import {{ {} }} from '{module}';\n", new.join(", ")),
            (false, _) => format!("{keyword} {{ {} }} = require('{module}');\n", new.join(", ")),
        })
    }
}

/// Splits `name: binding` or `name as binding`; a name alone is its own binding.
fn split(name: &str) -> (&str, &str) {
    let parts = name.split_once(':').or_else(|| name.split_once(" as "));
    parts.map_or((name, name), |(name, binding)| (name.trim(), binding.trim()))
}
