//! The caller of a request, from its `Authorization` header.

use std::rc::Rc;

use actix_web::dev::Payload;
use actix_web::http::header::{AUTHORIZATION, HeaderMap};
use actix_web::{FromRequest, HttpMessage, HttpRequest};

use super::keyring::TokenError;
use super::tokens::{Caller, Tokens};
use crate::http::problem::Problem;
use crate::metrics;

const NO_TOKEN: &str = "Sign in with POST /auth/token and send the access token as `Authorization: Bearer ...`.";

/// The caller of a request with a valid token, set before routing.
struct Identified(Rc<Caller>);

/// Authenticates by the `Authorization` header and keeps the caller for [`identified`]; returns false without a valid
/// token.
pub(crate) fn identify(tokens: &Tokens, request: &HttpRequest) -> bool {
    let Some(Ok(caller)) = verify_bearer(tokens, request.headers()) else { return false };
    request.extensions_mut().insert(Identified(Rc::new(caller)));
    true
}

/// Returns the caller that [`identify`] found.
pub(crate) fn identified(request: &HttpRequest) -> Option<Rc<Caller>> {
    request.extensions().get::<Identified>().map(|Identified(caller)| caller.clone())
}

/// Returns the caller by the `Authorization` header, or a 401 problem.
pub(crate) fn authenticate(tokens: &Tokens, headers: &HeaderMap) -> Result<Caller, Problem> {
    match verify_bearer(tokens, headers) {
        Some(result) => result.map_err(token_problem),
        None => {
            metrics::AUTH_FAILURES.with_label_values(&["missing"]).inc();
            Err(Problem::unauthorized(NO_TOKEN))
        }
    }
}

/// Verifies the bearer token; `None` without an `Authorization` header.
fn verify_bearer(tokens: &Tokens, headers: &HeaderMap) -> Option<Result<Caller, TokenError>> {
    let mut values = headers.get_all(AUTHORIZATION);
    let value = values.next()?;
    let token = value.to_str().ok().and_then(bearer).filter(|_| values.next().is_none());
    Some(token.ok_or(TokenError::Malformed).and_then(|token| tokens.verify_access(token)))
}

/// Counts a rejected token and returns its 401 problem.
pub(crate) fn token_problem(error: TokenError) -> Problem {
    metrics::AUTH_FAILURES.with_label_values(&[error.reason()]).inc();
    Problem::invalid_token(error.reason())
}

fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.trim().split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty() && !token.contains(' ')).then_some(token)
}

impl FromRequest for Caller {
    type Error = Problem;
    type Future = std::future::Ready<Result<Self, Problem>>;

    /// Returns the caller that the bearer-token middleware accepted; 401 on routes without it.
    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let caller = request.extensions().get::<Rc<Caller>>().map(|caller| Caller::clone(caller));
        std::future::ready(caller.ok_or_else(|| Problem::unauthorized(NO_TOKEN)))
    }
}

#[cfg(test)]
mod tests {
    use super::bearer;

    #[test]
    fn only_one_bearer_token_is_read() {
        for (value, token) in [
            ("Bearer abc", Some("abc")),
            ("bearer  abc ", Some("abc")),
            ("Bearer", None),
            ("Bearer ", None),
            ("Bearer a b", None),
            ("Basic abc", None),
            ("abc", None),
            ("", None),
        ] {
            assert_eq!(bearer(value), token, "{value:?}");
        }
    }
}
