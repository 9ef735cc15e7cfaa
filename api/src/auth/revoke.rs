//! `POST /auth/revoke`: revokes the caller's token and its refresh family on every instance.

use std::time::Duration;

use actix_web::{HttpRequest, HttpResponse, web};
use domain::Timestamp;
use domain::identity::Revocation;
use serde_json::json;

use super::caller::authenticate;
use super::refresh::revoke_family;
use super::state::Auth;
use super::token_response::records_unavailable;
use crate::http::body::discard;
use crate::http::problem::Problem;
use crate::limits::admission::RateLimits;
use crate::limits::settings::Operation;

/// Maximum wait for this instance's copy to receive the revocation; the others receive it at about the same time.
const WATCH_TIMEOUT: Duration = Duration::from_secs(1);

/// Revokes the token; returns once that is stored and visible here.
pub(crate) async fn revoke(
    auth: web::Data<Auth>,
    limits: web::Data<RateLimits>,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Problem> {
    discard(&request, payload.into_inner()).await;
    let caller = authenticate(&auth.tokens, request.headers())?;
    limits.admit(&request, &caller.user, Operation::Status).await?;
    let until = Timestamp::from_millis(i64::try_from(caller.claims.exp).unwrap_or(i64::MAX).saturating_mul(1_000));
    auth.revocations
        .put(&caller.claims.jti, &Revocation { until })
        .await
        .map_err(|error| records_unavailable(&error))?;
    revoke_family(&auth, &caller.claims.family_id).await?;
    let revoked_here = async {
        while !auth.tokens.is_revoked(&caller.claims.family_id) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    if tokio::time::timeout(WATCH_TIMEOUT, revoked_here).await.is_err() {
        tracing::warn!("Revocation stored, but not received by the watch within {WATCH_TIMEOUT:?}");
        return Err(Problem::unavailable(
            "The token is revoked but may be accepted for another moment. Revoke it again to be sure.",
            Duration::from_secs(1),
        ));
    }
    Ok(HttpResponse::Ok().json(json!({
        "status": "success",
        "message": "The token and its refresh token are revoked.",
    })))
}
