//! Recognizes TypeScript and JSX in files of JavaScript, which Node.js rejects with a bare syntax error.

use source_text::grammar::{Deadline, Tree, tree, walk};

/// A language that contains JavaScript, and that Node.js does not run from a file of JavaScript.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// JavaScript with types.
    TypeScript,
    /// JavaScript or TypeScript with elements of markup.
    Jsx,
}

/// Returns the dialect of code that is not plain JavaScript; `None` if it is, or if it has other errors as well.
pub fn javascript_dialect(code: &str) -> Option<Dialect> {
    let deadline = Deadline::start();
    let is_valid =
        |language| tree(language, code, deadline).map(|(tree, _)| tree).filter(|it| !it.root_node().has_error());
    if let Some(tree) = is_valid("javascript") {
        return has_markup(&tree).then_some(Dialect::Jsx);
    }
    is_valid("typescript").map(|tree| if has_markup(&tree) { Dialect::Jsx } else { Dialect::TypeScript })
}

fn has_markup(tree: &Tree) -> bool {
    let mut has_markup = false;
    walk(tree, |node| has_markup |= matches!(node.kind(), "jsx_element" | "jsx_self_closing_element"));
    has_markup
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_and_markup_are_told_from_javascript_and_from_plain_errors() {
        for (code, expected) in [
            ("function add(a: number, b: number): number { return a + b }\n", Some(Dialect::TypeScript)),
            ("interface A { x: number }\nconst a = { x: 1 };\n", Some(Dialect::TypeScript)),
            ("import type { A } from './a';\nconst a = JSON.parse('1') as A;\n", Some(Dialect::TypeScript)),
            ("const page = <div class='a'>hi</div>;\n", Some(Dialect::Jsx)),
            ("const App = () => <><br/></>;\n", Some(Dialect::Jsx)),
            ("const App = ({ name }: { name: string }) => <b>{name}</b>;\n", Some(Dialect::Jsx)),
            ("const a = 1 < 2 && 3 > 2;\nconst html = '<div></div>';\n", None),
            ("function f( {\n", None),
            ("const a: number = ;\n", None),
            ("", None),
        ] {
            assert_eq!(javascript_dialect(code), expected, "{code}");
        }
    }
}
