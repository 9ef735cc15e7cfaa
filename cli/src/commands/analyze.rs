//! `promptcraft analyze`: findings about a file.

use std::path::PathBuf;
use std::process::ExitCode;

use serde_json::json;

use super::Failure;
use crate::api::Connection;
use crate::screen::{Style, say, styled};

/// Analyse a file; fails if something of high or critical severity is found.
#[derive(clap::Args)]
pub struct Analyze {
    file: PathBuf,
    /// What to look for.
    #[arg(long = "type", default_value = "general", value_parser = ["security", "performance", "architecture", "general"])]
    kind: String,
    /// Leave out what is less severe.
    #[arg(long, default_value = "low", value_parser = ["low", "medium", "high"])]
    threshold: String,
    /// The API's answer as it is.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connection: Connection,
}

impl Analyze {
    pub async fn run(self) -> Result<ExitCode, Failure> {
        let content = std::fs::read_to_string(&self.file)
            .map_err(|error| format!("{} cannot be read: {error}", self.file.display()))?;
        let name = self.file.display().to_string();
        let body = json!({
            "analysis_type": self.kind,
            "context": { "file_content": content, "file_path": name },
            "options": { "severity_threshold": self.threshold },
        });
        let api = self.connection.open().await?;
        if self.json {
            say!("{:#}", api.post_as_it_is("/api/v3/analyze", &body).await?);
            return Ok(ExitCode::SUCCESS);
        }
        let answer = api.post("/api/v3/analyze", &body).await?;
        let data = &answer["data"];
        let mut grave = false;
        for finding in data["suggestions"].as_array().into_iter().flatten() {
            let text = |name: &str| finding[name].as_str().unwrap_or_default();
            let style = match text("severity") {
                "critical" | "high" => {
                    grave = true;
                    Style::Bad
                }
                "medium" => Style::Attention,
                _ => Style::Faint,
            };
            let place = format!("{name}:{}", finding["line_start"]);
            say!(
                "{place} {} {} {}",
                styled(style, text("severity")),
                text("rule"),
                styled(Style::Strong, text("title"))
            );
            say!("    {}", text("description"));
            say!("    {}", styled(Style::Faint, text("recommendation")));
        }
        say!("{}", data["analysis_summary"].as_str().unwrap_or_default());
        Ok(if grave { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    }
}
