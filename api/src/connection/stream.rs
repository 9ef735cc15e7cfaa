//! An accepted connection as the HTTP library reads and writes it.

use std::io::{Error, ErrorKind, Result};
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_util::FutureExt;
use rustix::net::sockopt::{set_socket_send_buffer_size, set_tcp_user_timeout};
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep_until};

use super::blank_line::BlankLines;
use super::turns::{Phase, Turns};

/// Bounds what is handed over at once.
const PIECE_BYTES: usize = 8 * 1024;
/// Bounds what the kernel holds for a client that does not read; by itself it would be some MiB. The largest answers are as long.
const SEND_BUFFER_BYTES: usize = 256 * 1024;
/// The kernel ends a connection whose peer takes nothing of what was sent for this long, be it in the kernel or not yet.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);
/// Interval at which a stream is looked at whose client has sent more behind its request, which hides the end behind it.
const LOOK_INTERVAL: Duration = Duration::from_millis(500);

/// A connection of which one request is read at a time, and none while an answer cannot be written.
#[derive(Debug)]
pub(super) struct GuardedStream {
    stream: TcpStream,
    turns: Turns,
    lines: BlankLines,
    /// The HTTP library decodes what it has once it finds nothing more to read.
    must_decode: bool,
    is_write_pending: bool,
    timer: Pin<Box<Sleep>>,
}

impl GuardedStream {
    /// Guards a connection that was just accepted, and sets its socket's options.
    pub(super) fn new(stream: TcpStream) -> Result<Self> {
        // An event is two writes on a connection that was used before; the second one would wait for the client's delayed acknowledgement.
        stream.set_nodelay(true)?;
        set_socket_send_buffer_size(&stream, SEND_BUFFER_BYTES)?;
        set_tcp_user_timeout(&stream, u32::try_from(WRITE_TIMEOUT.as_millis()).unwrap_or(u32::MAX))?;
        Ok(Self {
            stream,
            turns: Turns::new(),
            lines: BlankLines::default(),
            must_decode: false,
            is_write_pending: false,
            timer: Box::pin(sleep_until(Instant::now())),
        })
    }

    /// The turns of the connection, for its requests.
    pub(super) fn turns(&self) -> Turns {
        self.turns.clone()
    }

    /// Wakes the task at `instant`, unless it is woken before; an error where that has passed.
    fn wait_until(&mut self, instant: Instant, context: &mut Context<'_>) -> Poll<Error> {
        if self.timer.deadline() != instant {
            self.timer.as_mut().reset(instant);
        }
        self.timer.as_mut().poll(context).map(|()| ErrorKind::TimedOut.into())
    }

    /// Returns whether the client has closed its side, also where something that it sent before is still unread.
    fn is_read_closed(&self) -> bool {
        let ready = self.stream.ready(Interest::READABLE).now_or_never();
        ready.is_some_and(|ready| ready.is_ok_and(|ready| ready.is_read_closed()))
    }

    /// Waits on a connection that is not to be read, for its end.
    fn refuse(&mut self, context: &mut Context<'_>) -> Poll<Result<()>> {
        let mut storage = [MaybeUninit::uninit()];
        let arrived = ready!(self.stream.poll_peek(context, &mut ReadBuf::uninit(&mut storage)))?;
        if self.turns.phase() != Phase::Streaming {
            // The next turn reads what is there, be it the end.
            return Poll::Pending;
        }
        if arrived == 0 || self.is_read_closed() {
            return Poll::Ready(Err(ErrorKind::ConnectionAborted.into()));
        }
        self.wait_until(Instant::now() + LOOK_INTERVAL, context).map(Err)
    }

    /// Reads a body of known length, not beyond its end: a request behind it is a piece of its own.
    fn read_body(&mut self, most: u64, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<Result<()>> {
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let mut storage = [MaybeUninit::uninit(); PIECE_BYTES];
        let mut part = ReadBuf::uninit(&mut storage[..PIECE_BYTES.min(buffer.remaining()).min(most)]);
        ready!(Pin::new(&mut self.stream).poll_read(context, &mut part))?;
        buffer.put_slice(part.filled());
        self.turns.handed_over(part.filled().len());
        Poll::Ready(Ok(()))
    }

    /// Reads what has arrived up to the first blank line.
    fn read_piece(&mut self, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<Result<()>> {
        let mut storage = [MaybeUninit::uninit(); PIECE_BYTES];
        let mut arrived = ReadBuf::uninit(&mut storage[..PIECE_BYTES.min(buffer.remaining())]);
        ready!(self.stream.poll_peek(context, &mut arrived))?;
        let piece = self.lines.first_piece(arrived.filled());
        if piece.length == 0 {
            return Poll::Ready(Ok(()));
        }
        let mut part = ReadBuf::uninit(&mut storage[..piece.length]);
        ready!(Pin::new(&mut self.stream).poll_read(context, &mut part))?;
        buffer.put_slice(part.filled());
        (self.lines, self.must_decode) = (piece.lines, piece.is_blank_line_last);
        self.turns.handed_over(part.filled().len());
        Poll::Ready(Ok(()))
    }
}

impl AsyncRead for GuardedStream {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<Result<()>> {
        let this = self.get_mut();
        this.turns.wait(context.waker());
        if std::mem::take(&mut this.must_decode) {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        let is_allowed = match this.turns.phase() {
            Phase::Idle { deadline } => {
                if let Some(deadline) = deadline
                    && let Poll::Ready(error) = this.wait_until(deadline, context)
                {
                    return Poll::Ready(Err(error));
                }
                !this.is_write_pending
            }
            Phase::Receiving => true,
            Phase::Serving | Phase::Streaming => false,
        };
        match this.turns.rest_bytes() {
            _ if !is_allowed => this.refuse(context),
            Some(rest) => this.read_body(rest, context, buffer),
            None => this.read_piece(context, buffer),
        }
    }
}

impl AsyncWrite for GuardedStream {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.stream).poll_write(context, bytes);
        let was_pending = std::mem::replace(&mut this.is_write_pending, written.is_pending());
        if was_pending && !this.is_write_pending {
            this.turns.wake();
        }
        written
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use rustix::net::sockopt::tcp_user_timeout;
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn an_accepted_socket_sends_at_once_and_not_for_ever() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let _client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let guarded = GuardedStream::new(listener.accept().await.unwrap().0).unwrap();
        assert!(guarded.stream.nodelay().unwrap());
        assert_eq!(tcp_user_timeout(&guarded.stream).unwrap(), 30_000);
    }
}
