//! `/api/v3/admin/dead-letters`: lists, shows and discards dead letters. Admins only; 404 for everyone else.
//!
//! Payloads are not shown: one may be a result that no human released. `promptcraft admin dead-letters` shows and
//! re-queues them with the operator's own broker credentials.

use std::time::Duration;

use actix_web::{HttpRequest, HttpResponse, web};
use domain::identity::Role;
use domain::ids::Digest;
use messaging::{DeadLetterError, DeadLetters, StoredDeadLetter};
use serde_json::{Value, json};

use crate::auth::tokens::Caller;
use crate::http::body::discard as discard_body;
use crate::http::pagination::QueryParams;
use crate::http::problem::Problem;
use crate::limits::admission::RateLimits;
use crate::limits::settings::Operation;

/// Returns one page, oldest first.
pub(crate) async fn list(
    dead_letters: web::Data<DeadLetters>,
    limits: web::Data<RateLimits>,
    caller: Caller,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    check(&limits, &caller, &request).await?;
    let mut query = QueryParams::of(&request)?;
    let cause = query.read("cause", "must be unreadable, forged, exhausted or undelivered", |text| text.parse().ok());
    let after = query.read("cursor", "must be the next_cursor of the page before", |text| text.parse().ok());
    let limit = query.limit();
    query.finish()?;
    let found = dead_letters
        .list(cause, after.unwrap_or(0), limit + 1)
        .await
        .map_err(|error| dead_letters_unavailable(&error))?;
    let next = found.get(limit).map(|_| found[limit - 1].id.to_string());
    let page: Vec<Value> = found.iter().take(limit).map(document).collect();
    Ok(HttpResponse::Ok().json(json!({
        "status": "success",
        "data": {"dead_letters": page, "next_cursor": next},
    })))
}

/// Returns one dead letter with its headers.
pub(crate) async fn show(
    dead_letters: web::Data<DeadLetters>,
    limits: web::Data<RateLimits>,
    caller: Caller,
    request: HttpRequest,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    check(&limits, &caller, &request).await?;
    let id = id.parse().map_err(|_| Problem::dead_letter_not_found())?;
    let stored = dead_letters
        .get(id)
        .await
        .map_err(|error| dead_letters_unavailable(&error))?
        .ok_or_else(Problem::dead_letter_not_found)?;
    let mut letter = document(&stored);
    letter["headers"] =
        stored.letter.headers.iter().map(|(name, value)| json!({"name": name, "value": value})).collect();
    Ok(HttpResponse::Ok().json(json!({"status": "success", "data": letter})))
}

/// Deletes a dead letter.
pub(crate) async fn discard(
    dead_letters: web::Data<DeadLetters>,
    limits: web::Data<RateLimits>,
    caller: Caller,
    request: HttpRequest,
    id: web::Path<String>,
    payload: web::Payload,
) -> Result<HttpResponse, Problem> {
    discard_body(&request, payload.into_inner()).await;
    check(&limits, &caller, &request).await?;
    let id: u64 = id.parse().map_err(|_| Problem::dead_letter_not_found())?;
    if !dead_letters.discard(id).await.map_err(|error| dead_letters_unavailable(&error))? {
        return Err(Problem::dead_letter_not_found());
    }
    let user = &caller.user.name;
    tracing::info!(dead_letter.id = id, user.name = %user, "Dead letter {id}: deleted by {user}");
    Ok(HttpResponse::Ok().json(json!({"status": "success", "message": "The dead letter was deleted."})))
}

async fn check(limits: &RateLimits, caller: &Caller, request: &HttpRequest) -> Result<(), Problem> {
    if !caller.is_at_least(Role::Admin) {
        return Err(Problem::route_not_found());
    }
    limits.admit(request, &caller.user, Operation::Status).await
}

fn dead_letters_unavailable(error: &DeadLetterError) -> Problem {
    tracing::warn!(%error, "Failed to read or delete dead letters");
    Problem::unavailable("Dead letters are unavailable; try again.", Duration::from_secs(1))
}

fn document(stored: &StoredDeadLetter) -> Value {
    let letter = &stored.letter;
    json!({
        "id": stored.id,
        "at": stored.at.to_rfc3339(),
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
