//! Turns of a connection: the client sends a head, or a body that a handler waits for; the server responds.

use std::cell::{Cell, RefCell};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use actix_http::ConnectionType;
use actix_http::error::PayloadError;
use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, HttpRequest};
use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use tokio::time::Instant;

/// Maximum time from a head's first byte to its request. Above the timeout of the first head, which is answered with
/// 408.
const HEAD_TIMEOUT: Duration = Duration::from_secs(12);
/// Maximum time from a response to the first byte of the next head. A client that never reads, with all responses in
/// its receive buffer, is disconnected within a minute.
pub(super) const KEEP_ALIVE_TIMEOUT: Duration = Duration::from_secs(40);
/// Maximum time for the rest of a body after its response. With the 30 s that a handler waits for a body, below 40 s.
const REST_TIMEOUT: Duration = Duration::from_secs(5);
/// Maximum bytes of an unread body that are read and dropped.
const MAX_DISCARD_BYTES: usize = 64 * 1024;
/// Maximum delay of a response by such a body.
const DISCARD_TIMEOUT: Duration = Duration::from_millis(250);
/// Maximum bytes of a response that the HTTP library buffers while the client does not read.
const MAX_PART_BYTES: usize = 16 * 1024;

/// The phase of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ConnectionPhase {
    /// No request is served and none has begun. The library has a deadline for the first one of a connection.
    Idle { deadline: Option<Instant> },
    /// Part of a head was received.
    Head { deadline: Instant },
    /// A request is being handled or answered.
    Serving,
    /// The handler waits for more of the body.
    Receiving,
    /// The request ends when the client disconnects: a response without length is sent, such as an event stream, or the
    /// caller waits for a result.
    Streaming,
}

/// The turns of one connection, shared by its stream, its request and its response.
#[derive(Debug, Clone)]
pub(super) struct Turns(Rc<Shared>);

#[derive(Debug)]
struct Shared {
    phase: Cell<ConnectionPhase>,
    /// The current or last request has a body whose end was not reached.
    has_rest: Cell<bool>,
    /// The handler has read from the body of the current request.
    is_body_read: Cell<bool>,
    /// The current or last response is the connection's last.
    is_closing: Cell<bool>,
    /// Remaining bytes of that body, if its length is known.
    rest_bytes: Cell<Option<u64>>,
    reader: RefCell<Option<Waker>>,
}

impl Turns {
    pub(super) fn new() -> Self {
        Self(Rc::new(Shared {
            phase: Cell::new(ConnectionPhase::Idle { deadline: None }),
            has_rest: Cell::new(false),
            is_body_read: Cell::new(false),
            is_closing: Cell::new(false),
            rest_bytes: Cell::new(None),
            reader: RefCell::default(),
        }))
    }

    pub(super) fn phase(&self) -> ConnectionPhase {
        self.0.phase.get()
    }

    /// Registers the task that waits to read.
    pub(super) fn wait(&self, waker: &Waker) {
        let mut reader = self.0.reader.borrow_mut();
        match reader.as_mut() {
            Some(known) => known.clone_from(waker),
            None => *reader = Some(waker.clone()),
        }
    }

    /// Wakes the task that waits to read.
    pub(super) fn wake(&self) {
        if let Some(reader) = self.0.reader.take() {
            reader.wake();
        }
    }

    /// Returns the remaining bytes of the body being received, if its length is known.
    pub(super) fn rest_bytes(&self) -> Option<u64> {
        self.0.rest_bytes.get().filter(|rest| *rest > 0 && self.phase() == ConnectionPhase::Receiving)
    }

    /// Returns whether a head is next, and not the rest of a body.
    pub(super) fn awaits_head(&self) -> bool {
        matches!(self.phase(), ConnectionPhase::Idle { .. } | ConnectionPhase::Head { .. }) && !self.0.has_rest.get()
    }

    /// Restarts the keep-alive timeout after a delayed response was written.
    pub(super) fn written(&self) {
        if matches!(self.phase(), ConnectionPhase::Idle { deadline: Some(_) }) {
            self.0.phase.set(self.idle());
        }
        self.wake();
    }

    fn idle(&self) -> ConnectionPhase {
        let timeout = match (self.0.is_closing.get(), self.0.has_rest.get()) {
            (true, _) => Duration::ZERO,
            (false, true) => REST_TIMEOUT,
            (false, false) => KEEP_ALIVE_TIMEOUT,
        };
        ConnectionPhase::Idle { deadline: Some(Instant::now() + timeout) }
    }

    /// Records that `length` bytes were handed to the HTTP library.
    pub(super) fn handed_over(&self, length: usize) {
        let rest = self.rest_bytes().map(|rest| rest.saturating_sub(length as u64));
        match self.phase() {
            ConnectionPhase::Idle { .. } if !self.0.has_rest.get() => {
                self.0.phase.set(ConnectionPhase::Head { deadline: Instant::now() + HEAD_TIMEOUT });
            }
            ConnectionPhase::Receiving => {
                self.0.rest_bytes.set(rest);
                if rest.is_none_or(|rest| rest == 0) {
                    // Until the handler reads again: the body may have ended here, and another request may follow.
                    self.0.phase.set(ConnectionPhase::Serving);
                }
            }
            ConnectionPhase::Idle { .. }
            | ConnectionPhase::Head { .. }
            | ConnectionPhase::Serving
            | ConnectionPhase::Streaming => {}
        }
    }

    fn enter(&self, phase: ConnectionPhase) {
        self.0.phase.set(phase);
        self.wake();
    }

    fn begin(&self, has_body: bool, length: Option<u64>) -> Turn {
        self.0.has_rest.set(has_body);
        self.0.is_body_read.set(false);
        self.0.is_closing.set(false);
        self.0.rest_bytes.set(length);
        self.0.phase.set(ConnectionPhase::Serving);
        Turn(self.clone())
    }
}

/// Ends the request when its client disconnects, until this is dropped. Otherwise a connection is not read while a
/// request is served.
#[derive(Debug)]
pub(crate) struct CloseNotice(Turns);

/// Returns the notice of a request whose body was read; `None` outside of a connection of this server.
pub(crate) fn notice_close(request: &HttpRequest) -> Option<CloseNotice> {
    let turns = request.conn_data::<Turns>()?.clone();
    turns.enter(ConnectionPhase::Streaming);
    Some(CloseNotice(turns))
}

impl Drop for CloseNotice {
    fn drop(&mut self) {
        if self.0.phase() == ConnectionPhase::Streaming {
            self.0.enter(ConnectionPhase::Serving);
        }
    }
}

/// A request from its head to the end of its answer.
#[derive(Debug)]
struct Turn(Turns);

impl Drop for Turn {
    fn drop(&mut self) {
        let idle = self.0.idle();
        self.0.enter(idle);
    }
}

/// Marks on the connection when a request is served, when its body is waited for, and when its response is a stream.
pub(crate) async fn take_turn(
    mut request: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let Some(turns) = request.conn_data::<Turns>().cloned() else { return next.call(request).await };
    let payload = request.take_payload();
    let has_body = !matches!(payload, Payload::None);
    let length = request.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    // Without these headers the payload belongs to another protocol.
    let is_framed = length.is_some() || request.headers().contains_key(TRANSFER_ENCODING);
    let is_small = is_framed && length.is_none_or(|length| length <= MAX_DISCARD_BYTES as u64);
    let turn = turns.begin(has_body, length);
    let body = Body { payload: Rc::new(RefCell::new(payload)), turns: turns.clone() };
    if has_body {
        request.set_payload(Payload::Stream { payload: Box::pin(body.clone()) });
    }
    let response = next.call(request).await?;
    turns.0.is_closing.set(response.response().head().connection_type() == ConnectionType::Close);
    if has_body && is_small && !turns.0.is_closing.get() && !turns.0.is_body_read.get() {
        discard(body).await;
    }
    if response.response().body().size() == BodySize::Stream {
        turns.enter(ConnectionPhase::Streaming);
    }
    Ok(response.map_body(|_, body| Answer { body, rest: Bytes::new(), _turn: turn }.boxed()))
}

/// A request's body.
#[derive(Clone)]
struct Body {
    payload: Rc<RefCell<Payload>>,
    turns: Turns,
}

impl Stream for Body {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let polled = Pin::new(&mut *self.payload.borrow_mut()).poll_next(context);
        self.turns.0.is_body_read.set(true);
        match &polled {
            Poll::Pending if self.turns.phase() == ConnectionPhase::Serving => {
                self.turns.enter(ConnectionPhase::Receiving)
            }
            Poll::Ready(None | Some(Err(_))) => self.turns.0.has_rest.set(false),
            Poll::Pending | Poll::Ready(Some(Ok(_))) => {}
        }
        polled
    }
}

/// Reads a small unread body: the library would close the connection after an unread body of known length.
async fn discard(mut body: Body) {
    let turns = body.turns.clone();
    let read = async {
        let mut count = 0;
        while let Some(Ok(chunk)) = body.next().await {
            count += chunk.len();
            if count > MAX_DISCARD_BYTES {
                break;
            }
        }
    };
    if tokio::time::timeout(DISCARD_TIMEOUT, read).await.is_err() {
        turns.0.phase.set(ConnectionPhase::Serving);
    }
}

/// A response body, in parts of at most [`MAX_PART_BYTES`].
struct Answer {
    body: BoxBody,
    rest: Bytes,
    _turn: Turn,
}

impl MessageBody for Answer {
    type Error = <BoxBody as MessageBody>::Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        if self.rest.is_empty() {
            match ready!(Pin::new(&mut self.body).poll_next(context)) {
                Some(Ok(bytes)) => self.rest = bytes,
                end => return Poll::Ready(end),
            }
        }
        let length = self.rest.len().min(MAX_PART_BYTES);
        Poll::Ready(Some(Ok(self.rest.split_to(length))))
    }
}
