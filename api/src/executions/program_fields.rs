//! Reads the files, arguments, variables and stdin of a submission.

use std::collections::BTreeMap;

use domain::workflow::{
    Invocation, MAX_ARGS, MAX_PROJECT_BYTES, MAX_PROJECT_FILES, MAX_STDIN_BYTES, MAX_VARIABLES, MAX_WORDS_BYTES,
    clashing_path, path_problem, variable_problem,
};
use serde_json::{Map, Value};

use crate::http::json_fields::{FieldReader, Object};
use crate::http::problem::Problem;

/// A file of a submission; its content is not stored yet.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SubmittedFile {
    pub(crate) path: String,
    pub(crate) content: String,
}

/// Reads `files`; 413 if they are too large together.
pub(crate) fn read_files(fields: &mut FieldReader, project: Object<'_>) -> Result<Vec<SubmittedFile>, Problem> {
    let Some(value) = project.get("files") else { return Ok(Vec::new()) };
    let Some(items) = value.as_array().filter(|items| items.len() <= MAX_PROJECT_FILES) else {
        fields.wrong(project, "files", &format!("must be a list of at most {MAX_PROJECT_FILES} files"));
        return Ok(Vec::new());
    };
    let sizes = items.iter().filter_map(|item| item.get("content")?.as_str()).map(str::len);
    if sizes.sum::<usize>() > MAX_PROJECT_BYTES {
        return Err(Problem::too_large("context.project_context.files is larger than 3 MiB in all."));
    }
    let mut files = Vec::new();
    for (index, item) in items.iter().enumerate() {
        match item.as_object() {
            Some(members) => files.extend(read_file(fields, project, index, members)),
            None => fields.wrong(project, &format!("files[{index}]"), "must be an object with path and content"),
        }
    }
    if files.len() == items.len()
        && let Some((index, problem)) = clashing_path(files.iter().map(|file| file.path.as_str()))
    {
        fields.wrong(project, &format!("files[{index}].path"), problem);
    }
    Ok(files)
}

fn read_file(
    fields: &mut FieldReader,
    project: Object<'_>,
    index: usize,
    members: &Map<String, Value>,
) -> Option<SubmittedFile> {
    let mut read = |name: &str| match members.get(name) {
        Some(Value::String(text)) => Some(text.clone()),
        Some(Value::Null) | None => {
            fields.wrong(project, &format!("files[{index}].{name}"), "is required");
            None
        }
        Some(_) => {
            fields.wrong(project, &format!("files[{index}].{name}"), "must be a string");
            None
        }
    };
    let (path, content) = (read("path"), read("content"));
    if let Some(problem) = path.as_deref().and_then(path_problem) {
        fields.wrong(project, &format!("files[{index}].path"), problem);
        return None;
    }
    if content.as_deref().is_some_and(|content| content.contains('\0')) {
        fields.wrong(project, &format!("files[{index}].content"), "must not contain NUL characters");
        return None;
    }
    Some(SubmittedFile { path: path?, content: content? })
}

/// Reads `entry`, the path of one of the files.
pub(crate) fn read_entry(fields: &mut FieldReader, project: Object<'_>, files: &[SubmittedFile]) -> Option<String> {
    let entry = fields.text(project, "entry", 255)?;
    if !files.iter().any(|file| file.path == entry) {
        fields.wrong(project, "entry", "must be the path of one of the files");
    }
    Some(entry)
}

/// Reads `stdin`; 413 if it is too large.
pub(crate) fn read_stdin(fields: &mut FieldReader, preferences: Object<'_>) -> Result<Option<String>, Problem> {
    let Some(value) = preferences.get("stdin") else { return Ok(None) };
    let Some(text) = value.as_str() else {
        fields.wrong(preferences, "stdin", "must be a string");
        return Ok(None);
    };
    if text.len() > MAX_STDIN_BYTES {
        return Err(Problem::too_large("context.execution_preferences.stdin is larger than 1 MiB."));
    }
    Ok(Some(text.to_owned()).filter(|text| !text.is_empty()))
}

/// Reads `args` and `env`.
pub(crate) fn read_invocation(fields: &mut FieldReader, preferences: Object<'_>) -> Invocation {
    Invocation { args: read_args(fields, preferences), env: read_env(fields, preferences) }
}

fn read_args(fields: &mut FieldReader, preferences: Object<'_>) -> Vec<String> {
    let Some(value) = preferences.get("args") else { return Vec::new() };
    let args = value
        .as_array()
        .and_then(|items| items.iter().map(|item| item.as_str().map(str::to_owned)).collect::<Option<Vec<String>>>());
    let problem = match &args {
        None => "must be a list of strings",
        Some(args) if args.len() > MAX_ARGS => "must be at most 64 strings",
        Some(args) if args.iter().map(String::len).sum::<usize>() > MAX_WORDS_BYTES => "must be at most 64 KiB in all",
        Some(args) if args.iter().any(|arg| arg.contains('\0')) => "must not contain NUL characters",
        Some(_) => return args.unwrap_or_default(),
    };
    fields.wrong(preferences, "args", problem);
    Vec::new()
}

fn read_env(fields: &mut FieldReader, preferences: Object<'_>) -> BTreeMap<String, String> {
    let Some(value) = preferences.get("env") else { return BTreeMap::new() };
    let Some(members) = value.as_object().filter(|members| members.len() <= MAX_VARIABLES) else {
        fields.wrong(preferences, "env", &format!("must be an object of at most {MAX_VARIABLES} variables"));
        return BTreeMap::new();
    };
    let mut env = BTreeMap::new();
    for (index, (name, value)) in members.iter().enumerate() {
        // Text that is not the name of a variable is not repeated.
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
        let is_name = (1..=64).contains(&name.len()) && name.bytes().all(is_plain);
        let shown = if is_name { format!("env.{name}") } else { format!("env[{index}]") };
        let problem = variable_problem(name).or_else(|| match value.as_str() {
            None => Some("must be a string"),
            Some(text) if text.contains('\0') => Some("must not contain NUL characters"),
            Some(_) => None,
        });
        match problem {
            Some(problem) => fields.wrong(preferences, &shown, problem),
            None => drop(env.insert(name.clone(), value.as_str().unwrap_or_default().to_owned())),
        }
    }
    if env.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>() > MAX_WORDS_BYTES {
        fields.wrong(preferences, "env", "must be at most 64 KiB in all");
    }
    env
}
