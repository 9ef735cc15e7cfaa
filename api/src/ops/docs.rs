//! `GET /docs`: an explorer of the API in one page of our own, without anything from elsewhere.

use actix_web::HttpResponse;
use actix_web::http::header::{CONTENT_SECURITY_POLICY, LOCATION};
use shared::identity::Secret;

const PAGE: &str = include_str!("explorer.html");

/// Leads whoever opens the bare address to the explorer.
pub(crate) async fn root() -> HttpResponse {
    HttpResponse::Found().insert_header((LOCATION, "/docs")).finish()
}

/// The page, whose script and style run by a nonce that is fresh each time.
pub(crate) async fn explorer() -> HttpResponse {
    let secret = Secret::fresh();
    let nonce = secret.expose();
    let policy = format!(
        "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; connect-src 'self'; img-src data:; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .insert_header((CONTENT_SECURITY_POLICY, policy))
        .body(PAGE.replace("{{nonce}}", nonce))
}
