//! Binds imported names to their full dotted paths.

use ruff_python_ast::{StmtImport, StmtImportFrom};

use super::interpreter::Interpreter;
use super::models::sources;
use super::value::{TaintKinds, Value};

/// Names bound by `from module import *`.
const STAR_IMPORTS: &[(&str, &str)] = &[
    ("Response", "flask.Response"),
    ("Template", "jinja2.Template"),
    ("abort", "flask.abort"),
    ("abort", "quart.abort"),
    ("abort", "bottle.abort"),
    ("abort", "werkzeug.exceptions.abort"),
];

/// `import a.b as c`, `import a.b`.
pub(crate) fn import(interpreter: &mut Interpreter<'_, '_, '_>, import: &StmtImport) {
    for alias in &import.names {
        let full = alias.name.as_str();
        let (name, symbol) = match &alias.asname {
            Some(name) => (name.as_str(), full),
            None => {
                let top = full.split('.').next().unwrap_or(full);
                (top, top)
            }
        };
        bind(interpreter, name, symbol);
    }
}

/// Handles `from a.b import c as d`. A relative import keeps only the imported name.
pub(crate) fn import_from(interpreter: &mut Interpreter<'_, '_, '_>, import: &StmtImportFrom) {
    let module = import.module.as_ref().map_or("", |module| module.as_str());
    if import.names.iter().any(|alias| alias.name.as_str() == "*") {
        note_module(interpreter, module);
        // Short names that are ambiguous without their module.
        for (name, symbol) in STAR_IMPORTS {
            if symbol.strip_suffix(name).and_then(|start| start.strip_suffix('.')) == Some(module) {
                bind(interpreter, name, symbol);
            }
        }
        return;
    }
    for alias in &import.names {
        let name = alias.asname.as_ref().unwrap_or(&alias.name);
        let symbol = if module.is_empty() || import.level > 0 {
            alias.name.to_string()
        } else {
            format!("{module}.{}", alias.name)
        };
        bind(interpreter, name, &symbol);
    }
}

fn note_module(interpreter: &mut Interpreter<'_, '_, '_>, symbol: &str) {
    let top = symbol.split('.').next().unwrap_or_default();
    if !interpreter.imported_modules.contains(top) {
        interpreter.imported_modules.insert(top.to_owned());
    }
}

fn bind(interpreter: &mut Interpreter<'_, '_, '_>, name: &str, symbol: &str) {
    note_module(interpreter, symbol);
    interpreter.uses_ldap |= symbol.split('.').any(|part| matches!(part, "ldap" | "ldap3"));
    interpreter.responds_json |= symbol.starts_with("fastapi") || symbol.starts_with("rest_framework");
    let value = sources::source_value(symbol)
        .unwrap_or_else(|| Value { unknown: TaintKinds::ALL, ..Value::default() }.with_symbol(symbol));
    interpreter.set(name, value);
}
