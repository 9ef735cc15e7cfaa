//! The `Idempotency-Key` header.

use actix_web::HttpRequest;

use crate::http::problem::Problem;

const NAME: &str = "Idempotency-Key";

/// Reads the key: 1 to 255 visible ASCII characters; 422 otherwise.
pub(crate) fn read_key(request: &HttpRequest) -> Result<Option<String>, Problem> {
    let mut values = request.headers().get_all(NAME);
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(Problem::invalid_field(NAME, "must be given once"));
    }
    check_key(value.to_str().unwrap_or_default(), NAME).map(Some)
}

/// Checks a key of the header or of the field `name`.
pub(crate) fn check_key(key: &str, name: &str) -> Result<String, Problem> {
    if (1..=255).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(key.to_owned());
    }
    Err(Problem::invalid_field(name, "must be 1 to 255 visible ASCII characters"))
}
