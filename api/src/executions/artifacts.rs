//! What a workflow has made, inside its document and one by one: `GET /api/v3/execute/{workflow_id}/artifacts/{name}`.

use actix_web::http::header::CONTENT_DISPOSITION;
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Value, json};
use shared::single_file::{Part, joined};
use shared::workflow::{Artifacts, CodeFile, Content};

use crate::app_state::State;
use crate::auth::tokens::Caller;
use crate::executions::submit::blobs_away;
use crate::http::etag::tagged;
use crate::http::problem::Problem;
use crate::limits::settings::{Operation, admit};
use crate::workflows::access::{may_decide_now, may_show_artifacts, visible};

const TEXT: &str = "text/plain; charset=utf-8";
const JSON: &str = "application/json";
const MARKDOWN: &str = "text/markdown; charset=utf-8";
const DIFF: &str = "text/x-diff; charset=utf-8";

/// The path of the changes to given code, beside those of the files.
pub(crate) const CHANGES: &str = "changes.diff";

/// The artifacts of a workflow whose artifacts are not to be seen, or not here.
pub(crate) fn nothing() -> Value {
    json!({"generated_code": null, "test_results": null, "security_report": null, "documentation": null})
}

/// Every artifact, as the workflow's document embeds it.
pub(crate) async fn read_artifacts(state: &State, artifacts: &Artifacts) -> Result<Value, Problem> {
    let documentation = match &artifacts.documentation {
        Some(content) => Some(load(state, content).await?),
        None => None,
    };
    Ok(json!({
        "generated_code": read_code(state, artifacts).await?,
        "test_results": read_json(state, artifacts.test_results.as_ref()).await?,
        "security_report": read_json(state, artifacts.security_report.as_ref()).await?,
        "documentation": documentation,
    }))
}

async fn load(state: &State, content: &Content) -> Result<String, Problem> {
    state.blobs.load(content).await.map_err(|error| blobs_away(&error))
}

async fn read_json(state: &State, content: Option<&Content>) -> Result<Value, Problem> {
    let Some(content) = content else { return Ok(Value::Null) };
    let text = load(state, content).await?;
    serde_json::from_str(&text).map_err(|_| {
        tracing::error!(digest = %content.digest, "a report in the log is not JSON");
        Problem::internal()
    })
}

/// The files that we made or changed, as one file; the caller's own are not repeated.
async fn read_code(state: &State, artifacts: &Artifacts) -> Result<String, Problem> {
    let mut files = Vec::new();
    for file in made(artifacts) {
        files.push(Part { path: &file.path, text: load(state, &file.content).await? });
    }
    Ok(joined(&files))
}

fn made(artifacts: &Artifacts) -> impl Iterator<Item = &CodeFile> {
    artifacts.files.iter().filter(|file| !file.from_caller)
}

/// The content of a file that the caller gave, by its artifact's name: its owner has it, and who decides has to read it.
fn callers_file<'a>(artifacts: &'a Artifacts, name: &str) -> Option<&'a Content> {
    let path = name.strip_prefix("files/")?;
    artifacts.files.iter().find(|file| file.from_caller && file.path == path).map(|file| &file.content)
}

/// One artifact, with its digest as `ETag`.
pub(crate) async fn artifact(
    state: web::Data<State>,
    caller: Caller,
    request: HttpRequest,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse, Problem> {
    admit(&state, &request, &caller, Operation::Status).await?;
    let (id, name) = path.into_inner();
    let workflow = visible(&state, &caller, &id).await?.workflow;
    if let Some(own) = callers_file(&workflow.artifacts, &name)
        && (workflow.owner == caller.user.name || may_decide_now(&workflow, &caller.user))
    {
        return Ok(answer(&request, load(&state, own).await?, TEXT));
    }
    if !may_show_artifacts(&state, &workflow, &caller.user).await? {
        return Err(Problem::no_such_artifact());
    }
    let artifacts = &workflow.artifacts;
    let (text, kind) = match name.as_str() {
        "generated_code" if made(artifacts).next().is_some() => (read_code(&state, artifacts).await?, TEXT),
        "test_results" => (one(&state, artifacts.test_results.as_ref()).await?, JSON),
        "security_report" => (one(&state, artifacts.security_report.as_ref()).await?, JSON),
        "documentation" => (one(&state, artifacts.documentation.as_ref()).await?, MARKDOWN),
        other => match other.strip_prefix("files/") {
            Some(CHANGES) => (one(&state, artifacts.changes.as_ref()).await?, DIFF),
            path => {
                let file = path.and_then(|path| made(artifacts).find(|file| file.path == path));
                (one(&state, file.map(|file| &file.content)).await?, TEXT)
            }
        },
    };
    Ok(answer(&request, text, kind))
}

async fn one(state: &State, content: Option<&Content>) -> Result<String, Problem> {
    load(state, content.ok_or_else(Problem::no_such_artifact)?).await
}

fn answer(request: &HttpRequest, text: String, kind: &str) -> HttpResponse {
    tagged(request, text, kind, |response| {
        // What was made is never to be rendered by a browser on our own origin.
        response.insert_header((CONTENT_DISPOSITION, "attachment"));
    })
}
