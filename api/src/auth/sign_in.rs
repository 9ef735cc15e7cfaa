//! `POST /auth/token`: a user name and a password for a pair of tokens.

use std::time::Duration;

use actix_web::http::header::HeaderValue;
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::json;
use shared::identity::{RefreshFamily, User, checks_on_this_thread, spend_time_of_a_check};
use shared::messaging::BucketError;
use uuid::Uuid;

use super::tokens::Pair;
use crate::body::read_small;
use crate::fields::Fields;
use crate::limits::admit_sign_in;
use crate::metrics;
use crate::problem::Problem;
use crate::state::State;
use crate::traffic::client_address;

/// A password check takes a core and 19 MiB for some 20 ms; a caller waits so long for a free place.
const PATIENCE: Duration = Duration::from_secs(5);
const LONGEST: usize = 1_024;

/// Signs in. A wrong name and a wrong password are answered alike in text and time.
pub(crate) async fn sign_in(
    state: web::Data<State>,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Problem> {
    let body = read_small(&request, payload).await?;
    let (name, password) = credentials(&body)?;
    let address = client_address(&request, &state.config.trusted_proxies);
    admit_sign_in(&state, &request, address, Some(&name)).await?;
    let user = state.tokens.usable(&name);
    let is_right = check(&state, user.clone(), password).await?;
    match user.filter(|_| is_right) {
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

/// Checks off the async threads, a few at once; an unknown user costs the same time.
async fn check(state: &State, user: Option<User>, password: String) -> Result<bool, Problem> {
    let busy = || Problem::unavailable("Too many are signing in; try again.", Duration::from_secs(1));
    let permit = tokio::time::timeout(PATIENCE, state.password_checks.clone().acquire_owned()).await;
    let permit = permit.map_err(|_| busy())?.map_err(|_| busy())?;
    let hash = user.and_then(|user| user.password);
    let checked = web::block(move || {
        let before = checks_on_this_thread();
        let is_right = match hash {
            Some(hash) => hash.matches(&password),
            None => spend_time_of_a_check(&password).map(|()| false),
        };
        metrics::PASSWORD_CHECKS.inc_by(checks_on_this_thread() - before);
        drop(permit);
        is_right
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
