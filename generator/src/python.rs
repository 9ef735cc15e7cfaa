//! Parses untrusted Python source.
//!
//! The parser and the drop of its tree recurse, so deep nesting would overflow the stack and abort the process. Depth
//! is
//! therefore bounded first by the lexer, which does not recurse, and the parser runs on a thread with a large stack.

use std::collections::BTreeSet;
use std::thread;

use ruff_python_ast::token::TokenKind;
use ruff_python_ast::{ModModule, PySourceType};
use ruff_python_parser::lexer::lex;
use ruff_python_parser::{Mode, Parsed, parse_unchecked_source};
use ruff_text_size::Ranged;

const STACK_BYTES: usize = 64 * 1024 * 1024;
/// CPython's own limits are 200 nested brackets and 100 nested blocks.
const MAX_BRACKETS: usize = 200;
const MAX_BLOCKS: usize = 100;
/// Maximum tokens of one expression, brackets included: an upper bound of its depth.
const MAX_EXPRESSION_TOKENS: usize = 3_000;

/// Parses `source` and returns the result of `look`; `None` if it is nested too deeply to be parsed safely.
pub(crate) fn with_module<T: Send>(source: &str, look: impl FnOnce(&Parsed<ModModule>) -> T + Send) -> Option<T> {
    if is_too_deep(source) {
        return None;
    }
    thread::scope(|scope| {
        let parse = || look(&parse_unchecked_source(source, PySourceType::Python));
        let parser = thread::Builder::new().name("python-parser".to_owned()).stack_size(STACK_BYTES);
        parser.spawn_scoped(scope, parse).ok()?.join().ok()
    })
}

/// Returns the names of the functions and classes that `source` defines at its top level.
pub(crate) fn definitions(source: &str) -> Vec<String> {
    let collect = |parsed: &Parsed<ModModule>| {
        let body = parsed.syntax().body.iter();
        let functions =
            body.clone().filter_map(|statement| statement.as_function_def_stmt()).map(|it| it.name.to_string());
        functions.chain(body.filter_map(|it| it.as_class_def_stmt()).map(|it| it.name.to_string())).collect()
    };
    with_module(source, collect).unwrap_or_default()
}

/// Returns imported names, called functions, keywords and the names of some operators, in lower case.
pub(crate) fn code_elements(source: &str) -> BTreeSet<String> {
    let collect = |parsed: &Parsed<ModModule>| {
        let mut found = BTreeSet::new();
        let (mut importing, mut last, mut open) = (false, None, Vec::new());
        let mut in_string = false;
        for token in parsed.tokens() {
            let kind = token.kind();
            let text = source[token.range()].to_lowercase();
            let name = (kind == TokenKind::Name).then(|| text.clone());
            importing = matches!(kind, TokenKind::From | TokenKind::Import) || importing && kind != TokenKind::Newline;
            if matches!(kind, TokenKind::Lpar | TokenKind::Lsqb | TokenKind::Lbrace) {
                open.push(kind);
            } else if matches!(kind, TokenKind::Rpar | TokenKind::Rsqb | TokenKind::Rbrace) {
                open.pop();
            }
            if kind == TokenKind::Lpar {
                found.extend(last.take());
            }
            if kind.is_keyword() || importing {
                found.insert(text);
            }
            let named = OPERATOR_NAMES.iter().filter(|(operator, _)| *operator == kind);
            found.extend(named.flat_map(|(_, names)| *names).map(|name| (*name).to_owned()));
            if kind == TokenKind::Colon && open.last() == Some(&TokenKind::Lsqb) {
                found.extend(["slicing", "slices", "slice"].map(str::to_owned));
            }
            if kind == TokenKind::Lbrace && !in_string {
                found.extend(["dict", "dictionary", "dictionaries"].map(str::to_owned));
            }
            in_string = matches!(kind, TokenKind::FStringStart | TokenKind::FStringMiddle);
            last = name;
        }
        if found.contains("sorted") || found.contains("sort") {
            found.insert("sorting".to_owned());
        }
        found
    };
    with_module(source, collect).unwrap_or_default()
}

/// Words by which a goal excludes an operator or a keyword.
const OPERATOR_NAMES: &[(TokenKind, &[&str])] = &[
    (TokenKind::Percent, &["modulo", "modulus", "mod"]),
    (TokenKind::Slash, &["division", "dividing"]),
    (TokenKind::DoubleSlash, &["division", "dividing"]),
    (TokenKind::Plus, &["plus", "addition"]),
    (TokenKind::Def, &["function", "functions"]),
    (TokenKind::Class, &["class", "classes"]),
    (TokenKind::If, &["conditionals", "conditional", "ifs"]),
];

/// Returns whether `source` is Python without syntax errors.
pub(crate) fn is_valid(source: &str) -> bool {
    with_module(source, Parsed::has_valid_syntax).unwrap_or(false)
}

fn is_too_deep(source: &str) -> bool {
    let mut lexer = lex(source, Mode::Module);
    // For each open bracket, the tokens of its expression before it.
    let mut open: Vec<usize> = Vec::new();
    let (mut tokens, mut blocks) = (0_usize, 0_usize);
    loop {
        let kind = lexer.next_token();
        if kind == TokenKind::EndOfFile {
            return false;
        }
        if matches!(kind, TokenKind::Lpar | TokenKind::Lsqb | TokenKind::Lbrace) {
            open.push(tokens);
            tokens += 1;
        } else if matches!(kind, TokenKind::Rpar | TokenKind::Rsqb | TokenKind::Rbrace) {
            tokens = open.pop().unwrap_or(tokens) + 1;
        } else if kind == TokenKind::Comma {
            tokens = open.last().map_or(0, |before| before + 1);
        } else if kind == TokenKind::Newline {
            open.clear();
            tokens = 0;
        } else if kind == TokenKind::Indent {
            blocks += 1;
        } else if kind == TokenKind::Dedent {
            blocks = blocks.saturating_sub(1);
        } else {
            tokens += 1;
        }
        if open.len() > MAX_BRACKETS || blocks > MAX_BLOCKS || tokens > MAX_EXPRESSION_TOKENS {
            return true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_code_is_parsed() {
        assert!(is_valid("def f(a, b=(1, [2])):\n    return {a: b}\n"));
        assert!(is_valid(&format!("x = [{}]\n", "1, ".repeat(100_000))));
        assert!(!is_valid("def f(:\n"));
    }

    #[test]
    fn ingredients_are_imports_calls_keywords_and_operators() {
        let source =
            "from collections import OrderedDict\nimport heapq as h\nx = sorted(h.pop(y))[::2]\nz = unused % 2\n";
        let found = code_elements(source);
        for ingredient in ["collections", "ordereddict", "heapq", "pop", "sorted", "sorting", "slicing", "modulo"] {
            assert!(found.contains(ingredient), "{ingredient}: {found:?}");
        }
        for absent in ["unused", "y", "division", "if"] {
            assert!(!found.contains(absent), "{absent}: {found:?}");
        }
    }

    #[test]
    fn bottomless_code_is_refused_and_does_not_abort_the_process() {
        for unit in
            ["(", "[", "{", "-", "not ", "lambda: ", "a if b else ", "1+", "a.", "a**", "f'{", "await ", "x = ", "*"]
        {
            assert!(!is_valid(&unit.repeat(100_000)), "{unit}");
        }
        let blocks: String = (0..2_000).map(|depth| format!("{}if x:\n", " ".repeat(depth))).collect();
        assert!(!is_valid(&blocks));
    }
}
