//! Signs of a language in the syntax tree that its grammar gives to a text.

use std::collections::HashSet;
use std::ops::Range;

use source_text::grammar::{Deadline, Node, tree, walk};

/// Signs of a language in a text.
#[derive(Debug)]
pub(crate) struct GrammarEvidence {
    /// Weight of the constructs that hardly any other language has.
    pub(crate) signs: i32,
    /// Number of lines with a syntax error.
    pub(crate) error_lines: i32,
    /// Byte ranges of strings and comments.
    pub(crate) strings: Vec<Range<usize>>,
}

/// Parses a text as a language; `None` if the parser was stopped.
pub(crate) fn read(language: &str, code: &str, deadline: Deadline) -> Option<GrammarEvidence> {
    let (tree, text) = tree(language, code, deadline)?;
    let (mut signs, mut errors, mut strings) = (0, HashSet::new(), Vec::new());
    walk(&tree, |node| {
        if node.is_error() || node.is_missing() {
            // An error that spans the text leaves its inner nodes intact.
            let last = if node.child_count() > 0 { node.start_position().row } else { node.end_position().row };
            errors.extend(node.start_position().row..=last);
        } else if is_text(node) {
            strings.push(node.byte_range());
        } else if !node.has_error() {
            signs += weight(language, node, &text);
        }
    });
    errors.extend(text.lines().enumerate().filter(|(_, line)| is_foreign(language, line.trim_start())).map(|it| it.0));
    let error_lines = i32::try_from(errors.len()).unwrap_or(i32::MAX);
    Some(GrammarEvidence { signs, error_lines, strings })
}

/// Returns whether a line begins like a comment of other languages, in which the grammar may find commands.
fn is_foreign(language: &str, line: &str) -> bool {
    match language {
        "bash" => {
            line.starts_with("//")
                || line.starts_with("/* ")
                || line.starts_with("-- ")
                || line.starts_with('$') && line.contains(" = ")
        }
        "lua" => line.starts_with("//") || line.starts_with("/*") || line.starts_with('#') && !line.starts_with("#!"),
        _ => false,
    }
}

fn is_text(node: Node<'_>) -> bool {
    matches!(
        node.kind(),
        "comment" | "string" | "raw_string" | "heredoc_body" | "string_fragment" | "string_content" | "regex_pattern"
    )
}

fn weight(language: &str, node: Node<'_>, text: &str) -> i32 {
    match language {
        "bash" => of_bash(node, text),
        "lua" => of_lua(node, text),
        "typescript" => of_typescript(node).max(of_javascript(node, text)),
        "go" => of_go(node),
        "rust" => of_rust(node),
        _ => of_javascript(node, text),
    }
}

fn content<'t>(node: Node<'_>, text: &'t str) -> &'t str {
    text.get(node.byte_range()).unwrap_or_default()
}

/// Returns the name that a node begins with. A node's parent is not asked for: finding it takes time with the depth.
fn first_name<'t>(node: Node<'_>, text: &'t str) -> &'t str {
    node.child(0).filter(|first| first.kind() == "identifier").map_or("", |first| content(first, text))
}

/// Objects of JavaScript whose members are used wherever it runs.
const JAVASCRIPT_OBJECTS: &[&str] = &[
    "console",
    "process",
    "document",
    "window",
    "module",
    "globalThis",
    "JSON",
    "Promise",
    "Object",
    "Math",
    "Array",
    "exports",
    "Symbol",
];

fn of_javascript(node: Node<'_>, text: &str) -> i32 {
    match node.kind() {
        "lexical_declaration"
        | "variable_declaration"
        | "function_declaration"
        | "generator_function_declaration"
        | "class_declaration"
        | "import_statement"
        | "export_statement" => 3,
        "arrow_function" | "function_expression" | "template_string" | "new_expression" | "===" | "!==" => 2,
        "await_expression" | "update_expression" | "throw_statement" | "switch_statement" | "ternary_expression" => 1,
        "member_expression" if JAVASCRIPT_OBJECTS.contains(&first_name(node, text)) => 3,
        "call_expression" if first_name(node, text) == "require" => 3,
        _ => 0,
    }
}

fn of_typescript(node: Node<'_>) -> i32 {
    match node.kind() {
        "interface_declaration" | "type_alias_declaration" | "enum_declaration" | "type_annotation" => 3,
        "as_expression" | "non_null_expression" | "accessibility_modifier" | "type_arguments" => 2,
        _ => 0,
    }
}

fn of_go(node: Node<'_>) -> i32 {
    match node.kind() {
        "package_clause" => 4,
        "function_declaration" | "method_declaration" | "import_declaration" | "type_declaration" => 3,
        "short_var_declaration" | "defer_statement" | "go_statement" => 2,
        _ => 0,
    }
}

fn of_rust(node: Node<'_>) -> i32 {
    match node.kind() {
        "function_item" | "impl_item" | "use_declaration" | "struct_item" | "enum_item" | "trait_item" => 3,
        "let_declaration" | "macro_invocation" | "attribute_item" | "match_expression" | "lifetime" => 2,
        _ => 0,
    }
}

fn of_bash(node: Node<'_>, text: &str) -> i32 {
    match node.kind() {
        "command_name" if SHELL_COMMANDS.contains(&content(node, text)) => 3,
        // `local x = 1` is Lua.
        "declaration_command" if !content(node, text).contains(" = ") => 2,
        "if_statement"
        | "for_statement"
        | "while_statement"
        | "case_statement"
        | "c_style_for_statement"
        | "function_definition" => 3,
        // `[section]` heads settings.
        "test_command"
            if content(node, text).starts_with(['[', '(']) && content(node, text)[1..].starts_with(['[', '(', ' ']) =>
        {
            2
        }
        "heredoc_redirect" | "command_substitution" => 2,
        "simple_expansion" | "expansion" => 1,
        _ => 0,
    }
}

/// Functions and libraries of Lua.
const LUA_GLOBALS: &[&str] = &[
    "ipairs",
    "pairs",
    "tostring",
    "tonumber",
    "setmetatable",
    "getmetatable",
    "pcall",
    "select",
    "rawget",
    "unpack",
    "io",
    "string",
    "table",
    "os",
    "math",
    "coroutine",
    "utf8",
    "_G",
    "_VERSION",
];

fn of_lua(node: Node<'_>, text: &str) -> i32 {
    match node.kind() {
        "variable_declaration"
        | "function_declaration"
        | "for_statement"
        | "if_statement"
        | "while_statement"
        | "repeat_statement" => 3,
        "function_definition" | ".." | "~=" | "#" => 2,
        "nil" => 1,
        "function_call" | "dot_index_expression" if LUA_GLOBALS.contains(&first_name(node, text)) => 2,
        // Python prints by the same call.
        "function_call" if first_name(node, text) == "print" => 1,
        _ => 0,
    }
}

/// Commands that people run in shells.
const SHELL_COMMANDS: &[&str] = &[
    ":",
    "[",
    "alias",
    "apt",
    "awk",
    "base32",
    "base64",
    "basename",
    "bash",
    "bc",
    "brew",
    "cargo",
    "cat",
    "cc",
    "cd",
    "chgrp",
    "chmod",
    "chown",
    "cksum",
    "clear",
    "cmake",
    "cmp",
    "column",
    "comm",
    "command",
    "cp",
    "crontab",
    "csplit",
    "curl",
    "cut",
    "date",
    "dd",
    "declare",
    "df",
    "diff",
    "diff3",
    "dirname",
    "dnf",
    "docker",
    "du",
    "echo",
    "egrep",
    "env",
    "eval",
    "exec",
    "exit",
    "expand",
    "export",
    "expr",
    "factor",
    "false",
    "fgrep",
    "file",
    "find",
    "fmt",
    "fold",
    "free",
    "gcc",
    "getopts",
    "git",
    "go",
    "grep",
    "gunzip",
    "gzip",
    "head",
    "history",
    "hostname",
    "id",
    "join",
    "jq",
    "kill",
    "kubectl",
    "less",
    "let",
    "ln",
    "local",
    "logger",
    "ls",
    "man",
    "mapfile",
    "md5sum",
    "mkdir",
    "mkfifo",
    "mktemp",
    "more",
    "mount",
    "mv",
    "nano",
    "nl",
    "node",
    "nohup",
    "npm",
    "nproc",
    "npx",
    "numfmt",
    "od",
    "openssl",
    "paste",
    "ping",
    "pip",
    "pip3",
    "pnpm",
    "popd",
    "pr",
    "printenv",
    "printf",
    "ps",
    "pushd",
    "pwd",
    "python",
    "python3",
    "read",
    "readlink",
    "readonly",
    "realpath",
    "rev",
    "rm",
    "rmdir",
    "rsync",
    "scp",
    "sed",
    "seq",
    "service",
    "set",
    "sh",
    "sha1sum",
    "sha256sum",
    "sha512sum",
    "shift",
    "shopt",
    "shuf",
    "sleep",
    "sort",
    "source",
    "split",
    "ssh",
    "stat",
    "sudo",
    "sync",
    "systemctl",
    "tac",
    "tail",
    "tar",
    "tee",
    "test",
    "timeout",
    "top",
    "touch",
    "tput",
    "tr",
    "trap",
    "tree",
    "true",
    "truncate",
    "tsort",
    "type",
    "ulimit",
    "uname",
    "unexpand",
    "uniq",
    "unset",
    "unzip",
    "vi",
    "vim",
    "wait",
    "wc",
    "wget",
    "which",
    "whoami",
    "xargs",
    "xxd",
    "yarn",
    "yum",
    "zip",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(language: &str, code: &str, signs: std::ops::RangeInclusive<i32>, error_lines: i32) {
        let found = read(language, code, Deadline::start()).expect("is parsed");
        assert!(signs.contains(&found.signs) && found.error_lines == error_lines, "{code}: {found:?}");
    }

    #[test]
    fn constructs_count_and_words_in_strings_do_not() {
        check("javascript", "const a = 1;\nconsole.log(a);\n", 6..=6, 0);
        check("javascript", "x = 'const a = 1; console.log(a)'; // let b = 1;\n", 0..=0, 0);
        check("javascript", "const a = ;\nconst b = 1;\n", 3..=6, 1);
        check("bash", "for i in 1 2; do echo \"$i\"; done\n", 7..=7, 0);
        check("bash", "cat <<'EOF'\necho hi\nEOF\n", 5..=5, 0);
        check("bash", "words = of prose\n", 0..=0, 0);
        check("lua", "local t = {1}\nfor i, v in ipairs(t) do print(i .. v) end\n", 10..=12, 0);
        check("lua", "s = 'local x = 1 .. 2' -- local y\n", 0..=0, 0);
        check("typescript", "interface P { name: string }\nconst p: P = { name: 'x' };\n", 9..=12, 0);
    }
}
