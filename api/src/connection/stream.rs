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

use super::blank_line::{BlankLines, Piece};
use super::turns::{Phase, Turns};

/// Bounds what is handed over at once.
const MAX_PIECE_BYTES: usize = 8 * 1024;
/// Bounds what the kernel holds for a client that does not read; by itself it would be some MiB. The largest answers are as long.
const SEND_BUFFER_BYTES: usize = 256 * 1024;
/// The kernel ends a connection whose peer takes nothing of what was sent for this long, be it in the kernel or not yet.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);
/// Bounds the line ends before a head.
const MAX_LEADING_BLANK_BYTES: usize = 1024;
/// Bounds the pieces below [`SHORT_PIECE_BYTES`] that one body may be cut into: each costs a few microseconds.
const MAX_SHORT_PIECES: usize = 32 * 1024;
const SHORT_PIECE_BYTES: usize = 64;
/// Bounds how long and how much is read and dropped once nothing more is sent: what is unread would reset the connection, and with it the
/// end of the answer.
const LINGER_TIMEOUT: Duration = Duration::from_secs(2);
const MAX_LINGER_BYTES: usize = 4 * 1024 * 1024;
/// As [`MAX_LINGER_BYTES`], without waiting, where the connection ends by an error.
const MAX_DROP_BYTES: usize = 256 * 1024;
/// Interval at which a stream is looked at whose client has sent more behind its request, which hides the end behind it.
const CLOSE_CHECK_INTERVAL: Duration = Duration::from_millis(500);

/// A connection of which one request is read at a time, and none while an answer cannot be written.
#[derive(Debug)]
pub(super) struct GuardedStream {
    stream: TcpStream,
    turns: Turns,
    lines: BlankLines,
    /// The HTTP library decodes what it has once it finds nothing more to read.
    must_decode: bool,
    is_write_pending: bool,
    /// True once a deadline or a bound has passed: the HTTP library finds the end of what the client sent, and closes.
    is_ended: bool,
    leading_blank_bytes: usize,
    short_pieces: usize,
    lingering: Option<Lingering>,
    timer: Pin<Box<Sleep>>,
}

/// The rest of a connection whose sending side is closed.
#[derive(Debug)]
struct Lingering {
    until: Instant,
    rest_bytes: usize,
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
            is_ended: false,
            leading_blank_bytes: 0,
            short_pieces: 0,
            lingering: None,
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
        self.wait_until(Instant::now() + CLOSE_CHECK_INTERVAL, context).map(Err)
    }

    /// Reads a body of known length, not beyond its end: a request behind it is a piece of its own.
    fn read_body(&mut self, most: u64, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<Result<()>> {
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let mut storage = [MaybeUninit::uninit(); MAX_PIECE_BYTES];
        let mut part = ReadBuf::uninit(&mut storage[..MAX_PIECE_BYTES.min(buffer.remaining()).min(most)]);
        ready!(Pin::new(&mut self.stream).poll_read(context, &mut part))?;
        buffer.put_slice(part.filled());
        self.turns.handed_over(part.filled().len());
        Poll::Ready(Ok(()))
    }

    /// Reads what has arrived up to the first blank line behind text. Blank lines before a head are dropped.
    fn read_piece(&mut self, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<Result<()>> {
        let mut storage = [MaybeUninit::uninit(); MAX_PIECE_BYTES];
        loop {
            let mut arrived = ReadBuf::uninit(&mut storage[..MAX_PIECE_BYTES.min(buffer.remaining())]);
            ready!(self.stream.poll_peek(context, &mut arrived))?;
            let blank = if self.turns.awaits_head() { self.lines.leading_blank_bytes(arrived.filled()) } else { 0 };
            let piece = self.lines.first_piece(arrived.filled());
            let length = if blank > 0 { blank } else { piece.length };
            if length == 0 {
                return Poll::Ready(Ok(()));
            }
            if !self.is_within_bounds(length, blank > 0, &piece) {
                self.is_ended = true;
                return Poll::Ready(Ok(()));
            }
            let mut part = ReadBuf::uninit(&mut storage[..length]);
            ready!(Pin::new(&mut self.stream).poll_read(context, &mut part))?;
            if blank > 0 {
                continue;
            }
            buffer.put_slice(part.filled());
            (self.lines, self.must_decode) = (piece.lines, piece.is_blank_line_last);
            self.turns.handed_over(part.filled().len());
            return Poll::Ready(Ok(()));
        }
    }

    /// Counts a piece; false where it is one too many.
    fn is_within_bounds(&mut self, length: usize, is_dropped: bool, piece: &Piece) -> bool {
        if !self.turns.awaits_head() {
            self.short_pieces += usize::from(piece.is_blank_line_last && length < SHORT_PIECE_BYTES);
        } else if is_dropped || piece.is_blank() {
            self.leading_blank_bytes += length;
        } else {
            (self.leading_blank_bytes, self.short_pieces) = (0, 0);
        }
        self.leading_blank_bytes <= MAX_LEADING_BLANK_BYTES && self.short_pieces <= MAX_SHORT_PIECES
    }

    /// Reads and drops what the client still sends, up to its end.
    fn linger(&mut self, context: &mut Context<'_>) -> Poll<Result<()>> {
        let mut storage = [MaybeUninit::uninit(); MAX_PIECE_BYTES];
        loop {
            let Some(Lingering { until, rest_bytes }) = self.lingering else { return Poll::Ready(Ok(())) };
            let mut part = ReadBuf::uninit(&mut storage);
            match Pin::new(&mut self.stream).poll_read(context, &mut part) {
                Poll::Ready(Ok(())) if !part.filled().is_empty() && part.filled().len() <= rest_bytes => {
                    self.lingering = Some(Lingering { until, rest_bytes: rest_bytes - part.filled().len() });
                }
                Poll::Ready(_) => return Poll::Ready(Ok(())),
                Poll::Pending => return self.wait_until(until, context).map(|_| Ok(())),
            }
        }
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
        let deadline = match this.turns.phase() {
            Phase::Idle { deadline } => deadline,
            Phase::Head { deadline } => Some(deadline),
            Phase::Receiving | Phase::Serving | Phase::Streaming => None,
        };
        // While an answer is still being written, it is the client's time to read.
        if let Some(deadline) = deadline.filter(|_| !this.is_write_pending) {
            this.is_ended |= this.wait_until(deadline, context).is_ready();
        }
        if this.is_ended {
            return Poll::Ready(Ok(()));
        }
        let is_allowed = match this.turns.phase() {
            Phase::Idle { .. } | Phase::Head { .. } => !this.is_write_pending,
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
            this.turns.written();
        }
        written
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        let this = self.get_mut();
        if this.lingering.is_none() {
            ready!(Pin::new(&mut this.stream).poll_shutdown(context))?;
            let until = Instant::now() + LINGER_TIMEOUT;
            this.lingering = Some(Lingering { until, rest_bytes: MAX_LINGER_BYTES });
        }
        this.linger(context)
    }
}

impl Drop for GuardedStream {
    /// Drops what has arrived: an error that was answered, such as 400, ends the connection without a shutdown.
    fn drop(&mut self) {
        let (mut part, mut count) = ([0; MAX_PIECE_BYTES], 0);
        while count < MAX_DROP_BYTES
            && let Ok(length @ 1..) = self.stream.try_read(&mut part)
        {
            count += length;
        }
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
