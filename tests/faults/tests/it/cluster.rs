//! Faults against a cluster of real processes: random schedules in which every invariant holds, and one without the
//! fence, in which the checker must find violations.

use std::time::Duration;

use faults::checker::{Invariant, Violation};
use faults::cluster::Topology;
use faults::fault::Fault;
use faults::rounds::matrix::{SCHEDULE, schedule, topology};
use faults::rounds::{Harness, Injection};

/// Fixed, so that every change is tested with the same schedules, and few, so that the suite stays short. `make soak`
/// plays others.
const SEEDS: [u64; 3] = [7, 8, 10];

/// Starts a cluster; `None` if this machine cannot.
async fn open(topology: Topology) -> Option<Harness> {
    if let Err(reason) = faults::can_run() {
        println!("SKIPPED: no faults were injected into a cluster: {reason}");
        return None;
    }
    Some(Harness::open(topology).await.expect("the cluster starts"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn random_schedules_of_faults_break_no_promise() {
    for seed in SEEDS {
        let injections = schedule(seed, SCHEDULE);
        let Some(mut harness) = open(topology(seed, &injections)).await else { return };
        let names: Vec<&str> = injections.iter().map(|injection| injection.name).collect();
        let verdict = harness.round(&format!("seed {seed}"), seed, &injections).await;
        println!("seed {seed}: {names:?}, {} injected, {} workflows", verdict.made, verdict.workflows);
        harness.close(!verdict.is_good()).await;
        assert!(verdict.is_good(), "seed {seed}, {names:?}: {:?}\n{}", verdict.unreadable, verdict.description);
        assert!(verdict.made > 0, "seed {seed}: none of {names:?} was injected");
        assert!(verdict.workflows > 5, "seed {seed}: only {} workflows were accepted", verdict.workflows);
    }
}

/// Returns whether a step was committed twice, or onto an older state, which the fence prevents.
fn is_stale(violation: &Violation) -> bool {
    match violation.invariant {
        Invariant::NoStaleCommit => true,
        Invariant::EndsOnce => {
            violation.what.starts_with("an entry follows its end") || violation.what.starts_with("it ended ")
        }
        Invariant::NothingUnapproved
        | Invariant::CorrectContent
        | Invariant::CorrectResponses
        | Invariant::ViewEqualsLog
        | Invariant::CorrectDeadLetters
        | Invariant::NoLeftovers
        | Invariant::Progress
        | Invariant::AuditComplete
        | Invariant::Notified => false,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_fence_the_checker_notices() {
    let Some(mut harness) = open(Topology::SMALL).await else { return };
    for process in &harness.cluster.processes {
        if process.name().starts_with("nats") || process.name().starts_with("redis") {
            continue;
        }
        harness.cluster.arm(process.name(), "log.fence", "always skip");
    }
    let stop = Injection { name: "stop", fault: Fault::Stop(&["worker-1"]), hold: Duration::from_secs(5) };
    let mut noticed = false;
    // Only by chance does the stopped worker hold a step, hence several rounds.
    for seed in 1..=5 {
        let verdict = harness.round("unfenced", seed, &[stop]).await;
        let is_described = verdict.description.contains("log ") && verdict.description.contains("client ");
        noticed = is_described && verdict.violations.iter().any(is_stale);
        if noticed {
            break;
        }
    }
    harness.close(false).await;
    assert!(noticed, "the fence was off, and no stale commit was found");
}
