//! The accepted connection between the kernel and the HTTP library.

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
use super::turns::{ConnectionPhase, Turns};

/// Maximum bytes handed to the HTTP library at once.
const MAX_PIECE_BYTES: usize = 8 * 1024;
/// Maximum bytes that the kernel buffers for a client that does not read; its default is some MiB. Equals the largest
/// responses.
const SEND_BUFFER_BYTES: usize = 256 * 1024;
/// Time without progress after which the kernel ends a connection whose peer accepts no data.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);
/// Maximum bytes of line ends before a head.
const MAX_LEADING_BLANK_BYTES: usize = 1024;
/// Maximum pieces below [`SHORT_PIECE_BYTES`] in one body; each costs a few microseconds.
const MAX_SHORT_PIECES: usize = 32 * 1024;
const SHORT_PIECE_BYTES: usize = 64;
/// Maximum time and bytes to read and drop after the last response: unread bytes would reset the connection and lose
/// the end of the response.
const LINGER_TIMEOUT: Duration = Duration::from_secs(2);
const MAX_LINGER_BYTES: usize = 4 * 1024 * 1024;
/// Maximum bytes to drop, without waiting, if the connection ends with an error.
const MAX_DROP_BYTES: usize = 256 * 1024;
/// Interval of checks for a closed client whose unread bytes hide the end of the connection.
const CLOSE_CHECK_INTERVAL: Duration = Duration::from_millis(500);

/// A connection on which one request is read at a time, and none while a response cannot be written.
#[derive(Debug)]
pub(super) struct GuardedStream {
    stream: TcpStream,
    turns: Turns,
    lines: BlankLines,
    /// The HTTP library decodes its buffer only when a read returns nothing.
    must_decode: bool,
    is_write_pending: bool,
    /// A deadline or bound was exceeded; the HTTP library sees the end of the stream and closes.
    is_ended: bool,
    leading_blank_bytes: usize,
    short_pieces: usize,
    lingering: Option<Lingering>,
    timer: Pin<Box<Sleep>>,
}

/// The state of a connection after its sending side was closed.
#[derive(Debug)]
struct Lingering {
    until: Instant,
    rest_bytes: usize,
}

impl GuardedStream {
    /// Wraps an accepted connection and sets its socket options.
    pub(super) fn new(stream: TcpStream) -> Result<Self> {
        // An event takes two writes on a reused connection; without nodelay the second waits for a delayed
        // acknowledgement.
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

    /// Returns the turns, shared with the connection's requests.
    pub(super) fn turns(&self) -> Turns {
        self.turns.clone()
    }

    /// Wakes the task at `instant` at the latest; returns a timeout error once it has passed.
    fn wait_until(&mut self, instant: Instant, context: &mut Context<'_>) -> Poll<Error> {
        if self.timer.deadline() != instant {
            self.timer.as_mut().reset(instant);
        }
        self.timer.as_mut().poll(context).map(|()| ErrorKind::TimedOut.into())
    }

    /// Returns whether the client closed its side, also if earlier bytes are unread.
    fn is_read_closed(&self) -> bool {
        let ready = self.stream.ready(Interest::READABLE).now_or_never();
        ready.is_some_and(|ready| ready.is_ok_and(|ready| ready.is_read_closed()))
    }

    /// Waits for the end of a connection that must not be read now.
    fn refuse(&mut self, context: &mut Context<'_>) -> Poll<Result<()>> {
        let mut storage = [MaybeUninit::uninit()];
        let arrived = ready!(self.stream.poll_peek(context, &mut ReadBuf::uninit(&mut storage)))?;
        if self.turns.phase() != ConnectionPhase::Streaming {
            // The next turn reads what is there, including the end.
            return Poll::Pending;
        }
        if arrived == 0 || self.is_read_closed() {
            return Poll::Ready(Err(ErrorKind::ConnectionAborted.into()));
        }
        self.wait_until(Instant::now() + CLOSE_CHECK_INTERVAL, context).map(Err)
    }

    /// Reads a body of known length, not beyond its end: a following request is a piece of its own.
    fn read_body(&mut self, most: u64, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<Result<()>> {
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let mut storage = [MaybeUninit::uninit(); MAX_PIECE_BYTES];
        let mut part = ReadBuf::uninit(&mut storage[..MAX_PIECE_BYTES.min(buffer.remaining()).min(most)]);
        ready!(Pin::new(&mut self.stream).poll_read(context, &mut part))?;
        buffer.put_slice(part.filled());
        self.turns.handed_over(part.filled().len());
        Poll::Ready(Ok(()))
    }

    /// Reads up to the first blank line after text. Drops blank lines before a head.
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

    /// Counts a piece; returns false if a bound is exceeded.
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

    /// Reads and drops received bytes up to the end of the connection.
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
            ConnectionPhase::Idle { deadline } => deadline,
            ConnectionPhase::Head { deadline } => Some(deadline),
            ConnectionPhase::Receiving | ConnectionPhase::Serving | ConnectionPhase::Streaming => None,
        };
        // While a response is being written, the delay is the client's.
        if let Some(deadline) = deadline.filter(|_| !this.is_write_pending) {
            this.is_ended |= this.wait_until(deadline, context).is_ready();
        }
        if this.is_ended {
            return Poll::Ready(Ok(()));
        }
        let is_allowed = match this.turns.phase() {
            ConnectionPhase::Idle { .. } | ConnectionPhase::Head { .. } => !this.is_write_pending,
            ConnectionPhase::Receiving => true,
            ConnectionPhase::Serving | ConnectionPhase::Streaming => false,
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
    /// Drops received bytes: after an error response such as 400, the connection ends without a shutdown.
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
    async fn an_accepted_socket_has_nodelay_and_a_write_timeout() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let _client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let guarded = GuardedStream::new(listener.accept().await.unwrap().0).unwrap();
        assert!(guarded.stream.nodelay().unwrap());
        assert_eq!(tcp_user_timeout(&guarded.stream).unwrap(), 30_000);
    }
}
