//! Accepts connections and bounds the memory and time that one may take.
//!
//! The HTTP library decodes every request in its read buffer, reads on while a response cannot be written, and has no
//! deadline for the rest of a body or for a second head. [`GuardedStream`] gives it one request at a time instead.
//! Decision 0024 has the figures.

mod blank_line;
mod stream;
mod turns;

use std::net::{SocketAddr, ToSocketAddrs};
use std::time::Duration;

use actix_http::error::DispatchError;
use actix_http::{HttpService, KeepAlive};
use actix_service::{ServiceFactory, ServiceFactoryExt, fn_service, map_config};
use actix_web::App;
use actix_web::dev::{AppConfig, Server};
use actix_web::middleware::from_fn;
use tokio::net::{TcpSocket, TcpStream};

use crate::app_state::AppState;
use crate::config::Config;
use crate::connection::stream::GuardedStream;
pub(crate) use crate::connection::turns::notice_close;
use crate::connection::turns::{KEEP_ALIVE_TIMEOUT, take_turn};
use crate::middleware::observe::observe;
use crate::routes::configure;

/// Maximum time for a connection's first head; then 408.
const FIRST_HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// Maximum time to read from a connection after a response that left part of the body unread.
const DISCONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// Maximum connections waiting in the kernel to be accepted.
const BACKLOG: u32 = 1024;

/// Binds every address that `api.listen` resolves to, and returns the first one with the server.
pub(crate) fn listen(config: &Config, state: &AppState) -> std::io::Result<(SocketAddr, Server)> {
    let mut server = Server::build()
        .workers(config.workers)
        .max_concurrent_connections((config.max_connections / config.workers).max(1))
        .disable_signals();
    let (mut bound, mut refused) = (None, None);
    for address in config.listen.to_socket_addrs()? {
        match bind(address) {
            Ok(listener) => {
                bound = bound.or(Some(listener.local_addr()?));
                let state = state.clone();
                server = server.listen("api", listener, move || serve(state.clone()))?;
            }
            Err(error) => refused = Some(error),
        }
    }
    let nothing = || refused.unwrap_or_else(|| std::io::Error::other("the host name has no address"));
    let bound = bound.ok_or_else(nothing)?;
    Ok((bound, server.run()))
}

fn bind(address: SocketAddr) -> std::io::Result<std::net::TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)?.into_std()
}

/// Returns the service of one accepted connection.
fn serve(
    state: AppState,
) -> impl ServiceFactory<TcpStream, Config = (), Response = (), Error = DispatchError, InitError = ()> {
    let app = App::new()
        .configure(|config| state.register(config))
        .configure(configure)
        .wrap(from_fn(observe))
        .wrap(from_fn(take_turn));
    let http = HttpService::build()
        .keep_alive(KeepAlive::Timeout(KEEP_ALIVE_TIMEOUT))
        .client_request_timeout(FIRST_HEAD_TIMEOUT)
        .client_disconnect_timeout(DISCONNECT_TIMEOUT)
        .on_connect_ext(|stream: &GuardedStream, data| {
            data.insert(stream.turns());
        })
        .h1(map_config(app, |()| AppConfig::default()));
    fn_service(async |stream: TcpStream| {
        let peer = stream.peer_addr().ok();
        let stream = GuardedStream::new(stream).map_err(DispatchError::Io)?;
        Ok((stream, peer))
    })
    .and_then(http)
}
