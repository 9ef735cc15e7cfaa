//! Reports the API's own requirements to `/readyz`: fresh revocations and a signing key. Updates the gauges of health.

use actix_web::web;
use service::lifecycle::Lifecycle;
use service::telemetry::{BEAT_INTERVAL, gauge};

use crate::auth::freshness::is_fresh;
use crate::auth::state::Auth;
use crate::ops::health::is_healthy;
use crate::workflows::peers::Peers;

/// Reports once a second until stopped.
pub(crate) async fn run_readiness(auth: web::Data<Auth>, peers: web::Data<Peers>, lifecycle: Lifecycle) {
    let (health, stopping) = (lifecycle.health(), lifecycle.stopping());
    let task = health.task("readiness");
    let (revocations, key) = (health.requirement("revocations"), health.requirement("signing key"));
    while !stopping.is_cancelled() {
        task.beat();
        revocations.report((!is_fresh(&auth.tokens)).then(|| "stale".to_owned()));
        key.report((!auth.tokens.is_ready()).then(|| "none".to_owned()));
        let (workers, approvers) = (peers.workers.all(), peers.approvers.all().len());
        gauge("promptcraft_healthy").set(f64::from(u8::from(is_healthy(&auth, &workers, approvers))));
        #[expect(clippy::cast_precision_loss, reason = "a count of processes is small")]
        let (workers, approvers) = (workers.len() as f64, approvers as f64);
        gauge("promptcraft_workers").set(workers);
        gauge("promptcraft_approvers").set(approvers);
        tokio::select! {
            () = stopping.cancelled() => return,
            () = tokio::time::sleep(BEAT_INTERVAL) => {}
        }
    }
}
