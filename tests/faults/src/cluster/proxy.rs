//! TCP proxies between processes, which a test can hold, slow down or cut.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::random::Random;

/// The state of one direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkState {
    /// Bytes are forwarded.
    Up,
    /// Bytes are held until the state changes, then all are forwarded, as TCP retransmits them.
    Held,
    /// Bytes are forwarded after this delay.
    Slow(Duration),
    /// This percentage of packets is delayed by one retransmission timeout.
    Lossy(usize),
}

/// TCP's minimum retransmission timeout.
const RETRANSMISSION: Duration = Duration::from_millis(200);

/// A proxy for connections that `from` makes to `to`.
#[derive(Debug)]
pub struct Proxy {
    pub from: String,
    pub to: String,
    pub port: u16,
    outbound: watch::Sender<LinkState>,
    inbound: watch::Sender<LinkState>,
    cut: watch::Sender<CancellationToken>,
    target: watch::Sender<SocketAddr>,
    _task: JoinSet<()>,
}

impl Proxy {
    /// Starts a proxy to `target` on a free port.
    pub async fn start(from: &str, to: &str, target: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let port = listener.local_addr()?.port();
        let (outbound, outbound_state) = watch::channel(LinkState::Up);
        let (inbound, inbound_state) = watch::channel(LinkState::Up);
        let (cut, cut_token) = watch::channel(CancellationToken::new());
        let (target, current_target) = watch::channel(target);
        let mut task = JoinSet::new();
        task.spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                tokio::select! {
                    accepted = listener.accept() => {
                        let Ok((near, _)) = accepted else { continue };
                        let (outbound_state, inbound_state) = (outbound_state.clone(), inbound_state.clone());
                        let cut_token = cut_token.borrow().clone();
                        let target = *current_target.borrow();
                        connections.spawn(async move {
                            tokio::select! {
                                () = cut_token.cancelled() => {}
                                () = forward_connection(near, target, outbound_state, inbound_state) => {}
                            }
                        });
                    }
                    Some(_) = connections.join_next() => {}
                }
            }
        });
        Ok(Self { from: from.to_owned(), to: to.to_owned(), port, outbound, inbound, cut, target, _task: task })
    }

    /// Sets the state for bytes that `name` sends; does nothing if `name` is at neither end.
    pub fn set_state_from(&self, name: &str, state: LinkState) {
        if self.from == name {
            self.outbound.send_replace(state);
        } else if self.to == name {
            self.inbound.send_replace(state);
        }
    }

    /// Forwards in both directions.
    pub fn restore(&self) {
        self.outbound.send_replace(LinkState::Up);
        self.inbound.send_replace(LinkState::Up);
    }

    /// Forwards new connections to another target and breaks the existing ones.
    pub fn redirect(&self, target: SocketAddr) {
        self.target.send_replace(target);
        self.cut();
    }

    /// Breaks every existing connection; new ones may be made.
    pub fn cut(&self) {
        self.cut.send_replace(CancellationToken::new()).cancel();
    }
}

async fn forward_connection(
    near: TcpStream,
    target: SocketAddr,
    outbound_state: watch::Receiver<LinkState>,
    inbound_state: watch::Receiver<LinkState>,
) {
    let mut unblocked = outbound_state.clone();
    if unblocked.wait_for(|state| *state != LinkState::Held).await.is_err() {
        return;
    }
    let Ok(far) = TcpStream::connect(target).await else { return };
    drop((near.set_nodelay(true), far.set_nodelay(true)));
    let ((near_in, near_out), (far_in, far_out)) = (near.into_split(), far.into_split());
    // When one direction ends, close the other.
    tokio::select! {
        () = forward(near_in, far_out, outbound_state) => {}
        () = forward(far_in, near_out, inbound_state) => {}
    }
}

async fn forward(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut state: watch::Receiver<LinkState>) {
    let mut packet = vec![0; 16 * 1024];
    // Lost packets need not be reproducible: neither is how bytes are split into reads.
    let mut random = Random::new(u64::from(from.peer_addr().map_or(1, |peer| peer.port())));
    while let Ok(length @ 1..) = from.read(&mut packet).await {
        let Ok(now) = state.wait_for(|state| *state != LinkState::Held).await.map(|state| *state) else {
            return;
        };
        match now {
            LinkState::Up | LinkState::Held => {}
            LinkState::Slow(delay) => tokio::time::sleep(delay).await,
            LinkState::Lossy(percent) if random.below(100) < percent => tokio::time::sleep(RETRANSMISSION).await,
            LinkState::Lossy(_) => {}
        }
        if to.write_all(&packet[..length]).await.is_err() {
            return;
        }
    }
}
