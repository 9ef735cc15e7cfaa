//! `POST /api/v3/execute`: accepts a submission by one append to the log.

use std::time::Duration;

use actix_web::http::header::LOCATION;
use actix_web::{HttpRequest, HttpResponse, web};
use domain::approval::Actor;
use domain::identity::Role;
use domain::ids::{EventId, UserName, WorkflowId};
use domain::workflow::{
    Content, EventKind, EventRecord, ProjectFile, Submission, SubmissionPolicy, Workflow, estimated_cost,
};
use futures_util::{StreamExt, TryStreamExt};
use messaging::{AppendError, BlobError, Blobs};
use serde_json::{Value, json};
use service::lifecycle::Lifecycle;
use service::telemetry::TraceContext;

use crate::auth::tokens::Caller;
use crate::budget::daily_budget::DailyBudget;
use crate::executions::program_fields::SubmittedFile;
use crate::executions::submit_request::SubmitRequest;
use crate::executions::wait::{Waiter, read_wait};
use crate::http::body::{BodyMemoryBudget, discard, read_body};
use crate::http::idempotency::read_key;
use crate::http::problem::Problem;
use crate::http::request_context::trace_of;
use crate::limits::admission::RateLimits;
use crate::limits::settings::Operation;
use crate::metrics;
use crate::recipes::catalogue::RecipeCatalogue;
use crate::workflows::state::Workflows;
use crate::workflows::unavailable::{blobs_unavailable, log_unavailable};

/// Maximum files of one submission that are stored at once.
const MAX_CONCURRENT_STORES: usize = 8;
/// Delays between reads after a lost append: a replica may lag behind the leader that rejected it.
const READ_RETRY_DELAYS_MS: [u64; 5] = [5, 20, 80, 300, 1_000];

/// The part of the application state for submissions.
pub(crate) struct Submitter {
    pub(crate) policy: SubmissionPolicy,
    /// Permits notifications to private addresses.
    pub(crate) allow_private_webhooks: bool,
    pub(crate) budget: DailyBudget,
    pub(crate) recipes: web::Data<RecipeCatalogue>,
    pub(crate) workflows: web::Data<Workflows>,
    pub(crate) lifecycle: web::Data<Lifecycle>,
}

/// Accepts a submission; 202 means that it is on disk in the log. With `wait` in the query the answer is 200 with the
/// status document if the workflow ends, or waits for a human, within that time.
pub(crate) async fn submit(
    submitter: web::Data<Submitter>,
    waiter: web::Data<Waiter>,
    limits: web::Data<RateLimits>,
    body_memory: web::Data<BodyMemoryBudget>,
    caller: Caller,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Problem> {
    let payload = admit(&limits, &caller, &request, payload).await?;
    let allow_private = submitter.allow_private_webhooks;
    let parse = move |body: &Value| SubmitRequest::parse(body, allow_private);
    let submit_request = read_body(&body_memory, &caller.user, &request, payload, parse).await?;
    let (key, wait) = (read_key(&request)?, read_wait(&request)?);
    let accepted = submitter.accept(&caller, trace_of(&request), key, submit_request).await?;
    let ended = match wait {
        Some(wait) => waiter.wait(&request, &caller, accepted.workflow.id, wait).await,
        None => None,
    };
    let status = format!("/api/v3/execute/status/{}", accepted.workflow.id);
    let mut response = if ended.is_some() { HttpResponse::Ok() } else { HttpResponse::Accepted() };
    if accepted.is_repeat {
        response.insert_header(("idempotency-replayed", "true"));
    }
    Ok(response.insert_header((LOCATION, status)).json(ended.unwrap_or_else(|| submitter.document(&accepted.workflow))))
}

/// Charges one submission; the body of a rejected call is dropped.
pub(crate) async fn admit(
    limits: &RateLimits,
    caller: &Caller,
    request: &HttpRequest,
    payload: web::Payload,
) -> Result<web::Payload, Problem> {
    if !caller.is_at_least(Role::Developer) {
        discard(request, payload.into_inner()).await;
        return Err(Problem::forbidden("Viewers cannot submit workflows; ask an operator for the role developer."));
    }
    limits.admit_body(request, &caller.user, Operation::Execute, payload).await
}

/// A submission that is on disk in the log.
pub(crate) struct Accepted {
    pub(crate) workflow: Workflow,
    /// True if an earlier request under the same `Idempotency-Key` stored it.
    pub(crate) is_repeat: bool,
}

/// Stores files. Only few small ones stay inline, because every message of the workflow carries them twice.
async fn store_files(blobs: &Blobs, files: Vec<SubmittedFile>) -> Result<Vec<ProjectFile>, BlobError> {
    let is_small = files.iter().map(|file| file.content.len()).sum::<usize>() <= Content::INLINE_LIMIT_BYTES;
    let stored = files.into_iter().map(|SubmittedFile { path, content }| async move {
        let content = if is_small { Content::new(content) } else { blobs.store_apart(content).await? };
        Ok(ProjectFile { path, content })
    });
    futures_util::stream::iter(stored).buffered(MAX_CONCURRENT_STORES).try_collect().await
}

impl Submitter {
    /// Stores a submission; repeated under the same key, it returns the first one.
    pub(crate) async fn accept(
        &self,
        caller: &Caller,
        trace: TraceContext,
        key: Option<String>,
        submit_request: SubmitRequest,
    ) -> Result<Accepted, Problem> {
        let name = &caller.user.name;
        if let Some(key) = &key
            && let Some(first) = self.repeated(WorkflowId::for_key(name, key), &submit_request).await?
        {
            return Ok(Accepted { workflow: first, is_repeat: true });
        }
        if let Some(recipe) = &submit_request.options.recipe
            && let Some(nearest) = self.recipes.nearest_if_unknown(recipe).await?
        {
            let near = if nearest.is_empty() { String::new() } else { format!("; near it: {}", nearest.join(", ")) };
            return Err(Problem::invalid_field(
                "context.execution_preferences.recipe",
                &format!("is not the name of a recipe{near}; GET /api/v3/recipes lists all"),
            ));
        }
        self.budget.require_remaining(name).await?;
        let id = key.map_or_else(WorkflowId::fresh, |key| WorkflowId::for_key(name, &key));
        self.append(name.clone(), trace, id, submit_request).await
    }

    async fn append(
        &self,
        owner: UserName,
        trace: TraceContext,
        id: WorkflowId,
        submit_request: SubmitRequest,
    ) -> Result<Accepted, Problem> {
        let at = self.workflows.clock.now();
        let submission = self.store(submit_request.clone()).await.map_err(|error| blobs_unavailable(&error))?;
        let workflow = Workflow::submitted(id, owner.clone(), submission, at);
        let happened = EventRecord {
            event_id: EventId::fresh(),
            kind: EventKind::Submitted,
            actor: Actor::User(owner),
            at,
            detail: None,
        };
        match self.workflows.submissions.append(&workflow, &happened, &trace).await {
            Ok(sequence) => {
                metrics::SUBMISSIONS.inc();
                tracing::info!(workflow.id = %id, user.name = %workflow.owner, "Workflow {id}: submitted");
                let reader = &self.workflows.reader;
                reader.upsert_in_background(sequence, workflow.clone(), &self.lifecycle).await;
                Ok(Accepted { workflow, is_repeat: false })
            }
            Err(AppendError::Lost) => self.after_lost_race(id, &submit_request).await,
            Err(AppendError::Unavailable(reason)) => {
                tracing::warn!(reason, workflow.id = %id, "Workflow {id}: failed to append the submission: {reason}");
                Err(Problem::unavailable(
                    "The submission could not be stored; send it again with the same Idempotency-Key.",
                    Duration::from_secs(1),
                ))
            }
        }
    }

    async fn store(&self, submit_request: SubmitRequest) -> Result<Submission, BlobError> {
        let blobs = &self.workflows.blobs;
        let invocation = Some(submit_request.invocation).filter(|invocation| !invocation.is_empty());
        let invocation = invocation.map(|invocation| json!(invocation).to_string());
        let store = async |text: Option<String>| match text {
            Some(text) => blobs.store(text).await.map(Some),
            None => Ok(None),
        };
        let (code, files, stdin, invocation) = tokio::try_join!(
            store(submit_request.code),
            store_files(blobs, submit_request.files),
            store(submit_request.stdin),
            store(invocation),
        )?;
        Ok(Submission {
            goal: submit_request.goal,
            code,
            files,
            entry: submit_request.entry,
            stdin,
            invocation,
            current_file: submit_request.current_file,
            language: submit_request.language,
            repo_url: submit_request.repo_url,
            options: submit_request.options,
            policy: self.policy,
            request_digest: submit_request.request_digest,
        })
    }

    /// Returns the submission that was first under the same key.
    async fn after_lost_race(&self, id: WorkflowId, submit_request: &SubmitRequest) -> Result<Accepted, Problem> {
        for wait in READ_RETRY_DELAYS_MS {
            if let Some(workflow) = self.repeated(id, submit_request).await? {
                return Ok(Accepted { workflow, is_repeat: true });
            }
            tokio::time::sleep(Duration::from_millis(wait)).await;
        }
        Err(Problem::unavailable("The first submission under this key is still being stored.", Duration::from_secs(1)))
    }

    /// Returns the earlier workflow of this id if its request was equal; 422 if it was not.
    async fn repeated(&self, id: WorkflowId, submit_request: &SubmitRequest) -> Result<Option<Workflow>, Problem> {
        let first = self.workflows.log.submission(id).await.map_err(|error| log_unavailable(&error))?;
        match first {
            Some(first) if first.workflow.submission.request_digest == submit_request.request_digest => {
                Ok(Some(first.workflow))
            }
            Some(_) => {
                Err(Problem::invalid_field("Idempotency-Key", "was used before with another body; choose a new key"))
            }
            None => Ok(None),
        }
    }

    /// Returns the answer to an accepted submission.
    pub(crate) fn document(&self, workflow: &Workflow) -> Value {
        let id = workflow.id;
        let cost = estimated_cost(&workflow.submission, self.budget.settings.prices);
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
        json!({
            "status": "accepted",
            "data": {
                "workflow_id": id,
                "estimated_duration_minutes": (f64::from(seconds) / 60.0 * 100.0).round() / 100.0,
                "estimated_cost": (cost * 1e6).round() / 1e6,
                "execution_plan": plan,
            },
            "endpoints": {
                "status": format!("/api/v3/execute/status/{id}"),
                "cancel": format!("/api/v3/execute/cancel/{id}"),
                "approve": format!("/api/v3/execute/approve/{id}"),
                "events": format!("/api/v3/execute/{id}/events"),
            },
        })
    }
}
