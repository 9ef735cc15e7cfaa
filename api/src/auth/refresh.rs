//! `POST /auth/refresh`: a new pair for a refresh token, which stops working; its reuse ends the whole family.

use std::time::Duration;

use actix_web::{HttpRequest, HttpResponse, web};
use shared::clock::Timestamp;
use shared::identity::{RefreshFamily, Revocation};
use shared::messaging::BucketError;
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

/// Changes the family in `family` until nobody else's change comes between; a family changes a few times in its life.
const MAX_CONFLICT_RETRIES: u32 = 16;
/// Milliseconds between looks at a family that is older than its token.
const STALE_RETRY_DELAYS_MS: [u64; 4] = [5, 20, 100, 400];
/// A write without an answer is repeated so often: the same revision and change make the repeat harmless.
const MAX_WRITE_RETRIES: u32 = 2;

/// Gives a new pair.
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
            reason: "it is behind its tokens".to_owned(),
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
        // Somebody uses a token that was traded in before: one of the two holders is a thief, and we cannot tell which.
        Err(BucketError::Conflict)
    };
    match rotated {
        Ok(_) => {
            auth.tokens.issue(&user, &claims.family_id, next.generation).map(token_response).ok_or_else(no_signing_key)
        }
        Err(BucketError::Conflict) => {
            tracing::warn!(user.name = %user.name, "a refresh token was used twice; its family is revoked");
            revoke_family(&auth, &claims.family_id).await?;
            Err(token_problem(TokenError::Revoked))
        }
        Err(error) => Err(records_unavailable(&error)),
    }
}

/// The family, at least as new as the token: a replica may not have heard yet of the change that issued it.
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

/// Writes the next generation. A write whose answer was lost is looked for before it counts as someone else's or as failed.
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

/// Ends a family with all its tokens; returns once that is stored. Idempotent.
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
