//! `POST /auth/token`: exchanges a user name and a password for a pair of tokens.

use std::time::Duration;

use actix_web::{HttpRequest, HttpResponse, web};
use domain::identity::{RefreshFamily, User};
use service::password;
use tokio::sync::OwnedSemaphorePermit;
use uuid::Uuid;

use super::sign_in_limits::SignInBuckets;
use super::state::Auth;
use super::token_response::{no_signing_key, records_unavailable, token_response};
use crate::http::body::read_small;
use crate::http::json_fields::FieldReader;
use crate::http::problem::Problem;
use crate::limits::admission::RateLimits;
use crate::metrics;

const MAX_CREDENTIAL_CHARS: usize = 1_024;

/// Signs in. An unknown name and a wrong password get the same response in the same time.
pub(crate) async fn sign_in(
    auth: web::Data<Auth>,
    limits: web::Data<RateLimits>,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Problem> {
    let body = read_small(&request, payload).await?;
    let (name, password) = read_credentials(&body)?;
    match verify(&auth, &limits, &request, &name, password).await? {
        Some(user) => {
            let family = Uuid::new_v4().to_string();
            let record = RefreshFamily {
                user: user.name.clone(),
                generation: 1,
                revoked: false,
                expires_at: auth.clock.now().after(auth.tokens.refresh_ttl()),
                change: String::new(),
            };
            auth.families.create(&family, &record).await.map_err(|error| records_unavailable(&error))?;
            auth.tokens.issue(&user, &family, 1).map(token_response).ok_or_else(no_signing_key)
        }
        None => {
            metrics::AUTH_FAILURES.with_label_values(&["credentials"]).inc();
            Err(Problem::unauthorized("Invalid credentials"))
        }
    }
}

fn read_credentials(body: &serde_json::Value) -> Result<(String, String), Problem> {
    let root = FieldReader::body(body)?;
    let mut fields = FieldReader::default();
    let name = fields.required_text(root, "username", MAX_CREDENTIAL_CHARS);
    let password = fields.required_text(root, "password", MAX_CREDENTIAL_CHARS);
    fields.finish()?;
    Ok((name, password))
}

/// Returns the user if the password is right; 429 beyond the limits, without checking it.
async fn verify(
    auth: &Auth,
    limits: &RateLimits,
    request: &HttpRequest,
    name: &str,
    password: String,
) -> Result<Option<User>, Problem> {
    let buckets = SignInBuckets::of(limits, request, name);
    buckets.check_recent_refusals(&auth.sign_ins, limits, request)?;
    // Wait before charging: otherwise right passwords would be charged as wrong ones while they wait.
    let permit = auth.sign_ins.acquire_check(buckets.address()).await.ok_or_else(too_many_sign_ins)?;
    let attempt = buckets.charge(&auth.sign_ins, limits, request).await?;
    let user = auth.tokens.usable(name);
    match check(permit, user.clone(), password).await {
        Ok((true, permit)) => {
            attempt.succeed(limits, request).await;
            drop(permit);
            Ok(user)
        }
        Ok((false, _)) => Ok(None),
        Err(problem) => {
            attempt.cancel(limits).await;
            Err(problem)
        }
    }
}

fn too_many_sign_ins() -> Problem {
    Problem::unavailable("Too many sign-ins at once; try again.", Duration::from_secs(1))
}

/// Checks the password off the async threads. The permit is held to the end, also if the caller disconnects; an unknown
/// user takes the same time.
async fn check(
    permit: OwnedSemaphorePermit,
    user: Option<User>,
    password: String,
) -> Result<(bool, OwnedSemaphorePermit), Problem> {
    let hash = user.and_then(|user| user.password);
    let checked = web::block(move || {
        let before = password::checks_on_this_thread();
        let is_right = match hash {
            Some(hash) => password::verify(&password, &hash),
            None => password::verify_nothing(&password).map(|()| false),
        };
        metrics::PASSWORD_CHECKS.inc_by(password::checks_on_this_thread() - before);
        is_right.map(|is_right| (is_right, permit))
    });
    checked.await.map_err(|_| too_many_sign_ins())?.map_err(|error| {
        tracing::error!(%error, "Failed to check a password");
        too_many_sign_ins()
    })
}
