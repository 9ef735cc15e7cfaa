//! Parses untrusted Python source.
//!
//! The parser and the drop of its tree recurse, so deep nesting would overflow the stack and abort the process. The depth is
//! therefore bounded first, and the parser runs on a thread with a large stack.

use std::thread;

use ruff_python_ast::{ModModule, PySourceType};
use ruff_python_parser::{Parsed, parse_unchecked_source};

use crate::depth_limit::python_depth;

/// Maximum depth of a tree. Each level has 21 KiB of [`STACK_BYTES`].
const MAX_DEPTH: usize = 3_000;
const STACK_BYTES: usize = 64 * 1024 * 1024;

/// Parses `source` and returns the result of `look`; `None` if it is nested too deeply to be parsed safely.
pub fn with_module<T: Send>(source: &str, look: impl FnOnce(&Parsed<ModModule>) -> T + Send) -> Option<T> {
    if python_depth(source) > MAX_DEPTH {
        return None;
    }
    thread::scope(|scope| {
        let parse = || look(&parse_unchecked_source(source, PySourceType::Python));
        let parser = thread::Builder::new().name("python-parser".to_owned()).stack_size(STACK_BYTES);
        parser.spawn_scoped(scope, parse).ok()?.join().ok()
    })
}

/// Returns whether `source` is Python without syntax errors.
pub fn is_valid(source: &str) -> bool {
    with_module(source, Parsed::has_valid_syntax).unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use ruff_python_ast::visitor::{Visitor, walk_expr, walk_stmt};
    use ruff_python_ast::{Expr, Stmt};

    use super::*;

    #[test]
    fn ordinary_code_is_parsed() {
        assert!(is_valid("def f(a, b=(1, [2])):\n    return {a: b}\n"));
        assert!(is_valid(&format!("x = [{}]\n", "1, ".repeat(100_000))));
        assert!(!is_valid("def f(:\n"));
    }

    const NESTED: &[&str] =
        &["(", "[", "{", "-", "not ", "lambda: ", "a if b else ", "1+", "a.", "a**", "f'{", "await ", "f(", "a[", "*"];

    #[test]
    fn bottomless_code_is_refused_and_does_not_abort_the_process() {
        for unit in NESTED.iter().chain(&["x = "]) {
            assert!(!is_valid(&unit.repeat(100_000)), "{unit}");
        }
        let blocks: String = (0..5_000).map(|depth| format!("{}if x:\n", " ".repeat(depth))).collect();
        assert!(with_module(&blocks, |_| ()).is_none());
    }

    #[derive(Default)]
    struct Counter(usize);

    impl<'a> Visitor<'a> for Counter {
        fn visit_stmt(&mut self, statement: &'a Stmt) {
            self.0 += 1;
            walk_stmt(self, statement);
        }

        fn visit_expr(&mut self, expression: &'a Expr) {
            self.0 += 1;
            walk_expr(self, expression);
        }
    }

    /// Parses, walks and drops a tree.
    fn nodes(source: &str) -> Option<usize> {
        with_module(source, |parsed| {
            let mut counter = Counter::default();
            parsed.syntax().body.iter().for_each(|statement| counter.visit_stmt(statement));
            counter.0
        })
    }

    #[test]
    fn trees_of_the_maximum_depth_fit_the_stack() {
        for unit in NESTED {
            let deepest = (1..=MAX_DEPTH).rev().step_by(10).map(|count| unit.repeat(count));
            let mut allowed = deepest.skip_while(|source| python_depth(source) > MAX_DEPTH);
            assert!(nodes(&allowed.next().expect("a shorter text")).is_some(), "{unit}");
        }
        let blocks: String = (0..MAX_DEPTH - 10).map(|depth| format!("{}if x:\n", " ".repeat(depth))).collect();
        assert!(nodes(&format!("{blocks}{}x\n", " ".repeat(MAX_DEPTH - 10))).expect("parsed") >= MAX_DEPTH - 10);
        let line = "if x: ".repeat(MAX_DEPTH / 2);
        assert!(nodes(&line).is_some());
    }
}
