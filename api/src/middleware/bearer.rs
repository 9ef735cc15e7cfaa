//! Bearer-token middleware. Runs before any handler under `/api/v3`.

use std::rc::Rc;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, HttpResponse, web};

use crate::auth::caller::{authenticate, identified};
use crate::auth::freshness::require_fresh;
use crate::auth::state::Auth;
use crate::http::body::discard;

/// Passes on requests with a valid token, together with their caller; 401 for any other. 503 while this instance
/// may have missed the token's revocation.
pub(crate) async fn require_token<B: MessageBody + 'static>(
    auth: web::Data<Auth>,
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let result = match identified(request.request()) {
        Some(caller) => Ok(caller),
        None => authenticate(&auth.tokens, request.headers()).map(Rc::new),
    };
    match result.and_then(|caller| require_fresh(&auth.tokens).map(|()| caller)) {
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            Ok(next.call(request).await?.map_into_boxed_body())
        }
        Err(problem) => {
            let (request, payload) = request.into_parts();
            discard(&request, payload).await;
            Ok(ServiceResponse::new(request, HttpResponse::from_error(problem)))
        }
    }
}
