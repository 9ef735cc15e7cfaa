//! The run in the sandbox.

use std::time::Duration;

use sandbox::{Command, Job, JobFile, JobResult, Limits, Outcome, Owner, SandboxError, SecurityLevel};
use shared::clock::Timestamp;
use shared::failpoints;
use shared::messaging::BlobError;
use shared::workflow::{self, Event, Failure, Rerun, RunCommand, StepUsage, Workflow};
use tokio_util::sync::CancellationToken;

use super::Done;
use super::results::{self, Results};
use crate::desk::Desk;

/// The run ends this long before the workflow's time limit, so that its results can still be committed.
const RESERVE: Duration = Duration::from_secs(3);
const SHORTEST: Duration = Duration::from_secs(1);

pub(super) async fn run(desk: &Desk, workflow: &Workflow, mut usage: StepUsage, cancel: &CancellationToken) -> Done {
    let Some(sandbox) = &desk.sandbox else { return Done::Retry("this worker has no sandbox".to_owned()) };
    let job = match job_for(desk, workflow, desk.clock.now()).await {
        Ok(job) => job,
        Err(error) => return error.into(),
    };
    let affordable = affordable(workflow, desk.prices.cpu_second);
    let bought = (job.limits.cpu == affordable).then_some(affordable);
    failpoints::reach("sandbox.before").await;
    let ran = sandbox.run(job, cancel.clone()).await;
    failpoints::reach("sandbox.after").await;
    let result = match ran {
        Ok(result) => result,
        Err(error) => return refused(&error),
    };
    if result.outcome == Outcome::Cancelled {
        return Done::Cancelled;
    }
    usage.sandbox_ms = result.usage.wall_ms;
    usage.queue_ms += u64::try_from(result.wait.as_millis()).unwrap_or(u64::MAX);
    usage.cost = cost_of(&result, desk.prices.cpu_second);
    if result.outcome == Outcome::TimedOut
        && bought.is_some_and(|cpu| cpu.as_millis() * 9 / 10 <= u128::from(result.usage.cpu_ms))
    {
        // Stopped because the budget bought no more: all of it is spent, whatever the meter's last tick says.
        usage.cost = usage.cost.max(workflow.submission.options.budget - workflow.metrics.total_cost);
    }
    let Results { document, summary, feedback } = results::read(&result);
    let artifacts = &workflow.artifacts;
    let rerun = if artifacts.is_callers_code() || summary.all_passed() {
        Rerun::Enough
    } else if artifacts.repairable {
        Rerun::Repair(feedback)
    } else {
        Rerun::Hopeless
    };
    match desk.blobs.store(document.to_string()).await {
        Ok(results) => Done::Event(Event::Executed { results, tests: summary, rerun, usage }),
        Err(error) => error.into(),
    }
}

fn refused(error: &SandboxError) -> Done {
    match error {
        SandboxError::Retry { code, detail } => Done::Retry(format!("{code}: {detail}")),
        SandboxError::Fail { code, detail } => {
            let hint = "Change what the message names, then submit again.";
            Done::Event(Event::StepFailed { failure: Failure::new(code, detail.clone(), hint) })
        }
    }
}

fn cost_of(result: &JobResult, cpu_second: f64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "CPU time is far below 2^52 ms")]
    let cpu_ms = result.usage.cpu_ms as f64;
    cpu_ms / 1_000.0 * cpu_second
}

async fn job_for(desk: &Desk, workflow: &Workflow, now: Timestamp) -> Result<Job, BlobError> {
    let mut files = Vec::new();
    for file in &workflow.artifacts.files {
        files.push(JobFile { path: file.path.clone(), content: desk.blobs.load(&file.content).await?.into_bytes() });
    }
    let level = match workflow.submission.options.security_level {
        workflow::SecurityLevel::Strict => SecurityLevel::Strict,
        workflow::SecurityLevel::Standard => SecurityLevel::Standard,
        workflow::SecurityLevel::Permissive => SecurityLevel::Permissive,
    };
    let command = match &workflow.artifacts.run {
        Some(RunCommand::Script { path }) => Command::Script { path: path.clone() },
        Some(RunCommand::Tests) | None => Command::Tests,
    };
    let left = workflow.deadline().map_or(SHORTEST, |deadline| deadline.since(now));
    let mut limits = Limits::for_level(level, left.saturating_sub(RESERVE).max(SHORTEST));
    limits.cpu = limits.cpu.min(affordable(workflow, desk.prices.cpu_second));
    Ok(Job {
        owner: Owner::new(workflow.owner.as_str()),
        level,
        runtime: workflow.artifacts.runtime.clone().unwrap_or_default(),
        command,
        files,
        limits,
    })
}

/// The CPU time that the rest of the budget pays for, at least a second: the run that reaches the budget ends the workflow.
fn affordable(workflow: &Workflow, cpu_second: f64) -> Duration {
    if cpu_second <= 0.0 {
        return Duration::MAX;
    }
    let left = (workflow.submission.options.budget - workflow.metrics.total_cost).max(0.0);
    Duration::from_secs_f64((left / cpu_second).clamp(1.0, 1e9))
}
