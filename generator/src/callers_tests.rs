//! Tests that the caller's own file may hold. Only the test runner knows for certain; this decides whether it is worth asking.

use ruff_python_ast::statement_visitor::{StatementVisitor, walk_body, walk_stmt};
use ruff_python_ast::{Expr, Stmt};

use crate::exchange::SourceFile;
use crate::paths::is_test_file;
use crate::python;

/// Returns whether a runtime's test runner may find tests in a source text; some texts without any count as well.
pub fn defines_tests(runtime: &str, source: &str) -> bool {
    match runtime {
        "python" => {
            let defined = python::with_module(source, |parsed| any_test(&parsed.syntax().body));
            source.contains(">>> ") || defined.unwrap_or(false)
        }
        "node" => imports_node_test(source),
        "bash" => source.lines().any(|line| line.trim_start().trim_start_matches("function ").starts_with("test_")),
        _ => false,
    }
}

/// Names the file so that its language's test runner takes it for tests.
pub(crate) fn named_for_the_runner(runtime: &str, file: SourceFile) -> SourceFile {
    let Some((stem, extension)) = file.path.rsplit_once('.').filter(|_| !is_test_file(&file.path)) else { return file };
    // A test file is imported by its name.
    let plain: String = stem.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    let path = match runtime {
        "python" => format!("test_{plain}.py"),
        "node" => format!("{stem}.test.{}", extension.to_ascii_lowercase()),
        "bash" => format!("test_{plain}.sh"),
        _ => return file,
    };
    SourceFile { path, ..file }
}

/// Returns whether there is a definition that pytest could collect, at any depth outside of functions.
fn any_test(body: &[Stmt]) -> bool {
    let mut finder = TestFinder { found: false };
    walk_body(&mut finder, body);
    finder.found
}

struct TestFinder {
    found: bool,
}

impl StatementVisitor<'_> for TestFinder {
    fn visit_stmt(&mut self, statement: &Stmt) {
        if let Stmt::FunctionDef(function) = statement {
            self.found |= function.name.starts_with("test");
        } else if let Stmt::Assign(assign) = statement {
            // `TestRows = make_tests(rows)`
            let mut names = assign.targets.iter().filter_map(Expr::as_name_expr);
            self.found |=
                assign.value.is_call_expr() && names.any(|name| name.id.to_ascii_lowercase().starts_with("test"));
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
    fn whatever_the_runner_could_collect_counts() {
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
        assert!(defines_tests("bash", "test_add() { true; }\n") && !defines_tests("bash", "echo test\n"));
    }
}
