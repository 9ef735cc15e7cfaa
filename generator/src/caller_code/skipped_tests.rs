//! Finds tests that are skipped or expected to fail by their own source.

use std::collections::HashSet;

use ruff_python_ast::Stmt;
use ruff_python_ast::statement_visitor::{StatementVisitor, walk_stmt};
use ruff_text_size::Ranged;
use source_text::{dedent, python};

use crate::caller_code::javascript_tests::{titled_tests, without_comments};

/// Marks of a Python test that is skipped or expected to fail.
const IN_PYTHON: &[&str] =
    &["mark.skip", "pytest.skip", "skipTest", "unittest.skip", "xfail", "importorskip", "expectedFailure"];
/// Marks of a skipped `node:test` test, without white space.
const IN_JAVASCRIPT: &[&str] = &[".skip(", ".todo(", "skip:", "todo:"];

/// Returns the tests that the source skips or expects to fail, by function name or title.
pub fn skipped_tests(runtime: &str, source: &str) -> HashSet<String> {
    match runtime {
        "python" => {
            let source = dedent(source);
            python::with_module(&source, |parsed| in_python(&source, &parsed.syntax().body)).unwrap_or_default()
        }
        "node" => {
            let code = without_comments(source);
            let tests = titled_tests(&code).into_iter().filter(|test| skip_marks("node", test.text) > 0);
            tests.map(|test| test.title.to_owned()).collect()
        }
        _ => HashSet::new(),
    }
}

/// Counts the skip marks in a piece of source.
pub(crate) fn skip_marks(runtime: &str, text: &str) -> usize {
    let (marks, text) = match runtime {
        "python" => (IN_PYTHON, text.to_owned()),
        "node" => (IN_JAVASCRIPT, text.chars().filter(|c| !c.is_whitespace()).collect()),
        _ => return 0,
    };
    marks.iter().map(|mark| text.matches(mark).count()).sum()
}

fn in_python(source: &str, body: &[Stmt]) -> HashSet<String> {
    let mut finder = SkipFinder { source, all: marks_beside_definitions(source, body), found: HashSet::new() };
    body.iter().for_each(|statement| finder.visit_stmt(statement));
    finder.found
}

/// Returns whether a body skips all its tests, for example by `pytestmark` or `pytest.importorskip`.
fn marks_beside_definitions(source: &str, body: &[Stmt]) -> bool {
    let beside = body.iter().filter(|statement| !statement.is_function_def_stmt() && !statement.is_class_def_stmt());
    beside.map(|statement| &source[statement.range()]).any(|text| skip_marks("python", text) > 0)
}

struct SkipFinder<'a> {
    source: &'a str,
    /// True if the visited body is skipped as a whole.
    all: bool,
    found: HashSet<String>,
}

impl<'a> StatementVisitor<'a> for SkipFinder<'a> {
    fn visit_stmt(&mut self, statement: &'a Stmt) {
        if let Some(function) = statement.as_function_def_stmt() {
            if self.all || skip_marks("python", &self.source[function.range()]) > 0 {
                self.found.insert(function.name.to_string());
            }
        } else if let Some(class) = statement.as_class_def_stmt() {
            let outside = self.all;
            let decorated = class.decorator_list.iter().any(|it| skip_marks("python", &self.source[it.range()]) > 0);
            self.all |= decorated || marks_beside_definitions(self.source, &class.body);
            walk_stmt(self, statement);
            self.all = outside;
        } else {
            walk_stmt(self, statement);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(runtime: &str, source: &str, expected: &[&str]) {
        let mut names: Vec<String> = skipped_tests(runtime, source).into_iter().collect();
        names.sort_unstable();
        assert_eq!(names, expected, "{source}");
    }

    #[test]
    fn only_tests_that_the_source_skips_are_named() {
        let two = "def test_a():\n    assert f()\n\n\ndef test_b():\n    assert f()\n";
        check("python", two, &[]);
        check("python", &format!("@pytest.mark.skipif(x, reason='y')\n{two}"), &["test_a"]);
        check("python", &two.replacen("assert f()", "pytest.skip('later')", 1), &["test_a"]);
        check("python", &format!("pytestmark = pytest.mark.xfail\n\n\n{two}"), &["test_a", "test_b"]);
        check(
            "python",
            "@unittest.skip('x')\nclass A(B):\n    def test_a(self): pass\n\nclass C(B):\n    def test_c(self): pass\n",
            &["test_a"],
        );
        check("python", "    @pytest.mark.skip\n    def test_a():\n        pass\n", &["test_a"]);
        check(
            "node",
            "test('a', f);\ntest.skip('b', f);\ntest('c', { skip : true }, f);\n// test.skip('d', f);\n",
            &["b", "c"],
        );
        check("bash", "test_a() { true; }\n", &[]);
    }
}
