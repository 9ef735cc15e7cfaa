//! `promptcraft recipes test`: runs the tests of recipes in the sandbox and analyzes their code.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use domain::single_file::{Part, joined};
use futures_util::StreamExt as _;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::folder::{self, Staging};
use crate::client::{ApiClient, ApiError, ConnectionArgs};
use crate::error::CommandError;
use crate::output::{self, Style, out, styled};

/// Maximum number of recipes tested concurrently.
const MAX_CONCURRENT_TESTS: usize = 4;
/// Delay between two status requests.
const POLL_INTERVAL: Duration = Duration::from_millis(500);

/// Run the tests of recipes in the sandbox and analyze their code
///
/// Exits with 1 on a failed test or a finding of medium severity or above. Each recipe is submitted as a workflow
/// without an approval.
#[derive(clap::Args)]
pub struct Test {
    /// Names of the recipes [default: all]
    names: Vec<String>,
    /// Test the recipes in this directory instead of those of the workers
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
    #[command(flatten)]
    connection: ConnectionArgs,
}

/// A recipe and the request that runs it.
struct Candidate {
    recipe: Value,
    request: Value,
}

impl Test {
    pub async fn run(self) -> Result<ExitCode, CommandError> {
        let api = self.connection.connect().await?;
        let candidates = match &self.folder {
            Some(folder) => folder_recipes(folder)?,
            None => installed_recipes(&api).await?,
        };
        let candidates = self.select(candidates)?;
        let (began, all) = (Instant::now(), candidates.len());
        let mut failed = 0;
        let mut outcomes = futures_util::stream::iter(candidates)
            .map(async |candidate| (name_of(&candidate.recipe).to_owned(), test_recipe(&api, &candidate).await))
            .buffered(MAX_CONCURRENT_TESTS);
        while let Some((name, outcome)) = outcomes.next().await {
            match outcome? {
                Ok(passed) => out!("{} {name}: {passed}", styled(Style::Success, "ok    ")),
                Err(reason) => {
                    failed += 1;
                    out!("{} {name}: {reason}", styled(Style::Error, "FAILED"));
                }
            }
        }
        out!("{} of {all} recipes passed in {}", all - failed, output::format_duration(began.elapsed()));
        Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    fn select(&self, candidates: Vec<Candidate>) -> Result<Vec<Candidate>, CommandError> {
        let known = |name: &String| candidates.iter().any(|candidate| name_of(&candidate.recipe) == name);
        if let Some(unknown) = self.names.iter().find(|name| !known(name)) {
            return Err(format!("recipe {unknown} not found; `promptcraft recipes list` shows all").into());
        }
        let is_chosen = |candidate: &Candidate| {
            self.names.is_empty() || self.names.iter().any(|name| name == name_of(&candidate.recipe))
        };
        Ok(candidates.into_iter().filter(is_chosen).collect())
    }
}

fn name_of(recipe: &Value) -> &str {
    recipe["name"].as_str().unwrap_or_default()
}

async fn installed_recipes(api: &ApiClient) -> Result<Vec<Candidate>, CommandError> {
    let list = api.get_raw_with_retry("/api/v3/recipes").await?;
    let mut candidates = Vec::new();
    for recipe in list["data"]["recipes"].as_array().into_iter().flatten() {
        let path = format!("/api/v3/recipes/{}", name_of(recipe));
        let recipe = api.get_raw_with_retry(&path).await?["data"].clone();
        let goal = recipe["examples"][0].as_str().unwrap_or_else(|| name_of(&recipe));
        let preferences = json!({"require_approval": false, "recipe": recipe["name"]});
        let request = json!({"goal": goal, "context": {"execution_preferences": preferences}});
        candidates.push(Candidate { recipe, request });
    }
    Ok(candidates)
}

/// Reads the recipes of a directory. Workers do not have them, so code and tests are submitted as one file.
fn folder_recipes(folder: &Path) -> Result<Vec<Candidate>, CommandError> {
    let staging = Staging::create_in(&std::env::temp_dir())?;
    for recipe in folder::recipe_folders(folder)? {
        staging.copy(&recipe)?;
    }
    let recipes = folder::read_recipes(&[staging.root()])?;
    Ok(recipes.into_iter().map(|recipe| Candidate { request: single_file_request(&recipe), recipe }).collect())
}

fn single_file_request(recipe: &Value) -> Value {
    let parts: Vec<Part<'_>> = recipe["files"].as_array().into_iter().flatten().filter_map(file_part).collect();
    let project = json!({
        "file_content": joined(&parts),
        "current_file": parts.last().map(|tests| tests.path),
        "language": recipe["runtime"],
    });
    let preferences = json!({"require_approval": false, "mode": "test"});
    json!({"goal": "Run the tests", "context": {"project_context": project, "execution_preferences": preferences}})
}

fn file_part(file: &Value) -> Option<Part<'_>> {
    Some(Part { path: file["path"].as_str()?, text: file["content"].as_str()?.to_owned() })
}

/// Runs a recipe; returns a summary, or the reason of its failure.
async fn test_recipe(api: &ApiClient, candidate: &Candidate) -> Result<Result<String, String>, ApiError> {
    let accepted = api.post_with_retry("/api/v3/execute", &candidate.request, |_| ()).await?;
    let id = accepted["data"]["workflow_id"].as_str().unwrap_or_default().to_owned();
    let state = wait_until_settled(api, &id).await?;
    if let Some(reason) = failure_reason(&state) {
        return Ok(Err(format!("{reason} (promptcraft status {id})")));
    }
    if let Some(finding) = first_finding(api, &candidate.recipe).await? {
        return Ok(Err(finding));
    }
    let seconds = state["metrics"]["duration_seconds"].as_f64().unwrap_or_default();
    Ok(Ok(format!("{} tests passed in {seconds:.1} s", state["artifacts"]["test_results"]["total"])))
}

async fn wait_until_settled(api: &ApiClient, id: &str) -> Result<Value, ApiError> {
    loop {
        let answer = api.get_with_retry(&format!("/api/v3/execute/status/{id}")).await?;
        if matches!(answer["data"]["status"].as_str(), Some("completed" | "failed" | "cancelled" | "waiting_approval"))
        {
            return Ok(answer["data"].clone());
        }
        tokio::time::sleep(POLL_INTERVAL).await;
    }
}

fn failure_reason(state: &Value) -> Option<String> {
    let results = &state["artifacts"]["test_results"];
    let has_passed = results["success_rate"].as_f64() == Some(1.0) && results["total"].as_u64() > Some(0);
    match state["status"].as_str() {
        Some("completed") if has_passed => None,
        Some("completed") => Some(format!("{} of {} tests passed", results["passed"], results["total"])),
        status => {
            let message = state["error"]["message"].as_str().unwrap_or_default();
            Some(format!("the workflow is {}. {message}", status.unwrap_or("unknown")).trim_end().to_owned())
        }
    }
}

/// Returns the first finding of medium or above in the code of a recipe; tests are not analyzed.
async fn first_finding(api: &ApiClient, recipe: &Value) -> Result<Option<String>, ApiError> {
    for file in recipe["files"].as_array().into_iter().flatten().filter(|file| file["is_test"] == false) {
        let body = json!({
            "context": {"file_content": file["content"], "file_path": file["path"]},
            "options": {"severity_threshold": "medium"},
        });
        let answer = api.post_with_retry("/api/v3/analyze", &body, |_| ()).await?;
        if let Some(found) = answer["data"]["suggestions"].as_array().and_then(|found| found.first()) {
            let text = |name: &str| found[name].as_str().unwrap_or_default();
            let place = format!("{}:{}", file["path"].as_str().unwrap_or_default(), found["line_start"]);
            return Ok(Some(format!("{} finding at {place}: {}", text("severity"), text("title"))));
        }
    }
    Ok(None)
}
