//! Reads request bodies as JSON, within limits of size, time and memory.

use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, TRANSFER_ENCODING};
use actix_web::{HttpRequest, web};
use domain::identity::User;
use futures_util::StreamExt;
use serde_json::Value;
use service::keyed_semaphore::{KeyedPermit, KeyedSemaphore};

use crate::http::problem::Problem;

/// Maximum size of a body: 3 MiB of files and 1 MiB of stdin with usual JSON escapes, and below the broker's maximum message.
pub(crate) const MAX_BODY_BYTES: usize = 7 * 1024 * 1024;
/// Maximum size of a body with a name, a password or a token.
const MAX_SMALL_BODY_BYTES: usize = 16 * 1024;
/// Maximum size of a body that is parsed on the HTTP thread and needs no permit; the largest bodies take tens of
/// milliseconds.
const MAX_INLINE_BYTES: usize = 64 * 1024;
/// Maximum size of a body that needs a medium permit; larger ones need a large permit.
const MAX_MEDIUM_BYTES: usize = 1024 * 1024;
/// Bodies of each size received or parsed at once, in total and per user; 66 MiB in all.
const MEDIUM_PERMITS: (usize, usize) = (24, 6);
const LARGE_PERMITS: (usize, usize) = (6, 2);
/// Maximum wait of a growing body for a permit.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);
/// Maximum JSON values in a body. A value of 2 bytes takes up to 700 bytes parsed.
const MAX_VALUES: usize = 20_000;
/// Nesting depth beyond which the parser rejects a body.
const MAX_DEPTH: usize = 128;
/// Maximum time for a body to arrive.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);
/// Maximum bytes of an unwanted body that are read and dropped; a client still sending would otherwise see a reset.
const MAX_DISCARD_BYTES: usize = 64 * 1024 * 1024;
const DISCARD_TIMEOUT: Duration = Duration::from_secs(10);
/// Idle time after which the rest of an unwanted body is not waited for.
const DISCARD_IDLE_TIMEOUT: Duration = Duration::from_millis(250);

/// Memory budget of all bodies. Permits are taken for received bytes, not for the announced length.
#[derive(Debug)]
pub(crate) struct BodyMemoryBudget {
    medium: KeyedSemaphore,
    large: KeyedSemaphore,
}

impl BodyMemoryBudget {
    pub(crate) fn new() -> Self {
        let pool = |(places, share)| KeyedSemaphore::new(places, share);
        Self { medium: pool(MEDIUM_PERMITS), large: pool(LARGE_PERMITS) }
    }

    /// Waits for a permit for a body of `bytes`; 503 after [`ACQUIRE_TIMEOUT`].
    async fn acquire(&self, bytes: usize, user: &User) -> Result<KeyedPermit, Problem> {
        let pool = if bytes > MAX_MEDIUM_BYTES { &self.large } else { &self.medium };
        tokio::time::timeout(ACQUIRE_TIMEOUT, pool.take(user.name.as_str())).await.map_err(|_| {
            let detail = "Too many large bodies at once, from you or from all users; send it again.";
            Problem::unavailable(detail, Duration::from_secs(2))
        })
    }
}

/// Reads the body and returns the result of `read`. 400 if it is not JSON, 413 above [`MAX_BODY_BYTES`] or
/// [`MAX_VALUES`], 408 after [`BODY_TIMEOUT`], 503 if too many large bodies arrive at once.
pub(crate) async fn read_body<T: Send + 'static>(
    memory: &BodyMemoryBudget,
    user: &User,
    request: &HttpRequest,
    payload: web::Payload,
    read: impl FnOnce(&Value) -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    let (bytes, permit) = receive(request, payload, MAX_BODY_BYTES, Some((memory, user))).await?;
    let is_large = bytes.len() > MAX_INLINE_BYTES;
    let parse = move || {
        let read = parse(&bytes).and_then(|body| read(&body));
        drop(permit);
        read
    };
    if is_large { web::block(parse).await.map_err(|_| Problem::internal())? } else { parse() }
}

/// Reads a small body, as [`read_body`]; 413 above [`MAX_SMALL_BODY_BYTES`].
pub(crate) async fn read_small(request: &HttpRequest, payload: web::Payload) -> Result<Value, Problem> {
    let (bytes, _) = receive(request, payload, MAX_SMALL_BODY_BYTES, None).await?;
    parse(&bytes)
}

fn parse(bytes: &[u8]) -> Result<Value, Problem> {
    if has_too_many_values(bytes) {
        return Err(Problem::too_large(&format!("The body holds more than {MAX_VALUES} values.")));
    }
    serde_json::from_slice(bytes).map_err(|error| Problem::bad_json(&error))
}

/// Returns whether the parser would read more than [`MAX_VALUES`] values before it finds an error.
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
        if depth > MAX_DEPTH {
            return false;
        }
        if values > MAX_VALUES {
            return true;
        }
    }
    false
}

/// Advances past the closing quote, skipping escaped ones.
fn skip_string<'b>(bytes: &mut impl Iterator<Item = &'b u8>) {
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => return,
            b'\\' => drop(bytes.next()),
            _ => {}
        }
    }
}

/// A body with its permit. Without a memory budget it has to be small.
type Received = (Vec<u8>, Option<KeyedPermit>);

async fn receive(
    request: &HttpRequest,
    payload: web::Payload,
    limit: usize,
    memory: Option<(&BodyMemoryBudget, &User)>,
) -> Result<Received, Problem> {
    let encoding = request.headers().get(CONTENT_ENCODING);
    if encoding.is_some_and(|encoding| !encoding.as_bytes().eq_ignore_ascii_case(b"identity")) {
        discard(request, payload.into_inner()).await;
        return Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported-encoding",
            "Send the body without Content-Encoding.",
        ));
    }
    let mut payload = payload.into_inner();
    let received = tokio::time::timeout(BODY_TIMEOUT, collect(&mut payload, limit, memory)).await;
    match received.map_err(|_| Problem::body_timeout())? {
        Ok(received) => Ok(received),
        // The received part and its permit are dropped by now.
        Err(problem) => {
            drop_rest(payload, DISCARD_TIMEOUT).await;
            Err(problem)
        }
    }
}

async fn collect(
    payload: &mut Payload,
    limit: usize,
    memory: Option<(&BodyMemoryBudget, &User)>,
) -> Result<Received, Problem> {
    let (mut bytes, mut permit, mut allowed) = (Vec::new(), None, MAX_INLINE_BYTES);
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|_| {
            Problem::new(StatusCode::BAD_REQUEST, "broken-body", "The body is incomplete; send it again.")
        })?;
        let length = bytes.len() + chunk.len();
        if length > limit {
            return Err(Problem::too_large(&format!("The body is larger than {} KiB.", limit / 1024)));
        }
        if let Some((memory, user)) = memory.filter(|_| length > allowed) {
            // The smaller permit is held meanwhile. Only medium bodies wait for others, and only for large ones: no
            // deadlock.
            permit = Some(memory.acquire(length, user).await?);
            allowed = if length > MAX_MEDIUM_BYTES { limit } else { MAX_MEDIUM_BYTES };
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok((bytes, permit))
}

/// Reads and drops the body of a request whose response does not depend on the body, so that the response reaches a
/// client that is still sending. An announced body that does not arrive is not waited for.
pub(crate) async fn discard(request: &HttpRequest, payload: Payload) {
    let headers = request.headers();
    // Without these headers the payload belongs to another protocol and lasts as long as the connection.
    if headers.contains_key(CONTENT_LENGTH) || headers.contains_key(TRANSFER_ENCODING) {
        drop_rest(payload, DISCARD_IDLE_TIMEOUT).await;
    }
}

/// Reads and drops bytes until none arrived for `pause`.
async fn drop_rest(mut payload: Payload, pause: Duration) {
    let read = async {
        let mut count = 0;
        while let Ok(Some(Ok(chunk))) = tokio::time::timeout(pause, payload.next()).await {
            count += chunk.len();
            if count > MAX_DISCARD_BYTES {
                return;
            }
        }
    };
    if tokio::time::timeout(DISCARD_TIMEOUT, read).await.is_err() {
        tracing::debug!("Stopped discarding a request body after {DISCARD_TIMEOUT:?}");
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
    fn a_body_that_is_not_json_is_located_and_not_repeated() {
        for (body, reason) in [
            (&b"{\n  \"goal\": \"sesame\" \"sesame\"\n}"[..], "expected `,` or `}` at line 2, column 20"),
            (b"{\"goal\": sesame}", "expected value at line 1, column 10"),
            (b"{'goal': 1}", "key must be a string at line 1, column 2"),
            (b"{\"goal\": \"sesame", "EOF while parsing a string at line 1, column 16"),
            (
                b"{\"goal\": \"a\nb\"}",
                "control character (\\u0000-\\u001F) found while parsing a string at line 2, column 0",
            ),
            (b"{\"goal\": 1,}", "trailing comma at line 1, column 12"),
            (b"{\"goal\": \"\xff\"}", "invalid unicode code point at line 1, column 11"),
            (b"", "EOF while parsing a value at line 1, column 0"),
        ] {
            let problem = parse(body).unwrap_err();
            let detail = problem.to_string();
            assert_eq!(problem.status(), StatusCode::BAD_REQUEST);
            assert!(detail.contains(reason) && !detail.contains("sesame"), "{detail}");
        }
    }

    #[test]
    fn values_are_counted_outside_strings_up_to_the_depth_limit() {
        check("{}", false);
        check(&format!("[{}0]", "0,".repeat(MAX_VALUES - 1)), false);
        check(&format!("[{}0]", "0,".repeat(MAX_VALUES)), true);
        check(&format!("[{}", r#"{"":0},"#.repeat(MAX_VALUES)), true);
        check(&format!(r#"["{}"]"#, r#"\",[{:"#.repeat(MAX_VALUES)), false);
        check(&format!(r#"["\\",{}]"#, "0,".repeat(MAX_VALUES)), true);
        check(&"[".repeat(MAX_VALUES * 2), false);
        check("\"", false);
    }
}
