//! Execution of the files in the sandbox.

use std::time::Duration;

use bytes::Bytes;
use domain::workflow::{
    Action, Artifacts, Event, Failure, Invocation, OutputFile, Ran, RunCommand, SecurityLevel, StepUsage, Workflow,
};
use futures_util::{StreamExt, TryStreamExt, stream};
use generator::Dialect;
use messaging::{BlobError, Entry};
use sandbox::{
    Command, IsolationLevel, Job, JobFile, JobInput, JobResult, Limits, OUTPUT_DIR, Outcome, Owner, Sandbox,
    SandboxError,
};
use service::failpoints;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::failure_hint;
use super::live_output::LiveOutputForwarder;
use super::model_round;
use super::outcome::StepOutcome;
use super::test_report::{TestReport, test_report};
use crate::context::WorkerContext;
use crate::metrics::{observe_failed_job, observe_job};

/// Time between the end of the longest run and the workflow's time limit, to append the results.
const APPEND_RESERVE: Duration = Duration::from_secs(3);
/// Concurrent stores of output files, and attempts for each.
const MAX_CONCURRENT_STORES: usize = 4;
const STORE_ATTEMPTS: usize = 3;
const MIN_RUN_TIME: Duration = Duration::from_secs(1);

pub(super) async fn run(
    context: &WorkerContext,
    entry: &Entry,
    mut usage: StepUsage,
    cancel: &CancellationToken,
) -> StepOutcome {
    let workflow = &entry.workflow;
    let Some(sandbox) = &context.sandbox else {
        return StepOutcome::RetryLater("this worker has no sandbox".to_owned());
    };
    let artifacts = &workflow.artifacts;
    let input = match input_of(context, workflow).await {
        Ok(input) => input,
        Err(error) => return error.into(),
    };
    let command = first_command(artifacts, &input);
    let is_program = matches!(command, Command::Script { .. });
    let untested = if is_program { leaves_tests_out(context, artifacts).await } else { Ok(false) };
    let untested = match untested {
        Ok(untested) => untested,
        Err(error) => return error.into(),
    };
    if untested && may_be_tests(artifacts) {
        return StepOutcome::Event(Event::failed(arguments_for_tests()));
    }
    let mut action = is_program.then_some(Action::Ran).filter(|_| may_be_tests(artifacts));
    let mut result = match run_job(context, sandbox.as_ref(), entry, (command, input.clone()), &mut usage, cancel).await
    {
        Ok(result) => result,
        Err(outcome) => return outcome,
    };
    if let Some(RunCommand::TestsOrScript { path }) = &artifacts.run
        && !is_program
        && result.found_no_tests()
    {
        if cancel.is_cancelled() {
            return StepOutcome::Cancelled { cost: usage.cost };
        }
        action = Some(Action::Ran);
        let script = Command::Script { path: path.clone() };
        result = match run_job(context, sandbox.as_ref(), entry, (script, input), &mut usage, cancel).await {
            Ok(result) => result,
            // The cost of the first run is charged too.
            Err(StepOutcome::Event(Event::StepFailed { failure, .. })) => {
                return StepOutcome::Event(Event::StepFailed { failure, cost: usage.cost });
            }
            Err(outcome) => return outcome,
        };
    }
    if result.outcome == Outcome::Cancelled {
        return StepOutcome::Cancelled { cost: usage.cost };
    }
    if let Err(error) = model_round::fail_unproven_tests(context, workflow, &mut result).await {
        return error.into();
    }
    let runtime = artifacts.runtime.as_deref().unwrap_or_default();
    let remark = explain(context, artifacts, runtime, &mut result).await;
    let TestReport { document, summary, end, feedback } = test_report(&result, untested, remark.as_deref());
    let rerun = match model_round::rerun(context, workflow, summary, feedback).await {
        Ok(rerun) => rerun,
        Err(error) => return error.into(),
    };
    let output_files = match store_output_files(context, artifacts, result.output_files).await {
        Ok(output_files) => output_files,
        Err(error) => return error.into(),
    };
    let runtime_version = sandbox.version(runtime).map(str::to_owned);
    let ran = Box::new(Ran { action, runtime_version, end: Some(end), output_files });
    match context.blobs.store(document.to_string()).await {
        Ok(results) => StepOutcome::Event(Event::Executed { results, tests: summary, ran, rerun, usage }),
        Err(error) => error.into(),
    }
}

/// Adds a hint to each test that failed by its sandbox, and returns the remarks on a program that did.
async fn explain(
    context: &WorkerContext,
    artifacts: &Artifacts,
    runtime: &str,
    result: &mut JobResult,
) -> Option<String> {
    let dialect = match failure_hint::path_with_syntax_error(result, runtime) {
        Some(reported) => dialect_of(context, artifacts, &reported).await,
        None => None,
    };
    let is_offered = |name: &str| context.generator.runtimes().iter().any(|offered| offered.name == name);
    let hint = failure_hint::add_hint(result, &failure_hint::HintContext { runtime, is_offered, dialect });
    let remarks: Vec<&str> = artifacts.remark.as_deref().into_iter().chain(hint.as_deref()).collect();
    (!remarks.is_empty()).then(|| remarks.join("; "))
}

/// Returns the dialect of the file at a path of the sandbox that its interpreter rejects; `None` if it is unknown.
async fn dialect_of(context: &WorkerContext, artifacts: &Artifacts, reported: &str) -> Option<Dialect> {
    let files = artifacts.files.iter().filter(|file| reported.ends_with(&format!("/{}", file.path)));
    let file = files.max_by_key(|file| file.path.len())?;
    // A hint is not worth another run of the job.
    let code = context.blobs.load(&file.content).await.ok()?;
    let dialect = tokio::task::spawn_blocking(move || generator::javascript_dialect(&code)).await.ok().flatten();
    // Types are in place in a file of TypeScript.
    let is_typescript = [".ts", ".mts", ".cts"].iter().any(|ending| file.path.ends_with(ending));
    dialect.filter(|dialect| !is_typescript || *dialect == Dialect::Jsx)
}

/// Stores the files that the run left, except those that it was given and did not change.
async fn store_output_files(
    context: &WorkerContext,
    artifacts: &Artifacts,
    files: Vec<JobFile>,
) -> Result<Vec<OutputFile>, BlobError> {
    let was_given = |file: &OutputFile| {
        let path = format!("{OUTPUT_DIR}/{}", file.name);
        artifacts.files.iter().any(|given| given.path == path && given.content.digest == file.digest)
    };
    let described = files.into_iter().map(|file| (OutputFile::new(file.path, &file.content), file.content));
    let stores = described.filter(|(file, _)| !was_given(file)).map(async |(file, content)| {
        store_output_file(context, &file, Bytes::from(content)).await?;
        Ok(file)
    });
    // Few at once: each is synced to disk, and the step's own append waits behind them.
    let mut stored: Vec<OutputFile> =
        stream::iter(stores).buffer_unordered(MAX_CONCURRENT_STORES).try_collect().await?;
    stored.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(stored)
}

/// Stores a file, with retries: otherwise the whole run would be repeated.
async fn store_output_file(context: &WorkerContext, file: &OutputFile, content: Bytes) -> Result<(), BlobError> {
    for _ in 1..STORE_ATTEMPTS {
        match context.blobs.store_bytes(file.digest, content.clone()).await {
            Err(BlobError::Unavailable(reason)) => tracing::debug!(reason, "Failed to store an output file; retrying"),
            outcome => return outcome,
        }
    }
    context.blobs.store_bytes(file.digest, content).await
}

/// Returns the command to try first. Arguments are meant for a program, and a test runner takes none.
fn first_command(artifacts: &Artifacts, input: &JobInput) -> Command {
    match &artifacts.run {
        Some(RunCommand::Script { path }) => Command::Script { path: path.clone() },
        Some(RunCommand::TestsOrScript { path }) if !input.args.is_empty() => Command::Script { path: path.clone() },
        Some(RunCommand::Tests | RunCommand::TestsOrScript { .. }) | None => Command::Tests,
    }
}

/// Returns the failure of a file of tests with arguments: run as a program it would check nothing.
fn arguments_for_tests() -> Failure {
    let detail = "The file holds tests, and a test runner takes no arguments";
    let hint = "Leave args out, or start the tests in the file itself and submit it with mode run.";
    Failure::new("args_unsupported", detail.to_owned(), hint)
}

fn may_be_tests(artifacts: &Artifacts) -> bool {
    matches!(artifacts.run, Some(RunCommand::TestsOrScript { .. }))
}

/// Runs one job and adds its use to `usage`, whose cost so far counts against the budget.
async fn run_job(
    context: &WorkerContext,
    sandbox: &dyn Sandbox,
    entry: &Entry,
    (command, input): (Command, JobInput),
    usage: &mut StepUsage,
    cancel: &CancellationToken,
) -> Result<JobResult, StepOutcome> {
    let workflow = &entry.workflow;
    let mut job = job_for(context, workflow, command, input).await?;
    let (sender, chunks) = mpsc::unbounded_channel();
    job.live_output = Some(sender);
    let mut forwarder = LiveOutputForwarder::new(context, entry);
    let run = run_metered(context, sandbox, workflow, job, usage, cancel);
    // The chunks end with the job, which holds the other end of their channel.
    let (metered, ()) = tokio::join!(run, forwarder.forward(chunks));
    forwarder.finish(metered.as_ref().ok().map(|metered| &metered.result)).await;
    metered.map(|metered| metered.result).map_err(|error| sandbox_failure(&error))
}

/// The result of a job whose use was added.
pub(super) struct Metered {
    pub(super) result: JobResult,
    /// True if the job ended because the remaining budget paid for no more CPU time.
    pub(super) spent_budget: bool,
}

/// Runs a job with at most the CPU time that the remaining budget pays for, and adds its use to `usage`.
pub(super) async fn run_metered(
    context: &WorkerContext,
    sandbox: &dyn Sandbox,
    workflow: &Workflow,
    mut job: Job,
    usage: &mut StepUsage,
    cancel: &CancellationToken,
) -> Result<Metered, SandboxError> {
    let left = workflow.submission.policy.budget - workflow.metrics.total_cost - usage.cost;
    let bought = affordable(left, context.prices.cpu_second);
    job.limits.cpu = job.limits.cpu.min(bought);
    let bought_for = (job.limits.cpu == bought).then_some(left);
    let (runtime, begun) = (job.runtime.clone(), Instant::now());
    failpoints::reach("sandbox.before").await;
    let ran = failpoints::reach_during("sandbox.started", sandbox.run(job, cancel.clone())).await;
    failpoints::reach("sandbox.after").await;
    let result = ran.inspect_err(|error| {
        observe_failed_job(&runtime, matches!(error, SandboxError::Fail { .. }), begun.elapsed());
    })?;
    observe_job(&runtime, &result);
    usage.sandbox_ms += result.usage.wall_ms;
    usage.queue_ms += u64::try_from(result.wait.as_millis()).unwrap_or(u64::MAX);
    usage.cost += cost_of(&result, context.prices.cpu_second, bought_for);
    let spent_budget = result.outcome == Outcome::OutOfCpu && bought_for.is_some();
    Ok(Metered { result, spent_budget })
}

/// Returns whether a caller's file runs as a program although it may define tests.
async fn leaves_tests_out(context: &WorkerContext, artifacts: &Artifacts) -> Result<bool, BlobError> {
    let (Some(RunCommand::Script { path } | RunCommand::TestsOrScript { path }), Some(runtime)) =
        (&artifacts.run, &artifacts.runtime)
    else {
        return Ok(false);
    };
    let Some(file) = artifacts.files.iter().find(|file| file.from_caller && file.path == *path) else {
        return Ok(false);
    };
    Ok(generator::defines_tests(sandbox::language_of(runtime), &context.blobs.load(&file.content).await?))
}

/// Returns the outcome of a step whose job the sandbox refused or lost.
pub(super) fn sandbox_failure(error: &SandboxError) -> StepOutcome {
    match error {
        // The job itself may have ended the runner, so the attempt counts.
        SandboxError::Retry { code: code @ ("runner_lost" | "runner_failed"), detail } => {
            StepOutcome::Failed(format!("{code}: {detail}"))
        }
        SandboxError::Retry { code, detail } => StepOutcome::RetryLater(format!("{code}: {detail}")),
        SandboxError::Fail { code, detail } => {
            let hint = match *code {
                "args_unsupported" => {
                    "Leave args out, or submit a program in Python, JavaScript or Bash with mode run."
                }
                "stdin_unsupported" => "Leave stdin out and put its content into the code or into files.",
                _ => "Change what the message names, then submit again.",
            };
            StepOutcome::Event(Event::failed(Failure::new(code, detail.clone(), hint)))
        }
    }
}

/// Returns the cost of a run; `bought_for` is the remaining budget if that set the CPU limit.
fn cost_of(result: &JobResult, cpu_second: f64, bought_for: Option<f64>) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "CPU time is far below 2^52 ms")]
    let cpu_ms = result.usage.cpu_ms as f64;
    let metered = cpu_ms / 1_000.0 * cpu_second;
    match bought_for {
        // The run was stopped by the budget, so all of it is spent, even if the meter's last tick is below. The margin
        // exceeds the rounding error of the workflow's total, so that the total reaches the budget.
        Some(rest) if result.outcome == Outcome::OutOfCpu => metered.max(rest * (1.0 + 1e-9) + 1e-12),
        Some(_) | None => metered,
    }
}

async fn job_for(
    context: &WorkerContext,
    workflow: &Workflow,
    command: Command,
    input: JobInput,
) -> Result<Job, BlobError> {
    let mut files = Vec::new();
    for file in &workflow.artifacts.files {
        files.push(JobFile { path: file.path.clone(), content: context.blobs.load(&file.content).await?.into_bytes() });
    }
    let level = match workflow.submission.options.security_level {
        SecurityLevel::Strict => IsolationLevel::Strict,
        SecurityLevel::Standard => IsolationLevel::Standard,
        SecurityLevel::Permissive => IsolationLevel::Permissive,
    };
    let run_timeout = workflow.submission.options.run_timeout();
    let limits = Limits::for_level(level, time_left(context, workflow).min(run_timeout));
    Ok(Job {
        owner: Owner::new(workflow.owner.as_str()),
        level,
        runtime: workflow.artifacts.runtime.clone().unwrap_or_default(),
        command,
        files,
        input,
        limits,
        live_output: None,
    })
}

/// Returns the input that the caller supplied for the run. It is meant for the caller's own code: other code may not
/// read it.
async fn input_of(context: &WorkerContext, workflow: &Workflow) -> Result<JobInput, BlobError> {
    if !workflow.artifacts.is_callers_code() {
        return Ok(JobInput::default());
    }
    let submission = &workflow.submission;
    let stdin = match &submission.stdin {
        Some(stdin) => context.blobs.load(stdin).await?.into_bytes(),
        None => Vec::new(),
    };
    let Some(content) = &submission.invocation else { return Ok(JobInput { stdin, ..JobInput::default() }) };
    let text = context.blobs.load(content).await?;
    // The API wrote it, and the digest shows that it is unchanged.
    let invocation: Invocation = serde_json::from_str(&text).map_err(|_| BlobError::Damaged(content.digest))?;
    Ok(JobInput { args: invocation.args, env: invocation.env.into_iter().collect(), stdin })
}

/// Returns the maximum time of a run whose results can still be appended.
pub(super) fn time_left(context: &WorkerContext, workflow: &Workflow) -> Duration {
    let left = workflow.deadline().map_or(MIN_RUN_TIME, |deadline| deadline.since(context.clock.now()));
    left.saturating_sub(APPEND_RESERVE).max(MIN_RUN_TIME)
}

/// Returns the CPU time that the remaining budget pays for, at least 1 s: reaching the budget ends the workflow.
fn affordable(left: f64, cpu_second: f64) -> Duration {
    if cpu_second <= 0.0 {
        return Duration::MAX;
    }
    Duration::from_secs_f64((left.max(0.0) / cpu_second).clamp(1.0, 1e9))
}

#[cfg(test)]
mod tests {
    use sandbox::Usage;

    use super::*;

    fn ended(outcome: Outcome, cpu_ms: u64) -> JobResult {
        JobResult {
            outcome,
            exit_code: None,
            signal: Some(24),
            stdout: Vec::new(),
            stderr: Vec::new(),
            truncated: false,
            tests: None,
            usage: Usage { cpu_ms, wall_ms: 5_000, max_rss_bytes: 0 },
            output_files: Vec::new(),
            left_out: Vec::new(),
            wait: Duration::ZERO,
        }
    }

    #[test]
    fn a_run_that_the_budget_stopped_spends_all_of_it() {
        let stopped = ended(Outcome::OutOfCpu, 1_756);
        for (budget, spent) in [(0.02, 0.0), (0.3, 0.1), (0.7, 0.6), (2.0, 1.98), (1e3, 0.1)] {
            let cost = cost_of(&stopped, 0.01, Some(budget - spent));
            assert!(spent + cost >= budget, "{budget} {spent} {cost}");
            assert!(cost < budget - spent + 1e-6 || cost <= 0.02, "{budget} {spent} {cost}");
        }
    }

    #[test]
    fn any_other_end_costs_the_metered_cpu_time() {
        let close = |cost: f64| assert!((cost - 0.019).abs() < 1e-12, "{cost}");
        close(cost_of(&ended(Outcome::TimedOut, 1_900), 0.01, Some(0.02)));
        close(cost_of(&ended(Outcome::Exited, 1_900), 0.01, Some(0.02)));
        close(cost_of(&ended(Outcome::OutOfCpu, 1_900), 0.01, None));
    }
}
