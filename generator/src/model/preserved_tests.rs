//! Checks that a changed file preserves the caller's tests and their assertions.

use std::collections::HashMap;

use crate::caller_code::javascript_tests::{TitledTest, titled_tests, without_comments};
use crate::caller_code::skipped_tests::{skip_marks, skipped_tests};
use crate::caller_code::test_detection::{shell_test_name, test_names};
use crate::caller_code::vacuous_tests::vacuous_tests;
use crate::model::language::ModelLanguage;
use crate::paths::is_test_file;
use crate::types::SourceFile;

const MISSING: &str = "tests of the caller's file are missing in it";
const EMPTIED: &str = "tests of the caller's file assert nothing in it";
const SKIPPED: &str = "tests of the caller's file are skipped in it";

/// Checks that every test of the caller still exists, asserts something and is not skipped, as it was before.
pub(super) fn check(language: ModelLanguage, original: &SourceFile, changed: &SourceFile) -> Result<(), &'static str> {
    let is_test_file = is_test_file(&original.path);
    match language {
        ModelLanguage::Python => in_python(&original.content, &changed.content),
        ModelLanguage::JavaScript => in_javascript(&original.content, &changed.content, is_test_file),
        ModelLanguage::Bash => in_bash(&original.content, &changed.content, is_test_file),
    }
}

fn in_python(before: &str, after: &str) -> Result<(), &'static str> {
    let (own, kept) = (test_names(before), test_names(after));
    if !own.iter().all(|name| kept.contains(name)) {
        return Err(MISSING);
    }
    let [known, vacuous] = [before, after].map(|source| vacuous_tests("python", "", source));
    if vacuous.iter().any(|name| !known.contains(name)) {
        return Err(EMPTIED);
    }
    let is_skipped = !own.is_empty() && skip_marks("python", after) > skip_marks("python", before);
    if is_skipped { Err(SKIPPED) } else { Ok(()) }
}

fn in_javascript(before: &str, after: &str, is_test_file: bool) -> Result<(), &'static str> {
    let code = [before, after].map(without_comments);
    let [own, kept] = [&code[0], &code[1]].map(|code| javascript_tests(code));
    compare(&own, &kept)?;
    let checks = |source| vacuous_tests("node", "", source).is_empty();
    if is_test_file && checks(before) && !checks(after) {
        return Err(EMPTIED);
    }
    let (known, skipped) = (skipped_tests("node", before), skipped_tests("node", after));
    let is_skipped = own.iter().any(|test| skipped.contains(&test.name) && !known.contains(&test.name));
    if is_skipped { Err(SKIPPED) } else { Ok(()) }
}

fn in_bash(before: &str, after: &str, is_test_file: bool) -> Result<(), &'static str> {
    compare(&shell_tests(before), &shell_tests(after))?;
    let checks = |source| can_fail(lines_before_exit(source));
    if is_test_file && checks(before) && !checks(after) { Err(EMPTIED) } else { Ok(()) }
}

/// The name of a test, and whether it asserts something.
struct Test {
    name: String,
    checks: bool,
}

/// Compares by counts, because titles may repeat.
fn compare(own: &[Test], kept: &[Test]) -> Result<(), &'static str> {
    let (own, kept) = (counts(own), counts(kept));
    let of = |name| kept.get(name).copied().unwrap_or_default();
    if own.iter().any(|(name, (all, _))| of(name).0 < *all) {
        return Err(MISSING);
    }
    if own.iter().any(|(name, (_, checked))| of(name).1 < *checked) {
        return Err(EMPTIED);
    }
    Ok(())
}

/// Returns for each name the number of tests, and of those that assert something.
fn counts(tests: &[Test]) -> HashMap<&str, (usize, usize)> {
    let mut counts: HashMap<&str, (usize, usize)> = HashMap::new();
    for test in tests {
        let (all, checked) = counts.entry(&test.name).or_default();
        *all += 1;
        *checked += usize::from(test.checks);
    }
    counts
}

fn javascript_tests(code: &str) -> Vec<Test> {
    let test = |titled: TitledTest<'_>| Test {
        name: titled.title.to_owned(),
        checks: vacuous_tests("node", "", titled.text).is_empty(),
    };
    titled_tests(code).into_iter().map(test).collect()
}

/// Returns the functions that the test runner calls.
fn shell_tests(source: &str) -> Vec<Test> {
    let lines: Vec<&str> = source.lines().collect();
    let test = |(at, line): (usize, &&str)| {
        let name = shell_test_name(line)?;
        let body = line.split_once('{').map_or("", |(_, body)| body);
        let indent = line.len() - line.trim_start().len();
        let is_end = |line: &&&str| {
            let closes = line.trim_start().starts_with('}') && line.len() - line.trim_start().len() <= indent;
            closes || shell_test_name(line).is_some()
        };
        let following = lines[at + 1..].iter().take_while(|line| !is_end(line)).copied();
        let is_closed = body.trim_end().ends_with('}');
        let checks = can_fail([body].into_iter().chain(following.take_while(|_| !is_closed)));
        Some(Test { name: name.to_owned(), checks })
    };
    lines.iter().enumerate().filter_map(test).collect()
}

/// Returns the lines of a script before its first top-level `exit`.
fn lines_before_exit(source: &str) -> impl Iterator<Item = &str> {
    source.lines().take_while(|line| !line.starts_with("exit"))
}

/// Returns whether a command of the lines may fail. Accepts anything that may be an assertion.
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
    use crate::types::FilePurpose;

    #[track_caller]
    fn judge(language: ModelLanguage, path: &str, before: &str, after: &str, expected: Result<(), &'static str>) {
        let file = |content: &str| SourceFile {
            path: path.to_owned(),
            content: content.to_owned(),
            kind: FilePurpose::Code,
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
        let of = |after: &str, expected| judge(ModelLanguage::JavaScript, "f.test.js", &own, after, expected);
        of(&own.replace("f()", "g()"), Ok(()));
        of(&format!("{own}test('c', () => {{ assert.ok(h()); }});\n"), Ok(()));
        of(head, Err(MISSING));
        of(&own.replace("test('b'", "// test('b'"), Err(MISSING));
        of(&own.replace("'b'", "'c'"), Err(MISSING));
        of(&own.replace("assert.ok(f());", ""), Err(EMPTIED));
        of(&own.replace("assert.ok(f())", "assert.ok(true)"), Err(EMPTIED));
        of(&own.replace("test('b'", "test.skip('b'"), Err(SKIPPED));
        of(&own.replace("'b',", "'b', { skip: true },"), Err(SKIPPED));
        judge(ModelLanguage::JavaScript, "f.js", &own, &format!("rows.skip(1);\n{own}"), Ok(()));
        // With computed titles, only the file as a whole must assert something.
        let computed = format!("{head}for (const n of [1]) test(String(n), () => assert.ok(f(n)));\n");
        judge(ModelLanguage::JavaScript, "f.test.js", &computed, head, Err(EMPTIED));
        judge(ModelLanguage::JavaScript, "f.js", "exports.f = 1;\n", "exports.f = 2;\n", Ok(()));
    }

    #[test]
    fn tests_in_bash_stay_and_check_something() {
        let own = "test_a() {\n  [ \"$(f 1)\" = 2 ]\n}\nfunction test_b {\n  local x=1\n  f \"$x\"\n}\n";
        let of = |after: &str, expected| judge(ModelLanguage::Bash, "test_f.sh", own, after, expected);
        of(&own.replace("f 1", "f 2"), Ok(()));
        of("test_a() { [ \"$(f 1)\" = 2 ]; }\ntest_b() { f 1; }\n", Ok(()));
        of("echo passed\n", Err(MISSING));
        of(&own.replace("test_b", "b"), Err(MISSING));
        of(&own.replace("function test_b", "# function test_b"), Err(MISSING));
        of(&own.replace("  f \"$x\"\n", ""), Err(EMPTIED));
        of(&own.replace("f \"$x\"", "f \"$x\" || true"), Err(EMPTIED));
        of(&own.replace("f \"$x\"", "return 0"), Err(EMPTIED));
        let script = |after, expected| judge(ModelLanguage::Bash, "test_f.sh", "[ \"$(f)\" = 1 ]\n", after, expected);
        script("f\n", Ok(()));
        script("", Err(EMPTIED));
        script("# [ \"$(f)\" = 1 ]\necho fine\n", Err(EMPTIED));
        script("exit 0\n[ \"$(f)\" = 1 ]\n", Err(EMPTIED));
        judge(ModelLanguage::Bash, "f.sh", "f\n", "echo fine\n", Ok(()));
    }
}
