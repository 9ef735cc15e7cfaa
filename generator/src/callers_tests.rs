//! Tests that the caller's file holds itself.

use ruff_python_ast::{Expr, Stmt};

use crate::exchange::SourceFile;
use crate::paths::is_test_file;
use crate::python;
use crate::target::Target;

/// Names the file so that its language's test runner finds its tests; unchanged where it holds none, or has such a name.
pub(crate) fn named_for_the_runner(target: Target<'_>, file: SourceFile) -> SourceFile {
    let Some((stem, extension)) = file.path.rsplit_once('.').filter(|_| !is_test_file(&file.path)) else { return file };
    let path = match target.runtime() {
        "python" if holds_python_tests(&file.content) => format!("test_{stem}.py"),
        "node" if imports_node_test(&file.content) => format!("{stem}.test.{}", extension.to_ascii_lowercase()),
        _ => return file,
    };
    SourceFile { path, ..file }
}

/// Whether pytest would collect something: `test_*` functions, `Test*` classes and `TestCase`s with `test*` methods.
fn holds_python_tests(source: &str) -> bool {
    python::with_module(source, |parsed| parsed.syntax().body.iter().any(is_test)).unwrap_or(false)
}

fn is_test(statement: &Stmt) -> bool {
    let is_test_function =
        |inner: &Stmt, prefix: &str| matches!(inner, Stmt::FunctionDef(function) if function.name.starts_with(prefix));
    let Stmt::ClassDef(class) = statement else { return is_test_function(statement, "test_") };
    let is_case = class.name.starts_with("Test") || class.bases().iter().any(is_test_case);
    is_case && class.body.iter().any(|inner| is_test_function(inner, "test"))
}

/// `TestCase`, `unittest.TestCase`, `unittest.IsolatedAsyncioTestCase`.
fn is_test_case(base: &Expr) -> bool {
    matches!(base, Expr::Name(name) if name.id.ends_with("TestCase"))
        || matches!(base, Expr::Attribute(attribute) if attribute.attr.ends_with("TestCase"))
}

fn imports_node_test(source: &str) -> bool {
    let is_import = |line: &str| line.contains("import") || line.contains("require");
    source.lines().any(|line| is_import(line) && (line.contains("'node:test'") || line.contains("\"node:test\"")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_are_what_the_runner_would_collect() {
        for source in [
            "def test_add():\n    assert 1\n",
            "async def test_add():\n    assert 1\n",
            "class TestAdd:\n    def test_add(self): pass\n",
            "import unittest\nclass Adding(unittest.TestCase):\n    def testAdd(self): pass\n",
            "from unittest import IsolatedAsyncioTestCase\nclass A(IsolatedAsyncioTestCase):\n    async def test_a(self): pass\n",
        ] {
            assert!(holds_python_tests(source), "{source}");
        }
        for source in [
            "print(1)\n",
            "def testimony(): pass\n",
            "class TestData:\n    rows = []\n",
            "class Check:\n    def test_it(self): pass\n",
            "text = 'def test_add(): pass'\n",
            "def outer():\n    def test_inner(): pass\n",
        ] {
            assert!(!holds_python_tests(source), "{source}");
        }
        assert!(imports_node_test("import test from \"node:test\";\n"));
        assert!(imports_node_test("const { test } = require('node:test');\n"));
        assert!(!imports_node_test("// see node:test\nconsole.log('node:test');\n"));
    }
}
