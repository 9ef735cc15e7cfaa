//! Prometheus metrics on a separate port.

use std::net::SocketAddr;
use std::sync::LazyLock;

use actix_web::http::header::CONTENT_TYPE;
use actix_web::{App, HttpResponse, HttpServer, web};
use prometheus::{Registry, TextEncoder};
use tokio_util::sync::CancellationToken;

/// Returns the registry of this process; metrics are registered where they are counted.
pub fn registry() -> &'static Registry {
    static REGISTRY: LazyLock<Registry> = LazyLock::new(Registry::new);
    &REGISTRY
}

/// Returns the text of a scrape.
pub fn scrape() -> Result<String, prometheus::Error> {
    TextEncoder::new().encode_to_string(&registry().gather())
}

/// An HTTP server for `GET /metrics` of the process's registry.
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
        let address = server.addrs().first().copied().ok_or_else(|| std::io::Error::other("no listening address"))?;
        Ok(Self { address, server: server.run() })
    }

    /// Returns the bound address.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `stopping` is cancelled.
    pub async fn run(self, stopping: CancellationToken) -> std::io::Result<()> {
        let handle = self.server.handle();
        // Polled together: the server handles the stop request only while it is polled.
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
