//! `GET /api/v3/execute/status/{workflow_id}`: one workflow with its artifacts.

use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::json;

use crate::auth::state::Auth;
use crate::auth::tokens::Caller;
use crate::executions::artifact_contents::{no_artifacts, read_artifacts};
use crate::executions::views::workflow_document;
use crate::http::problem::Problem;
use crate::limits::admission::RateLimits;
use crate::limits::settings::Operation;
use crate::workflows::access::{may_show_artifacts, visible};
use crate::workflows::state::Workflows;

/// Returns the workflow's document.
pub(crate) async fn status(
    workflows: web::Data<Workflows>,
    auth: web::Data<Auth>,
    limits: web::Data<RateLimits>,
    caller: Caller,
    request: HttpRequest,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    limits.admit(&request, &caller.user, Operation::Status).await?;
    let stored = visible(&workflows, &caller.user, &id).await?;
    let mut workflow = stored.workflow;
    auth.tokens.lapse_votes(&mut workflow);
    let is_included = workflow.submission.options.include_artifacts;
    let artifacts = if is_included && may_show_artifacts(&workflows, &workflow, &caller.user).await? {
        read_artifacts(&workflows, &workflow.artifacts).await?
    } else {
        no_artifacts()
    };
    let data = workflow_document(&workflow, artifacts, workflows.clock.now());
    Ok(HttpResponse::Ok().json(json!({"status": "success", "data": data})))
}
