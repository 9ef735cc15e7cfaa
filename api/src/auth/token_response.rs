//! Responses shared by the calls under `/auth`.

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::header::HeaderValue;
use messaging::BucketError;
use serde_json::json;

use crate::auth::tokens::TokenPair;
use crate::http::problem::Problem;

/// Returns the response of a sign-in or a refresh.
pub(super) fn token_response(pair: TokenPair) -> HttpResponse {
    let body = json!({
        "access_token": pair.access,
        "token_type": "bearer",
        "expires_in": pair.expires_in,
        "refresh_token": pair.refresh,
    });
    HttpResponse::Ok().insert_header(("pragma", HeaderValue::from_static("no-cache"))).json(body)
}

pub(super) fn records_unavailable(error: &BucketError) -> Problem {
    tracing::warn!(%error, "Failed to read or write a token record");
    Problem::unavailable("Sign-in, refresh and revocation are unavailable; try again.", Duration::from_secs(1))
}

pub(super) fn no_signing_key() -> Problem {
    Problem::unavailable(
        "No signing key; ask the operator to run `promptcraft admin keys rotate`.",
        Duration::from_secs(10),
    )
}
