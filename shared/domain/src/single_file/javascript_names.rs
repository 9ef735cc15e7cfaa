//! The names that a JavaScript file binds, imports and exports at its top level.

use std::collections::{BTreeMap, BTreeSet};

/// The names of one file.
#[derive(Debug, Default)]
pub(super) struct Names {
    /// Bound by declarations.
    pub(super) declared: BTreeSet<String>,
    /// Bound by imports of modules that are not among the files.
    pub(super) imported: BTreeSet<String>,
    /// Bound by imports of other files.
    own: BTreeSet<String>,
    /// The local name of each `export { local as name }`.
    exported: BTreeMap<String, String>,
    /// The name of the default export, or of the export as a whole.
    pub(super) default: Option<String>,
    pub(super) is_es: bool,
    pub(super) is_common: bool,
    assigns_module: bool,
}

impl Names {
    pub(super) fn of(text: &str, find: impl Fn(&str) -> Option<usize>) -> Self {
        let mut names = Self {
            is_common: text.contains("require(") || text.contains("exports."),
            assigns_module: text.contains("module.exports"),
            ..Self::default()
        };
        names.is_common |= names.assigns_module;
        for statement in statements(text) {
            match Import::read(&statement) {
                Some(import) => {
                    names.is_es |= import.is_es();
                    let bindings = import.bindings();
                    if find(&import.module).is_some() {
                        names.own.extend(bindings);
                    } else {
                        names.imported.extend(bindings);
                    }
                }
                None => names.read(&statement),
            }
        }
        names
    }

    fn read(&mut self, statement: &str) {
        let code = statement.trim_end().trim_end_matches(';');
        if let Some(name) = code.strip_prefix("module.exports = ").filter(|name| is_identifier(name)) {
            self.default = Some(name.to_owned());
        }
        let declaration = code.strip_prefix("export ").unwrap_or(code);
        self.is_es |= declaration != code || code.starts_with("import ");
        if let Some(list) =
            declaration.strip_prefix('{').and_then(|list| list.strip_suffix('}')).filter(|_| declaration != code)
        {
            self.exported.extend(pairs(list).map(|(local, name)| (name.to_owned(), local.to_owned())));
            self.default = self.default.take().or_else(|| self.exported.get("default").cloned());
        }
        let value = declaration.strip_prefix("default ").filter(|_| declaration != code);
        let bound = declared(value.unwrap_or(declaration));
        if let Some(value) = value {
            self.default = bound.first().cloned().or_else(|| is_identifier(value).then(|| value.to_owned()));
        }
        self.declared.extend(bound);
    }

    /// Returns the top-level name of the value that the file exports as `name`.
    pub(super) fn local<'n>(&'n self, name: &'n str) -> Option<&'n str> {
        let is_bound = [&self.declared, &self.imported, &self.own].iter().any(|names| names.contains(name));
        let local = self.exported.get(name).map(String::as_str).or_else(|| is_bound.then_some(name));
        local.or_else(|| self.default.as_deref().filter(|_| name == "default"))
    }

    /// Returns the object with the exports, valid directly after the file: `exports` differs from `module.exports` if
    /// the file assigned the latter.
    pub(super) fn exports(&self) -> &'static str {
        if self.assigns_module { "module.exports" } else { "exports" }
    }
}

/// Returns the names that a declaration at the start of a line binds.
fn declared(code: &str) -> Vec<String> {
    let (keyword, rest) = code.split_once(' ').unwrap_or((code, ""));
    match keyword {
        "const" | "let" | "var" => match rest.strip_prefix(['{', '[']).and_then(|rest| rest.split_once(['}', ']'])) {
            Some((names, _)) => {
                let names = pairs(names).map(|(_, binding)| identifier(binding.trim_start_matches('.')));
                names.map(str::to_owned).filter(|name| !name.is_empty()).collect()
            }
            None => declarators(rest),
        },
        "async" => declared(rest),
        "function" | "function*" | "class" => Some(identifier(rest.trim_start_matches(['*', ' '])))
            .filter(|name| !name.is_empty())
            .map(str::to_owned)
            .into_iter()
            .collect(),
        _ => Vec::new(),
    }
}

/// Returns the names in `a = 1, b = 2`. A value with brackets may contain commas, so only the name before it is read.
fn declarators(code: &str) -> Vec<String> {
    let has_brackets = code.contains(['(', '[', '{', '\'', '"', '`']);
    let names = code.split(',').take(if has_brackets { 1 } else { usize::MAX });
    names.map(|name| identifier(name.trim()).to_owned()).filter(|name| !name.is_empty()).collect()
}

/// Returns the identifier at the start of `code`.
fn identifier(code: &str) -> &str {
    let end = code.find(|letter: char| !(letter.is_alphanumeric() || letter == '_' || letter == '$'));
    &code[..end.unwrap_or(code.len())]
}

fn is_identifier(code: &str) -> bool {
    !code.is_empty() && identifier(code) == code && !code.starts_with(|letter: char| letter.is_ascii_digit())
}

/// Returns the quoted parts of a line.
pub(super) fn names_in(code: &str) -> impl Iterator<Item = &str> {
    code.split(['\'', '"', '`']).skip(1)
}

/// Splits a text into lines, keeping the lines of an import or of a list of exports together.
pub(super) fn statements(text: &str) -> Vec<String> {
    let mut statements: Vec<String> = Vec::new();
    let mut is_open = false;
    for line in text.split_inclusive('\n') {
        match statements.last_mut().filter(|_| is_open) {
            Some(last) => last.push_str(line),
            None => statements.push(line.to_owned()),
        }
        let statement = statements.last().map_or("", String::as_str);
        let starts =
            ["const {", "let {", "var {", "import {", "export {"].iter().any(|start| statement.starts_with(start));
        is_open = starts && !statement.contains('}');
    }
    statements
}

/// A statement that binds the exports of another module.
#[derive(Debug)]
pub(super) struct Import {
    /// `const`, `let`, `var` or `import`.
    keyword: String,
    /// A name, or names in braces.
    pub(super) pattern: String,
    pub(super) module: String,
}

impl Import {
    pub(super) fn read(statement: &str) -> Option<Self> {
        let code = statement.lines().map(without_comment).collect::<Vec<_>>().join("\n");
        let (keyword, rest) = code.trim_end().trim_end_matches(';').split_once(' ')?;
        let (pattern, source) = match keyword {
            "const" | "let" | "var" => rest.split_once(" = require(")?,
            "import" => rest.rsplit_once(" from ")?,
            _ => return None,
        };
        let module = source.trim_end_matches(')').trim_matches(['\'', '"']);
        // `require('x').name`, and a default import together with names, are not replaced.
        let is_plain = !module.contains(['\'', '"', '(', ')', ' ']);
        let pattern = pattern.trim();
        let is_list = pattern.starts_with('{') && pattern.ends_with('}');
        (is_plain && (is_list || is_identifier(pattern))).then(|| Self {
            keyword: keyword.to_owned(),
            pattern: pattern.to_owned(),
            module: module.to_owned(),
        })
    }

    fn is_es(&self) -> bool {
        self.keyword == "import"
    }

    /// Returns each name in braces with the name that it is bound to; `None` if the whole module is bound.
    pub(super) fn names(&self) -> Option<Vec<(&str, &str)>> {
        Some(pairs(self.pattern.strip_prefix('{')?.strip_suffix('}')?).collect())
    }

    pub(super) fn bindings(&self) -> Vec<String> {
        let names = self.names().unwrap_or_else(|| vec![("", &self.pattern)]);
        names.into_iter().map(|(_, binding)| binding.to_owned()).collect()
    }

    /// Returns the import without the known names; `None` if all of them are new.
    pub(super) fn without(&self, known: &BTreeSet<String>) -> Option<String> {
        if self.bindings().iter().all(|binding| !known.contains(binding)) {
            return None;
        }
        let colon = if self.is_es() { " as" } else { ":" };
        let names = self.names().unwrap_or_default().into_iter().filter(|(_, binding)| !known.contains(*binding));
        let new: Vec<String> = names
            .map(|(name, binding)| if name == binding { name.to_owned() } else { format!("{name}{colon} {binding}") })
            .collect();
        let Self { keyword, module, .. } = self;
        Some(match (new.is_empty(), self.is_es()) {
            (true, _) => String::new(),
            (false, true) => format!("import {{ {} }} from '{module}';\n", new.join(", ")),
            (false, false) => format!("{keyword} {{ {} }} = require('{module}');\n", new.join(", ")),
        })
    }
}

/// Splits `name, name: binding, name as binding`; a name alone is its own binding.
fn pairs(list: &str) -> impl Iterator<Item = (&str, &str)> {
    list.split(',').map(str::trim).filter(|name| !name.is_empty()).map(|name| {
        let parts = name.split_once(':').or_else(|| name.split_once(" as "));
        parts.map_or((name, name), |(name, binding)| (name.trim(), binding.trim()))
    })
}

fn without_comment(line: &str) -> &str {
    match line.find("//") {
        Some(at) if at == 0 || line[..at].ends_with([' ', '\t']) => line[..at].trim_end(),
        Some(_) | None => line,
    }
}
