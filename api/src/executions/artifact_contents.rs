//! The contents of a workflow's artifacts.

use domain::single_file::{Part, joined};
use domain::workflow::{Artifacts, CodeFile, Content, OutputFile};
use serde_json::{Value, json};

use crate::http::problem::Problem;
use crate::workflows::state::Workflows;
use crate::workflows::unavailable::blobs_unavailable;

/// Name of the diff of changed code, beside the files.
pub(crate) const CHANGES: &str = "changes.diff";

/// Returns the `artifacts` member for callers who may not see them, or if they are excluded. `files` are then listed for
/// those who may: they are artifacts of their own, and named here only.
pub(crate) fn no_artifacts(files: &[OutputFile]) -> Value {
    json!({
        "generated_code": null,
        "test_results": null,
        "security_report": null,
        "documentation": null,
        "files": listed(files),
    })
}

/// Returns the description of output files.
fn listed(files: &[OutputFile]) -> Vec<Value> {
    let describe = |file: &OutputFile| {
        json!({
            "name": file.name,
            "size": file.size_bytes,
            "media_type": file.media_type.as_str(),
            "sha256": file.digest,
        })
    };
    files.iter().map(describe).collect()
}

/// Returns the `artifacts` member.
pub(crate) async fn read_artifacts(workflows: &Workflows, artifacts: &Artifacts) -> Result<Value, Problem> {
    let documentation = match &artifacts.documentation {
        Some(content) => Some(load(workflows, content).await?),
        None => None,
    };
    Ok(json!({
        "generated_code": read_code(workflows, artifacts).await?,
        "test_results": read_json(workflows, artifacts.test_results.as_ref()).await?,
        "security_report": read_json(workflows, artifacts.security_report.as_ref()).await?,
        "documentation": documentation,
        "files": listed(&artifacts.output_files),
    }))
}

pub(crate) async fn load(workflows: &Workflows, content: &Content) -> Result<String, Problem> {
    workflows.blobs.load(content).await.map_err(|error| blobs_unavailable(&error))
}

async fn read_json(workflows: &Workflows, content: Option<&Content>) -> Result<Value, Problem> {
    let Some(content) = content else { return Ok(Value::Null) };
    let text = load(workflows, content).await?;
    serde_json::from_str(&text).map_err(|_| {
        tracing::error!(digest = %content.digest, "Report {} in the log is not JSON", content.digest);
        Problem::internal()
    })
}

/// Joins the produced and changed files into one; files of the caller are left out.
pub(crate) async fn read_code(workflows: &Workflows, artifacts: &Artifacts) -> Result<String, Problem> {
    let mut files = Vec::new();
    for file in produced_files(artifacts) {
        files.push(Part { path: &file.path, text: load(workflows, &file.content).await? });
    }
    Ok(joined(&files))
}

pub(crate) fn produced_files(artifacts: &Artifacts) -> impl Iterator<Item = &CodeFile> {
    artifacts.files.iter().filter(|file| !file.from_caller)
}
