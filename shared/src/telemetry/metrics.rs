//! Prometheus metrics on a port of their own.

use std::net::SocketAddr;
use std::sync::LazyLock;

use actix_web::http::header::CONTENT_TYPE;
use actix_web::{App, HttpResponse, HttpServer, web};
use prometheus::{Registry, TextEncoder};
use tokio_util::sync::CancellationToken;

/// The registry of this process; metrics are registered where they are counted.
pub fn registry() -> &'static Registry {
    static REGISTRY: LazyLock<Registry> = LazyLock::new(Registry::new);
    &REGISTRY
}

/// The text that a scrape reads.
pub fn scrape() -> Result<String, prometheus::Error> {
    TextEncoder::new().encode_to_string(&registry().gather())
}

/// Serves `GET /metrics` of the process's registry.
pub struct MetricsServer {
    address: SocketAddr,
    server: actix_web::dev::Server,
}

impl MetricsServer {
    /// Binds `listen`, e.g. `127.0.0.1:0` for a free port.
    pub fn bind(listen: &str) -> std::io::Result<Self> {
        let server = HttpServer::new(|| {
            App::new().service(web::resource("/metrics").route(web::get().to(answer)).route(web::head().to(answer)))
        })
        .workers(1)
        .disable_signals()
        .bind(listen)?;
        let address = server.addrs().first().copied().ok_or_else(|| std::io::Error::other("no address was bound"))?;
        Ok(Self { address, server: server.run() })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `stopping`.
    pub async fn run(self, stopping: CancellationToken) -> std::io::Result<()> {
        let handle = self.server.handle();
        // Both are polled together: the server takes the order to stop only while it is polled.
        let (ended, ()) = tokio::join!(self.server, async {
            stopping.cancelled().await;
            handle.stop(false).await;
        });
        ended
    }
}

async fn answer() -> HttpResponse {
    match scrape() {
        Ok(text) => HttpResponse::Ok().insert_header((CONTENT_TYPE, "text/plain; version=0.0.4")).body(text),
        Err(error) => HttpResponse::InternalServerError().body(error.to_string()),
    }
}
