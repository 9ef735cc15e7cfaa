//! `POST /auth/refresh`: a new pair for a refresh token, which stops working; its reuse ends the whole family.

use std::time::Duration;

use actix_web::{HttpRequest, HttpResponse, web};
use shared::clock::Timestamp;
use shared::identity::{RefreshFamily, Revocation};
use shared::messaging::BucketError;
use uuid::Uuid;

use super::caller::refused;
use super::keyring::Fault;
use super::state::Auth;
use super::token_response::{answer, away, no_key};
use super::tokens::RefreshClaims;
use crate::http::body::read_small;
use crate::http::json_fields::Fields;
use crate::http::problem::Problem;
use crate::limits::admission::RateLimits;
use crate::limits::settings::Operation;

/// Changes the family in `family` until nobody else's change comes between; a family changes a few times in its life.
const ATTEMPTS: u32 = 16;
/// Milliseconds between looks at a family that is older than its token.
const STALE_WAITS: [u64; 4] = [5, 20, 100, 400];
/// A write without an answer is repeated so often: the same revision and change make the repeat harmless.
const UNSURE_ATTEMPTS: u32 = 2;

/// Gives a new pair.
pub(crate) async fn refresh(
    auth: web::Data<Auth>,
    limits: web::Data<RateLimits>,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Problem> {
    let body = read_small(&request, payload).await?;
    let root = Fields::body(&body)?;
    let mut fields = Fields::default();
    let token = fields.required_text(root, "refresh_token", 8_192);
    fields.finish()?;
    let (claims, user) = auth.tokens.judge_refresh(&token).map_err(refused)?;
    limits.admit(&request, &user, Operation::Status).await?;
    let found = family_for(&auth, &claims).await?;
    let (family, revision) = found.ok_or_else(|| refused(Fault::Revoked))?;
    if family.revoked || family.user != user.name || family.expires_at <= auth.clock.now() {
        return Err(refused(Fault::Revoked));
    }
    if claims.generation > family.generation {
        return Err(away(&BucketError::Unavailable {
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
    let moved_on = if is_newest {
        move_on(&auth, &claims.fam, &next, revision).await
    } else {
        // Somebody uses a token that was traded in before: one of the two holders is a thief, and we cannot tell which.
        Err(BucketError::Conflict)
    };
    match moved_on {
        Ok(_) => auth.tokens.issue(&user, &claims.fam, next.generation).map(answer).ok_or_else(no_key),
        Err(BucketError::Conflict) => {
            tracing::warn!(user.name = %user.name, "a refresh token was used twice; its family is revoked");
            end_family(&auth, &claims.fam).await?;
            Err(refused(Fault::Revoked))
        }
        Err(error) => Err(away(&error)),
    }
}

/// The family, at least as new as the token: a replica may not have heard yet of the change that issued it.
async fn family_for(auth: &Auth, claims: &RefreshClaims) -> Result<Option<(RefreshFamily, u64)>, Problem> {
    for wait in STALE_WAITS {
        let found = auth.families.get(&claims.fam).await.map_err(|error| away(&error))?;
        if found.as_ref().is_some_and(|(family, _)| family.generation >= claims.generation) {
            return Ok(found);
        }
        tokio::time::sleep(Duration::from_millis(wait)).await;
    }
    auth.families.get(&claims.fam).await.map_err(|error| away(&error))
}

/// Writes the next generation. A write whose answer was lost is looked for before it counts as someone else's or as failed.
async fn move_on(auth: &Auth, id: &str, next: &RefreshFamily, revision: u64) -> Result<u64, BucketError> {
    let mut outcome = auth.families.update(id, next, revision).await;
    for _ in 0..UNSURE_ATTEMPTS {
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
pub(super) async fn end_family(auth: &Auth, id: &str) -> Result<(), Problem> {
    let until: Timestamp = auth.clock.now().after(auth.tokens.access_ttl());
    auth.revocations.put(id, &Revocation { until }).await.map_err(|error| away(&error))?;
    for _ in 0..ATTEMPTS {
        let Some((family, revision)) = auth.families.get(id).await.map_err(|error| away(&error))? else {
            return Ok(());
        };
        if family.revoked {
            return Ok(());
        }
        match auth.families.update(id, &RefreshFamily { revoked: true, ..family }, revision).await {
            Ok(_) => return Ok(()),
            Err(BucketError::Conflict) => {}
            Err(error) => return Err(away(&error)),
        }
    }
    Err(away(&BucketError::Conflict))
}
