//! The responses that the calls of `/auth` share.

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::header::HeaderValue;
use serde_json::json;
use shared::messaging::BucketError;

use crate::auth::tokens::TokenPair;
use crate::http::problem::Problem;

/// The answer of a sign-in and of a refresh.
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
    tracing::warn!(%error, "a token record could not be read or written");
    Problem::unavailable("Signing in and out is not possible now; try again.", Duration::from_secs(1))
}

pub(super) fn no_signing_key() -> Problem {
    Problem::unavailable("There is no key to sign tokens with; the operator has to make one.", Duration::from_secs(10))
}
