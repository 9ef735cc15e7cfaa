//! `POST /auth/refresh`: exchanges a refresh token for a new pair. Reuse of the old token revokes its family.

use std::time::Duration;

use actix_web::{HttpRequest, HttpResponse, web};
use domain::Timestamp;
use domain::identity::{RefreshFamily, Revocation};
use messaging::BucketError;
use uuid::Uuid;

use super::caller::token_problem;
use super::keyring::TokenError;
use super::state::Auth;
use super::token_response::{no_signing_key, records_unavailable, token_response};
use super::tokens::RefreshClaims;
use crate::http::body::read_small;
use crate::http::json_fields::FieldReader;
use crate::http::problem::Problem;
use crate::limits::admission::RateLimits;
use crate::limits::settings::Operation;

/// Maximum retries after a concurrent change of the family, which changes a few times in its life.
const MAX_CONFLICT_RETRIES: u32 = 16;
/// Delays between reads of a family that is older than its token, in milliseconds.
const STALE_RETRY_DELAYS_MS: [u64; 4] = [5, 20, 100, 400];
/// Maximum retries of a write without an answer; the same revision and change id make them idempotent.
const MAX_WRITE_RETRIES: u32 = 2;

/// Issues a new pair.
pub(crate) async fn refresh(
    auth: web::Data<Auth>,
    limits: web::Data<RateLimits>,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Problem> {
    let body = read_small(&request, payload).await?;
    let root = FieldReader::body(&body)?;
    let mut fields = FieldReader::default();
    let token = fields.required_text(root, "refresh_token", 8_192);
    fields.finish()?;
    let (claims, user) = auth.tokens.verify_refresh(&token).map_err(token_problem)?;
    limits.admit(&request, &user, Operation::Status).await?;
    let found = read_family(&auth, &claims).await?;
    let (family, revision) = found.ok_or_else(|| token_problem(TokenError::Revoked))?;
    if family.revoked || family.user != user.name || family.expires_at <= auth.clock.now() {
        return Err(token_problem(TokenError::Revoked));
    }
    if claims.generation > family.generation {
        return Err(records_unavailable(&BucketError::Unavailable {
            bucket: "refresh",
            reason: "the record is older than its token".to_owned(),
        }));
    }
    let next = RefreshFamily {
        generation: family.generation + 1,
        expires_at: auth.clock.now().after(auth.tokens.refresh_ttl()),
        change: Uuid::new_v4().to_string(),
        ..family
    };
    let is_newest = claims.generation == family.generation;
    let rotated = if is_newest {
        rotate_family(&auth, &claims.family_id, &next, revision).await
    } else {
        // A token that was already exchanged: one of its two holders stole it, and which one is unknown.
        Err(BucketError::Conflict)
    };
    match rotated {
        Ok(_) => {
            auth.tokens.issue(&user, &claims.family_id, next.generation).map(token_response).ok_or_else(no_signing_key)
        }
        Err(BucketError::Conflict) => {
            tracing::warn!(user.name = %user.name, "Refresh token of {} reused; revoking its family", user.name);
            revoke_family(&auth, &claims.family_id).await?;
            Err(token_problem(TokenError::Revoked))
        }
        Err(error) => Err(records_unavailable(&error)),
    }
}

/// Reads the family, at least as new as the token. A replica may lag behind the change that issued the token.
async fn read_family(auth: &Auth, claims: &RefreshClaims) -> Result<Option<(RefreshFamily, u64)>, Problem> {
    for wait in STALE_RETRY_DELAYS_MS {
        let found = auth.families.get(&claims.family_id).await.map_err(|error| records_unavailable(&error))?;
        if found.as_ref().is_some_and(|(family, _)| family.generation >= claims.generation) {
            return Ok(found);
        }
        tokio::time::sleep(Duration::from_millis(wait)).await;
    }
    auth.families.get(&claims.family_id).await.map_err(|error| records_unavailable(&error))
}

/// Writes the next generation. After a lost answer, reads back the record to tell its own write from another's.
async fn rotate_family(auth: &Auth, id: &str, next: &RefreshFamily, revision: u64) -> Result<u64, BucketError> {
    let mut outcome = auth.families.update(id, next, revision).await;
    for _ in 0..MAX_WRITE_RETRIES {
        if !matches!(outcome, Err(BucketError::Unavailable { .. })) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
        outcome = auth.families.update(id, next, revision).await;
    }
    match outcome {
        Err(BucketError::Conflict) => match auth.families.get(id).await? {
            Some((family, revision)) if family.change == next.change => Ok(revision),
            _ => Err(BucketError::Conflict),
        },
        other => other,
    }
}

/// Revokes a family with all its tokens; returns once that is stored. Idempotent.
pub(super) async fn revoke_family(auth: &Auth, id: &str) -> Result<(), Problem> {
    let until: Timestamp = auth.clock.now().after(auth.tokens.access_ttl());
    auth.revocations.put(id, &Revocation { until }).await.map_err(|error| records_unavailable(&error))?;
    for _ in 0..MAX_CONFLICT_RETRIES {
        let Some((family, revision)) = auth.families.get(id).await.map_err(|error| records_unavailable(&error))? else {
            return Ok(());
        };
        if family.revoked {
            return Ok(());
        }
        match auth.families.update(id, &RefreshFamily { revoked: true, ..family }, revision).await {
            Ok(_) => return Ok(()),
            Err(BucketError::Conflict) => {}
            Err(error) => return Err(records_unavailable(&error)),
        }
    }
    Err(records_unavailable(&BucketError::Conflict))
}
