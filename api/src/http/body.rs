//! Reads a request's body as JSON, within a size, a time, and the memory that the bodies of one user and of all may take.

use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, TRANSFER_ENCODING};
use actix_web::{HttpRequest, web};
use futures_util::StreamExt;
use serde_json::Value;
use shared::identity::User;
use shared::pool::{Place, Pool};

use crate::http::problem::Problem;

/// Room for 1 MiB of code after JSON escaping, and below what the broker takes in one message.
pub(crate) const MAX_BODY_BYTES: usize = 7 * 1024 * 1024;
/// A name, a password or a token needs far less.
const MAX_SMALL_BODY_BYTES: usize = 16 * 1024;
/// A body above this is parsed off the HTTP threads: the largest takes tens of milliseconds. Up to here it needs no place.
const MAX_INLINE_BYTES: usize = 64 * 1024;
/// Up to here a body needs a place among the medium ones; above, among the large ones.
const MAX_MEDIUM_BYTES: usize = 1024 * 1024;
/// Places for bodies of each size that are on their way or being parsed, and how many of them one user may hold: in all 66 MiB.
const MEDIUM_PERMITS: (usize, usize) = (24, 6);
const LARGE_PERMITS: (usize, usize) = (6, 2);
/// A body that has grown waits so long for a place of its size.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);
/// No call has use for more values in a body. One of 2 bytes takes up to 700 once it is parsed.
const MAX_VALUES: usize = 20_000;
/// The parser refuses anything deeper, as broken.
const MAX_DEPTH: usize = 128;
/// A body that takes longer is given up.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);
/// So much of an unwanted body is read and dropped: a client that is still sending would see a reset instead of the answer.
const MAX_DISCARD_BYTES: usize = 64 * 1024 * 1024;
const DISCARD_TIMEOUT: Duration = Duration::from_secs(10);
/// A client that sends nothing for so long waits for the answer first, or will never send.
const DISCARD_IDLE_TIMEOUT: Duration = Duration::from_millis(250);

/// The memory that bodies may take, whoever sends them. A place is taken for what has arrived, never for what is announced.
#[derive(Debug)]
pub(crate) struct BodyMemoryBudget {
    medium: Pool,
    large: Pool,
}

impl BodyMemoryBudget {
    pub(crate) fn new() -> Self {
        let pool = |(places, share)| Pool::new(places, share);
        Self { medium: pool(MEDIUM_PERMITS), large: pool(LARGE_PERMITS) }
    }

    /// A place for a body of `bytes`; 503 where none gets free in time.
    async fn acquire(&self, bytes: usize, user: &User) -> Result<Place, Problem> {
        let pool = if bytes > MAX_MEDIUM_BYTES { &self.large } else { &self.medium };
        tokio::time::timeout(ACQUIRE_TIMEOUT, pool.take(user.name.as_str())).await.map_err(|_| {
            let detail = "Too many large bodies are on their way, of yours or of all users; send it again.";
            Problem::unavailable(detail, Duration::from_secs(2))
        })
    }
}

/// What `read` makes of the body: 400 where it is no JSON, 413 above [`MAX_BODY_BYTES`] or [`MAX_VALUES`], 408 where it does not
/// arrive in time, 503 where too many large ones are on their way.
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

/// The body of a call that carries a few words: as [`read_body`], 413 above 16 KiB.
pub(crate) async fn read_small(request: &HttpRequest, payload: web::Payload) -> Result<Value, Problem> {
    let (bytes, _) = receive(request, payload, MAX_SMALL_BODY_BYTES, None).await?;
    parse(&bytes)
}

fn parse(bytes: &[u8]) -> Result<Value, Problem> {
    if has_too_many_values(bytes) {
        return Err(Problem::too_large(&format!("The body holds more than {MAX_VALUES} values.")));
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
        if depth > MAX_DEPTH {
            return false;
        }
        if values > MAX_VALUES {
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

/// A body and the place that it takes. Without room it has to be a small one.
type Received = (Vec<u8>, Option<Place>);

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
        // By now what had arrived is forgotten, and its place is free.
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
        let chunk = chunk
            .map_err(|_| Problem::new(StatusCode::BAD_REQUEST, "broken-body", "The body broke off; send it again."))?;
        let length = bytes.len() + chunk.len();
        if length > limit {
            return Err(Problem::too_large(&format!("The body is larger than {} KiB.", limit / 1024)));
        }
        if let Some((memory, user)) = memory.filter(|_| length > allowed) {
            // The smaller place is kept meanwhile. Only medium bodies wait for others, and only for large ones, so none waits in a circle.
            permit = Some(memory.acquire(length, user).await?);
            allowed = if length > MAX_MEDIUM_BYTES { limit } else { MAX_MEDIUM_BYTES };
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok((bytes, permit))
}

/// Reads the body of a request whose answer does not hang on it, and drops it, so that the answer reaches a client that is still
/// sending. One that is announced and does not come is not waited for.
pub(crate) async fn discard(request: &HttpRequest, payload: Payload) {
    let headers = request.headers();
    // Without it the payload is what another protocol would say on this connection, and ends with it.
    if headers.contains_key(CONTENT_LENGTH) || headers.contains_key(TRANSFER_ENCODING) {
        drop_rest(payload, DISCARD_IDLE_TIMEOUT).await;
    }
}

/// Reads what comes and drops it, until nothing came for as long as `pause`.
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
        check(&format!("[{}0]", "0,".repeat(MAX_VALUES - 1)), false);
        check(&format!("[{}0]", "0,".repeat(MAX_VALUES)), true);
        check(&format!("[{}", r#"{"":0},"#.repeat(MAX_VALUES)), true);
        check(&format!(r#"["{}"]"#, r#"\",[{:"#.repeat(MAX_VALUES)), false);
        check(&format!(r#"["\\",{}]"#, "0,".repeat(MAX_VALUES)), true);
        check(&"[".repeat(MAX_VALUES * 2), false);
        check("\"", false);
    }
}
