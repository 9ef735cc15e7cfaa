//! Parses files from the named fenced blocks of a reply in prose.

use super::language::ModelLanguage;
use super::reply::{Reply, ReplyFile};
use crate::paths::is_test_file;

/// Returns the files of the language in a reply, in order.
///
/// # Errors
/// The broken rule; never quotes the reply.
pub(super) fn read(reply: &str, language: ModelLanguage) -> Result<Reply, &'static str> {
    let mut files = Vec::new();
    let mut unnamed = 0;
    for block in blocks(reply)? {
        let Some(path) = block.name(language, &mut unnamed)? else { continue };
        files.push(ReplyFile { is_test: is_test_file(&path), path, content: block.content });
    }
    if files.is_empty() {
        return Err("it has no file of the language in a fenced block");
    }
    Reply { files, ..Reply::default() }.checked()
}

/// A fenced block: its info string, the last line of text before it, and its content.
struct Block<'a> {
    info: &'a str,
    before: &'a str,
    content: String,
}

fn fence(line: &str) -> Option<(&str, &str)> {
    let text = line.trim_start_matches(' ');
    let mark = text.chars().next().filter(|mark| matches!(mark, '`' | '~'))?;
    let length = text.chars().take_while(|character| *character == mark).count();
    (line.len() - text.len() < 4 && length >= 3).then(|| text.split_at(length))
}

fn blocks(reply: &str) -> Result<Vec<Block<'_>>, &'static str> {
    let mut found = Vec::new();
    let mut before = "";
    let mut lines = reply.lines();
    while let Some(line) = lines.next() {
        let Some((opening, info)) = fence(line) else {
            if !line.trim().is_empty() {
                before = line;
            }
            continue;
        };
        let mut content = String::new();
        loop {
            let line = lines.next().ok_or("a fenced block in it is not closed")?;
            if fence(line).is_some_and(|(closing, rest)| closing.starts_with(opening) && rest.trim().is_empty()) {
                break;
            }
            content.push_str(line);
            content.push('\n');
        }
        found.push(Block { info: info.trim(), before: std::mem::take(&mut before), content });
    }
    Ok(found)
}

impl Block<'_> {
    /// Returns the file's path; `None` for a block that is not a file of the language, such as a shell command.
    fn name(&self, language: ModelLanguage, unnamed: &mut usize) -> Result<Option<String>, &'static str> {
        let first_line = self.content.lines().next().unwrap_or_default();
        let comment = first_line.strip_prefix('#').or_else(|| first_line.strip_prefix("//")).unwrap_or_default();
        let named = [self.info, self.before, comment].into_iter().find_map(|text| path_in(text, language));
        if let Some(path) = named {
            return Ok(Some(path.to_owned()));
        }
        let label = self.info.split([' ', ':', '{']).next().unwrap_or_default().to_ascii_lowercase();
        let is_plain_python = || language == ModelLanguage::Python && source_text::python::is_valid(&self.content);
        if !(language.labels().contains(&label.as_str()) || label.is_empty() && is_plain_python()) {
            return Ok(None);
        }
        *unnamed += 1;
        if *unnamed > 1 {
            Err("it has several files without a name")
        } else {
            Ok(Some(language.default_path().to_owned()))
        }
    }
}

/// Finds a file name in a line such as `python name="a.py"` or `**a.py**:`.
fn path_in(text: &str, language: ModelLanguage) -> Option<&str> {
    let separates = |c: char| {
        c.is_whitespace()
            || matches!(c, '=' | ':' | '"' | '\'' | '`' | '*' | '(' | ')' | '[' | ']' | '{' | '}' | ',' | '<' | '>')
    };
    let ends = |word: &&str| word.len() > 3 && language.extensions().iter().any(|extension| word.ends_with(extension));
    text.split(separates).find(ends)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(reply: &str, expected: Result<&[(&str, &str)], &str>) {
        let found = read(reply, ModelLanguage::Python);
        let text_of = |file: &ReplyFile| (file.path.clone(), file.content.clone());
        let found = found.map(|reply| reply.files.iter().map(text_of).collect::<Vec<_>>());
        let expected =
            expected.map(|files| files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect());
        match (found, expected) {
            (Ok(found), Ok::<Vec<_>, _>(expected)) => assert_eq!(found, expected),
            (Err(reason), Err(expected)) => assert!(reason.contains(expected), "{reason}"),
            (found, expected) => panic!("{found:?} instead of {expected:?}"),
        }
    }

    #[test]
    fn files_are_named_in_many_ways() {
        check("```python name=a.py\nx = 1\n```\n", Ok(&[("a.py", "x = 1\n")]));
        check("```python:src/a.py\nx\n```", Ok(&[("src/a.py", "x\n")]));
        check("```py title=\"a.py\"\nx\n```", Ok(&[("a.py", "x\n")]));
        check("### `a.py`\n\n```python\nx\n```", Ok(&[("a.py", "x\n")]));
        check("**File: a.py**\n```\nx\n```", Ok(&[("a.py", "x\n")]));
        check("```python\n# a.py\nx\n```", Ok(&[("a.py", "# a.py\nx\n")]));
        check("Sure!\n```python\nx\n```\nRun it:\n```bash\npython main.py\n```\n", Ok(&[("main.py", "x\n")]));
        check("~~~~python name=a.py\n```\n~~~~", Ok(&[("a.py", "```\n")]));
    }

    #[test]
    fn files_of_other_languages_are_named_as_well() {
        let read = |reply, language| read(reply, language).map(|reply| reply.files[0].path.clone());
        assert_eq!(read("```js name=lib/a.test.js\nx\n```", ModelLanguage::JavaScript).as_deref(), Ok("lib/a.test.js"));
        assert_eq!(read("```javascript\n// a.mjs\nx\n```", ModelLanguage::JavaScript).as_deref(), Ok("a.mjs"));
        assert_eq!(
            read("```js\nx\n```\n```bash\nnode main.js\n```", ModelLanguage::JavaScript).as_deref(),
            Ok("main.js")
        );
        assert_eq!(read("```bash\necho\n```", ModelLanguage::Bash).as_deref(), Ok("main.sh"));
    }

    #[test]
    fn a_file_that_is_sent_again_replaces_the_earlier_one() {
        check(
            "```python name=a.py\n1\n```\n```python name=b.py\n2\n```\n```python name=a.py\n3\n```",
            Ok(&[("a.py", "3\n"), ("b.py", "2\n")]),
        );
    }

    #[test]
    fn unusable_replies_say_why() {
        check("", Err("no file of the language"));
        check("I cannot help with that.", Err("no file of the language"));
        check("```python name=conftest.py\nx = 1\n```", Err("how tests are found"));
        check("```bash\nls\n```", Err("no file of the language"));
        check("```python name=a.py\nx = 1\n", Err("not closed"));
        check("```python name=a.py\n\n```", Err("empty"));
        check("```python name=../a.py\nx\n```", Err("unsafe"));
        check("```python name=/etc/a.py\nx\n```", Err("unsafe"));
        check("```python\nx\n```\n```python\ny\n```", Err("several"));
        check(&"```python name=a.py\nx\n```\n".replace("a.py", &format!("{}.py", "a".repeat(200))), Err("unsafe"));
        let many: String = (0..21).map(|number| format!("```python name=f{number}.py\nx\n```\n")).collect();
        check(&many, Err("too many"));
    }
}
