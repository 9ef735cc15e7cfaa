//! Heartbeats, by which the APIs know the workers and their sandboxes.

use std::sync::Arc;
use std::time::Duration;

use domain::ids::Digest;
use generator::Generator;
use messaging::{GeneratorReport, Heartbeats, RuntimeReport, WorkerReport};
use sandbox::Sandbox;
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
            runtime_details: Vec::new(),
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
            runtime_details: health.runtimes.iter().filter_map(|name| runtime_report(sandbox.as_ref(), name)).collect(),
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

fn runtime_report(sandbox: &dyn Sandbox, name: &str) -> Option<RuntimeReport> {
    let language = sandbox::languages().find(|language| language.name == name)?;
    let packages = sandbox.libraries(name).iter().map(|library| (library.name.clone(), library.version.clone()));
    Some(RuntimeReport {
        name: name.to_owned(),
        version: sandbox.version(name).map(str::to_owned),
        aliases: language.aliases.to_vec(),
        extensions: language.endings.to_vec(),
        runs_tests: language.has_tests,
        packages: packages.collect(),
    })
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
