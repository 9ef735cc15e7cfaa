//! Structured replies: their JSON schema and parser.

use serde::Deserialize;
use serde_json::{Value, json};

use super::language::ModelLanguage;
use super::reply::{Reply, ReplyFile};

#[derive(Deserialize)]
struct Document {
    #[serde(default)]
    plan: Vec<String>,
    files: Vec<File>,
    #[serde(default)]
    notes: String,
}

#[derive(Deserialize)]
struct File {
    path: String,
    content: String,
    #[serde(default)]
    kind: String,
}

/// Returns the `response_format` of a request. Strict mode needs every property required and no others.
pub(super) fn response_format() -> Value {
    let file = json!({
        "type": "object",
        "properties": {
            "path": {"type": "string"},
            "content": {"type": "string"},
            "kind": {"type": "string", "enum": ["code", "test"]},
        },
        "required": ["path", "content", "kind"],
        "additionalProperties": false,
    });
    let schema = json!({
        "type": "object",
        "properties": {
            "plan": {"type": "array", "items": {"type": "string"}},
            "files": {"type": "array", "items": file},
            "notes": {"type": "string"},
        },
        "required": ["plan", "files", "notes"],
        "additionalProperties": false,
    });
    json!({"type": "json_schema", "json_schema": {"name": "solution", "strict": true, "schema": schema}})
}

/// Parses a reply, also inside a fence or prose; `None` if it contains no such document.
///
/// # Errors
/// The broken rule; never quotes the reply.
pub(super) fn read(text: &str, language: ModelLanguage) -> Option<Result<Reply, &'static str>> {
    let whole = text.trim();
    let within = || whole.get(whole.find('{')?..=whole.rfind('}')?);
    let document: Document =
        serde_json::from_str(whole).ok().or_else(|| within().and_then(|part| serde_json::from_str(part).ok()))?;
    Some(checked(document, language))
}

fn checked(document: Document, language: ModelLanguage) -> Result<Reply, &'static str> {
    let files = document.files.into_iter().map(|File { path, mut content, kind }| {
        if !content.ends_with('\n') {
            content.push('\n');
        }
        ReplyFile { path, content, is_test: kind == "test" }
    });
    let mut reply = Reply { plan: document.plan, files: files.collect(), notes: document.notes }.checked()?;
    // Drops files such as a README or a list of packages.
    reply.files.retain(|file| language.extensions().iter().any(|extension| file.path.ends_with(extension)));
    if reply.files.is_empty() { Err("it has no file of the language") } else { Ok(reply) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_python(text: &str) -> Option<Result<Reply, &'static str>> {
        read(text, ModelLanguage::Python)
    }

    fn file(path: &str) -> Value {
        json!({"path": path, "content": "x = 1", "kind": "code"})
    }

    #[test]
    fn a_document_is_read_alone_and_inside_a_fence_or_words() {
        let text = json!({"plan": ["one"], "files": [file("a.py")], "notes": "n"}).to_string();
        for text in [text.clone(), format!("```json\n{text}\n```"), format!("Here you are:\n{text}\nEnjoy!")] {
            let reply = read_python(&text).unwrap().unwrap();
            assert_eq!((reply.plan, reply.notes), (vec!["one".to_owned()], "n".to_owned()));
            assert_eq!((reply.files[0].path.as_str(), reply.files[0].content.as_str()), ("a.py", "x = 1\n"));
        }
        assert!(read_python(&json!({"files": [file("a.py")]}).to_string()).unwrap().is_ok());
    }

    #[test]
    fn text_that_is_not_the_document_is_left_to_another_reader() {
        for text in ["", "I cannot help.", "{}", "[1]", "}{", "```python name=a.py\nx = {}\n```", "{\"files\": 1}"] {
            assert_eq!(read_python(text), None, "{text}");
        }
    }

    #[test]
    fn a_document_that_breaks_a_rule_says_which() {
        let many: Vec<Value> = (0..21).map(|number| file(&format!("f{number}.py"))).collect();
        let large = json!({"path": "a.py", "content": "x".repeat(1024 * 1024 + 1), "kind": "code"});
        for (files, expected) in [
            (json!([]), "no file"),
            (json!([file("a.js"), file("README.md"), file("pytest.ini")]), "no file"),
            (json!([file("../a.py")]), "unsafe"),
            (json!([file("/etc/a.py")]), "unsafe"),
            (json!([file("a\\b.py")]), "unsafe"),
            (json!([file(".a.py")]), "unsafe"),
            (json!([file("a.py"), file("tests/conftest.py")]), "how tests are found"),
            (json!([{"path": "a.py", "content": " \n", "kind": "code"}]), "empty"),
            (json!(many), "too many"),
            (json!([large]), "too large"),
        ] {
            let reason = read_python(&json!({"files": files}).to_string()).unwrap().unwrap_err();
            assert!(reason.contains(expected), "{reason}");
        }
    }
}
