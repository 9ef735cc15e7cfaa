//! `GET /api/v3/execute/{workflow_id}/artifacts/{name}`: one artifact.

use actix_web::http::header::{CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY};
use actix_web::{HttpRequest, HttpResponse, web};
use bytes::Bytes;
use domain::workflow::{Artifacts, Content, MediaType, OutputFile};

use crate::auth::tokens::Caller;
use crate::executions::artifact_contents::{CHANGES, load, produced_files, read_code};
use crate::http::etag::respond_with_etag;
use crate::http::problem::Problem;
use crate::limits::admission::RateLimits;
use crate::limits::settings::Operation;
use crate::workflows::access::{may_decide_now, may_show_artifacts, visible};
use crate::workflows::state::Workflows;
use crate::workflows::unavailable::blobs_unavailable;

const TEXT: &str = "text/plain; charset=utf-8";
const JSON: &str = "application/json";
const MARKDOWN: &str = "text/markdown; charset=utf-8";
const DIFF: &str = "text/x-diff; charset=utf-8";

/// Returns a submitted file by its artifact's name. Visible to its owner and to those who decide.
fn submitted_file<'a>(artifacts: &'a Artifacts, name: &str) -> Option<&'a Content> {
    let path = name.strip_prefix("files/")?;
    artifacts.files.iter().find(|file| file.from_caller && file.path == path).map(|file| &file.content)
}

/// Returns one artifact, with its digest as `ETag`.
pub(crate) async fn artifact(
    workflows: web::Data<Workflows>,
    limits: web::Data<RateLimits>,
    caller: Caller,
    request: HttpRequest,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse, Problem> {
    limits.admit(&request, &caller.user, Operation::Status).await?;
    let (id, name) = path.into_inner();
    let workflow = visible(&workflows, &caller.user, &id).await?.workflow;
    if let Some(own) = submitted_file(&workflow.artifacts, &name)
        && (workflow.owner == caller.user.name || may_decide_now(&workflow, &caller.user))
    {
        return Ok(answer(&request, load(&workflows, own).await?, TEXT));
    }
    if !may_show_artifacts(&workflows, &workflow, &caller.user).await? {
        return Err(Problem::artifact_not_found());
    }
    let artifacts = &workflow.artifacts;
    if let Some(file) = output_file(artifacts, &name) {
        let content = workflows.blobs.load_bytes(file.digest).await.map_err(|error| blobs_unavailable(&error))?;
        return Ok(answer_output_file(&request, file, content));
    }
    let (text, kind) = match name.as_str() {
        "generated_code" if produced_files(artifacts).next().is_some() => {
            (read_code(&workflows, artifacts).await?, TEXT)
        }
        "test_results" => (load_required(&workflows, artifacts.test_results.as_ref()).await?, JSON),
        "security_report" => (load_required(&workflows, artifacts.security_report.as_ref()).await?, JSON),
        "documentation" => (load_required(&workflows, artifacts.documentation.as_ref()).await?, MARKDOWN),
        other => match other.strip_prefix("files/") {
            Some(CHANGES) => (load_required(&workflows, artifacts.changes.as_ref()).await?, DIFF),
            path => {
                let file = path.and_then(|path| produced_files(artifacts).find(|file| file.path == path));
                (load_required(&workflows, file.map(|file| &file.content)).await?, TEXT)
            }
        },
    };
    Ok(answer(&request, text, kind))
}

/// Returns an output file by its artifact's name. `files/` names it too, unless a file of the job has that path.
fn output_file<'a>(artifacts: &'a Artifacts, artifact: &str) -> Option<&'a OutputFile> {
    let find = |name: &str| artifacts.output_files.iter().find(|file| file.name == name);
    if let Some(name) = artifact.strip_prefix("outputs/") {
        return find(name);
    }
    let name = artifact.strip_prefix("files/").filter(|name| *name != CHANGES)?;
    find(name).filter(|_| !artifacts.files.iter().any(|file| file.path == name))
}

/// Answers with a file of a run, whose type and content the job chose.
fn answer_output_file(request: &HttpRequest, file: &OutputFile, content: Bytes) -> HttpResponse {
    // By the content at hand: the recorded type was written by a worker.
    let media_type = MediaType::of(&file.name, &content);
    let disposition = if media_type.is_image() { "inline" } else { "attachment" };
    respond_with_etag(request, content, media_type.as_str(), |response| {
        response.insert_header((CONTENT_DISPOSITION, disposition));
        response.insert_header((CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox"));
    })
}

async fn load_required(workflows: &Workflows, content: Option<&Content>) -> Result<String, Problem> {
    load(workflows, content.ok_or_else(Problem::artifact_not_found)?).await
}

fn answer(request: &HttpRequest, text: String, kind: &str) -> HttpResponse {
    respond_with_etag(request, text, kind, |response| {
        // Produced content must never be rendered by a browser on this origin.
        response.insert_header((CONTENT_DISPOSITION, "attachment"));
    })
}
