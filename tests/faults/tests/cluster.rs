//! Faults against a cluster of real processes: a short schedule in which everything holds, and one without the fence, in which
//! the checker has to notice.

use std::time::Duration;

use faults::cluster::Shape;
use faults::fault::Fault;
use faults::matrix::schedule;
use faults::round::{Blow, Ring};

/// A cluster, or why there can be none here.
async fn open(shape: Shape) -> Option<Ring> {
    if let Err(reason) = faults::can_run() {
        println!("SKIPPED: no faults against a cluster: {reason}");
        return None;
    }
    Some(Ring::open(shape).await.expect("the cluster starts"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_short_schedule_of_faults_breaks_no_promise() {
    let Some(mut ring) = open(Shape::FULL).await else { return };
    let seed = 7;
    let verdict = ring.round("short", seed, &schedule(seed, 3)).await;
    ring.close(!verdict.is_good()).await;
    assert!(verdict.is_good(), "seed {seed}: {}", verdict.told.unwrap_or_default());
    assert!(verdict.workflows > 5, "only {} workflows were accepted", verdict.workflows);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_fence_the_checker_notices() {
    let Some(mut ring) = open(Shape::SMALL).await else { return };
    for process in &ring.cluster.processes {
        if process.name().starts_with("nats") || process.name().starts_with("redis") {
            continue;
        }
        ring.cluster.order(process.name(), "log.fence", "always skip");
    }
    let stop = Blow { name: "stop", fault: Fault::Stop(&["worker-1"]), hold: Duration::from_secs(5) };
    let mut noticed = false;
    // Which worker holds a step when it is stopped is chance; one of some rounds meets one that does.
    for seed in 1..=5 {
        let verdict = ring.round("unfenced", seed, &[stop]).await;
        noticed = verdict.told.is_some_and(|told| told.contains("log ") && told.contains("client "));
        if noticed {
            break;
        }
    }
    ring.close(false).await;
    assert!(noticed, "the fence was off, and every invariant seemed to hold");
}
