//! The table of metric families.

use super::families::{Family, Kind, Process, Start};

const ALL: &[Process] = &[Process::Api, Process::Approver, Process::Worker];
const API: &[Process] = &[Process::Api];
const APPROVER: &[Process] = &[Process::Approver];
const WORKER: &[Process] = &[Process::Worker];

/// Without labels: one series.
const SINGLE: Start = Start::Product(&[]);

/// Runtimes of jobs; another name is counted as `other`.
pub const RUNTIMES: &[&str] = &["bash", "lua", "node", "python", "sql", "python-tools", "other"];
/// Risks of approvals.
pub const RISKS: &[&str] = &["low", "medium", "high", "critical"];
/// Codes of failed workflows; another code is counted as `other`, no code as `none`.
pub const END_CODES: &[&str] = &[
    "none",
    "approval_expired",
    "approval_required",
    "attempts_exhausted",
    "budget_exceeded",
    "file_rejected",
    "files_too_large",
    "generator_invalid_reply",
    "generator_rejected",
    "generator_unauthorized",
    "internal",
    "limits_rejected",
    "no_generator",
    "rejected",
    "tampered",
    "tests_failed",
    "tests_unsupported",
    "timeout",
    "too_many_gates",
    "unknown_runtime",
    "other",
];
/// Phase and lane of every queue of work.
pub const QUEUES: &[&[&str]] = &[
    &["plan", "std"],
    &["generate", "std"],
    &["analyze", "std"],
    &["execute", "bash"],
    &["execute", "lua"],
    &["execute", "node"],
    &["execute", "python"],
    &["execute", "sql"],
    &["execute", "other"],
    &["approve", "std"],
    &["analyses", "std"],
];
/// Lanes; another name is counted as `other`.
pub const LANES: &[&str] = &["std", "bash", "lua", "node", "python", "sql", "other"];

const STATUSES: &[&str] = &["completed", "failed", "cancelled"];
const ENDS: &[&[&str]] = &[
    &["completed", "none"],
    &["cancelled", "none"],
    &["failed", "approval_expired"],
    &["failed", "approval_required"],
    &["failed", "attempts_exhausted"],
    &["failed", "budget_exceeded"],
    &["failed", "file_rejected"],
    &["failed", "files_too_large"],
    &["failed", "generator_invalid_reply"],
    &["failed", "generator_rejected"],
    &["failed", "generator_unauthorized"],
    &["failed", "internal"],
    &["failed", "limits_rejected"],
    &["failed", "no_generator"],
    &["failed", "other"],
    &["failed", "rejected"],
    &["failed", "tampered"],
    &["failed", "tests_failed"],
    &["failed", "tests_unsupported"],
    &["failed", "timeout"],
    &["failed", "too_many_gates"],
    &["failed", "unknown_runtime"],
];
const CAUSES: &[&str] = &["unreadable", "forged", "exhausted", "undelivered"];
const STEP_PHASES: &[&str] = &["plan", "generate", "analyze", "execute", "analyses"];
const STEP_OUTCOMES: &[&str] = &["settled", "retried", "dead_lettered"];
const CHANNELS: &[&str] = &["http", "nats"];
const DECISION_OUTCOMES: &[&str] = &[
    "applied",
    "unavailable",
    "unknown_workflow",
    "unknown_approval",
    "not_yet_parked",
    "already_decided",
    "already_voted",
    "expired",
    "cancelled",
    "workflow_ended",
    "too_late",
    "digest_mismatch",
    "digest_missing",
    "not_entitled",
    "unknown_recipe",
    "input_not_asked",
    "message_reused",
    "too_many_refused",
    "malformed",
];
const JOB_OUTCOMES: &[&str] = &[
    "exited",
    "output_truncated",
    "timed_out",
    "out_of_cpu",
    "oom_killed",
    "killed_by_signal",
    "pids_exhausted",
    "disk_full",
    "cancelled",
    "refused",
    "lost",
];
const OPERATIONS: &[&str] = &["execute", "analyze", "decide", "status", "sign_in", "sign_in_name", "unauthenticated"];
const AUTH_REASONS: &[&str] = &[
    "credentials",
    "missing",
    "malformed",
    "signed with an unknown key",
    "invalid signature",
    "expired",
    "not valid yet",
    "wrong issuer",
    "wrong audience",
    "revoked",
    "user disabled or removed",
];

const REQUEST: &[f64] = &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
const STEP: &[f64] = &[0.001, 0.005, 0.02, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0, 300.0];
const WAIT: &[f64] = &[0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1_800.0];
const JOB: &[f64] = &[0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0];
const WORKFLOW: &[f64] = &[0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1_800.0, 7_200.0, 86_400.0];
const HUMAN: &[f64] = &[1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 1_800.0, 3_600.0, 14_400.0, 43_200.0, 86_400.0];

const fn family(
    name: &'static str,
    kind: Kind,
    labels: &'static [&'static str],
    start: Start,
    processes: &'static [Process],
    meaning: &'static str,
) -> Family {
    Family { name, kind, labels, start, processes, meaning }
}

/// Every family, grouped by topic.
pub(super) const FAMILIES: &[Family] = &[
    family(
        "promptcraft_build_info",
        Kind::Gauge,
        &["version"],
        Start::Rows(&[&[env!("CARGO_PKG_VERSION")]]),
        ALL,
        "1, with the version of the program.",
    ),
    family(
        "promptcraft_spans_dropped_total",
        Kind::Counter,
        &[],
        SINGLE,
        ALL,
        "Spans that were not exported: the queue was full, or the receiver was unavailable or refused them.",
    ),
    family("promptcraft_ready", Kind::Gauge, &[], SINGLE, ALL, "1 while `/readyz` answers 200."),
    family("promptcraft_broker_up", Kind::Gauge, &[], SINGLE, ALL, "1 while the broker answers this process."),
    family("promptcraft_redis_up", Kind::Gauge, &[], SINGLE, ALL, "1 while Redis answers this process."),
    family(
        "promptcraft_broker_dropped_total",
        Kind::Counter,
        &[],
        SINGLE,
        ALL,
        "Messages from the broker that were dropped because the reader was too slow.",
    ),
    family(
        "promptcraft_dead_letters_total",
        Kind::Counter,
        &["cause"],
        Start::Product(&[CAUSES]),
        ALL,
        "Dead letters that this process wrote, by cause.",
    ),
    family(
        "promptcraft_healthy",
        Kind::Gauge,
        &[],
        SINGLE,
        API,
        "1 while `/health` answers 200. Every API reports the whole installation: use `min`.",
    ),
    family(
        "promptcraft_workers",
        Kind::Gauge,
        &[],
        SINGLE,
        API,
        "Workers that sent a heartbeat within 5 s. Every API reports all: use `max`.",
    ),
    family(
        "promptcraft_approvers",
        Kind::Gauge,
        &[],
        SINGLE,
        API,
        "Approvers that sent a heartbeat within 5 s. Every API reports all: use `max`.",
    ),
    family(
        "promptcraft_queue_depth",
        Kind::Gauge,
        &["phase", "lane"],
        Start::Rows(QUEUES),
        API,
        "Steps that wait for a worker, gates that wait for an approver (phase approve), and interactive analyses \
         (phase analyses, those being worked on included). Every API reports all: use `max by (phase, lane)`.",
    ),
    family(
        "promptcraft_queue_oldest_seconds",
        Kind::Gauge,
        &["phase", "lane"],
        Start::Rows(QUEUES),
        API,
        "Age of the oldest message of `promptcraft_queue_depth`; 0 while nothing waits. Every API reports all: use \
         `max by (phase, lane)`.",
    ),
    family(
        "promptcraft_parked",
        Kind::Gauge,
        &["risk"],
        Start::Product(&[RISKS]),
        API,
        "Open approvals by risk. Every API reports all: use `max by (risk)`.",
    ),
    family(
        "promptcraft_parked_oldest_seconds",
        Kind::Gauge,
        &["risk"],
        Start::Product(&[RISKS]),
        API,
        "Age of the oldest open approval by risk; 0 without one. Every API reports all: use `max by (risk)`.",
    ),
    family(
        "promptcraft_parked_lifetime_ratio",
        Kind::Gauge,
        &["risk"],
        Start::Product(&[RISKS]),
        API,
        "Largest used share of the time until expiry among the open approvals, 0 to 1. Every API reports all: use \
         `max by (risk)`.",
    ),
    family(
        "promptcraft_projector_pending",
        Kind::Gauge,
        &[],
        SINGLE,
        API,
        "Transitions that are not yet in the read model. Every API reports all: use `max`.",
    ),
    family(
        "promptcraft_projector_lag_seconds",
        Kind::Gauge,
        &[],
        SINGLE,
        API,
        "Age of the oldest transition that is not yet in the read model; 0 when it is current. Every API reports all: \
         use `max`.",
    ),
    family(
        "promptcraft_projected_total",
        Kind::Counter,
        &[],
        SINGLE,
        API,
        "Transitions that the projector brought into the read model, or found there.",
    ),
    family(
        "promptcraft_stream_bytes",
        Kind::Gauge,
        &["stream"],
        Start::Product(&[&["WORKFLOWS", "BLOBS", "ANALYSES", "DEAD_LETTERS", "APPROVALS", "TIMERS", "AUDIT"]]),
        API,
        "Bytes of a stream on the broker's disk. Every API reports all: use `max by (stream)`.",
    ),
    family(
        "promptcraft_stream_messages",
        Kind::Gauge,
        &["stream"],
        Start::Product(&[&["WORKFLOWS", "BLOBS", "ANALYSES", "DEAD_LETTERS", "APPROVALS", "TIMERS", "AUDIT"]]),
        API,
        "Messages of a stream. Every API reports all: use `max by (stream)`.",
    ),
    family(
        "promptcraft_dead_letters",
        Kind::Gauge,
        &["cause"],
        Start::Product(&[CAUSES]),
        API,
        "Dead letters that wait for an operator, by cause. Every API reports all: use `max by (cause)`.",
    ),
    family(
        "promptcraft_http_requests_total",
        Kind::Counter,
        &["method", "route", "status"],
        Start::ByProcess,
        API,
        "Answers by method, route and status. Each route starts with 500 and 503 at zero.",
    ),
    family(
        "promptcraft_http_request_seconds",
        Kind::Histogram(REQUEST),
        &["method", "route"],
        Start::ByProcess,
        API,
        "Time to the answer's head, by method and route.",
    ),
    family(
        "promptcraft_submissions_total",
        Kind::Counter,
        &[],
        SINGLE,
        API,
        "Workflows accepted, repeats not counted.",
    ),
    family("promptcraft_event_streams", Kind::Gauge, &[], SINGLE, API, "Event streams open now."),
    family(
        "promptcraft_auth_failures_total",
        Kind::Counter,
        &["reason"],
        Start::Product(&[AUTH_REASONS]),
        API,
        "Refused tokens and sign-ins by reason.",
    ),
    family(
        "promptcraft_password_checks_total",
        Kind::Counter,
        &[],
        SINGLE,
        API,
        "Passwords that were hashed and compared.",
    ),
    family(
        "promptcraft_rate_limited_total",
        Kind::Counter,
        &["operation"],
        Start::Product(&[OPERATIONS]),
        API,
        "Calls over their limit, by operation.",
    ),
    family(
        "promptcraft_worker_slots",
        Kind::Gauge,
        &["phase", "lane"],
        Start::ByProcess,
        WORKER,
        "Steps that this worker runs at most at once, by phase and lane; the lanes of execute share them.",
    ),
    family(
        "promptcraft_steps_running",
        Kind::Gauge,
        &["phase", "lane"],
        Start::ByProcess,
        WORKER,
        "Steps that run now, by phase and lane.",
    ),
    family(
        "promptcraft_steps_total",
        Kind::Counter,
        &["phase", "outcome"],
        Start::Product(&[STEP_PHASES, STEP_OUTCOMES]),
        WORKER,
        "Attempts of steps by phase and outcome. A settled step may have failed its workflow: see \
         `promptcraft_workflows_ended_total`.",
    ),
    family(
        "promptcraft_step_seconds",
        Kind::Histogram(STEP),
        &["phase"],
        Start::Product(&[STEP_PHASES]),
        WORKER,
        "Duration of an attempt of a step.",
    ),
    family(
        "promptcraft_step_wait_seconds",
        Kind::Histogram(WAIT),
        &["phase", "lane"],
        Start::ByProcess,
        WORKER,
        "Time from the append that queued a step to the start of its attempt, by phase and lane.",
    ),
    family(
        "promptcraft_results_superseded_total",
        Kind::Counter,
        &["phase"],
        Start::Product(&[&["plan", "generate", "analyze", "execute"]]),
        WORKER,
        "Results of steps that were discarded because the workflow had a newer transition.",
    ),
    family(
        "promptcraft_sandbox_start_seconds",
        Kind::Histogram(JOB),
        &["runtime"],
        Start::Product(&[RUNTIMES]),
        WORKER,
        "Time from the call until a sandbox was ready for a job, by runtime.",
    ),
    family(
        "promptcraft_sandbox_run_seconds",
        Kind::Histogram(JOB),
        &["runtime", "outcome"],
        Start::Product(&[RUNTIMES, JOB_OUTCOMES]),
        WORKER,
        "Duration of a job in the sandbox, by runtime and outcome; `refused` and `lost` jobs have the time until the error.",
    ),
    family("promptcraft_sandbox_warm", Kind::Gauge, &[], SINGLE, WORKER, "Idle sandboxes that were started ahead."),
    family(
        "promptcraft_sandbox_up",
        Kind::Gauge,
        &[],
        SINGLE,
        WORKER,
        "1 while the sandbox of this worker can run jobs; 0 too on a worker that runs no code.",
    ),
    family(
        "promptcraft_cost_total",
        Kind::AmountCounter,
        &["phase"],
        Start::Product(&[&["generate", "execute"]]),
        WORKER,
        "Cost of steps in the unit of `metrics.total_cost`, by phase. Includes attempts that were discarded.",
    ),
    family(
        "promptcraft_tokens_total",
        Kind::Counter,
        &[],
        SINGLE,
        WORKER,
        "Tokens of the language model, prompt and reply.",
    ),
    family(
        "promptcraft_decision_resume_seconds",
        Kind::Histogram(WAIT),
        &[],
        SINGLE,
        WORKER,
        "Time from a decision to the start of the step that it queued. A release ends its workflow and queues none.",
    ),
    family(
        "promptcraft_gates_total",
        Kind::Counter,
        &["outcome"],
        Start::Product(&[&["released", "parked", "refused"]]),
        APPROVER,
        "Gates judged, by outcome.",
    ),
    family(
        "promptcraft_decisions_total",
        Kind::Counter,
        &["path", "outcome"],
        Start::Product(&[CHANNELS, DECISION_OUTCOMES]),
        APPROVER,
        "Decisions, by path and outcome.",
    ),
    family(
        "promptcraft_decision_wait_seconds",
        Kind::Histogram(HUMAN),
        &["path"],
        Start::Product(&[CHANNELS]),
        APPROVER,
        "Time from the request of an approval to a decision that was applied, by path.",
    ),
    family(
        "promptcraft_open_requests_dropped_total",
        Kind::Counter,
        &[],
        SINGLE,
        APPROVER,
        "Requests of bots for open approvals that were dropped without an answer.",
    ),
    family(
        "promptcraft_workflows_ended_total",
        Kind::Counter,
        &["status", "code"],
        Start::Rows(ENDS),
        APPROVER,
        "Workflows that ended, by status and code of the failure. Each end is counted by one approver.",
    ),
    family(
        "promptcraft_workflow_seconds",
        Kind::Histogram(WORKFLOW),
        &["status"],
        Start::Product(&[STATUSES]),
        APPROVER,
        "Time from submission to end, by status. Includes the time spent waiting for decisions.",
    ),
    family(
        "promptcraft_workflow_active_seconds",
        Kind::Histogram(WORKFLOW),
        &["status"],
        Start::Product(&[STATUSES]),
        APPROVER,
        "Time from submission to end without the time spent waiting for decisions, by status.",
    ),
    family(
        "promptcraft_notifications_total",
        Kind::Counter,
        &["outcome"],
        Start::Product(&[&["delivered", "retried", "throttled", "given_up"]]),
        APPROVER,
        "Attempts to notify a webhook, by outcome.",
    ),
];
