//! The `Idempotency-Key` header.

use actix_web::HttpRequest;

use crate::http::problem::Problem;

const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// Reads the key: 1 to 255 visible ASCII characters; 422 otherwise.
pub(crate) fn read_key(request: &HttpRequest) -> Result<Option<String>, Problem> {
    let mut values = request.headers().get_all(IDEMPOTENCY_KEY);
    let Some(value) = values.next() else { return Ok(None) };
    let key = value.to_str().unwrap_or_default();
    if values.next().is_none() && (1..=255).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(Some(key.to_owned()));
    }
    Err(Problem::invalid_field("Idempotency-Key", "must be one header of 1 to 255 visible ASCII characters"))
}
