//! Whether a changed file still has the caller's tests, and whether they still check something.

use crate::assertions::vacuous_tests;
use crate::callers_tests::{shell_test_name, test_names};
use crate::exchange::SourceFile;
use crate::javascript_tests::{titled_tests, without_comments};
use crate::model::language::Written;
use crate::paths::is_test_file;
use crate::skipped::skip_marks;

const MISSING: &str = "tests of the caller's file are missing in it";
const EMPTIED: &str = "tests of the caller's file assert nothing in it";
const SKIPPED: &str = "tests of the caller's file are skipped in it";

/// Checks that every test of the caller's is still there, asserts something if it did, and runs if it did.
pub(super) fn check(language: Written, original: &SourceFile, changed: &SourceFile) -> Result<(), &'static str> {
    let (before, after) = (original.content.as_str(), changed.content.as_str());
    let runtime = language.runtime();
    let vacuous = [before, after].map(|source| vacuous_tests(runtime, "", source));
    let has_tests = match language {
        Written::Python => {
            let (own, kept) = (test_names(before), test_names(after));
            if !own.iter().all(|name| kept.contains(name)) {
                return Err(MISSING);
            }
            if vacuous[1].iter().any(|name| !vacuous[0].contains(name)) {
                return Err(EMPTIED);
            }
            !own.is_empty()
        }
        Written::JavaScript => {
            let (before, after) = (without_comments(before), without_comments(after));
            let [own, kept] = [&before, &after].map(|code| javascript_tests(code));
            compare(&own, &kept)?;
            if is_test_file(&original.path) && vacuous[0].is_empty() && !vacuous[1].is_empty() {
                return Err(EMPTIED);
            }
            !own.is_empty()
        }
        Written::Bash => {
            let [own, kept] = [before, after].map(shell_tests);
            compare(&own, &kept)?;
            let is_checked = |source| can_fail(before_its_end(source));
            if is_test_file(&original.path) && is_checked(before) && !is_checked(after) {
                return Err(EMPTIED);
            }
            !own.is_empty()
        }
    };
    if has_tests && skip_marks(runtime, after) > skip_marks(runtime, before) { Err(SKIPPED) } else { Ok(()) }
}

/// A test by its name, and whether it checks something.
struct Test {
    name: String,
    checks: bool,
}

/// Compares by counts: titles may occur more than once.
fn compare(own: &[Test], kept: &[Test]) -> Result<(), &'static str> {
    let count = |tests: &[Test], name: &str| tests.iter().filter(|test| test.name == name).count();
    let checked = |tests: &[Test], name: &str| tests.iter().filter(|test| test.name == name && test.checks).count();
    if own.iter().any(|test| count(kept, &test.name) < count(own, &test.name)) {
        return Err(MISSING);
    }
    if own.iter().any(|test| checked(kept, &test.name) < checked(own, &test.name)) {
        return Err(EMPTIED);
    }
    Ok(())
}

fn javascript_tests(code: &str) -> Vec<Test> {
    let test = |titled: crate::javascript_tests::TitledTest<'_>| Test {
        name: titled.title.to_owned(),
        checks: vacuous_tests("node", "", titled.text).is_empty(),
    };
    titled_tests(code).into_iter().map(test).collect()
}

/// The functions that the test runner calls.
fn shell_tests(source: &str) -> Vec<Test> {
    let lines: Vec<&str> = source.lines().collect();
    let test = |(at, line): (usize, &&str)| {
        let name = shell_test_name(line)?;
        let body = line.split_once('{').map_or("", |(_, body)| body);
        let indent = line.len() - line.trim_start().len();
        let is_end =
            |line: &&&str| line.trim_start().starts_with('}') && line.len() - line.trim_start().len() <= indent;
        let following = lines[at + 1..].iter().take_while(|line| !is_end(line)).copied();
        let is_closed = body.trim_end().ends_with('}');
        let checks = can_fail([body].into_iter().chain(following.take_while(|_| !is_closed)));
        Some(Test { name: name.to_owned(), checks })
    };
    lines.iter().enumerate().filter_map(test).collect()
}

/// The lines of a script up to where it ends itself.
fn before_its_end(source: &str) -> impl Iterator<Item = &str> {
    source.lines().take_while(|line| !line.starts_with("exit"))
}

/// Whether a command among the lines may fail; generous like the reading of assertions in other languages.
fn can_fail<'a>(lines: impl IntoIterator<Item = &'a str>) -> bool {
    const HARMLESS: &[&str] =
        &["true", ":", "return", "exit", "echo", "printf", "local", "declare", "set", "{", "}", "then", "fi"];
    lines.into_iter().filter(|line| !line.trim_start().starts_with('#')).flat_map(|line| line.split(';')).any(
        |command| {
            let command = command.trim();
            let first = command.split_whitespace().next().unwrap_or_default();
            let ends_well = matches!(command, "" | "return 0" | "return" | "exit 0" | "exit")
                || HARMLESS.contains(&first) && !matches!(first, "return" | "exit")
                || command.ends_with("|| true")
                || command.ends_with("|| :");
            let is_plain_assignment = first.split_once('=').is_some_and(|(name, _)| {
                name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
                    && !command.contains("$(")
                    && !command.contains(' ')
            });
            let defines = shell_test_name(command).is_some() && !command.contains('{');
            !ends_well && !is_plain_assignment && !defines
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exchange::Kind;

    #[track_caller]
    fn judge(language: Written, path: &str, before: &str, after: &str, expected: Result<(), &'static str>) {
        let file = |content: &str| SourceFile {
            path: path.to_owned(),
            content: content.to_owned(),
            kind: Kind::Code,
            from_caller: false,
        };
        assert_eq!(check(language, &file(before), &file(after)), expected, "{after}");
    }

    #[test]
    fn tests_in_javascript_stay_and_check_something() {
        let head = "const { test } = require('node:test');\nconst assert = require('node:assert');\n";
        let own = format!(
            "{head}test('a', () => {{ assert.equal(f(), 1); }});\ntest('b', () => {{\n  assert.ok(f());\n}});\n"
        );
        let of = |after: &str, expected| judge(Written::JavaScript, "f.test.js", &own, after, expected);
        of(&own.replace("f()", "g()"), Ok(()));
        of(&format!("{own}test('c', () => {{ assert.ok(h()); }});\n"), Ok(()));
        of(head, Err(MISSING));
        of(&own.replace("test('b'", "// test('b'"), Err(MISSING));
        of(&own.replace("'b'", "'c'"), Err(MISSING));
        of(&own.replace("assert.ok(f());", ""), Err(EMPTIED));
        of(&own.replace("assert.ok(f())", "assert.ok(true)"), Err(EMPTIED));
        of(&own.replace("test('b'", "test.skip('b'"), Err(SKIPPED));
        of(&own.replace("'b',", "'b', { skip: true },"), Err(SKIPPED));
        // Titles that are computed: the file as a whole has to check something.
        let computed = format!("{head}for (const n of [1]) test(String(n), () => assert.ok(f(n)));\n");
        judge(Written::JavaScript, "f.test.js", &computed, head, Err(EMPTIED));
        judge(Written::JavaScript, "f.js", "exports.f = 1;\n", "exports.f = 2;\n", Ok(()));
    }

    #[test]
    fn tests_in_bash_stay_and_check_something() {
        let own = "test_a() {\n  [ \"$(f 1)\" = 2 ]\n}\nfunction test_b {\n  local x=1\n  f \"$x\"\n}\n";
        let of = |after: &str, expected| judge(Written::Bash, "test_f.sh", own, after, expected);
        of(&own.replace("f 1", "f 2"), Ok(()));
        of("test_a() { [ \"$(f 1)\" = 2 ]; }\ntest_b() { f 1; }\n", Ok(()));
        of("echo passed\n", Err(MISSING));
        of(&own.replace("test_b", "b"), Err(MISSING));
        of(&own.replace("function test_b", "# function test_b"), Err(MISSING));
        of(&own.replace("  f \"$x\"\n", ""), Err(EMPTIED));
        of(&own.replace("f \"$x\"", "f \"$x\" || true"), Err(EMPTIED));
        of(&own.replace("f \"$x\"", "return 0"), Err(EMPTIED));
        let script = |after, expected| judge(Written::Bash, "test_f.sh", "[ \"$(f)\" = 1 ]\n", after, expected);
        script("f\n", Ok(()));
        script("", Err(EMPTIED));
        script("# [ \"$(f)\" = 1 ]\necho fine\n", Err(EMPTIED));
        script("exit 0\n[ \"$(f)\" = 1 ]\n", Err(EMPTIED));
        judge(Written::Bash, "f.sh", "f\n", "echo fine\n", Ok(()));
    }
}
