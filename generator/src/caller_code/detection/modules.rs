//! Distinguishes ECMAScript modules from CommonJS, by the rule of Node.js from 22.7: syntax that only modules have.

use source_text::grammar::{Deadline, Node, tree};

/// Returns whether JavaScript has an import, an export, `import.meta` or an `await` outside of functions.
pub(crate) fn is_module(code: &str) -> bool {
    tree("javascript", code, Deadline::start()).is_some_and(|(tree, _)| has_module_syntax(tree.root_node()))
}

fn has_module_syntax(root: Node<'_>) -> bool {
    let mut cursor = root.walk();
    loop {
        let node = cursor.node();
        let is_for_await = node.kind() == "for_in_statement" && node.child(1).is_some_and(|it| it.kind() == "await");
        if is_for_await || matches!(node.kind(), "import_statement" | "export_statement" | "await_expression") {
            return true;
        }
        if node.kind() == "meta_property" && node.child(0).is_some_and(|first| first.kind() == "import") {
            return true;
        }
        if !is_function(node) && cursor.goto_first_child() {
            continue;
        }
        while !cursor.goto_next_sibling() {
            if !cursor.goto_parent() {
                return false;
            }
        }
    }
}

/// Returns whether an `await` inside of a node is not one of the module. Only the module's own level has imports.
fn is_function(node: Node<'_>) -> bool {
    matches!(
        node.kind(),
        "function_declaration"
            | "function_expression"
            | "generator_function"
            | "generator_function_declaration"
            | "arrow_function"
            | "method_definition"
            | "class_static_block"
            | "field_definition"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn syntax_of_modules_makes_a_module() {
        for code in [
            "import {\n  readFileSync,\n} from 'node:fs';\n",
            "import 'node:fs';\n",
            "import fs from \"fs\"\nconsole.log(fs)\n",
            "export default 1;\n",
            "export const a = 1;\n",
            "const r = await Promise.resolve(7);\n",
            "for await (const x of f()) console.log(x);\n",
            "if (true) { await f(); }\n",
            "console.log(import.meta.url);\n",
            "import fs from 'fs';\nconst broken = ;\n",
        ] {
            assert!(is_module(code), "{code}");
        }
        for code in [
            "/* import x from 'y'\nimport a from 'b' */\nconst fs = require('fs');\n",
            "const text = `\nimport x from 'y'\nexport default 1\n`;\n",
            "// await f();\nimport('node:fs').then(console.log);\n",
            "async function f() { await g(); }\n",
            "const f = async () => { for await (const x of g()) {} };\n",
            "class A { async f() { await g(); } }\n",
            "module.exports = { import: 1, export: 2 };\n",
            "var await = 1;\n",
            "",
        ] {
            assert!(!is_module(code), "{code}");
        }
    }
}
