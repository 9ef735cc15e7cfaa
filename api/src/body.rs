//! Reads a request's body as JSON, within a size, a time, and the memory that all bodies together may take.

use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_ENCODING, CONTENT_LENGTH};
use actix_web::{HttpRequest, web};
use futures_util::StreamExt;
use serde_json::Value;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::problem::Problem;

/// Room for 1 MiB of code after JSON escaping, and below what the broker takes in one message.
pub(crate) const LIMIT_BYTES: usize = 7 * 1024 * 1024;
/// A name, a password or a token needs far less.
const SMALL_BYTES: usize = 16 * 1024;
/// A body above this is parsed off the HTTP threads: the largest takes tens of milliseconds.
const INLINE_BYTES: usize = 64 * 1024;
/// So many KiB of large bodies are taken in and parsed at once, whoever sends them; more wait.
static LARGE_BODIES: Semaphore = Semaphore::const_new(64 * 1024);
/// A large body waits so long for its turn.
const TURN: Duration = Duration::from_secs(10);
/// No call has use for more values in a body. One of 2 bytes takes up to 700 once it is parsed.
const MOST_VALUES: usize = 20_000;
/// The parser refuses anything deeper, as broken.
const DEEPEST: usize = 128;
/// A body that takes longer is given up.
const PATIENCE: Duration = Duration::from_secs(30);
/// So much of an unwanted body is read and dropped: a client that is still sending would see a reset instead of the answer.
const DISCARD_BYTES: usize = 64 * 1024 * 1024;
const DISCARD_PATIENCE: Duration = Duration::from_secs(10);

/// What `read` makes of the body: 400 where it is no JSON, 413 above [`LIMIT_BYTES`] or [`MOST_VALUES`], 408 where it does not
/// arrive in time, 503 where too many large ones are on their way.
pub(crate) async fn read_body<T: Send + 'static>(
    request: &HttpRequest,
    payload: web::Payload,
    read: impl FnOnce(&Value) -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    let turn = match take_turn(request).await {
        Ok(turn) => turn,
        Err(problem) => {
            discard(payload.into_inner()).await;
            return Err(problem);
        }
    };
    let bytes = receive(request, payload, LIMIT_BYTES).await?;
    let is_large = bytes.len() > INLINE_BYTES;
    let parse = move || {
        let read = parse(&bytes).and_then(|body| read(&body));
        drop(turn);
        read
    };
    if is_large { web::block(parse).await.map_err(|_| Problem::internal())? } else { parse() }
}

/// The body of a call that carries a few words: as [`read_body`], 413 above 16 KiB.
pub(crate) async fn read_small(request: &HttpRequest, payload: web::Payload) -> Result<Value, Problem> {
    let bytes = receive(request, payload, SMALL_BYTES).await?;
    parse(&bytes)
}

/// A share of the memory for large bodies; none is needed for a small one.
async fn take_turn(request: &HttpRequest) -> Result<Option<SemaphorePermit<'static>>, Problem> {
    let announced = request.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    let bytes = announced.unwrap_or(LIMIT_BYTES).min(LIMIT_BYTES);
    if bytes <= INLINE_BYTES {
        return Ok(None);
    }
    let share = u32::try_from(bytes.div_ceil(1024)).unwrap_or(u32::MAX);
    match tokio::time::timeout(TURN, LARGE_BODIES.acquire_many(share)).await {
        Ok(Ok(turn)) => Ok(Some(turn)),
        Ok(Err(_)) | Err(_) => {
            Err(Problem::unavailable("Too many large bodies are on their way; send it again.", Duration::from_secs(2)))
        }
    }
}

fn parse(bytes: &[u8]) -> Result<Value, Problem> {
    if has_too_many_values(bytes) {
        return Err(Problem::too_large(&format!("The body holds more than {MOST_VALUES} values.")));
    }
    serde_json::from_slice(bytes).map_err(|_| Problem::bad_json())
}

/// Whether a parser would meet more values than any call has use for before it meets something that it refuses.
fn has_too_many_values(bytes: &[u8]) -> bool {
    let (mut values, mut depth, mut bytes) = (0, 0_usize, bytes.iter());
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => skip_string(&mut bytes),
            b'[' | b'{' => (values, depth) = (values + 1, depth + 1),
            b']' | b'}' => depth = depth.saturating_sub(1),
            b',' | b':' => values += 1,
            _ => {}
        }
        if depth > DEEPEST {
            return false;
        }
        if values > MOST_VALUES {
            return true;
        }
    }
    false
}

/// Goes behind the closing quote; an escaped one closes nothing.
fn skip_string<'b>(bytes: &mut impl Iterator<Item = &'b u8>) {
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => return,
            b'\\' => drop(bytes.next()),
            _ => {}
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, is_too_many: bool) {
        assert_eq!(has_too_many_values(text.as_bytes()), is_too_many, "{}", &text[..text.len().min(40)]);
    }

    #[test]
    fn values_are_counted_outside_texts_and_until_the_parser_gives_up() {
        check("{}", false);
        check(&format!("[{}0]", "0,".repeat(MOST_VALUES - 1)), false);
        check(&format!("[{}0]", "0,".repeat(MOST_VALUES)), true);
        check(&format!("[{}", r#"{"":0},"#.repeat(MOST_VALUES)), true);
        check(&format!(r#"["{}"]"#, r#"\",[{:"#.repeat(MOST_VALUES)), false);
        check(&format!(r#"["\\",{}]"#, "0,".repeat(MOST_VALUES)), true);
        check(&"[".repeat(MOST_VALUES * 2), false);
        check("\"", false);
    }
}
