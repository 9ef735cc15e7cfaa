//! `GET /openapi.json`: the HTTP contract.

use actix_web::HttpResponse;
use actix_web::http::header::CACHE_CONTROL;

/// The OpenAPI document, written by hand and checked by tests.
pub(crate) const DOCUMENT: &str = include_str!("openapi.json");

pub(crate) async fn document() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("application/json")
        .insert_header((CACHE_CONTROL, "public, max-age=300"))
        .body(DOCUMENT)
}
