//! Benchmarks of the sandbox beside floors measured in the same run.
//!
//! `make bench` prints two tables: times in milliseconds, and rates in jobs per second. No time makes a run fail.

mod floors;
mod table;
mod workload;

use std::time::Duration;

use sandbox::{Backend, IsolationLevel, Outcome};
use table::{Rate, Times, print_rates, print_times};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;
use workload::{Setup, compute, hello, open, spin, warm, writing};

const ROUNDS: usize = 60;
const SECONDS: u64 = 8;
/// Clients of a rate, as many as concurrent jobs.
const CLIENTS: usize = 4;
const MANY_CLIENTS: usize = 64;

const PLAIN: &str = "floor: plain python3 -I -S process";
const BARE: &str = "floor: bare create, start, job, remove";
const PLAIN_RATE: &str = "floor: plain python3 -I -S processes";

#[tokio::main]
async fn main() {
    let mut times = vec![Times::floor(PLAIN, (0..ROUNDS).map(|_| floors::plain_python()).collect())];
    let mut rates = vec![Rate::floor(PLAIN_RATE, floors::plain_python_rate(Duration::from_secs(3)).await)];
    bubblewrap(&mut times, &mut rates).await;
    output_files(&mut times).await;
    many_in_flight(&mut times, &mut rates).await;
    if floors::engine_answers().await {
        warm_start(&mut times).await;
        open_loop(&mut times).await;
        ends(&mut times).await;
        sustained(&mut rates).await;
        while_the_pool_refills(&mut times).await;
        idle_memory().await;
    } else {
        println!("SKIPPED: docker rows: no engine answers");
    }
    print_times(&times);
    print_rates(&rates);
}

async fn bubblewrap(times: &mut Vec<Times>, rates: &mut Vec<Rate>) {
    let sandbox = open(Setup { backend: Backend::Bubblewrap, ..Setup::usual("bubblewrap") }).await;
    let (mut floor, mut samples) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        floor.push(floors::plain_python());
        samples.push(workload::time(&*sandbox, hello(IsolationLevel::Strict, &round.to_string())).await);
    }
    times.push(Times::beside(floor, "bubblewrap, cold, dispatch to result", samples, None));
    let load = (CLIENTS, Duration::from_secs(SECONDS));
    let rate = workload::rate(&sandbox, IsolationLevel::Strict, load, |job| job.to_string()).await;
    rates.push(Rate::at_least("bubblewrap, strict", rate, 35.0));
    sandbox.shutdown().await;
}

/// Measures the time that three output files of 100 KB add, beside the same files elsewhere.
async fn output_files(times: &mut Vec<Times>) {
    let sandbox = open(Setup { backend: Backend::Bubblewrap, ..Setup::usual("output-files") }).await;
    let (mut elsewhere, mut collected) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        elsewhere.push(workload::time(&*sandbox, writing("elsewhere", &round.to_string())).await);
        collected.push(workload::time(&*sandbox, writing("outputs", &round.to_string())).await);
    }
    times.push(Times::floor("job with three files of 100 KB", elsewhere.clone()));
    times.push(Times::within(elsewhere, "the same, files collected", collected, 5.0));
    sandbox.shutdown().await;
}

/// Measures trivial jobs with many in flight, as a share of the rate of one bare process after the other.
async fn many_in_flight(times: &mut Vec<Times>, rates: &mut Vec<Rate>) {
    const NAME: &str = "floor: plain python3 -I -S, one after the other";
    let setup = Setup { backend: Backend::Bubblewrap, concurrency: MANY_CLIENTS, ..Setup::usual("many") };
    let sandbox = open(setup).await;
    let mut floor: Vec<f64> = (0..ROUNDS).map(|_| floors::plain_python()).collect();
    let load = (MANY_CLIENTS, Duration::from_secs(SECONDS));
    let rate = workload::rate(&sandbox, IsolationLevel::Standard, load, |job| job.to_string()).await;
    floor.extend((0..ROUNDS).map(|_| floors::plain_python()));
    let median = Times::floor(NAME, floor);
    rates.push(Rate::floor(NAME, 1e3 / median.at(0.5)));
    rates.push(Rate::share("bubblewrap, standard, 64 in flight", rate, NAME, 0.65));
    times.push(median);
    sandbox.shutdown().await;
}

/// Measures jobs one at a time, each of a new owner, so that no container is reused.
async fn warm_start(times: &mut Vec<Times>) {
    for (name, prestart, factor) in [
        ("warm container, dispatch to result", None, 1.5),
        ("the same with a started interpreter", Some(IsolationLevel::Standard), 0.7),
    ] {
        let sandbox = open(Setup { prestart, pool_size: 4, ..Setup::usual("warm-start") }).await;
        let (mut floor, mut samples) = (Vec::new(), Vec::new());
        for round in 0..ROUNDS {
            // Waits for the full pool, so that no container starts during the measured job.
            warm(&*sandbox, 4).await;
            // A replacement container is ready before its interpreter is.
            sleep(Duration::from_millis(60)).await;
            floor.push(floors::plain_python());
            samples.push(workload::time(&*sandbox, hello(IsolationLevel::Standard, &round.to_string())).await);
        }
        times.push(Times::beside(floor, name, samples, Some(factor)));
        sandbox.shutdown().await;
    }
}

/// Starts jobs at a fixed rate, whether or not earlier ones have ended.
async fn open_loop(times: &mut Vec<Times>) {
    const PER_SECOND: u32 = 6;
    let sandbox = open(Setup { pool_size: 8, concurrency: 16, ..Setup::usual("open-loop") }).await;
    warm(&*sandbox, 8).await;
    let mut arrivals = tokio::time::interval(Duration::from_secs(1) / PER_SECOND);
    let mut jobs = tokio::task::JoinSet::new();
    for number in 0..ROUNDS {
        arrivals.tick().await;
        let sandbox = sandbox.clone();
        jobs.spawn(async move {
            let job = hello(IsolationLevel::Strict, &number.to_string());
            let called = Instant::now();
            let result = sandbox.run(job, CancellationToken::new()).await.expect("runs");
            (result.wait.as_secs_f64() * 1e3, called.elapsed().as_secs_f64() * 1e3)
        });
    }
    let (waits, whole): (Vec<_>, Vec<_>) = jobs.join_all().await.into_iter().unzip();
    times.push(Times::under("open loop 6/s strict, pool 8: wait", waits, 5.0));
    times.push(Times::floor("open loop 6/s strict, pool 8: whole call", whole));
    sandbox.shutdown().await;
}

/// Measures a CPU-bound job, alone and while half the pool is replaced.
async fn while_the_pool_refills(times: &mut Vec<Times>) {
    const DRAINED: usize = 4;
    let sandbox = open(Setup { pool_size: 8, concurrency: 16, ..Setup::usual("refill") }).await;
    let (mut alone, mut beside) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS / 6 {
        warm(&*sandbox, 8).await;
        alone.push(workload::time(&*sandbox, compute(&round.to_string())).await);
        warm(&*sandbox, 8).await;
        let drain = (0..DRAINED).map(|one| workload::time(&*sandbox, hello(IsolationLevel::Strict, &one.to_string())));
        futures_util::future::join_all(drain).await;
        beside.push(workload::time(&*sandbox, compute(&round.to_string())).await);
    }
    times.push(Times::floor("computing job, pool full", alone.clone()));
    times.push(Times::beside(alone, "the same while the pool refills", beside, Some(1.5)));
    sandbox.shutdown().await;
}

async fn ends(times: &mut Vec<Times>) {
    let sandbox = open(Setup { pool_size: 4, ..Setup::usual("ends") }).await;
    let (mut cancels, mut overshoots) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS / 2 {
        warm(&*sandbox, 1).await;
        let cancel = CancellationToken::new();
        let running = sandbox.run(spin(&round.to_string(), Duration::from_secs(20)), cancel.clone());
        let cancelled = async {
            sleep(Duration::from_millis(200)).await;
            cancel.cancel();
            Instant::now()
        };
        let (result, at) = tokio::join!(running, cancelled);
        cancels.push(at.elapsed().as_secs_f64() * 1e3);
        assert_eq!(result.expect("a cancelled job is a result").outcome, Outcome::Cancelled);
        let limit = Duration::from_millis(300);
        warm(&*sandbox, 1).await;
        let result =
            timeout(Duration::from_secs(30), sandbox.run(spin(&round.to_string(), limit), CancellationToken::new()));
        let result = result.await.expect("it ends").expect("runs");
        assert_eq!(result.outcome, Outcome::TimedOut);
        overshoots.push(Duration::from_millis(result.usage.wall_ms).saturating_sub(limit).as_secs_f64() * 1e3);
    }
    times.push(Times::under("cancel to killed", cancels, 50.0));
    times.push(Times::under("overshoot of the time limit", overshoots, 25.0));
    sandbox.shutdown().await;
}

async fn sustained(rates: &mut Vec<Rate>) {
    let load = (CLIENTS, Duration::from_secs(SECONDS));
    let sandbox = open(Setup { pool_size: 8, concurrency: 4, ..Setup::usual("standard") }).await;
    let standard = workload::rate(&sandbox, IsolationLevel::Standard, load, |_| "one".to_owned()).await;
    rates.push(Rate::at_least("docker, standard, one owner", standard, 80.0));
    sandbox.shutdown().await;
    rates.push(Rate::floor(BARE, floors::bare_docker_rate(load.1).await));
    let sandbox = open(Setup { pool_size: 4, concurrency: 4, ..Setup::usual("strict") }).await;
    let strict = workload::rate(&sandbox, IsolationLevel::Strict, load, |job| job.to_string()).await;
    rates.push(Rate::share("docker, strict, single use", strict, BARE, 0.85));
    sandbox.shutdown().await;
}

async fn idle_memory() {
    for (what, prestart) in
        [("no started interpreter", None), ("a started interpreter", Some(IsolationLevel::Standard))]
    {
        let setup = Setup { prestart, ..Setup::usual("idle") };
        let instance = setup.instance();
        let sandbox = open(setup).await;
        warm(&*sandbox, 1).await;
        sleep(Duration::from_millis(500)).await;
        match floors::cgroup_memory(&instance).await {
            Some(bytes) => println!("idle memory of a warm container, {what}: {:.1} MB", bytes / 1e6),
            None => println!("SKIPPED: idle memory: the containers' cgroups are not where Docker usually puts them"),
        }
        sandbox.shutdown().await;
    }
}
