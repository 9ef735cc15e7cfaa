//! `POST /auth/token`: a user name and a password for a pair of tokens.

use std::time::Duration;

use actix_web::http::header::HeaderValue;
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::json;
use shared::identity::{RefreshFamily, User, checks_on_this_thread, spend_time_of_a_check};
use shared::messaging::BucketError;
use tokio::sync::OwnedSemaphorePermit;
use uuid::Uuid;

use super::sign_in_limits;
use super::tokens::Pair;
use crate::app_state::State;
use crate::http::body::read_small;
use crate::http::json_fields::Fields;
use crate::http::problem::Problem;
use crate::metrics;

const LONGEST: usize = 1_024;

/// Signs in. A wrong name and a wrong password are answered alike in text and time.
pub(crate) async fn sign_in(
    state: web::Data<State>,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Problem> {
    let body = read_small(&request, payload).await?;
    let (name, password) = credentials(&body)?;
    match verify(&state, &request, &name, password).await? {
        Some(user) => {
            let family = Uuid::new_v4().to_string();
            let record = RefreshFamily {
                user: user.name.clone(),
                generation: 1,
                revoked: false,
                expires_at: state.clock.now().after(state.tokens.refresh_ttl()),
                change: String::new(),
            };
            state.families.create(&family, &record).await.map_err(|error| away(&error))?;
            state.tokens.issue(&user, &family, 1).map(answer).ok_or_else(no_key)
        }
        None => {
            metrics::AUTH_FAILURES.with_label_values(&["credentials"]).inc();
            Err(Problem::unauthorized("Invalid credentials"))
        }
    }
}

fn credentials(body: &serde_json::Value) -> Result<(String, String), Problem> {
    let root = Fields::body(body)?;
    let mut fields = Fields::default();
    let name = fields.required_text(root, "username", LONGEST);
    let password = fields.required_text(root, "password", LONGEST);
    fields.finish()?;
    Ok((name, password))
}

/// The user whose password it is; 429 without a look at it beyond the limits.
async fn verify(state: &State, request: &HttpRequest, name: &str, password: String) -> Result<Option<User>, Problem> {
    let buckets = throttle::Buckets::of(state, request, name);
    buckets.look(state, request)?;
    // Before the charge: otherwise right passwords that wait for their turn would be charged meanwhile as if they were wrong.
    let turn = state.sign_ins.turn(buckets.address()).await.ok_or_else(busy)?;
    let attempt = buckets.admit(state, request).await?;
    let user = state.tokens.usable(name);
    match check(turn, user.clone(), password).await {
        Ok((true, turn)) => {
            attempt.succeed(state, request).await;
            drop(turn);
            Ok(user)
        }
        Ok((false, _)) => Ok(None),
        Err(problem) => {
            attempt.cancel(state).await;
            Err(problem)
        }
    }
}

fn busy() -> Problem {
    Problem::unavailable("Too many are signing in; try again.", Duration::from_secs(1))
}

/// Checks off the async threads, where the turn lasts until the end even if the caller leaves; an unknown user costs the same time.
async fn check(
    turn: OwnedSemaphorePermit,
    user: Option<User>,
    password: String,
) -> Result<(bool, OwnedSemaphorePermit), Problem> {
    let hash = user.and_then(|user| user.password);
    let checked = web::block(move || {
        let before = checks_on_this_thread();
        let is_right = match hash {
            Some(hash) => hash.matches(&password),
            None => spend_time_of_a_check(&password).map(|()| false),
        };
        metrics::PASSWORD_CHECKS.inc_by(checks_on_this_thread() - before);
        is_right.map(|is_right| (is_right, turn))
    });
    checked.await.map_err(|_| busy())?.map_err(|error| {
        tracing::error!(%error, "a password could not be checked");
        busy()
    })
}

/// The answer of a sign-in and of a refresh.
pub(super) fn answer(pair: Pair) -> HttpResponse {
    let body = json!({
        "access_token": pair.access,
        "token_type": "bearer",
        "expires_in": pair.expires_in,
        "refresh_token": pair.refresh,
    });
    HttpResponse::Ok().insert_header(("pragma", HeaderValue::from_static("no-cache"))).json(body)
}

pub(super) fn away(error: &BucketError) -> Problem {
    tracing::warn!(%error, "a token record could not be read or written");
    Problem::unavailable("Signing in and out is not possible now; try again.", Duration::from_secs(1))
}

pub(super) fn no_key() -> Problem {
    Problem::unavailable("There is no key to sign tokens with; the operator has to make one.", Duration::from_secs(10))
}
