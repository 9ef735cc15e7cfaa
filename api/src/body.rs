//! Reads a request's body as JSON, within a size and a time.

use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::http::header::CONTENT_ENCODING;
use actix_web::{HttpRequest, web};
use futures_util::StreamExt;
use serde_json::Value;

use crate::problem::Problem;

/// Room for 1 MiB of code after JSON escaping, and below what the broker takes in one message.
pub(crate) const LIMIT_BYTES: usize = 7 * 1024 * 1024;
/// A body that takes longer is given up.
const PATIENCE: Duration = Duration::from_secs(30);
/// So much of an unwanted body is read and dropped: a client that is still sending would see a reset instead of the answer.
const DISCARD_BYTES: usize = 64 * 1024 * 1024;
const DISCARD_PATIENCE: Duration = Duration::from_secs(10);

/// The body as JSON: 400 where it is none, 413 above [`LIMIT_BYTES`], 408 where it does not arrive in time.
pub(crate) async fn read_json(request: &HttpRequest, payload: web::Payload) -> Result<Value, Problem> {
    let encoding = request.headers().get(CONTENT_ENCODING);
    if encoding.is_some_and(|encoding| !encoding.as_bytes().eq_ignore_ascii_case(b"identity")) {
        discard(payload.into_inner()).await;
        return Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported-encoding",
            "Send the body without Content-Encoding.",
        ));
    }
    let bytes = tokio::time::timeout(PATIENCE, collect(payload)).await.map_err(|_| Problem::too_slow())??;
    serde_json::from_slice(&bytes).map_err(|_| Problem::bad_json())
}

async fn collect(mut payload: web::Payload) -> Result<Vec<u8>, Problem> {
    let mut bytes = Vec::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk
            .map_err(|_| Problem::new(StatusCode::BAD_REQUEST, "broken-body", "The body broke off; send it again."))?;
        if bytes.len() + chunk.len() > LIMIT_BYTES {
            discard(payload.into_inner()).await;
            return Err(Problem::too_large("The body is larger than 7 MiB."));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// Reads the rest of a body and drops it, so that the answer reaches a client that is still sending.
pub(crate) async fn discard(mut payload: Payload) {
    let read = async {
        let mut count = 0;
        while let Some(Ok(chunk)) = payload.next().await {
            count += chunk.len();
            if count > DISCARD_BYTES {
                return;
            }
        }
    };
    if tokio::time::timeout(DISCARD_PATIENCE, read).await.is_err() {
        tracing::debug!("an unwanted body kept coming; answered without its rest");
    }
}
