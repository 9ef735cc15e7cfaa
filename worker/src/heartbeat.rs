//! Heartbeats, by which the APIs know the workers and their sandboxes.

use std::sync::Arc;
use std::time::Duration;

use domain::ids::Digest;
use generator::Generator;
use messaging::{GeneratorReport, Heartbeats, WorkerReport};
use service::lifecycle::Lifecycle;
use tokio::sync::watch;

use crate::cancellation::CancelRegistry;
use crate::context::WorkerContext;
use crate::metrics::export_sandbox;

const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(1);

/// The sources of a worker's report.
pub(crate) struct Heartbeat {
    pub(crate) context: Arc<WorkerContext>,
    pub(crate) running: CancelRegistry,
    pub(crate) phases: Vec<String>,
    pub(crate) catalogue: watch::Receiver<Option<Digest>>,
}

/// Sends heartbeats until the process stops, and reports the sandbox to the probes and metrics.
pub(crate) async fn send_heartbeats(heartbeat: Heartbeat, heartbeats: Heartbeats, lifecycle: Lifecycle) {
    let (stopping, health) = (lifecycle.stopping(), lifecycle.health());
    let task = health.task("heartbeats");
    let sandbox = heartbeat.context.sandbox.is_some().then(|| health.requirement("sandbox"));
    loop {
        task.beat();
        let report = heartbeat.report().await;
        if let Some(sandbox) = &sandbox {
            sandbox.report((!report.sandbox_ok).then(|| report.sandbox_detail.clone()));
        }
        heartbeats.send_worker(&report).await;
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
            running_workflows: self.running.workflows(),
            sandbox_backend: "none".to_owned(),
            sandbox_ok: false,
            sandbox_detail: "this worker runs no code".to_owned(),
            catalogue: *self.catalogue.borrow(),
            generator: self.phases.iter().any(|phase| phase == "generate").then(|| generator_report(generator)),
        };
        let Some(sandbox) = sandbox else { return base };
        let health = sandbox.health().await;
        export_sandbox(health.ok, health.warm);
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
