//! Conditional responses: `ETag` and `If-None-Match`.

use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use bytes::Bytes;
use domain::ids::Digest;

/// Responds with content and its digest as `ETag`, or with 304 if the client has that digest.
///
/// The content may change or become invisible, so clients must revalidate each time.
pub(crate) fn respond_with_etag(
    request: &HttpRequest,
    content: impl Into<Bytes>,
    kind: &str,
    finish: impl FnOnce(&mut HttpResponseBuilder),
) -> HttpResponse {
    let content = content.into();
    let tag = format!("\"{}\"", Digest::of(&content));
    let known = request.headers().get(IF_NONE_MATCH).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let is_known = known.split(',').any(|known| known.trim().trim_start_matches("W/") == tag);
    let mut response = if is_known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    response.insert_header((ETAG, tag)).insert_header((CACHE_CONTROL, "private, no-cache"));
    if is_known {
        return response.finish();
    }
    finish(&mut response);
    response.insert_header((CONTENT_TYPE, kind)).body(content)
}
