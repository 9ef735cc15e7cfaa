//! `/api/v3/admin/dead-letters`: messages that were given up, for admins; to everyone else the calls do not exist.
//!
//! What a message held is not shown here: it may be a result that no human released. `promptcraft admin dead-letters` shows it, and puts back
//! what can be put back, with the operator's own login on the broker.

use std::sync::Arc;
use std::time::Duration;

use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Value, json};
use shared::identity::Role;
use shared::ids::Digest;
use shared::messaging::{Cause, KeptLetter, LettersAway};
use tokio::time::Instant;

use crate::app_state::State;
use crate::auth::tokens::Caller;
use crate::http::body::discard as discard_body;
use crate::http::pagination::Query;
use crate::http::problem::Problem;
use crate::limits::settings::{Operation, admit};
use crate::metrics;

/// How often the letters are counted for the metric. The broker counts them one by one: where that takes long, it is done so much less
/// often that it is busy for a fiftieth of the time.
const COUNT: Duration = Duration::from_secs(5);
const IDLE: u32 = 50;

/// One page, oldest first.
pub(crate) async fn list(
    state: web::Data<State>,
    caller: Caller,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    check(&state, &caller, &request).await?;
    let mut query = Query::of(&request)?;
    let cause = query.read("cause", "must be unreadable, forged, exhausted or undelivered", |text| text.parse().ok());
    let after = query.read("cursor", "must be the next_cursor of the page before", |text| text.parse().ok());
    let limit = query.limit();
    query.finish()?;
    let found = state.letters.list(cause, after.unwrap_or(0), limit + 1).await.map_err(|error| away(&error))?;
    let next = found.get(limit).map(|_| found[limit - 1].id.to_string());
    let letters: Vec<Value> = found.iter().take(limit).map(document).collect();
    Ok(HttpResponse::Ok().json(json!({
        "status": "success",
        "data": {"dead_letters": letters, "next_cursor": next},
    })))
}

/// One letter with its headers.
pub(crate) async fn show(
    state: web::Data<State>,
    caller: Caller,
    request: HttpRequest,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    check(&state, &caller, &request).await?;
    let id = id.parse().map_err(|_| Problem::no_such_letter())?;
    let kept = state.letters.get(id).await.map_err(|error| away(&error))?.ok_or_else(Problem::no_such_letter)?;
    let mut letter = document(&kept);
    letter["headers"] = kept.letter.headers.iter().map(|(name, value)| json!({"name": name, "value": value})).collect();
    Ok(HttpResponse::Ok().json(json!({"status": "success", "data": letter})))
}

/// Takes a letter away for good.
pub(crate) async fn discard(
    state: web::Data<State>,
    caller: Caller,
    request: HttpRequest,
    id: web::Path<String>,
    payload: web::Payload,
) -> Result<HttpResponse, Problem> {
    discard_body(&request, payload.into_inner()).await;
    check(&state, &caller, &request).await?;
    let id: u64 = id.parse().map_err(|_| Problem::no_such_letter())?;
    if !state.letters.discard(id).await.map_err(|error| away(&error))? {
        return Err(Problem::no_such_letter());
    }
    tracing::info!(letter = id, user.name = %caller.user.name, "a dead letter was dropped");
    Ok(HttpResponse::Ok().json(json!({"status": "success", "message": "The dead letter is dropped."})))
}

async fn check(state: &State, caller: &Caller, request: &HttpRequest) -> Result<(), Problem> {
    if !caller.is_at_least(Role::Admin) {
        return Err(Problem::no_such_call());
    }
    admit(state, request, caller, Operation::Status).await
}

fn away(error: &LettersAway) -> Problem {
    tracing::warn!(%error, "dead letters could not be read or dropped");
    Problem::unavailable("Dead letters cannot be read or dropped now; try again.", Duration::from_secs(1))
}

fn document(kept: &KeptLetter) -> Value {
    let letter = &kept.letter;
    json!({
        "id": kept.id,
        "at": kept.at.to_rfc3339(),
        "cause": letter.cause.as_str(),
        "reason": letter.reason,
        "attempts": letter.attempts,
        "stream": letter.stream,
        "sequence": letter.sequence,
        "subject": letter.subject,
        "workflow_id": letter.workflow_id(),
        "payload_bytes": letter.payload.len(),
        "payload_digest": Digest::of(&letter.payload),
    })
}

/// Counts the letters for the metric until the life ends.
pub(crate) async fn run_count(state: Arc<State>) {
    let stopping = state.life.stopping();
    while !stopping.is_cancelled() {
        let began = Instant::now();
        let pause = match state.letters.counts().await {
            Ok(counts) => {
                counts.into_iter().for_each(|(cause, count)| tell(cause, count));
                COUNT.max(began.elapsed() * IDLE)
            }
            Err(error) => {
                tracing::debug!(%error, "the metric of dead letters is old");
                COUNT
            }
        };
        tokio::select! {
            () = stopping.cancelled() => return,
            () = tokio::time::sleep(pause) => {}
        }
    }
}

fn tell(cause: Cause, count: u64) {
    metrics::DEAD_LETTERS.with_label_values(&[cause.as_str()]).set(i64::try_from(count).unwrap_or(i64::MAX));
}
