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
/// A name, a password or a token needs far less.
const SMALL_BYTES: usize = 16 * 1024;
/// A body above this is parsed off the HTTP threads: the largest takes tens of milliseconds.
const INLINE_BYTES: usize = 64 * 1024;
/// A body that takes longer is given up.
const PATIENCE: Duration = Duration::from_secs(30);
/// So much of an unwanted body is read and dropped: a client that is still sending would see a reset instead of the answer.
const DISCARD_BYTES: usize = 64 * 1024 * 1024;
const DISCARD_PATIENCE: Duration = Duration::from_secs(10);

/// What `read` makes of the body: 400 where it is no JSON, 413 above [`LIMIT_BYTES`], 408 where it does not arrive in time.
pub(crate) async fn read_body<T: Send + 'static>(
    request: &HttpRequest,
    payload: web::Payload,
    read: impl FnOnce(&Value) -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    let bytes = receive(request, payload, LIMIT_BYTES).await?;
    let is_large = bytes.len() > INLINE_BYTES;
    let parse = move || read(&serde_json::from_slice(&bytes).map_err(|_| Problem::bad_json())?);
    if is_large { web::block(parse).await.map_err(|_| Problem::internal())? } else { parse() }
}

/// The body of a call that carries a few words: as [`read_body`], 413 above 16 KiB.
pub(crate) async fn read_small(request: &HttpRequest, payload: web::Payload) -> Result<Value, Problem> {
    let bytes = receive(request, payload, SMALL_BYTES).await?;
    serde_json::from_slice(&bytes).map_err(|_| Problem::bad_json())
}

async fn receive(request: &HttpRequest, payload: web::Payload, limit: usize) -> Result<Vec<u8>, Problem> {
    let encoding = request.headers().get(CONTENT_ENCODING);
    if encoding.is_some_and(|encoding| !encoding.as_bytes().eq_ignore_ascii_case(b"identity")) {
        discard(payload.into_inner()).await;
        return Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported-encoding",
            "Send the body without Content-Encoding.",
        ));
    }
    tokio::time::timeout(PATIENCE, collect(payload, limit)).await.map_err(|_| Problem::too_slow())?
}

async fn collect(mut payload: web::Payload, limit: usize) -> Result<Vec<u8>, Problem> {
    let mut bytes = Vec::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk
            .map_err(|_| Problem::new(StatusCode::BAD_REQUEST, "broken-body", "The body broke off; send it again."))?;
        if bytes.len() + chunk.len() > limit {
            discard(payload.into_inner()).await;
            return Err(Problem::too_large(&format!("The body is larger than {} KiB.", limit / 1024)));
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
