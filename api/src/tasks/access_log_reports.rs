//! Reports the lines that the access log omitted.

use std::time::Duration;

use actix_web::web;
use service::lifecycle::Lifecycle;

use crate::middleware::access_log::AccessLog;

const REPORT_INTERVAL: Duration = Duration::from_secs(10);

/// Reports omitted lines until stopped.
pub(crate) async fn run_access_log_reports(log: web::Data<AccessLog>, lifecycle: Lifecycle) {
    let stopping = lifecycle.stopping();
    while !stopping.is_cancelled() {
        tokio::select! {
            () = stopping.cancelled() => {}
            () = tokio::time::sleep(REPORT_INTERVAL) => {}
        }
        log.report();
    }
}
