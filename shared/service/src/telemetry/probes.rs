//! `GET /livez`, `/readyz` and `/metrics` on a port of their own.

use std::net::SocketAddr;

use actix_web::http::header::CONTENT_TYPE;
use actix_web::{App, HttpResponse, HttpServer, web};
use serde_json::json;

use super::health::Health;
use super::metrics::{gauge, scrape};

/// An HTTP server for the probes and metrics of the process.
pub struct ProbeServer {
    address: SocketAddr,
    server: actix_web::dev::Server,
}

impl ProbeServer {
    /// Binds `listen`, e.g. `127.0.0.1:0` for a free port.
    pub fn bind(listen: &str, health: Health) -> std::io::Result<Self> {
        let health = web::Data::new(health);
        let server = HttpServer::new(move || {
            App::new()
                .app_data(health.clone())
                .service(web::resource("/metrics").route(web::get().to(metrics)).route(web::head().to(metrics)))
                .service(web::resource("/livez").route(web::get().to(livez)).route(web::head().to(livez)))
                .service(web::resource("/readyz").route(web::get().to(readyz)).route(web::head().to(readyz)))
        })
        // A thread of its own, which answers while the process's other threads are busy.
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

    /// Serves while `work` runs and returns its result; an error of the server ends it early.
    pub async fn run_during<T>(self, work: impl Future<Output = T>) -> std::io::Result<T> {
        let handle = self.server.handle();
        let (mut server, mut work) = (std::pin::pin!(self.server), std::pin::pin!(work));
        let done = tokio::select! {
            ended = &mut server => return Err(ended.err().unwrap_or_else(|| std::io::Error::other("the server ended"))),
            done = &mut work => done,
        };
        // Polled together: the server handles the stop request only while it is polled.
        let (ended, ()) = tokio::join!(server, handle.stop(false));
        ended.map(|()| done)
    }
}

/// Answers 200 while every main task runs, else 503 with those that ended or hang.
async fn livez(health: web::Data<Health>) -> HttpResponse {
    match health.dead_tasks() {
        dead if dead.is_empty() => HttpResponse::Ok().json(json!({"status": "alive"})),
        dead => HttpResponse::ServiceUnavailable().json(json!({"status": "dead", "tasks": dead})),
    }
}

/// Answers 200 while the process can do its work, else 503 with everything that is missing.
async fn readyz(health: web::Data<Health>) -> HttpResponse {
    match health.missing() {
        missing if missing.is_empty() => HttpResponse::Ok().json(json!({"status": "ready"})),
        missing => HttpResponse::ServiceUnavailable().json(json!({"status": "not ready", "missing": missing})),
    }
}

async fn metrics(health: web::Data<Health>) -> HttpResponse {
    gauge("promptcraft_ready").set(f64::from(u8::from(health.missing().is_empty())));
    match scrape() {
        Ok(text) => HttpResponse::Ok().insert_header((CONTENT_TYPE, "text/plain; version=0.0.4")).body(text),
        Err(error) => HttpResponse::InternalServerError().body(error.to_string()),
    }
}
