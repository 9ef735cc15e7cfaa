//! Outlines Python code in Markdown: imports, definitions and parameters. Contains names only; never quotes a line, a
//! string, a comment or a default value of the source.

use std::fmt::Write as _;

use ruff_python_ast::statement_visitor::{StatementVisitor, walk_body, walk_stmt};
use ruff_python_ast::{Expr, ModModule, Operator, Parameters, Stmt, StmtClassDef, StmtFunctionDef};
use ruff_python_parser::Parsed;
use source_text::python;

/// Maximum rows of a table; the outline counts the others.
const MAX_ROWS: usize = 200;

/// Returns the outline of Python source; `path` becomes the title.
pub(crate) fn of_python(path: &str, source: &str) -> String {
    let unparsed = || format!("# {path}\n\nThe code is nested too deeply to be outlined.\n");
    python::with_module(source, |parsed| describe(path, source, parsed)).unwrap_or_else(unparsed)
}

/// Returns a one-line description of source in another language.
pub(crate) fn of_other(path: &str, language: &str, source: &str) -> String {
    format!("# {path}\n\n{language} code, {}, run as given.\n", plural(source.lines().count(), "line"))
}

/// Returns a one-line description of a file of any kind.
pub(crate) fn of_file(path: &str, source: &str) -> String {
    format!("# {path}\n\nA file of {}, used as given.\n", plural(source.lines().count(), "line"))
}

fn describe(path: &str, source: &str, parsed: &Parsed<ModModule>) -> String {
    let body = &parsed.syntax().body;
    let functions: Vec<&StmtFunctionDef> =
        body.iter().filter_map(|statement| statement.as_function_def_stmt()).collect();
    let classes: Vec<&StmtClassDef> = body.iter().filter_map(|statement| statement.as_class_def_stmt()).collect();
    let mut text = format!(
        "# {path}\n\nA Python module of {} with {} and {}.",
        plural(source.lines().count(), "line"),
        plural_of(classes.len(), "class", "classes"),
        plural(functions.len(), "function"),
    );
    text.push_str(if runs_something(body) {
        " Statements outside of definitions run when the file does.\n"
    } else {
        " It only defines names.\n"
    });
    if parsed.has_syntax_errors() {
        text.push_str("\nIt has syntax errors: the outline covers what could be read.\n");
    }
    let imports = imports(body);
    if !imports.is_empty() {
        section(&mut text, "Imports", &imports.iter().map(|name| format!("- `{name}`\n")).collect::<Vec<_>>());
    }
    if !classes.is_empty() {
        text.push_str("\n## Classes\n");
        for class in classes.iter().take(MAX_ROWS) {
            describe_class(&mut text, class);
        }
    }
    if !functions.is_empty() {
        text.push_str("\n## Functions\n\n");
        table(&mut text, &functions);
    }
    text
}

fn plural(count: usize, noun: &str) -> String {
    plural_of(count, noun, &format!("{noun}s"))
}

fn plural_of(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

fn section(text: &mut String, title: &str, rows: &[String]) {
    text.push_str(&format!("\n## {title}\n\n"));
    text.extend(rows.iter().take(MAX_ROWS).map(String::as_str));
    if rows.len() > MAX_ROWS {
        text.push_str(&format!("- and {} more\n", rows.len() - MAX_ROWS));
    }
}

/// Returns whether the module has statements other than definitions, imports and docstrings.
fn runs_something(body: &[Stmt]) -> bool {
    let defines = |statement: &Stmt| {
        statement.is_function_def_stmt()
            || statement.is_class_def_stmt()
            || statement.is_import_stmt()
            || statement.is_import_from_stmt()
            || statement.is_assign_stmt()
            || statement.is_ann_assign_stmt()
            || statement.is_type_alias_stmt()
            || statement.is_pass_stmt()
            || statement.as_expr_stmt().is_some_and(|expression| expression.value.is_string_literal_expr())
    };
    !body.iter().all(defines)
}

/// Returns the modules imported at the top level, sorted and without duplicates.
fn imports(body: &[Stmt]) -> Vec<String> {
    let mut names = Vec::new();
    for statement in body {
        if let Some(import) = statement.as_import_stmt() {
            names.extend(import.names.iter().map(|alias| alias.name.to_string()));
        } else if let Some(import) = statement.as_import_from_stmt() {
            let dots = ".".repeat(import.level as usize);
            names.push(format!("{dots}{}", import.module.as_ref().map_or("", |module| module.as_str())));
        }
    }
    names.sort();
    names.dedup();
    names
}

fn describe_class(text: &mut String, class: &StmtClassDef) {
    let bases: Vec<String> = class
        .arguments
        .iter()
        .flat_map(|arguments| arguments.args.iter())
        .filter_map(dotted_name)
        .map(|name| format!("`{name}`"))
        .collect();
    text.push_str(&format!("\n### `{}`\n\n{}", class.name, sentence(&words_of(&class.name))));
    if !bases.is_empty() {
        text.push_str(&format!(" Derives from {}.", bases.join(", ")));
    }
    text.push('\n');
    let methods: Vec<&StmtFunctionDef> =
        class.body.iter().filter_map(|statement| statement.as_function_def_stmt()).collect();
    if !methods.is_empty() {
        text.push('\n');
        table(text, &methods);
    }
}

fn dotted_name(expression: &Expr) -> Option<String> {
    if let Some(name) = expression.as_name_expr() {
        return Some(name.id.to_string());
    }
    let attribute = expression.as_attribute_expr()?;
    Some(format!("{}.{}", dotted_name(&attribute.value)?, attribute.attr))
}

fn table(text: &mut String, functions: &[&StmtFunctionDef]) {
    text.push_str("| name | purpose | parameters | returns | raises | kind |\n|---|---|---|---|---|---|\n");
    for function in functions.iter().take(MAX_ROWS) {
        let row = format!(
            "| `{}` | {} | {} | {} | {} | {} |",
            function.name,
            purpose(&function.name),
            parameters(&function.parameters),
            function.returns.as_deref().and_then(type_name).map_or_else(|| "-".to_owned(), |name| format!("`{name}`")),
            raised(function),
            kind(function)
        );
        writeln!(text, "{row}").expect("writing to a String does not fail");
    }
    if functions.len() > MAX_ROWS {
        text.push_str(&format!("\nAnd {} more.\n", functions.len() - MAX_ROWS));
    }
}

fn parameters(parameters: &Parameters) -> String {
    let mut shown: Vec<String> = parameters
        .iter_non_variadic_params()
        .map(|parameter| {
            let typed = parameter.parameter.annotation.as_deref().and_then(type_name).map(|name| format!("`{name}`"));
            let optional = parameter.default.as_ref().map(|_| "optional".to_owned());
            let notes: Vec<String> = typed.into_iter().chain(optional).collect();
            let notes = if notes.is_empty() { String::new() } else { format!(" ({})", notes.join(", ")) };
            format!("`{}`{notes}", parameter.parameter.name)
        })
        .collect();
    shown.extend(parameters.vararg.iter().map(|parameter| format!("`{}` (any number)", parameter.name)));
    shown.extend(parameters.kwarg.iter().map(|parameter| format!("`{}` (any keywords)", parameter.name)));
    if shown.is_empty() { "none".to_owned() } else { shown.join(", ") }
}

/// Returns the name of a type without its arguments; `None` for other expressions.
fn type_name(annotation: &Expr) -> Option<String> {
    if annotation.is_none_literal_expr() {
        return Some("None".to_owned());
    }
    if let Some(either) = annotation.as_bin_op_expr().filter(|either| either.op == Operator::BitOr) {
        return Some(format!("{} or {}", type_name(&either.left)?, type_name(&either.right)?));
    }
    let container = annotation.as_subscript_expr().map(|subscript| &*subscript.value);
    dotted_name(container.unwrap_or(annotation))
}

/// Returns the names of the exceptions that a function raises, without duplicates.
fn raised(function: &StmtFunctionDef) -> String {
    let mut finder = RaiseFinder::default();
    walk_body(&mut finder, &function.body);
    if finder.names.is_empty() { "-".to_owned() } else { finder.names.join(", ") }
}

#[derive(Default)]
struct RaiseFinder {
    names: Vec<String>,
}

impl StatementVisitor<'_> for RaiseFinder {
    fn visit_stmt(&mut self, statement: &Stmt) {
        let exception = statement.as_raise_stmt().and_then(|raise| raise.exc.as_deref());
        let class = exception.map(|exception| exception.as_call_expr().map_or(exception, |call| &call.func));
        // Skips variables that hold an exception.
        let is_class = |name: &String| name.rsplit('.').next().unwrap_or_default().starts_with(char::is_uppercase);
        if let Some(name) = class.and_then(dotted_name).filter(is_class).map(|name| format!("`{name}`"))
            && !self.names.contains(&name)
        {
            self.names.push(name);
        }
        if !statement.is_function_def_stmt() && !statement.is_class_def_stmt() {
            walk_stmt(self, statement);
        }
    }
}

fn kind(function: &StmtFunctionDef) -> String {
    let mut kinds = Vec::new();
    if function.is_async {
        kinds.push("asynchronous");
    }
    for decorator in &function.decorator_list {
        let name = dotted_name(&decorator.expression).unwrap_or_default();
        match name.rsplit('.').next().unwrap_or_default() {
            "property" | "cached_property" => kinds.push("property"),
            "classmethod" => kinds.push("class method"),
            "staticmethod" => kinds.push("static method"),
            "abstractmethod" => kinds.push("abstract"),
            _ => {}
        }
    }
    if function.name.starts_with("__") && function.name.ends_with("__") {
        kinds.push("special");
    } else if function.name.starts_with('_') {
        kinds.push("internal");
    }
    if kinds.is_empty() { "public".to_owned() } else { kinds.join(", ") }
}

/// Splits a name at underscores and capitals: `parse_HTTPRequest2` gives parse, http, request2.
fn words_of(name: &str) -> Vec<String> {
    let mut words: Vec<String> = vec![String::new()];
    let characters: Vec<char> = name.chars().collect();
    for (index, character) in characters.iter().enumerate() {
        let before = index.checked_sub(1).map(|at| characters[at]);
        let next_is_lower = characters.get(index + 1).is_some_and(|next| next.is_lowercase());
        let starts = character.is_uppercase()
            && before.is_some_and(|before| {
                before.is_lowercase() || before.is_numeric() || before.is_uppercase() && next_is_lower
            });
        if *character == '_' || starts {
            words.push(String::new());
        }
        if *character != '_' {
            words.last_mut().expect("there is always a word").extend(character.to_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

fn sentence(words: &[String]) -> String {
    let joined = words.join(" ");
    let mut characters = joined.chars();
    match characters.next() {
        Some(first) => format!("{}{}.", first.to_uppercase(), characters.as_str()),
        None => "Unnamed.".to_owned(),
    }
}

/// Returns the purpose of a function, derived from its name.
fn purpose(name: &str) -> String {
    let special = match name {
        "__init__" => "Sets up a new instance.",
        "__str__" | "__repr__" => "Describes the instance as text.",
        "__len__" => "Counts the contents.",
        "__eq__" => "Compares with another object.",
        "__iter__" => "Goes through the contents.",
        "__enter__" | "__aenter__" => "Enters a with-block.",
        "__exit__" | "__aexit__" => "Leaves a with-block.",
        "main" => "Is the entry point.",
        _ => "",
    };
    if !special.is_empty() {
        return special.to_owned();
    }
    let words = words_of(name);
    let rest = words.get(1..).unwrap_or_default().join(" ");
    let verb = words.first().map_or("", String::as_str);
    match (verb, rest.is_empty()) {
        ("is" | "has" | "can" | "should", false) => format!("Says whether it {verb} {rest}."),
        ("test", false) => format!("Tests {rest}."),
        ("get" | "find" | "fetch" | "load" | "read", false) => format!("Gets {rest}."),
        ("set", false) => format!("Sets {rest}."),
        ("on", false) => format!("Reacts to {rest}."),
        ("to", false) => format!("Converts to {rest}."),
        ("from", false) => format!("Makes one from {rest}."),
        _ => sentence(&words),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = r#"
"""Docstring MARKER_ONE."""
import os.path, json as j
from . import sibling
from collections.abc import Mapping

LIMIT = "MARKER_TWO"  # MARKER_THREE

class HTTPClient(Base, metaclass=Meta):
    "MARKER_FOUR"
    def __init__(self, url: "MARKER_FIVE" = "MARKER_SIX", *, retries=0xBEEF): ...
    @property
    def is_open(self): return f"MARKER_SEVEN{LIMIT}"
    @decorator("MARKER_EIGHT")
    async def _fetch_page(self, *paths, **options): pass

def parse_rows(text, /, delimiter=','):
    """MARKER_NINE"""
    return text.split(delimiter)

def main(): print("MARKER_TEN")

if __name__ == "__main__":
    main()
"#;

    #[test]
    fn an_outline_is_made_of_names() {
        insta::assert_snapshot!(of_python("client.py", SOURCE));
    }

    #[test]
    fn an_outline_quotes_neither_text_nor_lines_of_the_source() {
        let outline = of_python("client.py", SOURCE);
        assert!(!outline.contains("MARKER"), "{outline}");
        for line in SOURCE.lines().map(str::trim).filter(|line| line.len() > 8) {
            assert!(!outline.contains(line), "{line}");
        }
    }

    #[test]
    fn types_and_exceptions_are_named() {
        let source = "def divide(a: float, b: list[int] | None = None) -> typing.Any:\n    if not b:\n        raise ValueError('MARKER')\n    raise errors.Other\n";
        let row = "| `divide` | Divide. | `a` (`float`), `b` (`list or None`, optional) | `typing.Any` | `ValueError`, `errors.Other` | public |";
        assert!(of_python("x.py", source).contains(row), "{}", of_python("x.py", source));
    }

    #[test]
    fn broken_and_bottomless_code_is_outlined_as_far_as_it_goes() {
        let broken = of_python("x.py", "def kept(a): pass\ndef broken(:\n    'MARKER'\n");
        assert!(
            broken.contains("`kept`") && broken.contains("syntax errors") && !broken.contains("MARKER"),
            "{broken}"
        );
        assert!(of_python("x.py", &"(".repeat(10_000)).contains("too deeply"));
    }

    #[test]
    fn names_are_split_into_words() {
        assert_eq!(words_of("parse_HTTPRequest2"), ["parse", "http", "request2"]);
        assert_eq!(words_of("__x"), ["x"]);
        assert_eq!(purpose("is_prime"), "Says whether it is prime.");
        assert_eq!(purpose("_"), "Unnamed.");
    }
}
