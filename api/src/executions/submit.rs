//! `POST /api/v3/execute`: accepts a submission by one append to the log.

use std::time::Duration;

use actix_web::http::header::LOCATION;
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Value, json};
use shared::approval::Actor;
use shared::identity::Role;
use shared::ids::{EventId, WorkflowId};
use shared::messaging::{AppendError, BlobError};
use shared::workflow::{EventKind, Happened, Submission, Workflow, estimated_cost};

use crate::app_state::State;
use crate::auth::tokens::Caller;
use crate::budget::daily_budget::within_budget;
use crate::executions::submit_request::{HouseRules, Order, read_order};
use crate::http::body::{discard, read_body};
use crate::http::problem::Problem;
use crate::limits::settings::{Operation, admit_body};
use crate::metrics;
use crate::middleware::observe::trace_of;
use crate::recipes::catalogue::is_unknown;
use crate::workflows::reader::log_away;

const IDEMPOTENCY_KEY: &str = "idempotency-key";
/// A replica that answers the read may be a moment behind the leader that refused the append.
const READ_AGAIN: [u64; 5] = [5, 20, 80, 300, 1_000];

/// Accepts a submission; 202 means that it is on disk in the log.
pub(crate) async fn execute(
    state: web::Data<State>,
    caller: Caller,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Problem> {
    if !caller.is_at_least(Role::Developer) {
        discard(&request, payload.into_inner()).await;
        return Err(Problem::forbidden("Viewers may not submit work; ask an operator for the role developer."));
    }
    let payload = admit_body(&state, &request, &caller, Operation::Execute, payload).await?;
    let rules = HouseRules {
        gate_before_execute: state.config.gate_before_execute,
        demand_human_from: state.config.demand_human_from,
        allow_private_webhooks: state.config.allow_private_webhooks,
        budget: state.config.budget.per_workflow,
    };
    let order = read_body(&state.room, &caller.user, &request, payload, move |body| read_order(body, rules)).await?;
    let key = read_key(&request)?;
    if let Some(key) = &key
        && let Some(first) = repeated(&state, WorkflowId::for_key(&caller.user.name, key), &order).await?
    {
        return Ok(accepted(&state, &first, true));
    }
    if let Some(name) = &order.options.recipe
        && is_unknown(&state, name).await?
    {
        return Err(Problem::invalid_field(
            "context.execution_preferences.recipe",
            "is not the name of a recipe; GET /api/v3/recipes lists them",
        ));
    }
    within_budget(&state, &caller.user.name).await?;
    submit(&state, &caller, &request, key, order).await
}

/// The header that names a submission; visible characters only.
pub(crate) fn read_key(request: &HttpRequest) -> Result<Option<String>, Problem> {
    let mut values = request.headers().get_all(IDEMPOTENCY_KEY);
    let Some(value) = values.next() else { return Ok(None) };
    let key = value.to_str().unwrap_or_default();
    if values.next().is_none() && (1..=255).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(Some(key.to_owned()));
    }
    Err(Problem::invalid_field("Idempotency-Key", "must be one header of 1 to 255 visible ASCII characters"))
}

async fn submit(
    state: &State,
    caller: &Caller,
    request: &HttpRequest,
    key: Option<String>,
    order: Order,
) -> Result<HttpResponse, Problem> {
    let owner = caller.user.name.clone();
    let id = key.map_or_else(WorkflowId::fresh, |key| WorkflowId::for_key(&owner, &key));
    let at = state.clock.now();
    let submission = store(state, order.clone()).await.map_err(|error| blobs_away(&error))?;
    let workflow = Workflow::submitted(id, owner.clone(), submission, at);
    let happened = Happened {
        event_id: EventId::fresh(),
        kind: EventKind::Submitted,
        actor: Actor::User(owner),
        at,
        detail: None,
    };
    match state.submissions.append(&workflow, &happened, &trace_of(request)).await {
        Ok(sequence) => {
            metrics::SUBMISSIONS.inc();
            tracing::info!(workflow.id = %id, user.name = %workflow.owner, "accepted");
            state.newest.put(sequence, &workflow).await;
            Ok(accepted(state, &workflow, false))
        }
        Err(AppendError::Lost) => after_lost_race(state, id, &order).await,
        Err(AppendError::Unavailable(reason)) => {
            tracing::warn!(reason, "a submission could not be written");
            Err(Problem::unavailable(
                "The submission could not be stored; send it again with the same Idempotency-Key.",
                Duration::from_secs(1),
            ))
        }
    }
}

async fn store(state: &State, order: Order) -> Result<Submission, BlobError> {
    let code = match order.code {
        Some(code) => Some(state.blobs.store(code).await?),
        None => None,
    };
    Ok(Submission {
        goal: order.goal,
        code,
        current_file: order.current_file,
        language: order.language,
        repo_url: order.repo_url,
        options: order.options,
        request_digest: order.request_digest,
    })
}

pub(crate) fn blobs_away(error: &BlobError) -> Problem {
    tracing::warn!(%error, "content could not be stored or read");
    Problem::unavailable("Content cannot be stored or read now; try again.", Duration::from_secs(1))
}

/// Someone else's append under the same key was first.
async fn after_lost_race(state: &State, id: WorkflowId, order: &Order) -> Result<HttpResponse, Problem> {
    for wait in READ_AGAIN {
        if let Some(first) = repeated(state, id, order).await? {
            return Ok(accepted(state, &first, true));
        }
        tokio::time::sleep(Duration::from_millis(wait)).await;
    }
    Err(Problem::unavailable("The first submission under this key is still being stored.", Duration::from_secs(1)))
}

/// The workflow that was submitted under this id before, where the request was the same.
async fn repeated(state: &State, id: WorkflowId, order: &Order) -> Result<Option<Workflow>, Problem> {
    let first = state.log.submission(id).await.map_err(|error| log_away(&error))?;
    match first {
        Some(first) if first.workflow.submission.request_digest == order.request_digest => Ok(Some(first.workflow)),
        Some(_) => {
            Err(Problem::invalid_field("Idempotency-Key", "was used before with another body; choose a new key"))
        }
        None => Ok(None),
    }
}

fn accepted(state: &State, workflow: &Workflow, is_repeat: bool) -> HttpResponse {
    let id = workflow.id;
    let cost = estimated_cost(&workflow.submission, state.config.budget.prices);
    let seconds: u32 = workflow.plan.iter().map(|step| step.estimated_seconds).sum();
    let plan: Vec<Value> = (1..)
        .zip(&workflow.plan)
        .map(|(number, step): (u32, _)| {
            json!({
                "step": number,
                "description": step.description,
                "agent": step.agent.as_str(),
                "estimated_duration": format!("{}s", step.estimated_seconds),
            })
        })
        .collect();
    let status = format!("/api/v3/execute/status/{id}");
    let mut response = HttpResponse::Accepted();
    if is_repeat {
        response.insert_header(("idempotency-replayed", "true"));
    }
    response.insert_header((LOCATION, status.as_str())).json(json!({
        "status": "accepted",
        "data": {
            "workflow_id": id,
            "estimated_duration_minutes": (f64::from(seconds) / 60.0 * 100.0).round() / 100.0,
            "estimated_cost": (cost * 1e6).round() / 1e6,
            "execution_plan": plan,
        },
        "endpoints": {
            "status": status,
            "cancel": format!("/api/v3/execute/cancel/{id}"),
            "approve": format!("/api/v3/execute/approve/{id}"),
            "events": format!("/api/v3/execute/{id}/events"),
        },
    }))
}
