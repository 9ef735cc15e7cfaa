//! Signs of unsupported languages, and of program output that contains code.

/// Line prefixes, each typical of one language.
const STARTS: &[&str] = &[
    // Elixir, Haskell, Scala, Swift.
    "defmodule ",
    "defp ",
    "import qualified ",
    "case class ",
    "case object ",
    "import Foundation",
    "import UIKit",
    "import SwiftUI",
    "guard let ",
    "extends App",
    // GraphQL, Protocol Buffers.
    "syntax = \"proto",
    "rpc ",
    "query {",
    "mutation {",
    "schema {",
    // PowerShell, Perl, batch files, R.
    "param (",
    "param(",
    "[CmdletBinding",
    "use strict",
    "use warnings",
    "my $",
    "my @",
    "my %",
    "@echo ",
    "library(",
    // Make, Ninja, CMake.
    ".PHONY",
    "ifeq (",
    "ifneq (",
    "endif",
    "cmake_minimum_required(",
    "add_executable(",
    // Ruby, C#, Kotlin, which the caller has to name.
    "puts ",
    "require '",
    "attr_accessor ",
    "using System",
    "fun main(",
    // Output of failed programs.
    "Traceback (most recent call last):",
    "File \"",
    "Exception in thread ",
    "goroutine ",
    "panicked at ",
];

/// First words of configuration blocks, on a line with an opening brace.
const BLOCKS: &[&str] = &[
    "server",
    "http",
    "events",
    "upstream",
    "location",
    "resource",
    "data",
    "provider",
    "variable",
    "output",
    "locals",
    "terraform",
    "message",
    "service",
    "query",
    "mutation",
    "subscription",
    "fragment",
    "input",
    "protocol",
    "extension",
    "object",
];

/// Elements that style sheets select.
const ELEMENTS: &[&str] = &[
    "a", "body", "html", "div", "p", "h1", "h2", "h3", "ul", "li", "ol", "table", "tr", "td", "th", "span", "button",
    "input", "img", "nav", "header", "footer", "main", "section", "form", "label", "pre", "code",
];

/// Returns the number of lines that occur in unsupported languages only.
pub(super) fn signs(source: &str, lines: &[&str]) -> usize {
    let of_lines = lines.iter().filter(|line| is_sign(line)).count();
    of_lines + makefile_targets(source) + usize::from(ends_blocks(lines))
}

fn is_sign(line: &str) -> bool {
    STARTS.iter().any(|start| line.starts_with(start))
        || is_block(line)
        || is_style(line)
        || is_cmdlet(line)
        || is_signature(line)
        || is_frame(line)
        || is_block_of_words(line)
}

/// Matches `defmodule A do` and `list.each do`, but not a Bash loop.
fn is_block_of_words(line: &str) -> bool {
    let is_loop = ["for ", "while ", "until ", "select "].iter().any(|start| line.starts_with(start));
    line.ends_with(" do") && !line.ends_with("; do") && !is_loop && !line.starts_with(['#', '/'])
}

/// Matches `resource "a" "b" {`, `server {`, `location / {` and `query { user { name } }`.
fn is_block(line: &str) -> bool {
    let Some((head, _)) = line.split_once('{') else { return false };
    let mut words = head.split_whitespace();
    let is_named = words.next().is_some_and(|word| BLOCKS.contains(&word));
    is_named && !head.contains(['=', ',']) && !words.any(|word| matches!(word, "for" | "implements"))
}

/// Matches the selector line of a style sheet rule.
fn is_style(line: &str) -> bool {
    let Some((head, rest)) = line.split_once('{') else { return false };
    let head = head.trim();
    let first = head.split([' ', '.', '#', ':', ',', '>', '[']).next().unwrap_or_default();
    let is_plain = !head.ends_with(':') && !head.contains(['(', '=', ';', '$', '\'', '"']);
    let is_selector = head.starts_with(['.', '#', ':']) && head.len() > 1 || ELEMENTS.contains(&first) || head == "*";
    let is_query = ["@media", "@keyframes", "@font-face", "@supports"].iter().any(|start| head.starts_with(start));
    is_query || is_plain && is_selector && (rest.is_empty() || rest.contains(": ") || rest.contains(':'))
}

/// Matches a PowerShell cmdlet, such as `Get-ChildItem | ...`.
fn is_cmdlet(line: &str) -> bool {
    let command = line.rsplit_once(" = ").map_or(line, |(_, command)| command);
    let word = command.split([' ', '(', ')', '|']).next().unwrap_or_default();
    word.split_once('-').is_some_and(|(verb, noun)| {
        let is_capital = |part: &str| {
            part.len() > 1
                && part.starts_with(|c: char| c.is_ascii_uppercase())
                && part.chars().skip(1).any(|c| c.is_ascii_lowercase())
                && part.chars().all(|c| c.is_ascii_alphabetic())
        };
        is_capital(verb) && is_capital(noun)
    })
}

/// Matches type signatures of Haskell (`main :: IO ()`), Scala and Swift.
fn is_signature(line: &str) -> bool {
    let name = line.split_once(" :: ").map(|(name, _)| name).unwrap_or_default();
    let is_haskell = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '\''));
    let is_scala =
        line.starts_with("def ") && line.contains(") = ") || line.starts_with("def ") && line.ends_with(" =");
    let is_swift = line.starts_with("func ") && line.contains(") -> ");
    let is_module = line.starts_with("module ") && line.ends_with(" where");
    is_haskell || is_scala || is_swift || is_module
}

/// Matches a line of a stack trace.
fn is_frame(line: &str) -> bool {
    line.starts_with("at ") && line.ends_with(')') && line.contains('(') && line.contains(':')
}

/// Returns the number of Makefile targets that are followed by a command.
fn makefile_targets(source: &str) -> usize {
    let lines: Vec<&str> = source.lines().take(super::table::MAX_LINES_READ).collect();
    let is_target = |line: &str| {
        line.split_once(':').is_some_and(|(name, needs)| {
            let is_name = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || "_-./%$()".contains(c));
            let is_word = matches!(name, "else" | "try" | "finally" | "default" | "public" | "private" | "protected");
            is_name && !is_word && (needs.is_empty() || needs.starts_with(' '))
        })
    };
    lines.windows(2).filter(|pair| is_target(pair[0]) && pair[1].starts_with('\t')).count()
}

/// Returns true if blocks end with `end`, as in Ruby, Lua and Elixir.
fn ends_blocks(lines: &[&str]) -> bool {
    lines.contains(&"end") && !lines.iter().any(|line| line.ends_with('{'))
}
