//! One run: users, load, verification, report.

use std::io::IsTerminal as _;
use std::sync::Arc;
use std::time::Duration;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Semaphore;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use crate::arguments::Plan;
use crate::client::{Account, AccountError, Accounts, Api, RequestFailure, Session};
use crate::engine::{self, Context};
use crate::measure::cpu::{CpuMeter, CpuUsage};
use crate::measure::ledger::Ledger;
use crate::measure::recorder::Recorder;
use crate::report::progress::{Figures, ProgressLine};
use crate::report::{Measurements, Report, Setup, WriteError, to_terminal, write_all};
use crate::scenario::Scenario;

/// Time between the last sign-in and the first arrival.
const LEAD: Duration = Duration::from_millis(100);
const PROGRESS_INTERVAL: Duration = Duration::from_millis(250);

/// A run that could not be done.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    #[error("cannot build an HTTP client: {0}")]
    Client(#[from] reqwest::Error),
    #[error("{url} does not serve /health: {failure}. Start a stack with `promptcraft up --demo`, or pass --url")]
    Unreachable { url: String, failure: RequestFailure },
    #[error(transparent)]
    Accounts(#[from] AccountError),
    #[error("user {name} cannot sign in: {failure}")]
    SignIn { name: String, failure: RequestFailure },
    #[error(transparent)]
    Write(#[from] WriteError),
    #[error("cannot listen for signals: {0}")]
    Signals(#[from] std::io::Error),
    #[error("interrupted")]
    Interrupted,
}

/// Runs a plan and writes its report; returns the exit code. Users that were created are removed, also after Ctrl-C.
pub async fn run(plan: Plan) -> Result<u8, RunError> {
    let api = Api::new(&plan.url, plan.scenario.timeout)?;
    let version = service_version(&api).await?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let accounts = plan.accounts.acquire(plan.scenario.users).await?;
    let outcome = tokio::select! {
        outcome = measure(&plan, api, accounts.clone(), version) => outcome,
        _ = interrupt.recv() => Err(RunError::Interrupted),
        _ = terminate.recv() => Err(RunError::Interrupted),
    };
    plan.accounts.release(&accounts).await;
    let report = outcome?;
    write_all(&report, &plan.out)?;
    println!("{}", to_terminal(&report, std::io::stdout().is_terminal()));
    println!("report      {}", plan.out.join("report.html").display());
    Ok(report.exit_code())
}

async fn service_version(api: &Api) -> Result<String, RunError> {
    let unreachable = |failure| RunError::Unreachable { url: api.base().to_owned(), failure };
    // An unhealthy service can be measured; health is an operation of its own.
    let answer = api.get("/health", None).await.map_err(unreachable)?;
    Ok(answer.body["version"].as_str().unwrap_or("unknown version").to_owned())
}

async fn measure(plan: &Plan, api: Api, accounts: Accounts, service_version: String) -> Result<Report, RunError> {
    let scenario = &plan.scenario;
    let mut sessions = Vec::new();
    for account in accounts.submitters {
        sessions.push(sign_in(&api, account).await?);
    }
    let approver = match accounts.approver {
        Some(account) => Some(sign_in(&api, account).await?),
        None => None,
    };
    let started_at = OffsetDateTime::now_utc().replace_nanosecond(0).ok().and_then(|now| now.format(&Rfc3339).ok());
    let start = Instant::now() + LEAD;
    let window_start = start + scenario.warm_up;
    let setup = Setup {
        url: api.base().to_owned(),
        service_version,
        revision: plan.revision.clone(),
        started_at: started_at.unwrap_or_default(),
        seed: scenario.seed,
        warm_up_seconds: scenario.warm_up.as_secs_f64(),
        duration_seconds: scenario.duration.as_secs_f64(),
        users: sessions.len(),
        connections: scenario.connections,
        max_delay_ms: scenario.max_delay.as_secs_f64() * 1_000.0,
    };
    let context = Arc::new(Context {
        api,
        scenario: scenario.clone(),
        recorder: Recorder::new(window_start, scenario.duration),
        ledger: Ledger::default(),
        sessions,
        approver,
        run: Uuid::new_v4().simple().to_string(),
        slots: Arc::new(Semaphore::new(scenario.connections)),
        tasks: TaskTracker::new(),
        stop: CancellationToken::new(),
    });
    let cpu = drive(plan, &context, start, window_start).await;
    let measurements = Measurements {
        state: context.recorder.snapshot(),
        balance: context.ledger.balance(),
        cpu,
        interval_seconds: context.recorder.interval().as_secs_f64(),
        setup,
    };
    Ok(measurements.into_report(scenario))
}

/// Sends the load; returns the CPU usage of the measured window.
async fn drive(plan: &Plan, context: &Arc<Context>, start: Instant, window_start: Instant) -> CpuUsage {
    let pids = plan.stack.as_ref().map(|stack| stack.pids.clone()).unwrap_or_default();
    let meter = async {
        sleep_until(window_start).await;
        let meter = CpuMeter::start(&pids);
        sleep_until(window_start + context.scenario.duration).await;
        meter.usage()
    };
    let progress = ProgressLine::new(context.scenario.warm_up + context.scenario.duration);
    let load = async { tokio::join!(engine::run(context, start), meter) };
    let usage = tokio::select! {
        ((), usage) = load => usage,
        never = show_progress(&progress, context, start) => never,
        never = context.renew_tokens() => never,
    };
    progress.finish();
    usage
}

async fn sign_in(api: &Api, account: Account) -> Result<Session, RunError> {
    let name = account.name.clone();
    Session::open(api, account).await.map_err(|failure| RunError::SignIn { name, failure })
}

/// Updates the progress line. Never returns.
async fn show_progress<T>(progress: &ProgressLine, context: &Context, start: Instant) -> T {
    let mut ticks = interval(PROGRESS_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        ticks.tick().await;
        let (operations, failed, p95_micros) = context.recorder.progress();
        progress.show(&Figures {
            elapsed: start.elapsed(),
            operations,
            failed,
            p95_ms: p95_micros as f64 / 1_000.0,
            open: context.ledger.open(),
        });
    }
}

/// Describes a scenario that was only checked.
pub fn describe(scenario: &Scenario) -> String {
    let series: Vec<&str> = scenario.series().into_iter().map(crate::scenario::Series::as_str).collect();
    format!("{} is valid; it measures {}", scenario.name, series.join(", "))
}
