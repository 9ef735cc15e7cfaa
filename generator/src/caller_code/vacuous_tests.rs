//! Finds tests that assert nothing. A model that must write passing tests may write such tests.
//!
//! Anything that may be an assertion counts as one, so that no valid test is rejected.

use std::collections::HashSet;

use ruff_python_ast::visitor::{Visitor, walk_expr, walk_stmt};
use ruff_python_ast::{BoolOp, Expr, Stmt, StmtFunctionDef, UnaryOp};
use ruff_text_size::Ranged;
use source_text::python;

/// Parts of names of assertion functions, such as `assertEqual`, `pytest.raises` and `expect`.
const ASSERTION_NAMES: &[&str] = &["assert", "raises", "warns", "fail", "expect", "verify", "approx"];

/// Returns the tests of a file that assert nothing, by the names of the test runner's report; for JavaScript the path.
pub fn vacuous_tests(runtime: &str, path: &str, source: &str) -> Vec<String> {
    match runtime {
        "python" => {
            python::with_module(source, |parsed| in_python(path, source, &parsed.syntax().body)).unwrap_or_default()
        }
        "node" if !asserts_in_javascript(source) => vec![path.to_owned()],
        _ => Vec::new(),
    }
}

fn in_python(path: &str, source: &str, body: &[Stmt]) -> Vec<String> {
    let mut functions = FunctionCollector { scope: vec![path.to_owned()], found: Vec::new() };
    body.iter().for_each(|statement| functions.visit_stmt(statement));
    let mut checking: HashSet<&str> = HashSet::new();
    // Tests may assert through helper functions, and helpers through other helpers.
    loop {
        let before = checking.len();
        let found = functions.found.iter().filter(|(_, function)| asserts(function, source, &checking));
        checking = found.map(|(_, function)| function.name.as_str()).collect();
        if checking.len() == before {
            break;
        }
    }
    let is_vacuous =
        |function: &StmtFunctionDef| function.name.starts_with("test") && !asserts(function, source, &checking);
    functions.found.iter().filter(|(_, function)| is_vacuous(function)).map(|(name, _)| name.clone()).collect()
}

/// Collects the functions of a module with their qualified names, without nested functions.
struct FunctionCollector<'a> {
    scope: Vec<String>,
    found: Vec<(String, &'a StmtFunctionDef)>,
}

impl<'a> Visitor<'a> for FunctionCollector<'a> {
    fn visit_stmt(&mut self, statement: &'a Stmt) {
        if let Some(function) = statement.as_function_def_stmt() {
            self.found.push((format!("{}::{}", self.scope.join("::"), function.name), function));
        } else if let Some(class) = statement.as_class_def_stmt() {
            self.scope.push(class.name.to_string());
            walk_stmt(self, statement);
            self.scope.pop();
        } else {
            walk_stmt(self, statement);
        }
    }
}

/// Returns whether a statement before the first unconditional return asserts something.
fn asserts(function: &StmtFunctionDef, source: &str, checking: &HashSet<&str>) -> bool {
    let mut finder = AssertionFinder { source, checking, found: false };
    let reached = function.body.iter().take_while(|statement| !statement.is_return_stmt());
    reached.for_each(|statement| finder.visit_stmt(statement));
    finder.found
}

struct AssertionFinder<'a> {
    source: &'a str,
    checking: &'a HashSet<&'a str>,
    found: bool,
}

impl<'a> Visitor<'a> for AssertionFinder<'_> {
    fn visit_stmt(&mut self, statement: &'a Stmt) {
        if let Some(assert) = statement.as_assert_stmt() {
            self.found |= depends_on_code(&assert.test, self.source);
        }
        self.found |= statement.is_raise_stmt();
        walk_stmt(self, statement);
    }

    fn visit_expr(&mut self, expression: &'a Expr) {
        if let Some(call) = expression.as_call_expr() {
            let attribute = call.func.as_attribute_expr().map(|attribute| attribute.attr.as_str());
            let name = attribute.or_else(|| call.func.as_name_expr().map(|name| name.id.as_str())).unwrap_or_default();
            let lower = name.to_ascii_lowercase();
            let arguments = &call.arguments.args;
            // Such as `self.assertTrue(True)`.
            let is_constant = !arguments.is_empty() && arguments.iter().all(is_constant);
            let checks = ASSERTION_NAMES.iter().any(|part| lower.contains(part))
                && !(attribute.is_some() && is_constant && lower != "fail");
            self.found |= checks || self.checking.contains(name);
        }
        walk_expr(self, expression);
    }
}

/// Returns whether an asserted expression can be both true and false.
fn depends_on_code(test: &Expr, source: &str) -> bool {
    if let Some(operation) = test.as_bool_op_expr() {
        return match operation.op {
            BoolOp::Or => operation.values.iter().all(|value| depends_on_code(value, source)),
            BoolOp::And => operation.values.iter().any(|value| depends_on_code(value, source)),
        };
    }
    if let Some(operation) = test.as_unary_op_expr().filter(|operation| operation.op == UnaryOp::Not) {
        return depends_on_code(&operation.operand, source);
    }
    if let Some(comparison) = test.as_compare_expr() {
        let left = &source[comparison.left.range()];
        let is_same = |other: &Expr| source[other.range()] == *left && !left.contains('(');
        let constant = is_constant(&comparison.left) && comparison.comparators.iter().all(is_constant);
        return !constant && !comparison.comparators.iter().all(is_same);
    }
    // A non-empty tuple and a lambda are always true.
    !is_constant(test) && !test.is_tuple_expr() && !test.is_lambda_expr()
}

fn is_constant(expression: &Expr) -> bool {
    if let Some(operation) = expression.as_unary_op_expr() {
        return is_constant(&operation.operand);
    }
    if let Some(operation) = expression.as_bin_op_expr() {
        return is_constant(&operation.left) && is_constant(&operation.right);
    }
    let elements = expression
        .as_list_expr()
        .map(|list| &list.elts)
        .or_else(|| expression.as_tuple_expr().map(|tuple| &tuple.elts));
    elements.map_or_else(|| expression.is_literal_expr(), |elements| elements.iter().all(is_constant))
}

/// Returns whether a line other than a comment or import has an assertion that can fail.
fn asserts_in_javascript(source: &str) -> bool {
    const ALWAYS_TRUE: &[&str] = &[
        "assert(true)",
        "assert.ok(true)",
        "assert.equal(1,1)",
        "assert.strictEqual(1,1)",
        "assert.equal(true,true)",
        "assert.strictEqual(true,true)",
    ];
    source.lines().map(str::trim).any(|line| {
        let is_code = !line.starts_with("//") && !line.starts_with('*') && !line.starts_with("import ");
        let code: String = line.chars().filter(|c| !c.is_whitespace()).collect();
        let code = ALWAYS_TRUE.iter().fold(code, |code, call| code.replace(call, ""));
        let calls = ["assert(", "assert.", "expect(", "equal(", "rejects(", "throws(", "ok("]
            .iter()
            .any(|call| code.contains(call));
        is_code && !code.contains("require(") && calls
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(body: &str, is_vacuous: bool) {
        let source = format!(
            "import pytest\n\n\ndef helper(value):\n    assert value\n\n\ndef test_it(tmp_path):\n    {body}\n"
        );
        let expected: &[&str] = if is_vacuous { &["test_a.py::test_it"] } else { &[] };
        assert_eq!(vacuous_tests("python", "test_a.py", &source), expected, "{body}");
    }

    #[test]
    fn a_test_that_cannot_fail_by_an_assertion_is_vacuous() {
        for body in [
            "pass",
            "assert True",
            "assert 1 == 1",
            "assert not False",
            "assert 'done'",
            "assert (add(1, 2) == 3, 'a tuple is true')",
            "assert add(1, 2) == 3 or True",
            "result = 1\n    assert result == result",
            "print(add(1, 2))",
            "return\n    assert add(1, 2) == 3",
            "self.assertTrue(True)",
            "self.assertEqual(1, 1)",
            "expected = 3",
        ] {
            check(body, true);
        }
    }

    #[test]
    fn a_test_with_an_assertion_is_not() {
        for body in [
            "assert add(1, 2) == 3",
            "assert add(1, 2)",
            "assert add == add()",
            "with pytest.raises(ValueError):\n        add(1, 'a')",
            "self.assertEqual(add(1, 2), 3)",
            "mock.assert_called_once()",
            "pytest.fail('never')",
            "helper(add(1, 2))",
            "for n in range(3):\n        assert add(n, 0) == n",
            "if add(1, 2) != 3:\n        raise AssertionError",
            "assert 3 in [add(1, 2)]",
        ] {
            check(body, false);
        }
    }

    #[test]
    fn methods_have_the_names_of_the_report_and_helpers_may_use_helpers() {
        let source = "def low(x):\n    assert x\n\n\ndef high(x):\n    low(x)\n\n\nclass TestA:\n    def test_a(self):\n        pass\n\n    def test_b(self):\n        high(f())\n";
        assert_eq!(vacuous_tests("python", "tests/test_a.py", source), ["tests/test_a.py::TestA::test_a"]);
    }

    #[test]
    fn javascript_is_judged_by_the_file() {
        let head = "const { test } = require('node:test');\nconst assert = require('node:assert/strict');\n";
        for (body, is_vacuous) in [
            ("test('a', () => {});\n", true),
            ("test('a', () => { assert.ok(true); });\n", true),
            ("test('a', () => { assert( true ) });\n// assert.equal(f(), 1)\n", true),
            ("test('a', () => assert.equal(f(), 1));\n", false),
            ("test('a', () => { assert.throws(f); });\n", false),
        ] {
            let found = vacuous_tests("node", "a.test.js", &format!("{head}{body}"));
            assert_eq!(!found.is_empty(), is_vacuous, "{body}");
        }
    }
}
