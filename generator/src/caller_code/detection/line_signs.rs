//! Lines of SQL, of languages that are refused, and of Python and JavaScript with errors.

use source_text::languages::{Language, by_name};

/// Lines that hardly any other language has: a name of the language, the start of a trimmed line, and a text that the
/// line holds as well.
const LINES: &[(&str, &str, &str)] = &[
    ("python", "from ", " import "),
    ("python", "elif ", ":"),
    ("python", "if __name__", ":"),
    ("python", "\"\"\"", ""),
    ("javascript", "function ", "{"),
    ("javascript", "console.log(", ""),
    ("c", "#include <", ">"),
    ("c", "#include \"", ""),
    ("c", "int main(", ""),
    ("cpp", "std::", ""),
    ("cpp", "using namespace ", ";"),
    ("cpp", "#include <iostream>", ""),
    ("csharp", "using System", ";"),
    ("csharp", "namespace ", ""),
    ("csharp", "static void Main(", ""),
    ("csharp", "public ", "{ get;"),
    ("csharp", "public static class ", ""),
    ("csharp", "private readonly ", ""),
    ("csharp", "internal ", ""),
    ("csharp", "public string ", "("),
    ("csharp", "public static int ", "("),
    ("java", "public class ", ""),
    ("java", "public static void ", "("),
    ("java", "import java", ";"),
    ("java", "System.out.", "("),
    ("go", "fmt.Print", "("),
    ("rust", "fn ", "{"),
    ("rust", "pub fn ", "{"),
    ("rust", "let mut ", ""),
    ("rust", "println!(", ""),
    ("rust", "impl ", "{"),
    ("rust", "use std::", ";"),
    ("kotlin", "fun ", "("),
    ("kotlin", "val ", "="),
    ("kotlin", "data class ", "("),
    ("scala", "object ", "{"),
    ("scala", "object ", " extends App"),
    ("scala", "case class ", "("),
    ("scala", "def main(args: Array", ""),
    ("swift", "import Foundation", ""),
    ("swift", "import SwiftUI", ""),
    ("swift", "guard let ", ""),
    ("swift", "if let ", "{"),
    ("swift", "func ", "->"),
    ("ruby", "puts ", ""),
    ("ruby", "puts(", ""),
    ("ruby", "require '", ""),
    ("ruby", "require_relative ", ""),
    ("ruby", "attr_accessor ", ""),
    ("ruby", "attr_reader ", ""),
    ("ruby", "elsif ", ""),
    ("perl", "use strict", ";"),
    ("perl", "use warnings", ";"),
    ("perl", "my $", ";"),
    ("perl", "my @", ";"),
    ("perl", "my %", ";"),
    ("perl", "sub ", "{"),
    ("php", "<?php", ""),
    ("php", "<?=", ""),
    ("r", "library(", ")"),
    ("r", "suppressPackageStartupMessages(", ""),
    ("haskell", "import qualified ", ""),
    ("haskell", "import Data.", ""),
    ("haskell", "module ", " where"),
    ("haskell", "main = do", ""),
    ("haskell", "main = put", ""),
    ("haskell", "main = print", ""),
    ("haskell", "data ", " deriving"),
    ("powershell", "Write-Host ", ""),
    ("powershell", "Write-Output ", ""),
    ("powershell", "param(", "$"),
    ("powershell", "[CmdletBinding", ""),
    ("powershell", "foreach ($", " in "),
    ("elixir", "defmodule ", " do"),
    ("elixir", "IO.puts", ""),
    ("erlang", "-module(", ")."),
    ("clojure", "(defn ", ""),
    ("clojure", "(ns ", ""),
    ("clojure", "(println ", ""),
    ("dart", "void main(", ""),
    ("dart", "import 'dart:", ""),
    ("dart", "import 'package:", ""),
    ("julia", "using ", "LinearAlgebra"),
    ("julia", "println(", ""),
    ("ocaml", "let () =", ""),
    ("ocaml", "let rec ", "="),
    ("ocaml", "print_endline ", ""),
    ("fsharp", "printfn ", ""),
    ("fortran", "end program", ""),
    ("fortran", "implicit none", ""),
    ("cobol", "IDENTIFICATION DIVISION", ""),
    ("zig", "const std = @import(", ""),
    ("solidity", "pragma solidity", ""),
    ("solidity", "contract ", "{"),
];

/// Texts within a line that hardly any other language has.
const PARTS: &[(&str, &str)] = &[
    ("csharp", "Console.WriteLine("),
    ("java", "System.out.print"),
    ("java", "String[] args"),
    ("cpp", "std::cout"),
    ("cpp", "std::endl"),
    ("ruby", ".each do |"),
    ("ruby", ".map { |"),
    ("ruby", ".times do"),
    ("kotlin", "fun main("),
    ("r", "<- function("),
    ("r", "<-function("),
    ("r", "<-c("),
    ("r", " %>% "),
    ("haskell", " :: IO"),
    ("rust", "println!("),
    ("rust", ".unwrap()"),
    ("perl", "print STDERR "),
];

/// Weight of one line.
const WEIGHT: i32 = 4;

/// Returns the language of which a text has most lines, and their weight.
pub(crate) fn read(code: &str) -> Option<(&'static Language, i32)> {
    let mut found: Vec<(&str, i32)> = Vec::new();
    let mut count = |name| match found.iter_mut().find(|(counted, _)| *counted == name) {
        Some((_, weight)) => *weight += WEIGHT,
        None => found.push((name, WEIGHT)),
    };
    let code = &without_c_comments_and_strings(code);
    let ends_blocks = code.lines().any(|line| line.trim() == "end");
    let is_comment = |line: &&str| line.starts_with("# ") || line.starts_with("-- ");
    for line in code.lines().map(str::trim).filter(|line| !is_comment(line)) {
        if ends_blocks && is_ruby_method(line) {
            count("ruby");
        }
        let starts = LINES.iter().filter(|(_, start, holds)| {
            line.strip_prefix(start).is_some_and(|rest| holds.is_empty() || rest.contains(holds))
        });
        starts.for_each(|(name, ..)| count(name));
        PARTS.iter().filter(|(_, part)| line.contains(part)).for_each(|(name, _)| count(name));
        of_form(line).into_iter().for_each(&mut count);
    }
    // Nearly all lines of C are lines of C++ as well.
    let of_c = found.iter().find(|(name, _)| *name == "c").map_or(0, |(_, weight)| *weight);
    found.iter_mut().filter(|(name, _)| *name == "cpp").for_each(|(_, weight)| *weight += of_c);
    let (name, weight) = found.into_iter().reduce(|best, other| if other.1 > best.1 { other } else { best })?;
    by_name(name).map(|language| (language, weight))
}

/// Returns a text without comments as C has them, and with empty double-quoted strings: they may name any language.
///
/// In other languages `//` is an operator and `/*` part of a pattern, hence the conditions for what is before them.
fn without_c_comments_and_strings(code: &str) -> String {
    let last_end = code.rfind("*/");
    let (mut kept, mut is_comment, mut offset) = (String::with_capacity(code.len()), false, 0);
    for line in code.split_inclusive('\n') {
        let last_end = last_end.and_then(|end| end.checked_sub(offset));
        is_comment = copy_line(line, is_comment, last_end, &mut kept);
        offset += line.len();
    }
    kept
}

/// Copies a line without comments and the content of strings; returns whether a comment goes on after it. `last_end` is the
/// offset of the last end of a comment in the rest of the text.
fn copy_line(line: &str, mut is_comment: bool, last_end: Option<usize>, kept: &mut String) -> bool {
    let (start, mut rest, mut has_strings) = (kept.len(), line, true);
    loop {
        if is_comment {
            let Some(end) = rest.find("*/") else {
                kept.push('\n');
                return true;
            };
            rest = &rest[end + 2..];
            is_comment = false;
        }
        let Some(at) = rest.find(['"', '/']) else {
            kept.push_str(rest);
            return false;
        };
        kept.push_str(&rest[..at]);
        rest = &rest[at..];
        let before = &kept[start..];
        let is_closed = last_end.is_some_and(|end| end > line.len() - rest.len());
        if rest.starts_with("//") && before.trim_end().chars().next_back().is_none_or(|c| ";{},".contains(c)) {
            kept.push('\n');
            return false;
        }
        if rest.starts_with("/*") && is_closed && before.chars().next_back().is_none_or(char::is_whitespace) {
            (rest, is_comment) = (&rest[2..], true);
            continue;
        }
        let is_character = before.ends_with('\'') && rest.starts_with("\"'");
        let string = if has_strings && !is_character { string_length(rest) } else { None };
        has_strings &= string.is_some() || is_character || !rest.starts_with('"');
        let (text, length) = string.map_or((&rest[..1], 1), |length| ("\"\"", length));
        kept.push_str(text);
        rest = &rest[length..];
    }
}

/// Returns the length of the double-quoted string that begins a text and ends on its line.
fn string_length(text: &str) -> Option<usize> {
    let inner = text.strip_prefix('"')?;
    let mut is_escaped = false;
    let end = inner.find(|c| {
        let is_end = c == '"' && !is_escaped;
        is_escaped = c == '\\' && !is_escaped;
        is_end
    })?;
    Some(end + 2)
}

/// Returns the language of a line by its form: a Perl or PowerShell variable, an assignment of R, a signature of Haskell.
fn of_form(line: &str) -> Option<&'static str> {
    let word =
        |text: &str| !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | '\''));
    if let Some((name, _)) = line.strip_prefix('$').and_then(|rest| rest.split_once(" = ")) {
        return word(name).then_some(if line.ends_with(';') { "php" } else { "powershell" });
    }
    if line.split_once(" <- ").is_some_and(|(name, _)| word(name)) {
        return Some("r");
    }
    if line
        .split_once(" :: ")
        .is_some_and(|(name, kind)| word(name) && kind.starts_with(|c: char| c.is_alphabetic() || c == '[' || c == '('))
    {
        return Some("haskell");
    }
    if line.split([' ', '(', '=', '|', '{']).any(is_cmdlet) {
        return Some("powershell");
    }
    None
}

/// Returns whether a line begins a method of Ruby, which has no colon.
fn is_ruby_method(line: &str) -> bool {
    line.strip_prefix("def ").is_some_and(|method| !method.contains([':', '=', '{']))
}

/// Matches commands of PowerShell, such as `Get-ChildItem`.
fn is_cmdlet(word: &str) -> bool {
    const VERBS: &[&str] = &[
        "Get",
        "Set",
        "New",
        "Remove",
        "Write",
        "Read",
        "Import",
        "Export",
        "Invoke",
        "Start",
        "Stop",
        "Test",
        "Select",
        "Where",
        "ForEach",
        "Sort",
        "Out",
        "Add",
        "ConvertTo",
        "ConvertFrom",
        "Join",
        "Split",
        "Measure",
        "Format",
    ];
    word.split_once('-').is_some_and(|(verb, noun)| {
        VERBS.contains(&verb)
            && noun.len() > 2
            && noun.starts_with(|c: char| c.is_ascii_uppercase())
            && noun.chars().all(char::is_alphanumeric)
    })
}

/// First words of statements of SQL, and what the statement has to hold as well.
const SQL: &[(&str, &[&str])] = &[
    ("select", &[]),
    ("with", &[" as (", " as("]),
    ("values", &["("]),
    ("insert", &[" into "]),
    ("replace", &[" into "]),
    ("update", &[" set "]),
    ("delete", &[" from "]),
    ("create", &[" table", " view", " index", " trigger", " temp", " unique", " virtual"]),
    ("drop", &[" table", " view", " index", " trigger"]),
    ("alter", &[" table "]),
    ("pragma", &[]),
    ("begin", &[";", " transaction"]),
    ("explain", &[" select", " query"]),
    ("attach", &[" as "]),
    (".mode", &[]),
    (".headers", &[]),
];

/// Returns the weight of a text as SQL: of its first statement, and of its further lines that begin with a keyword.
pub(crate) fn of_sql(code: &str) -> i32 {
    const CLAUSES: &[&str] = &[
        "from ",
        "where ",
        "group by ",
        "order by ",
        "having ",
        "join ",
        "left join ",
        "inner join ",
        "limit ",
        "union",
        "values",
        "set ",
        "on ",
        "primary key",
    ];
    let code = without_sql_comments(code).to_lowercase();
    let first: String = code.split_whitespace().take(60).collect::<Vec<_>>().join(" ");
    let begins = |text: &str| {
        SQL.iter().any(|(word, holds)| {
            let rest = text.strip_prefix(word);
            rest.is_some_and(|rest| {
                let ends =
                    rest.starts_with([' ', '(', ';', '*', '\'', '"']) && !rest.trim_start().starts_with(['=', '.']);
                ends && (holds.is_empty() || holds.iter().any(|text| rest.contains(text)))
            })
        })
    };
    // `select x in a b; do` is a loop of a shell.
    if !begins(&first) || first.starts_with("select ") && first.contains("; do") {
        return 0;
    }
    let lines = code.lines().map(str::trim).skip(1);
    let more = lines.filter(|line| begins(line) || CLAUSES.iter().any(|clause| line.starts_with(clause))).count();
    WEIGHT + 2 * i32::try_from(more).unwrap_or(i32::MAX / 4)
}

fn without_sql_comments(code: &str) -> String {
    let mut rest = code.trim_start_matches('\u{feff}');
    let mut text = String::with_capacity(rest.len());
    while let Some(at) = rest.find("/*") {
        text.push_str(&rest[..at]);
        rest = rest[at..].find("*/").map_or("", |end| &rest[at + end + 2..]);
    }
    text.push_str(rest);
    let lines = text.lines().filter(|line| !line.trim_start().starts_with("--"));
    lines.collect::<Vec<_>>().join("\n").trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_of_sql_count() {
        for code in [
            "SELECT 1 + 1 AS two",
            "/* all\n*/ select 1;",
            "-- a\nVALUES (1,'a');",
            "with a as (select 1) select * from a;",
            "BEGIN;\nCREATE TABLE t(a);\nCOMMIT;\n",
            "pragma user_version;",
            "create temp table t as select 1;",
        ] {
            assert!(of_sql(code) >= WEIGHT, "{code}");
        }
        for code in [
            "SELECT = 'x'",
            "with open('x') as f:\n",
            "select x in a b; do echo; done",
            "values = 1",
            "update()",
            "begin",
            "",
        ] {
            assert_eq!(of_sql(code), 0, "{code}");
        }
    }

    #[test]
    fn lines_of_other_languages_count() {
        for (code, expected) in [
            ("use strict;\nmy @a = (1,2);\n", "perl"),
            ("x <- c(1, 2, 3)\nprint(mean(x))\n", "r"),
            ("main :: IO ()\nmain = putStrLn \"hi\"\n", "haskell"),
            ("using System;\nclass P {\n static void Main() { Console.WriteLine(\"hi\"); }\n}\n", "csharp"),
            ("#include <stdio.h>\nint main(void) { return 0; }\n", "c"),
            ("#include <iostream>\n#include <cstdio>\nint main() { std::cout << 1; }\n", "cpp"),
            ("#include <stdio.h>\n/* no\nstd::cout */\nint main(void) { puts(\"std::cout\"); } // std::endl\n", "c"),
            ("#include <stdio.h>\nint main(void) { puts(\"a \\\"std::cout\"); }\n", "c"),
            ("#include <vector>\nint main() {\n  std::vector<int> v;\n} // \"\n", "cpp"),
            ("#include <stdio.h>\nint main(void) {\n  if (c == '\"') puts(\"std::cout\");\n}\n", "c"),
            ("my $name = shift // 'world';\nprint \"Hello, $name\\n\";\n", "perl"),
            ("use strict;\nmy @a = </etc/*>;\nmy @b = <*/x>;\n", "perl"),
            ("# System.out.println(1)\n# std::cout\nputs 'a'\n", "ruby"),
            ("def add(a, b)\n  a + b\nend\nputs add(1, 2)\n", "ruby"),
            ("$name = \"Ada\"\nWrite-Host $name\n", "powershell"),
            ("def f(self)\n    return 1\n", ""),
        ] {
            let expected = Some(expected).filter(|name| !name.is_empty());
            assert_eq!(read(code).map(|(language, _)| language.id), expected, "{code}");
        }
        assert_eq!(read("def f(a):\n    return a\nprint(f(1))\n"), None);
    }

    #[test]
    fn comments_and_strings_are_removed() {
        for (code, expected) in [
            ("a(); // b\nc", "a(); \nc"),
            ("a /* b\nc */ d", "a \n d"),
            ("a /* b", "a /* b"),
            ("*/ a /* b", "*/ a /* b"),
            ("x \"a /* b\" y */", "x \"\" y */"),
            ("\"a\\\"b\" \"c", "\"\" \"c"),
            ("a / b // c", "a / b // c"),
            ("'\"' \"b\"", "'\"' \"\""),
        ] {
            assert_eq!(without_c_comments_and_strings(code), expected, "{code}");
        }
        // Each line is read a bounded number of times.
        let hostile =
            ["\"".to_owned() + &"\\\"".repeat(16_000), "/* ".repeat(10_000), "\" / ".repeat(8_000)].join("\n");
        assert!(without_c_comments_and_strings(&hostile).len() <= hostile.len() + 3);
    }
}
