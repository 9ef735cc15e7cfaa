//! `promptcraft recipes show`.

use std::process::ExitCode;

use serde_json::Value;

use crate::client::ConnectionArgs;
use crate::error::CommandError;
use crate::output::{self, Style, out, styled};

const HEADING: [&str; 4] = ["PARAMETER", "DEFAULT", "ALLOWED", "MEANING"];
/// Minimum width of the MEANING column.
const MIN_MEANING_WIDTH: usize = 16;

/// Show a recipe: example goals, parameters, files and documentation
#[derive(clap::Args)]
pub struct Show {
    /// Name of the recipe
    name: String,
    /// Print the API's response as JSON, with the content of each file
    #[arg(long, conflicts_with = "code")]
    json: bool,
    /// Print only the code
    #[arg(long)]
    code: bool,
    #[command(flatten)]
    connection: ConnectionArgs,
}

impl Show {
    pub async fn run(self) -> Result<ExitCode, CommandError> {
        let api = self.connection.connect().await?;
        let path = format!("/api/v3/recipes/{}", self.name);
        if self.json {
            out!("{:#}", api.get_raw(&path).await?["data"]);
        } else if self.code {
            show_code(&api.get_raw(&path).await?["data"]);
        } else {
            show(&api.get(&path).await?["data"]);
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn items<'v>(recipe: &'v Value, name: &str) -> impl Iterator<Item = &'v Value> {
    recipe[name].as_array().into_iter().flatten()
}

fn show_code(recipe: &Value) {
    for file in items(recipe, "files").filter(|file| file["is_test"] == false) {
        out!("{}", file["content"].as_str().unwrap_or_default().trim_end());
    }
}

fn show(recipe: &Value) {
    let text = |name: &str| recipe[name].as_str().unwrap_or_default();
    out!("{} {}", styled(Style::Bold, text("name")), styled(Style::Dim, text("version")));
    out!("{}\n", text("summary"));
    out!("  language  {}", text("language"));
    let provides: Vec<&str> = items(recipe, "provides").filter_map(Value::as_str).collect();
    if !provides.is_empty() {
        out!("  provides  {}", provides.join(", "));
    }
    for (number, file) in items(recipe, "files").enumerate() {
        let label = if number == 0 { "files" } else { "" };
        let lines = file["content"].as_str().unwrap_or_default().lines().count();
        let kind = if file["is_test"] == true { "lines of tests" } else { "lines" };
        out!("  {label:<8}  {} ({lines} {kind})", file["path"].as_str().unwrap_or_default());
    }
    for (number, example) in items(recipe, "examples").filter_map(Value::as_str).enumerate() {
        let label = if number == 0 { "goals" } else { "" };
        out!("  {label:<8}  {example}");
    }
    let columns = output::terminal_width();
    let parameters: Vec<Vec<String>> = items(recipe, "parameters").map(parameter).collect();
    if !parameters.is_empty() {
        out!("");
        output::table(&HEADING, &wrap_meanings(parameters, columns));
    }
    let documentation = text("documentation").trim_end();
    out!("\n{}", columns.map_or(documentation.to_owned(), |columns| output::wrap_markdown(documentation, columns)));
    if let Some(example) = recipe["examples"][0].as_str() {
        let hint = format!("promptcraft run \"{example}\" --recipe {} --no-approval --watch", text("name"));
        out!("\n{}", styled(Style::Dim, &hint));
    }
}

/// Wraps the MEANING column for a terminal of `columns`; continuation lines have empty other cells.
fn wrap_meanings(parameters: Vec<Vec<String>>, columns: Option<usize>) -> Vec<Vec<String>> {
    let Some(columns) = columns else { return parameters };
    let room = output::last_column_width(&HEADING, &parameters, columns).max(MIN_MEANING_WIDTH);
    let lines = |row: &Vec<String>| {
        let meaning = output::wrap_markdown(&row[3], room);
        let beside = |(number, line): (usize, &str)| {
            let before = row[..3].iter().map(|cell| if number == 0 { cell.clone() } else { String::new() });
            before.chain([line.to_owned()]).collect()
        };
        meaning.lines().enumerate().map(beside).collect::<Vec<Vec<String>>>()
    };
    parameters.iter().flat_map(lines).collect()
}

fn parameter(parameter: &Value) -> Vec<String> {
    let text = |name: &str| parameter[name].as_str().unwrap_or_default().to_owned();
    vec![text("name"), display_value(&parameter["default"]), allowed_values(parameter), text("description")]
}

/// E.g. `integer, 1 to 1000` or `sha256, sha512`.
fn allowed_values(parameter: &Value) -> String {
    let choices: Vec<&str> = items(parameter, "choices").filter_map(Value::as_str).collect();
    if !choices.is_empty() {
        return choices.join(", ");
    }
    let kind = parameter["kind"].as_str().unwrap_or_default().replace('_', " in ");
    match (&parameter["min"], &parameter["max"]) {
        (Value::Null, Value::Null) => kind,
        (min, Value::Null) => format!("{kind}, from {}", display_value(min)),
        (Value::Null, max) => format!("{kind}, up to {}", display_value(max)),
        (min, max) => format!("{kind}, {} to {}", display_value(min), display_value(max)),
    }
}

/// Formats a value without a redundant fraction: `1` for 1.0.
fn display_value(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Number(_) => value.as_f64().map(|number| number.to_string()).unwrap_or_default(),
        Value::Bool(_) | Value::Array(_) | Value::Object(_) => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_meaning_fits_the_terminal() {
        let row = ["capacity", "128", "integer, 1 to 1000000", "Maximum number of entries that are kept at a time"];
        let row: Vec<String> = row.map(str::to_owned).to_vec();
        // 9 + 2, 7 + 2 and 21 + 2 columns come before.
        let wrap_meanings = wrap_meanings(vec![row.clone()], Some(43 + 24));
        let meanings: Vec<&str> = wrap_meanings.iter().map(|line| line[3].as_str()).collect();
        assert_eq!(meanings, ["Maximum number of", "entries that are kept at", "a time"]);
        assert_eq!((&wrap_meanings[0][..3], &wrap_meanings[1][..3]), (&row[..3], &[const { String::new() }; 3][..]));
        assert_eq!(super::wrap_meanings(vec![row.clone()], None), [row]);
    }

    #[test]
    fn a_parameter_says_what_is_allowed() {
        for (given, expected) in [
            (json!({"kind": "integer", "min": 1.0, "max": 1_000_000.0}), "integer, 1 to 1000000"),
            (json!({"kind": "number", "min": 0.5}), "number, from 0.5"),
            (json!({"kind": "duration_seconds", "max": 60.0}), "duration in seconds, up to 60"),
            (json!({"kind": "identifier"}), "identifier"),
            (json!({"kind": "choice", "choices": ["sha256", "sha512"]}), "sha256, sha512"),
        ] {
            assert_eq!(allowed_values(&given), expected);
        }
    }
}
