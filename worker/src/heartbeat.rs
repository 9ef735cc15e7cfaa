//! Signs of life, from which the APIs know how many workers there are and whether code can run.

use std::sync::Arc;
use std::time::Duration;

use shared::ids::Digest;
use shared::messaging::{Control, GeneratorReport, WorkerReport};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::context::Desk;

/// Reports every second until the life ends.
pub(crate) async fn report_presence(
    desk: Arc<Desk>,
    control: Control,
    phases: Vec<String>,
    catalogue: watch::Receiver<Option<Digest>>,
    stopping: CancellationToken,
) {
    loop {
        let catalogue = *catalogue.borrow();
        control.report(&WorkerReport { catalogue, ..report(&desk, &phases).await }).await;
        tokio::select! {
            () = stopping.cancelled() => return,
            () = tokio::time::sleep(Duration::from_secs(1)) => {}
        }
    }
}

async fn report(desk: &Desk, phases: &[String]) -> WorkerReport {
    let base = WorkerReport {
        instance: desk.instance.clone(),
        phases: phases.to_vec(),
        runtimes: Vec::new(),
        running: desk.cancels.count(),
        sandbox_backend: "none".to_owned(),
        sandbox_ok: false,
        sandbox_detail: "this worker runs no code".to_owned(),
        catalogue: None,
        generator: phases.iter().any(|phase| phase == "generate").then(|| generator(desk)),
    };
    let Some(sandbox) = &desk.sandbox else { return base };
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

fn generator(desk: &Desk) -> GeneratorReport {
    let status = desk.generator.matching();
    GeneratorReport {
        matching: status.matching.to_owned(),
        model: status.model.map(str::to_owned),
        recipes: status.recipes,
        detail: status.detail,
    }
}
