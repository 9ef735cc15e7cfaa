//! The elements of a recipe's code by which a goal may exclude or require it.

use std::collections::BTreeSet;

use ruff_python_ast::ModModule;
use ruff_python_ast::token::TokenKind;
use ruff_python_parser::Parsed;
use ruff_text_size::Ranged;
use source_text::python;

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
    python::with_module(source, collect).unwrap_or_default()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_imports_calls_keywords_and_operators() {
        let source =
            "from collections import OrderedDict\nimport heapq as h\nx = sorted(h.pop(y))[::2]\nz = unused % 2\n";
        let found = code_elements(source);
        for element in ["collections", "ordereddict", "heapq", "pop", "sorted", "sorting", "slicing", "modulo"] {
            assert!(found.contains(element), "{element}: {found:?}");
        }
        for absent in ["unused", "y", "division", "if"] {
            assert!(!found.contains(absent), "{absent}: {found:?}");
        }
    }
}
