//! `promptcraft recipes list`.

use std::process::ExitCode;

use serde_json::Value;

use crate::client::ConnectionArgs;
use crate::error::CommandError;
use crate::output::{self, out, truncate};

/// Terminal width from which summaries are shown instead of titles.
const MIN_WIDTH_FOR_SUMMARY: usize = 100;

/// List the recipes of the workers
#[derive(clap::Args)]
pub struct List {
    /// Print the API's response as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connection: ConnectionArgs,
}

impl List {
    pub async fn run(self) -> Result<ExitCode, CommandError> {
        let api = self.connection.connect().await?;
        if self.json {
            out!("{:#}", api.get_raw("/api/v3/recipes").await?["data"]);
            return Ok(ExitCode::SUCCESS);
        }
        let answer = api.get("/api/v3/recipes").await?;
        let recipes = answer["data"]["recipes"].as_array().cloned().unwrap_or_default();
        let (heading, rows) = rows(&recipes, output::terminal_width());
        output::table(&heading, &rows);
        if recipes.iter().any(|recipe| recipe["on_all_workers"] == false) {
            eprintln!("\n* not on all workers, or in different versions");
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Returns the heading and rows for a terminal of `columns`; the last column is truncated.
fn rows(recipes: &[Value], columns: Option<usize>) -> (Vec<&'static str>, Vec<Vec<String>>) {
    let is_wide = columns.is_none_or(|columns| columns >= MIN_WIDTH_FOR_SUMMARY);
    let (heading, last) = if is_wide {
        (vec!["NAME", "LANGUAGE", "VERSION", "SUMMARY"], "summary")
    } else {
        (vec!["NAME", "LANGUAGE", "VERSION", "TITLE"], "title")
    };
    let mut rows: Vec<Vec<String>> = recipes.iter().map(|recipe| row(recipe, last)).collect();
    if let Some(columns) = columns {
        let room = output::last_column_width(&heading, &rows, columns).max(heading[3].len());
        for row in &mut rows {
            row[3] = truncate(&row[3], room);
        }
    }
    (heading, rows)
}

fn row(recipe: &Value, last: &str) -> Vec<String> {
    let text = |name: &str| recipe[name].as_str().unwrap_or_default().to_owned();
    let mark = if recipe["on_all_workers"] == false { "*" } else { "" };
    vec![text("name") + mark, text("language"), text("version"), text(last)]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_row_fits_the_terminal() {
        let recipe = json!({
            "name": "rate-limiter", "language": "python", "version": "1.0.0", "title": "Rate limiter ".repeat(6),
            "summary": "Limit how often each key may act. ".repeat(6), "on_all_workers": false,
        });
        let recipes = [recipe];
        let last_of = |columns| rows(&recipes, columns).1[0][3].clone();
        // 13 + 2, 8 + 2 and 7 + 2 columns come before.
        assert_eq!(last_of(Some(80)).chars().count(), 80 - 34);
        assert_eq!(last_of(Some(120)).chars().count(), 120 - 34);
        assert!(last_of(Some(80)).starts_with("Rate") && last_of(Some(120)).starts_with("Limit"));
        assert_eq!(last_of(Some(10)), "Rate…");
        assert_eq!(last_of(None), recipes[0]["summary"].as_str().unwrap_or_default());
        assert_eq!(rows(&recipes, None).1[0][0], "rate-limiter*");
    }
}
