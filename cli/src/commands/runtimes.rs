//! `promptcraft runtimes`: the languages that the workers run.

use std::process::ExitCode;

use serde_json::Value;

use crate::client::ConnectionArgs;
use crate::error::CommandError;
use crate::output::{self, out, truncate};

const HEADING: [&str; 5] = ["NAME", "VERSION", "FILES", "TESTS", "PACKAGES"];

/// List the languages of the workers
#[derive(clap::Args)]
pub struct Runtimes {
    /// Print the API's response as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connection: ConnectionArgs,
}

impl Runtimes {
    pub async fn run(self) -> Result<ExitCode, CommandError> {
        let api = self.connection.connect().await?;
        if self.json {
            out!("{:#}", api.get_raw("/api/v3/runtimes").await?["data"]);
            return Ok(ExitCode::SUCCESS);
        }
        let answer = api.get("/api/v3/runtimes").await?;
        let runtimes = answer["data"]["runtimes"].as_array().cloned().unwrap_or_default();
        output::table(&HEADING, &rows(&runtimes, output::terminal_width()));
        if runtimes.iter().any(|runtime| runtime["on_all_workers"] == false) {
            eprintln!("\n* not on all workers");
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Returns the rows for a terminal of `columns`; the last column is truncated.
fn rows(runtimes: &[Value], columns: Option<usize>) -> Vec<Vec<String>> {
    let mut rows: Vec<Vec<String>> = runtimes.iter().map(row).collect();
    if let Some(columns) = columns {
        let room = output::last_column_width(&HEADING, &rows, columns).max(HEADING[4].len());
        for row in &mut rows {
            row[4] = truncate(&row[4], room);
        }
    }
    rows
}

fn row(runtime: &Value) -> Vec<String> {
    let mark = if runtime["on_all_workers"] == false { "*" } else { "" };
    let texts = |name: &str, separator: &str| {
        let items = runtime[name].as_array().into_iter().flatten().filter_map(Value::as_str);
        items.collect::<Vec<_>>().join(separator)
    };
    let packages = runtime["packages"].as_array().into_iter().flatten();
    let packages: Vec<String> =
        packages.filter_map(|it| Some(format!("{} {}", it["name"].as_str()?, it["version"].as_str()?))).collect();
    let tests = if runtime["runs_tests"] == true { "yes" } else { "no" };
    vec![
        runtime["name"].as_str().unwrap_or_default().to_owned() + mark,
        texts("versions", ", "),
        texts("extensions", " "),
        tests.to_owned(),
        packages.join(", "),
    ]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_row_fits_the_terminal() {
        let package = |name: &str| json!({"name": name, "version": "1.2.3"});
        let packages: Vec<Value> =
            ["numpy", "pandas", "matplotlib", "requests", "pytest", "attr", "py", "pluggy"].map(package).into();
        let runtime = json!({
            "name": "python", "versions": ["3.11.2"], "extensions": [".py", ".pyw"], "runs_tests": true,
            "packages": packages, "on_all_workers": false,
        });
        let lua = json!({"name": "lua", "versions": [], "extensions": [".lua"], "runs_tests": false, "packages": []});
        let runtimes = [runtime, lua];
        assert_eq!(rows(&runtimes, None)[0][..4], ["python*", "3.11.2", ".py .pyw", "yes"]);
        assert_eq!(rows(&runtimes, None)[1], ["lua", "", ".lua", "no", ""]);
        for columns in [80, 120] {
            let rows = rows(&runtimes, Some(columns));
            // 7 + 2, 7 + 2, 8 + 2 and 5 + 2 columns come before.
            assert_eq!(rows[0][4].chars().count(), (columns - 35).min(rows_of_all(&runtimes)), "{rows:?}");
        }
    }

    fn rows_of_all(runtimes: &[Value]) -> usize {
        rows(runtimes, None)[0][4].chars().count()
    }
}
