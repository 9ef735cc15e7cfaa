//! Faults against a cluster of real processes: random schedules in which everything holds, and one without the fence, in which
//! the checker has to notice.

use std::time::Duration;

use faults::checker::{Invariant, Violation};
use faults::cluster::Shape;
use faults::fault::Fault;
use faults::matrix::{SCHEDULE, schedule, shape};
use faults::round::{Blow, Ring};

/// The same for every change, so that none is judged by another's luck, and few, so that a run of all tests stays short; `make soak`
/// tries others.
const SEEDS: [u64; 3] = [7, 8, 10];

/// A cluster, or why there can be none here.
async fn open(shape: Shape) -> Option<Ring> {
    if let Err(reason) = faults::can_run() {
        println!("SKIPPED: no faults against a cluster: {reason}");
        return None;
    }
    Some(Ring::open(shape).await.expect("the cluster starts"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn random_schedules_of_faults_break_no_promise() {
    for seed in SEEDS {
        let blows = schedule(seed, SCHEDULE);
        let Some(mut ring) = open(shape(seed, &blows)).await else { return };
        let names: Vec<&str> = blows.iter().map(|blow| blow.name).collect();
        let verdict = ring.round(&format!("seed {seed}"), seed, &blows).await;
        println!("seed {seed}: {names:?}, {} made, {} workflows", verdict.made, verdict.workflows);
        ring.close(!verdict.is_good()).await;
        assert!(verdict.is_good(), "seed {seed}, {names:?}: {:?}\n{}", verdict.unreadable, verdict.told);
        assert!(verdict.made > 0, "seed {seed}: none of {names:?} was made");
        assert!(verdict.workflows > 5, "seed {seed}: only {} workflows were accepted", verdict.workflows);
    }
}

/// Whether a step was committed twice, or onto a state that had been left: what the fence is there against.
fn is_stale(violation: &Violation) -> bool {
    match violation.invariant {
        Invariant::NoStaleCommit => true,
        Invariant::EndsOnce => {
            violation.what.starts_with("something follows its end") || violation.what.starts_with("it ended ")
        }
        Invariant::NothingUnapproved
        | Invariant::RightContent
        | Invariant::RightAnswers
        | Invariant::ViewEqualsLog
        | Invariant::RightLetters
        | Invariant::NoLeftovers
        | Invariant::Progress
        | Invariant::AuditComplete
        | Invariant::Notified => false,
    }
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
        let is_told = verdict.told.contains("log ") && verdict.told.contains("client ");
        noticed = is_told && verdict.violations.iter().any(is_stale);
        if noticed {
            break;
        }
    }
    ring.close(false).await;
    assert!(noticed, "the fence was off, and no stale commit was seen");
}
