//! Substitutes parameter values in a recipe's files.

use super::extract::{ParameterValue, ParameterValues};
use super::{Parameter, ParameterKind, assigns};
use crate::types::{FilePurpose, SourceFile};

/// Returns the files and the documentation with the values substituted.
pub(crate) fn write(
    parameters: &[Parameter],
    values: &ParameterValues,
    files: &[SourceFile],
    documentation: &str,
) -> (Vec<SourceFile>, String) {
    let (mut files, mut documentation) = (files.to_vec(), documentation.to_owned());
    for (index, value) in &values.set {
        let parameter = &parameters[*index];
        match (&parameter.constant, &parameter.identifier, value) {
            (_, Some(identifier), ParameterValue::Text(name)) => {
                for file in &mut files {
                    file.content = renamed(&file.content, identifier, name);
                }
                documentation = renamed(&documentation, identifier, name);
            }
            (Some(constant), _, _) => {
                for file in files.iter_mut().filter(|file| file.kind == FilePurpose::Code) {
                    file.content = assigned(&file.content, constant, value);
                }
            }
            (None, ..) => {}
        }
    }
    documentation.push_str(&section(parameters, values));
    (files, documentation)
}

/// The section of the documentation for a goal with a number that no parameter holds.
pub(crate) const NUMBERS_SECTION: &str = "\n## Numbers of the goal\n\nNot every number of the goal is written into the code; pass the others as arguments.\n";

/// Returns the section of the documentation that lists the values.
fn section(parameters: &[Parameter], values: &ParameterValues) -> String {
    if values.set.is_empty() {
        return String::new();
    }
    let mut text = String::from("\n## Parameters used\n\n| parameter | value | meaning |\n|---|---|---|\n");
    for (index, value) in &values.set {
        let parameter = &parameters[*index];
        let unit = if parameter.kind == ParameterKind::DurationSeconds { " s" } else { "" };
        let value = match value {
            ParameterValue::Number(number) => format!("{number}{unit}"),
            ParameterValue::Text(text) => text.clone(),
        };
        text.push_str(&format!("| {} | `{value}` | {} |\n", parameter.name, parameter.description));
    }
    text
}

/// Replaces an identifier, as a whole word only.
fn renamed(text: &str, from: &str, to: &str) -> String {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let mut result = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(from) {
        let (before, found) = rest.split_at(at);
        let after = &found[from.len()..];
        let is_whole = !before.ends_with(is_part) && !after.starts_with(is_part);
        result.push_str(before);
        result.push_str(if is_whole { to } else { from });
        rest = after;
    }
    result + rest
}

/// Replaces the literal that is assigned to a constant.
fn assigned(code: &str, constant: &str, value: &ParameterValue) -> String {
    let line = |line: &str| {
        let declared = line.strip_prefix("const ").unwrap_or(line);
        match line.split_once('=').filter(|_| assigns(line, constant) && declared.starts_with(constant)) {
            Some((target, old)) => format!("{target}= {}", literal(old.trim(), value)),
            None => line.to_owned(),
        }
    };
    code.split('\n').map(line).collect::<Vec<_>>().join("\n")
}

/// Returns the value in the form of the old literal, with its decimal point, quotes, and trailing semicolon or comment.
fn literal(old: &str, value: &ParameterValue) -> String {
    let quote = old.chars().next().filter(|c| matches!(c, '"' | '\''));
    let end = match quote {
        Some(quote) => old[1..].find(quote).map_or(old.len(), |at| at + 2),
        None => old.find([' ', ';', '#']).unwrap_or(old.len()),
    };
    let (old, rest) = old.split_at(end);
    let text = match (value, quote) {
        (ParameterValue::Number(number), _) if old.contains('.') => format!("{number:?}"),
        (ParameterValue::Number(number), _) => number.to_string(),
        (ParameterValue::Text(text), Some(quote)) => format!("{quote}{text}{quote}"),
        (ParameterValue::Text(text), None) => text.clone(),
    };
    text + rest
}
