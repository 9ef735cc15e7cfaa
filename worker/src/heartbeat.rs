//! Heartbeats, by which the APIs know the workers and their sandboxes.

use std::sync::Arc;
use std::time::Duration;

use domain::ids::Digest;
use generator::Generator;
use messaging::{GeneratorReport, Heartbeats, WorkerReport};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::cancellation::CancelRegistry;
use crate::context::WorkerContext;

const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(1);

/// The sources of a worker's report.
pub(crate) struct Heartbeat {
    pub(crate) context: Arc<WorkerContext>,
    pub(crate) running: CancelRegistry,
    pub(crate) phases: Vec<String>,
    pub(crate) catalogue: watch::Receiver<Option<Digest>>,
}

/// Sends heartbeats until the process stops.
pub(crate) async fn send_heartbeats(heartbeat: Heartbeat, heartbeats: Heartbeats, stopping: CancellationToken) {
    loop {
        heartbeats.send_worker(&heartbeat.report().await).await;
        tokio::select! {
            () = stopping.cancelled() => return,
            () = tokio::time::sleep(HEARTBEAT_INTERVAL) => {}
        }
    }
}

impl Heartbeat {
    async fn report(&self) -> WorkerReport {
        let WorkerContext { generator, sandbox, instance, .. } = self.context.as_ref();
        let base = WorkerReport {
            instance: instance.clone(),
            phases: self.phases.clone(),
            runtimes: Vec::new(),
            running: self.running.count(),
            sandbox_backend: "none".to_owned(),
            sandbox_ok: false,
            sandbox_detail: "this worker runs no code".to_owned(),
            catalogue: *self.catalogue.borrow(),
            generator: self.phases.iter().any(|phase| phase == "generate").then(|| generator_report(generator)),
        };
        let Some(sandbox) = sandbox else { return base };
        let health = sandbox.health().await;
        WorkerReport {
            runtimes: health.runtimes,
            sandbox_backend: health.backend,
            sandbox_ok: health.ok,
            sandbox_detail: format!("{} Landlock ABI {}, {} warm", health.detail, health.landlock_abi, health.warm)
                .trim()
                .to_owned(),
            ..base
        }
    }
}

fn generator_report(generator: &Generator) -> GeneratorReport {
    let status = generator.matching();
    GeneratorReport {
        matching: status.matching.to_owned(),
        model: status.model.map(str::to_owned),
        recipes: status.recipes,
        detail: status.detail,
    }
}
