//! Signs of Python in a text: its statements, and whether their names exist.

use std::collections::HashSet;
use std::ops::Range;

use ruff_python_ast::token::TokenKind;
use ruff_python_ast::visitor::{Visitor, walk_except_handler, walk_expr, walk_parameter, walk_pattern, walk_stmt};
use ruff_python_ast::{Alias, ExceptHandler, Expr, ExprContext, ModModule, Parameter, Pattern, Stmt, TypeParam};
use ruff_python_parser::Parsed;
use ruff_text_size::Ranged;
use source_text::python;

use super::python_builtins::BUILTINS;

/// Signs of Python in a text.
#[derive(Debug, Default)]
pub(crate) struct PythonEvidence {
    /// True if the text parses and every name that it uses is defined in it or built in.
    pub(crate) is_program: bool,
    /// True if the text parses and consists of literals and annotations, which do nothing.
    pub(crate) is_inert: bool,
    /// Weight of the statements that only Python has.
    pub(crate) signs: i32,
    /// Number of lines with a syntax error.
    pub(crate) error_lines: i32,
    /// Byte ranges of strings that span lines; their lines are no code in any language.
    pub(crate) long_strings: Vec<Range<usize>>,
    /// Byte ranges of all strings.
    pub(crate) strings: Vec<Range<usize>>,
}

/// Reads the evidence. Text that is nested too deeply to be parsed has none.
pub(crate) fn read(code: &str) -> PythonEvidence {
    python::with_module(code, |parsed| of_module(code, parsed)).unwrap_or_default()
}

fn of_module(code: &str, parsed: &Parsed<ModModule>) -> PythonEvidence {
    let line_of = line_index(code);
    let errors: HashSet<usize> =
        parsed.errors().iter().map(|error| line_of(error.location.start().to_usize())).collect();
    let body = &parsed.syntax().body;
    let mut reader = Reader { is_error: &|at| errors.contains(&line_of(at)), ..Reader::new(&|_| false) };
    body.iter().for_each(|statement| reader.visit_stmt(statement));
    let strings = strings(parsed);
    let is_long = |range: &&Range<usize>| code.get((*range).clone()).is_some_and(|text| text.contains('\n'));
    let is_valid = parsed.has_valid_syntax();
    let is_inert = is_valid && !body.is_empty() && body.iter().all(is_inert);
    PythonEvidence {
        is_program: is_valid && !is_inert && (reader.imports_all || reader.used.is_subset(&reader.bound)),
        is_inert,
        signs: reader.signs,
        error_lines: i32::try_from(errors.len()).unwrap_or(i32::MAX),
        long_strings: strings.iter().filter(is_long).cloned().collect(),
        strings,
    }
}

/// Returns a function from byte offsets to lines.
fn line_index(code: &str) -> impl Fn(usize) -> usize {
    let breaks: Vec<usize> = code.match_indices('\n').map(|(at, _)| at).collect();
    move |at| breaks.partition_point(|end| *end < at)
}

fn strings(parsed: &Parsed<ModModule>) -> Vec<Range<usize>> {
    let is_string =
        |kind: TokenKind| matches!(kind, TokenKind::String | TokenKind::FStringMiddle | TokenKind::TStringMiddle);
    let tokens = parsed.tokens().iter().filter(|token| is_string(token.kind()));
    tokens.map(|token| token.start().to_usize()..token.end().to_usize()).collect()
}

/// Returns whether a statement is data: a number, a container of literals, or an annotation without a value, as in YAML.
fn is_inert(statement: &Stmt) -> bool {
    match statement {
        Stmt::Expr(it) => {
            let is_text = it.value.is_string_literal_expr() || it.value.is_ellipsis_literal_expr();
            is_literal(&it.value) && !is_text
        }
        Stmt::AnnAssign(it) => it.value.is_none() && !it.annotation.is_name_expr(),
        _ => false,
    }
}

fn is_literal(expression: &Expr) -> bool {
    match expression {
        Expr::Dict(it) => {
            it.items.iter().all(|item| item.key.as_ref().is_some_and(is_literal) && is_literal(&item.value))
        }
        Expr::List(it) => it.elts.iter().all(is_literal),
        Expr::Tuple(it) => it.elts.iter().all(is_literal),
        Expr::Set(it) => it.elts.iter().all(is_literal),
        Expr::UnaryOp(it) => is_literal(&it.operand),
        other => other.is_literal_expr(),
    }
}

/// Collects names and signs. `is_error` says whether a byte is on a line with a syntax error.
struct Reader<'r> {
    is_error: &'r dyn Fn(usize) -> bool,
    bound: HashSet<String>,
    used: HashSet<String>,
    imports_all: bool,
    signs: i32,
}

impl<'r> Reader<'r> {
    fn new(is_error: &'r dyn Fn(usize) -> bool) -> Self {
        let bound = BUILTINS.iter().map(|name| (*name).to_owned()).collect();
        Self { is_error, bound, used: HashSet::new(), imports_all: false, signs: 0 }
    }

    fn bind(&mut self, name: &str) {
        self.bound.insert(name.to_owned());
    }

    fn bind_import(&mut self, alias: &Alias) {
        let name = alias.asname.as_ref().unwrap_or(&alias.name);
        self.imports_all |= name.as_str() == "*";
        self.bind(name.split('.').next().unwrap_or_default());
    }

    fn bind_statement(&mut self, statement: &Stmt) {
        match statement {
            Stmt::FunctionDef(it) => self.bind(&it.name),
            Stmt::ClassDef(it) => self.bind(&it.name),
            Stmt::Import(it) => it.names.iter().for_each(|alias| self.bind_import(alias)),
            Stmt::ImportFrom(it) => it.names.iter().for_each(|alias| self.bind_import(alias)),
            Stmt::Global(it) => it.names.iter().for_each(|name| self.bind(name)),
            _ => {}
        }
    }
}

/// Returns the weight of a statement as a sign of Python.
fn weight(statement: &Stmt) -> i32 {
    match statement {
        Stmt::FunctionDef(_) | Stmt::ClassDef(_) | Stmt::Import(_) | Stmt::ImportFrom(_) => 3,
        Stmt::For(_) | Stmt::While(_) | Stmt::If(_) | Stmt::With(_) | Stmt::Try(_) | Stmt::Match(_) => 2,
        Stmt::Assert(_) | Stmt::Raise(_) | Stmt::Pass(_) | Stmt::Return(_) | Stmt::Delete(_) | Stmt::AugAssign(_) => 1,
        Stmt::Expr(it) => match it.value.as_call_expr().and_then(|call| call.func.as_name_expr()) {
            Some(name) if name.id == "print" => 2,
            _ => 0,
        },
        _ => 0,
    }
}

impl<'a> Visitor<'a> for Reader<'_> {
    fn visit_stmt(&mut self, statement: &'a Stmt) {
        if !(self.is_error)(statement.start().to_usize()) {
            self.signs += weight(statement);
        }
        self.bind_statement(statement);
        walk_stmt(self, statement);
    }

    fn visit_expr(&mut self, expression: &'a Expr) {
        match expression {
            Expr::Name(it) if it.ctx == ExprContext::Load => {
                self.used.insert(it.id.to_string());
            }
            Expr::Name(it) => self.bind(&it.id),
            Expr::ListComp(_) | Expr::FString(_) | Expr::Lambda(_)
                if !(self.is_error)(expression.start().to_usize()) =>
            {
                self.signs += 1;
            }
            _ => {}
        }
        walk_expr(self, expression);
    }

    fn visit_parameter(&mut self, parameter: &'a Parameter) {
        self.bind(&parameter.name);
        walk_parameter(self, parameter);
    }

    fn visit_except_handler(&mut self, handler: &'a ExceptHandler) {
        let ExceptHandler::ExceptHandler(it) = handler;
        if let Some(name) = &it.name {
            self.bind(name);
        }
        walk_except_handler(self, handler);
    }

    fn visit_pattern(&mut self, pattern: &'a Pattern) {
        let name = match pattern {
            Pattern::MatchAs(it) => it.name.as_ref(),
            Pattern::MatchStar(it) => it.name.as_ref(),
            Pattern::MatchMapping(it) => it.rest.as_ref(),
            _ => None,
        };
        if let Some(name) = name {
            self.bind(name);
        }
        walk_pattern(self, pattern);
    }

    fn visit_type_param(&mut self, parameter: &'a TypeParam) {
        self.bind(parameter.name());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_defines_the_names_that_it_uses() {
        for code in [
            "print('hi')\n",
            "x = 1\n",
            "import os.path as p\nfor a, *b in p.walk('.'):\n    del a, b\n",
            "from math import *\nprint(sqrt(2))\n",
            "def f(a, *b, c=1, **d):\n    return [a + e for e in b if (g := c)], d, g\n",
            "try:\n    pass\nexcept OSError as error:\n    print(error, __name__, __file__)\n",
            "match [1]:\n    case [a, *b]:\n        print(a, b)\n    case {'k': v, **rest}:\n        print(v, rest)\n",
            "class A[T]:\n    def f(self) -> T: ...\n",
            "with open('x') as f:\n    g = lambda n: f.read(n)\n",
            "global count\ncount = 1\n",
            "'''A docstring.'''\n",
            "1 + 1\n",
        ] {
            assert!(read(code).is_program, "{code}");
        }
        for code in
            ["ls -la\n", "console.log(1)\n", "puts('hi')\n", "x <- c(1, 2)\n", "print(", "{'a': 1}\n", "a: 1\nb: 2\n"]
        {
            assert!(!read(code).is_program, "{code}");
        }
        assert!(read("{'a': [1, -2]}\n").is_inert && read("a: 1\nb: 'x'\n").is_inert && read("1, 2\n3, 4\n").is_inert);
        assert!(!read("a: int\n").is_inert && !read("[f()]\n").is_inert && !read("").is_inert);
    }

    #[test]
    fn statements_beside_an_error_are_signs() {
        let broken = read("import os\ndef f(a):\n    return a\nprint('x'\n");
        assert!(!broken.is_program && broken.signs >= 7, "{broken:?}");
        let other = read("import fs from 'fs'\nfor i in 1 2; do echo; done\n");
        assert!(other.signs == 0 && other.error_lines == 2, "{other:?}");
        let text = "s = '''\nexport A=b\n'''\nprint(s\n";
        let found = read(text).long_strings;
        assert_eq!(found.iter().map(|range| &text[range.clone()]).collect::<Vec<_>>(), ["'''\nexport A=b\n'''"]);
    }
}
