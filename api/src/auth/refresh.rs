//! `POST /auth/refresh`: a new pair for a refresh token, which stops working; its reuse ends the whole family.

use actix_web::{HttpRequest, HttpResponse, web};
use shared::clock::Timestamp;
use shared::identity::{RefreshFamily, Revocation};
use shared::messaging::BucketError;

use super::door::refused;
use super::keyring::Fault;
use super::sign_in::{answer, away, no_key};
use crate::body::read_small;
use crate::fields::Fields;
use crate::limits::{Operation, admit_user};
use crate::problem::Problem;
use crate::state::State;

/// Changes the family in `family` until nobody else's change comes between; a family changes a few times in its life.
const ATTEMPTS: u32 = 16;

/// Gives a new pair.
pub(crate) async fn refresh(
    state: web::Data<State>,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Problem> {
    let body = read_small(&request, payload).await?;
    let root = Fields::body(&body)?;
    let mut fields = Fields::default();
    let token = fields.required_text(root, "refresh_token", 8_192);
    fields.finish()?;
    let (claims, user) = state.tokens.judge_refresh(&token).map_err(refused)?;
    admit_user(&state, &request, &user, Operation::Status).await?;
    let found = state.families.get(&claims.fam).await.map_err(|error| away(&error))?;
    let (family, revision) = found.ok_or_else(|| refused(Fault::Revoked))?;
    if family.revoked || family.user != user.name || family.expires_at <= state.clock.now() {
        return Err(refused(Fault::Revoked));
    }
    let next = RefreshFamily {
        generation: family.generation + 1,
        expires_at: state.clock.now().after(state.tokens.refresh_ttl()),
        ..family
    };
    let is_newest = claims.generation == family.generation;
    let moved_on = if is_newest {
        state.families.update(&claims.fam, &next, revision).await
    } else {
        // Somebody uses a token that was traded in before: one of the two holders is a thief, and we cannot tell which.
        Err(BucketError::Conflict)
    };
    match moved_on {
        Ok(_) => state.tokens.issue(&user, &claims.fam, next.generation).map(answer).ok_or_else(no_key),
        Err(BucketError::Conflict) => {
            tracing::warn!(user.name = %user.name, "a refresh token was used twice; its family is revoked");
            end_family(&state, &claims.fam).await?;
            Err(refused(Fault::Revoked))
        }
        Err(error) => Err(away(&error)),
    }
}

/// Ends a family with all its tokens; returns once that is stored. Idempotent.
pub(super) async fn end_family(state: &State, id: &str) -> Result<(), Problem> {
    let until: Timestamp = state.clock.now().after(state.config.tokens.access_ttl);
    state.revocations.put(id, &Revocation { until }).await.map_err(|error| away(&error))?;
    for _ in 0..ATTEMPTS {
        let Some((family, revision)) = state.families.get(id).await.map_err(|error| away(&error))? else {
            return Ok(());
        };
        if family.revoked {
            return Ok(());
        }
        match state.families.update(id, &RefreshFamily { revoked: true, ..family }, revision).await {
            Ok(_) => return Ok(()),
            Err(BucketError::Conflict) => {}
            Err(error) => return Err(away(&error)),
        }
    }
    Err(away(&BucketError::Conflict))
}
