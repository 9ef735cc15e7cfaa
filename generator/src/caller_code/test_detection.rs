//! Detects tests in the caller's file. The result is a heuristic that decides whether to start the test runner.

use std::collections::HashSet;

use ruff_python_ast::statement_visitor::{StatementVisitor, walk_body, walk_stmt};
use ruff_python_ast::{Expr, Stmt};
use source_text::python;

use crate::paths::is_test_file;
use crate::types::SourceFile;

/// Returns whether a runtime's test runner may find tests in a source text. False positives are possible.
pub fn defines_tests(runtime: &str, source: &str) -> bool {
    defines_tests_with(runtime, source, |_| false)
}

/// Like [`defines_tests`] for a file of which other files may define fixtures, by their names.
pub(crate) fn defines_tests_with(runtime: &str, source: &str, is_fixture: impl Fn(&str) -> bool + Sync) -> bool {
    match runtime {
        "python" => source.contains(">>> ") || !names_of_tests(source, &is_fixture).is_empty(),
        "node" => imports_node_test(source),
        "bash" => source.lines().any(|line| shell_test_name(line).is_some()),
        _ => false,
    }
}

/// Returns whether a Python file runs its own tests when executed as a program.
pub(crate) fn runs_own_tests(source: &str) -> bool {
    let calls_a_test = |line: &str| line.starts_with("test") && line.contains('(') && !line.contains('=');
    let starts = |line: &str| {
        let guard = line.starts_with("if ") && line.contains("__name__") && line.contains("__main__");
        guard || calls_a_test(line) || line.contains("exit(test") || line.starts_with("unittest.main(")
    };
    source.lines().any(starts)
}

/// Returns the function name of a line such as `test_add() {` or `function test_add`.
pub(crate) fn shell_test_name(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let name = line.strip_prefix("function ").map_or(line, str::trim_start);
    let end = name.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(name.len());
    let rest = name[end..].trim_start();
    let is_test = name.starts_with("test_")
        && (rest.starts_with("()") || rest.starts_with('{') || rest.is_empty() && name.len() < line.len());
    is_test.then(|| &name[..end])
}

/// Renames a file so that the test runner of its language collects it.
pub(crate) fn with_test_file_name(runtime: &str, file: SourceFile) -> SourceFile {
    let Some((stem, extension)) = file.path.rsplit_once('.').filter(|_| !is_test_file(&file.path)) else { return file };
    // Test files are imported by name, so the stem must be an identifier.
    let plain: String = stem.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    let path = match runtime {
        "python" => format!("test_{plain}.py"),
        "node" => format!("{stem}.test.{}", extension.to_ascii_lowercase()),
        "bash" => format!("test_{plain}.sh"),
        _ => return file,
    };
    SourceFile { path, ..file }
}

/// Returns the names of Python definitions outside functions that pytest could collect.
pub(crate) fn test_names(source: &str) -> HashSet<String> {
    names_of_tests(source, &|_| false)
}

fn names_of_tests(source: &str, is_fixture: &(dyn Fn(&str) -> bool + Sync)) -> HashSet<String> {
    let names_in = |body: &[Stmt]| {
        let own = fixtures_in(body);
        let is_fixture = |name: &str| own.contains(name) || BUILT_IN_FIXTURES.contains(&name) || is_fixture(name);
        let mut finder = TestFinder { is_fixture: &is_fixture, found: HashSet::new() };
        walk_body(&mut finder, body);
        finder.found
    };
    python::with_module(source, |parsed| names_in(&parsed.syntax().body)).unwrap_or_default()
}

/// Returns the names of Python functions that may be fixtures: those with a decorator.
pub(crate) fn fixture_names(source: &str) -> HashSet<String> {
    python::with_module(source, |parsed| fixtures_in(&parsed.syntax().body)).unwrap_or_default()
}

fn fixtures_in(body: &[Stmt]) -> HashSet<String> {
    let mut fixtures = FixtureFinder { names: HashSet::new() };
    walk_body(&mut fixtures, body);
    fixtures.names
}

/// Parameters that a test may take without a definition in the file.
const BUILT_IN_FIXTURES: &[&str] = &[
    "self",
    "cls",
    "request",
    "tmp_path",
    "tmp_path_factory",
    "tmpdir",
    "tmpdir_factory",
    "capsys",
    "capfd",
    "capsysbinary",
    "capfdbinary",
    "caplog",
    "monkeypatch",
    "recwarn",
    "pytestconfig",
    "record_property",
    "doctest_namespace",
    "testdir",
    "cache",
];

struct FixtureFinder {
    names: HashSet<String>,
}

impl StatementVisitor<'_> for FixtureFinder {
    fn visit_stmt(&mut self, statement: &Stmt) {
        match statement.as_function_def_stmt() {
            Some(function) if !function.decorator_list.is_empty() => {
                self.names.insert(function.name.to_string());
            }
            Some(_) => {}
            None => walk_stmt(self, statement),
        }
    }
}

struct TestFinder<'f> {
    is_fixture: &'f dyn Fn(&str) -> bool,
    found: HashSet<String>,
}

impl StatementVisitor<'_> for TestFinder<'_> {
    fn visit_stmt(&mut self, statement: &Stmt) {
        if let Stmt::FunctionDef(function) = statement {
            // A function with a parameter that is not a fixture is not a test, unless a decorator may
            // supply the values.
            let mut required =
                function.parameters.iter_non_variadic_params().filter(|parameter| parameter.default.is_none());
            let fed = required.all(|parameter| (self.is_fixture)(parameter.parameter.name.as_str()));
            if function.name.starts_with("test") && (fed || !function.decorator_list.is_empty()) {
                self.found.insert(function.name.to_string());
            }
        } else if let Stmt::Assign(assign) = statement {
            // `TestRows = make_tests(rows)`
            let names = assign.targets.iter().filter_map(Expr::as_name_expr).map(|name| name.id.to_string());
            let names = names.filter(|name| name.to_ascii_lowercase().starts_with("test"));
            self.found.extend(names.filter(|_| assign.value.is_call_expr()));
        } else {
            walk_stmt(self, statement);
        }
    }
}

fn imports_node_test(source: &str) -> bool {
    let is_import = |line: &str| line.contains("import") || line.contains("require");
    source.lines().any(|line| is_import(line) && (line.contains("'node:test'") || line.contains("\"node:test\"")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_the_runner_could_collect_counts() {
        for source in [
            "def test_add():\n    assert 1\n",
            "def test(): assert 1\n",
            "async def test_add():\n    assert 1\n",
            "class TestAdd:\n    def test_add(self): pass\n",
            "import unittest\nclass Adding(unittest.TestCase):\n    def testAdd(self): pass\n",
            "from unittest import TestCase as TC\nclass Adding(TC):\n    def test_add(self): pass\n",
            "class Outer:\n    class TestInner:\n        def test_a(self): pass\n",
            "import sys\nif sys.version_info >= (3, 8):\n    def test_a(): assert 0\n",
            "try:\n    import numpy\nexcept ImportError:\n    def test_fallback(): assert 0\n",
            "TestOne = make(1)\n",
            "def add(a, b):\n    \"\"\"\n    >>> add(1, 2)\n    3\n    \"\"\"\n    return a + b\n",
        ] {
            assert!(defines_tests("python", source), "{source}");
        }
        for source in
            ["print(1)\n", "class Data:\n    rows = []\n", "text = 'def test_add(): pass'\n", "latest = load()\n"]
        {
            assert!(!defines_tests("python", source), "{source}");
        }
        assert!(defines_tests("node", "import test from \"node:test\";\n"));
        assert!(defines_tests("node", "const { test } = require('node:test');\n"));
        assert!(!defines_tests("node", "// see node:test\nconsole.log('node:test');\n"));
        for (source, expected) in [
            ("test_add() { true; }\n", true),
            ("function test_add\n{\n", true),
            ("test_dir=/tmp\n", false),
            ("test_add\n", false),
            ("echo test\n", false),
        ] {
            assert_eq!(defines_tests("bash", source), expected, "{source}");
        }
    }

    #[test]
    fn a_function_with_other_parameters_than_fixtures_is_not_a_test() {
        for (source, expected) in [
            ("def test_connection(url): return url\n", false),
            ("def test_it(tmp_path): pass\n", true),
            ("import pytest\n@pytest.fixture\ndef rows(): return []\ndef test_it(rows): pass\n", true),
            ("import pytest\n@pytest.mark.parametrize('n', [1])\ndef test_it(n): pass\n", true),
            ("def test_it(n=1): pass\n", true),
        ] {
            assert_eq!(defines_tests("python", source), expected, "{source}");
        }
        for (source, expected) in [
            ("def test_all(): return 0\nimport sys\nsys.exit(test_all())\n", true),
            ("def test_all(): pass\ntest_all()\n", true),
            ("import unittest\nif __name__ == '__main__':\n    unittest.main()\n", true),
            ("def test_all(): pass\n", false),
        ] {
            assert_eq!(runs_own_tests(source), expected, "{source}");
        }
    }
}
