//! `GET /docs`: an API explorer in one page without external resources.

use actix_web::HttpResponse;
use actix_web::http::header::{CONTENT_SECURITY_POLICY, LOCATION};
use domain::identity::Secret;

const PAGE: &str = include_str!("explorer.html");

/// Redirects the root path to the explorer.
pub(crate) async fn root() -> HttpResponse {
    HttpResponse::Found().insert_header((LOCATION, "/docs")).finish()
}

/// Returns the page; its script and style run with a fresh nonce.
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
