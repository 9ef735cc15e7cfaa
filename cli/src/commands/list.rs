//! `promptcraft list`: the caller's workflows.

use std::process::ExitCode;

use serde_json::Value;

use crate::client::ConnectionArgs;
use crate::error::CommandError;
use crate::example_goals::first_command;
use crate::output::{self, out, truncate};

/// Maximum characters of a goal in a table row.
const GOAL_WIDTH: usize = 60;
/// Terminal width from which the time is shown.
const MIN_WIDTH_FOR_TIME: usize = 100;

/// List your workflows, newest first
#[derive(clap::Args)]
pub struct List {
    /// Show only workflows with this status
    #[arg(long, value_name = "STATUS")]
    status: Option<String>,
    /// Maximum number of workflows, up to 100
    #[arg(long, default_value_t = 20)]
    limit: u32,
    #[command(flatten)]
    connection: ConnectionArgs,
}

impl List {
    pub async fn run(self) -> Result<ExitCode, CommandError> {
        let api = self.connection.connect().await?;
        let filter = self.status.map(|status| format!("&status={status}")).unwrap_or_default();
        let path = format!("/api/v3/execute?limit={}{filter}&", self.limit);
        let (workflows, more) = api.first_page(&path, "workflows").await?;
        if workflows.is_empty() {
            out!("No workflows. Start one: {}", first_command());
            return Ok(ExitCode::SUCCESS);
        }
        let (heading, rows) = rows(&workflows, output::terminal_width());
        output::table(&heading, &rows);
        if more {
            out!("\nThere are older workflows: raise --limit (up to 100) or filter with --status");
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Returns the heading and rows for a terminal of `columns`; the goal is truncated, and a narrow terminal has no time.
fn rows(workflows: &[Value], columns: Option<usize>) -> (Vec<&'static str>, Vec<Vec<String>>) {
    let is_wide = columns.is_none_or(|columns| columns >= MIN_WIDTH_FOR_TIME);
    let fields: &[(&str, &str)] = if is_wide {
        &[("WORKFLOW", "workflow_id"), ("STATUS", "status"), ("CREATED", "created_at"), ("GOAL", "goal")]
    } else {
        &[("WORKFLOW", "workflow_id"), ("STATUS", "status"), ("GOAL", "goal")]
    };
    let heading: Vec<&str> = fields.iter().map(|(heading, _)| *heading).collect();
    let text = |workflow: &Value, name: &str| workflow[name].as_str().unwrap_or_default().to_owned();
    let mut rows: Vec<Vec<String>> =
        workflows.iter().map(|workflow| fields.iter().map(|(_, name)| text(workflow, name)).collect()).collect();
    let room = columns.map_or(GOAL_WIDTH, |columns| output::last_column_width(&heading, &rows, columns));
    for goal in rows.iter_mut().filter_map(|row| row.last_mut()) {
        *goal = truncate(&output::one_line(goal), room.clamp(heading[fields.len() - 1].len(), GOAL_WIDTH));
    }
    (heading, rows)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_row_fits_the_terminal() {
        let workflow = json!({
            "workflow_id": "019dda68-bbd9-7c50-b0f0-48f0d1f0a0a1", "status": "waiting_approval",
            "created_at": "2026-01-01T00:00:00.000Z", "goal": "a goal of many words ".repeat(9),
        });
        for (columns, parts) in [(Some(80), 3), (Some(120), 4), (None, 4)] {
            let (heading, rows) = rows(std::slice::from_ref(&workflow), columns);
            let width: usize = rows[0].iter().map(|cell| cell.chars().count() + 2).sum::<usize>() - 2;
            assert_eq!((heading.len(), rows[0].len()), (parts, parts));
            assert!(columns.is_none_or(|columns| width <= columns), "{columns:?}: {rows:?}");
            assert!(rows[0][parts - 1].starts_with("a goal of many"), "{rows:?}");
        }
    }
}
