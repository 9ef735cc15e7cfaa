//! Finds `node:test` tests in JavaScript source without a parser: calls whose title is a literal.

const CALLS: &[&str] = &["test", "it", "describe", "suite"];

/// A test or a suite.
pub(crate) struct TitledTest<'a> {
    pub(crate) title: &'a str,
    /// The source from this call to the next.
    pub(crate) text: &'a str,
}

/// Returns the tests and suites of source without comments, in order.
pub(crate) fn titled_tests(code: &str) -> Vec<TitledTest<'_>> {
    let mut calls: Vec<(usize, &str)> = Vec::new();
    for call in CALLS {
        calls.extend(code.match_indices(call).filter_map(|(at, _)| {
            let title = is_call(&code[..at]).then(|| title(&code[at + call.len()..]))?;
            title.map(|title| (at, title))
        }));
    }
    calls.sort_unstable();
    let ends: Vec<usize> = calls.iter().skip(1).map(|(at, _)| *at).chain([code.len()]).collect();
    calls.into_iter().zip(ends).map(|((at, title), end)| TitledTest { title, text: &code[at..end] }).collect()
}

/// Returns whether a name after this text is a function call or a method of the test context `t`.
fn is_call(before: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '$' | '.');
    let receiver = before.strip_suffix("t.").unwrap_or(before);
    !receiver.ends_with(is_part)
}

/// Returns the literal title in the text after a call's name.
fn title(rest: &str) -> Option<&str> {
    let modified = [".skip", ".only", ".todo"].iter().find_map(|modifier| rest.strip_prefix(modifier));
    let argument = modified.unwrap_or(rest).trim_start().strip_prefix('(')?.trim_start();
    let quote = argument.chars().next().filter(|c| matches!(c, '\'' | '"' | '`'))?;
    let mut is_escaped = false;
    let end = argument[1..].find(|c| {
        let is_end = c == quote && !is_escaped;
        is_escaped = c == '\\' && !is_escaped;
        is_end
    })?;
    Some(&argument[1..=end])
}

/// Removes comments; preserves string literals.
pub(crate) fn without_comments(source: &str) -> String {
    let mut code = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(c) = rest.chars().next() {
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if let Some(comment) = rest.strip_prefix("/*") {
            comment.find("*/").map_or(rest.len(), |end| end + 4)
        } else {
            let length = if matches!(c, '\'' | '"' | '`') { quoted(rest, c) } else { c.len_utf8() };
            code.push_str(&rest[..length]);
            length
        };
        rest = &rest[length..];
    }
    code
}

/// Returns the length of a string literal; only template literals span lines.
fn quoted(text: &str, quote: char) -> usize {
    let mut is_escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        if !is_escaped && c == quote || c == '\n' && quote != '`' {
            return at + c.len_utf8();
        }
        is_escaped = c == '\\' && !is_escaped;
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(source: &str, expected: &[&str]) {
        let code = without_comments(source);
        let titles: Vec<&str> = titled_tests(&code).iter().map(|test| test.title).collect();
        assert_eq!(titles, expected, "{source}");
    }

    #[test]
    fn calls_with_a_literal_title_are_tests() {
        check(
            "test('adds', () => {});\nit(\"is \\\"it\\\"\", f);\ndescribe.skip(`all`, g);",
            &["adds", "is \\\"it\\\"", "all"],
        );
        check("test('a', async (t) => { await t.test('b', f); });", &["a", "b"]);
        check("// test('a', f);\n/* test('b', f);\n*/ test( 'http://c', f);", &["http://c"]);
        check("regex.test('a'); latest('b'); test(name, f); submit('c'); testing('d');", &[]);
        check("test('open", &[]);
    }
}
