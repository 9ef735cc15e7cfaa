//! `GET /api/v3/execute/status/{workflow_id}`: one workflow with its artifacts.

use actix_web::{HttpRequest, HttpResponse, web};
use domain::identity::User;
use domain::workflow::Workflow;
use serde_json::{Value, json};

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
    Ok(HttpResponse::Ok().json(status_document(&workflows, &auth, &caller.user, stored.workflow).await?))
}

/// Returns the status call's answer about a workflow that the user may see.
pub(crate) async fn status_document(
    workflows: &Workflows,
    auth: &Auth,
    user: &User,
    mut workflow: Workflow,
) -> Result<Value, Problem> {
    auth.tokens.lapse_votes(&mut workflow);
    let artifacts = if !may_show_artifacts(workflows, &workflow, user).await? {
        no_artifacts(&[])
    } else if workflow.submission.options.include_artifacts {
        read_artifacts(workflows, &workflow.artifacts).await?
    } else {
        no_artifacts(&workflow.artifacts.output_files)
    };
    let data = workflow_document(&workflow, artifacts, workflows.clock.now());
    Ok(json!({"status": "success", "data": data}))
}
