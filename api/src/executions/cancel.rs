//! `POST /api/v3/execute/cancel/{workflow_id}`: ends a workflow; nothing of it is committed afterwards.

use std::time::Duration;

use actix_web::{HttpRequest, HttpResponse, web};
use domain::approval::Actor;
use domain::identity::Role;
use domain::ids::{EventId, WorkflowId};
use domain::workflow::{Event, EventKind, EventRecord, Status, transition};
use messaging::AppendError;
use read_model::VersionedWorkflow;
use serde_json::json;
use service::telemetry::TraceContext;

use crate::auth::tokens::Caller;
use crate::http::body::discard;
use crate::http::problem::Problem;
use crate::http::request_context::trace_of;
use crate::limits::admission::RateLimits;
use crate::limits::settings::Operation;
use crate::workflows::access::{is_visible, parse_workflow_id};
use crate::workflows::peers::Peers;
use crate::workflows::state::Workflows;

/// Maximum retries after a concurrent transition. A workflow has a few transitions a second.
const MAX_CONFLICT_RETRIES: u32 = 50;

/// Cancels. Idempotent: 200 for a cancelled workflow.
pub(crate) async fn cancel(
    workflows: web::Data<Workflows>,
    peers: web::Data<Peers>,
    limits: web::Data<RateLimits>,
    caller: Caller,
    request: HttpRequest,
    id: web::Path<String>,
    payload: web::Payload,
) -> Result<HttpResponse, Problem> {
    discard(&request, payload.into_inner()).await;
    limits.admit(&request, &caller.user, Operation::Decide).await?;
    let id = parse_workflow_id(&id).ok_or_else(Problem::workflow_not_found)?;
    for _ in 0..MAX_CONFLICT_RETRIES {
        let stored = workflows.reader.get_from_leader(id).await?.ok_or_else(Problem::workflow_not_found)?;
        check(&stored, &caller)?;
        match stored.workflow.status() {
            Status::Cancelled => return Ok(cancelled(id, "The workflow was already cancelled.")),
            Status::Completed | Status::Failed => {
                return Err(Problem::conflict(
                    "already-ended",
                    "The workflow has already ended; nothing was cancelled.",
                ));
            }
            Status::Created | Status::Running | Status::WaitingApproval => {}
        }
        if append(&workflows, &peers, trace_of(&request), &caller, &stored).await? {
            return Ok(cancelled(id, "The workflow is cancelled."));
        }
    }
    Err(Problem::unavailable(
        "The workflow keeps changing while it is being cancelled; try again.",
        Duration::from_secs(1),
    ))
}

fn check(stored: &VersionedWorkflow, caller: &Caller) -> Result<(), Problem> {
    if !is_visible(&stored.workflow, &caller.user) {
        return Err(Problem::workflow_not_found());
    }
    if !caller.is_at_least(Role::Developer) {
        return Err(Problem::forbidden("Viewers cannot cancel workflows."));
    }
    if stored.workflow.owner != caller.user.name && !caller.is_at_least(Role::Admin) {
        return Err(Problem::forbidden(
            "Only the owner and admins can cancel a workflow; approvers reject it instead.",
        ));
    }
    Ok(())
}

/// Appends the terminal state; false if another transition was first.
async fn append(
    workflows: &Workflows,
    peers: &Peers,
    trace: TraceContext,
    caller: &Caller,
    stored: &VersionedWorkflow,
) -> Result<bool, Problem> {
    let (id, at) = (stored.workflow.id, workflows.clock.now());
    let by = Actor::User(caller.user.name.clone());
    let Ok(next) = transition(&stored.workflow, Event::Cancelled { by: by.clone() }, at) else { return Ok(false) };
    let happened = EventRecord { event_id: EventId::fresh(), kind: EventKind::Cancelled, actor: by, at, detail: None };
    match workflows.log.append(stored.sequence, &next, &happened, trace).await {
        Ok(sequence) => {
            peers.cancellations.send(id).await;
            workflows.reader.upsert(sequence, &next).await;
            tracing::info!(workflow.id = %id, user.name = %caller.user.name, "Workflow {id}: cancelled");
            Ok(true)
        }
        Err(AppendError::Lost) => Ok(false),
        Err(AppendError::Unavailable(reason)) => {
            tracing::warn!(reason, workflow.id = %id, "Workflow {id}: failed to append the cancel: {reason}");
            Err(Problem::unavailable("The cancel could not be stored; try again.", Duration::from_secs(1)))
        }
    }
}

fn cancelled(id: WorkflowId, message: &str) -> HttpResponse {
    HttpResponse::Ok().json(json!({
        "status": "success",
        "message": message,
        "data": {"workflow_id": id, "status": Status::Cancelled.as_str()},
    }))
}
