//! Wires: TCP connections between our processes that a test can hold, slow down, or cut.

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

/// What becomes of bytes in one direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weather {
    /// They arrive.
    Fair,
    /// None arrive until the weather changes; then all do, as TCP sends them again.
    Held,
    /// All arrive late.
    Slow(Duration),
    /// Of a hundred packets so many are lost and sent again after the shortest retransmission timeout.
    Lossy(usize),
}

/// TCP sends a lost packet again after this long.
const RETRANSMISSION: Duration = Duration::from_millis(200);

/// The way from one process to another; connections are made by `from`.
#[derive(Debug)]
pub struct Wire {
    pub from: String,
    pub to: String,
    pub port: u16,
    forth: watch::Sender<Weather>,
    back: watch::Sender<Weather>,
    cut: watch::Sender<CancellationToken>,
    target: watch::Sender<SocketAddr>,
    _task: JoinSet<()>,
}

impl Wire {
    /// A wire to `target`, on a port of its own.
    pub async fn lay(from: &str, to: &str, target: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let port = listener.local_addr()?.port();
        let (forth, going) = watch::channel(Weather::Fair);
        let (back, coming) = watch::channel(Weather::Fair);
        let (cut, scissors) = watch::channel(CancellationToken::new());
        let (target, towards) = watch::channel(target);
        let mut task = JoinSet::new();
        task.spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                tokio::select! {
                    accepted = listener.accept() => {
                        let Ok((near, _)) = accepted else { continue };
                        let (going, coming, scissors) = (going.clone(), coming.clone(), scissors.borrow().clone());
                        let target = *towards.borrow();
                        connections.spawn(async move {
                            tokio::select! {
                                () = scissors.cancelled() => {}
                                () = carry(near, target, going, coming) => {}
                            }
                        });
                    }
                    Some(_) = connections.join_next() => {}
                }
            }
        });
        Ok(Self { from: from.to_owned(), to: to.to_owned(), port, forth, back, cut, target, _task: task })
    }

    /// Changes the weather for what `name` sends; a name that is at neither end changes nothing.
    pub fn weather_from(&self, name: &str, weather: Weather) {
        if self.from == name {
            self.forth.send_replace(weather);
        } else if self.to == name {
            self.back.send_replace(weather);
        }
    }

    /// Fair in both directions.
    pub fn mend(&self) {
        self.forth.send_replace(Weather::Fair);
        self.back.send_replace(Weather::Fair);
    }

    /// Leads to another target from now on; connections that stand break.
    pub fn lead_to(&self, target: SocketAddr) {
        self.target.send_replace(target);
        self.cut();
    }

    /// Breaks every connection that stands; new ones may be made.
    pub fn cut(&self) {
        self.cut.send_replace(CancellationToken::new()).cancel();
    }
}

async fn carry(near: TcpStream, target: SocketAddr, going: watch::Receiver<Weather>, coming: watch::Receiver<Weather>) {
    let mut calm = going.clone();
    if calm.wait_for(|weather| *weather != Weather::Held).await.is_err() {
        return;
    }
    let Ok(far) = TcpStream::connect(target).await else { return };
    drop((near.set_nodelay(true), far.set_nodelay(true)));
    let ((near_in, near_out), (far_in, far_out)) = (near.into_split(), far.into_split());
    // Where one direction ends, the other has nobody left to talk to.
    tokio::select! {
        () = pump(near_in, far_out, going) => {}
        () = pump(far_in, near_out, coming) => {}
    }
}

async fn pump(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut weather: watch::Receiver<Weather>) {
    let mut packet = vec![0; 16 * 1024];
    // Which packet is lost need not repeat: how they are cut into reads does not either.
    let mut luck = Random::new(u64::from(from.peer_addr().map_or(1, |peer| peer.port())));
    while let Ok(length @ 1..) = from.read(&mut packet).await {
        let Ok(now) = weather.wait_for(|weather| *weather != Weather::Held).await.map(|weather| *weather) else {
            return;
        };
        match now {
            Weather::Fair | Weather::Held => {}
            Weather::Slow(delay) => tokio::time::sleep(delay).await,
            Weather::Lossy(percent) if luck.below(100) < percent => tokio::time::sleep(RETRANSMISSION).await,
            Weather::Lossy(_) => {}
        }
        if to.write_all(&packet[..length]).await.is_err() {
            return;
        }
    }
}
