//! Reading files out of a model's reply: fenced blocks with a name.

use crate::paths::is_safe_path;

const MAX_FILES: usize = 20;
const MAX_TOTAL_BYTES: usize = 1024 * 1024;

/// Returns path and text of each Python file in a reply, in order; a file that is sent again replaces the earlier one.
///
/// # Errors
/// What is wrong, in words that do not repeat the reply.
pub(super) fn files(reply: &str) -> Result<Vec<(String, String)>, &'static str> {
    let mut files: Vec<(String, String)> = Vec::new();
    let mut unnamed = 0;
    for block in blocks(reply)? {
        let Some(path) = block.name(&mut unnamed)? else { continue };
        if block.content.trim().is_empty() {
            return Err("a file in it is empty");
        }
        match files.iter_mut().find(|(known, _)| *known == path) {
            Some((_, content)) => *content = block.content,
            None => files.push((path, block.content)),
        }
    }
    if files.is_empty() {
        return Err("it has no Python file in a fenced block");
    }
    if files.len() > MAX_FILES || files.iter().map(|(_, content)| content.len()).sum::<usize>() > MAX_TOTAL_BYTES {
        return Err("it has too many files, or too large ones");
    }
    Ok(files)
}

/// A fenced block: what stands after its fence, the last line of text before it, and its content.
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
    /// Returns the file's path; `None` for a block that is no Python file, such as a command to run.
    fn name(&self, unnamed: &mut usize) -> Result<Option<String>, &'static str> {
        let first_line = self.content.lines().next().unwrap_or_default();
        let comment = first_line.strip_prefix('#').unwrap_or_default();
        let named = [self.info, self.before, comment].into_iter().find_map(path_in);
        if let Some(path) = named {
            return if is_safe_path(path) { Ok(Some(path.to_owned())) } else { Err("a file in it has an unsafe name") };
        }
        let language = self.info.split([' ', ':', '{']).next().unwrap_or_default().to_ascii_lowercase();
        if !matches!(language.as_str(), "" | "python" | "python3" | "py")
            || language.is_empty() && !crate::python::is_valid(&self.content)
        {
            return Ok(None);
        }
        *unnamed += 1;
        if *unnamed > 1 { Err("it has several files without a name") } else { Ok(Some("main.py".to_owned())) }
    }
}

/// Finds the name of a Python file in a few words, such as `python name="a.py"` or `**a.py**:`.
fn path_in(text: &str) -> Option<&str> {
    let separates = |c: char| {
        c.is_whitespace()
            || matches!(c, '=' | ':' | '"' | '\'' | '`' | '*' | '(' | ')' | '[' | ']' | '{' | '}' | ',' | '<' | '>')
    };
    text.split(separates).find(|word| word.len() > 3 && word.ends_with(".py"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(reply: &str, expected: Result<&[(&str, &str)], &str>) {
        let found = files(reply);
        let found = found
            .as_ref()
            .map(|files| files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect::<Vec<_>>());
        match (found, expected) {
            (Ok(found), Ok(expected)) => assert_eq!(found, expected),
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
    fn a_file_that_is_sent_again_replaces_the_earlier_one() {
        check(
            "```python name=a.py\n1\n```\n```python name=b.py\n2\n```\n```python name=a.py\n3\n```",
            Ok(&[("a.py", "3\n"), ("b.py", "2\n")]),
        );
    }

    #[test]
    fn unusable_replies_say_why() {
        check("", Err("no Python file"));
        check("I cannot help with that.", Err("no Python file"));
        check("```bash\nls\n```", Err("no Python file"));
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
