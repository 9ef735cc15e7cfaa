//! The stack as its operator sees it: broker, logs and Redis.

use std::path::Path;
use std::time::Duration;

use domain::identity::Secret;
use domain::workflow::EventKind;
use messaging::{AuditLog, AuditRecord, Broker, BrokerSettings, DeadLetter, DeadLetters, Entry, WorkflowLog};
use read_model::{Difference, ReadModel, compare};

use crate::stack::Stack;

/// Signs in to the stack's broker as a service user.
///
/// # Panics
///
/// If the broker refuses.
pub async fn broker_as(stack: &Stack, user: &str) -> Broker {
    broker_at(stack, user, stack.text("/nats_url")).await
}

/// Signs in as a service user to the stack's broker at another address, such as that of a proxy.
///
/// # Panics
///
/// If the broker refuses.
pub async fn broker_at(stack: &Stack, user: &str, url: &str) -> Broker {
    let password = read(stack.text(&format!("/nats_password_files/{user}")));
    let settings = BrokerSettings {
        url: url.to_owned(),
        user: user.to_owned(),
        password: Some(Secret::new(password)),
        replicas: 1,
        strict: false,
        monitor_url: None,
        tls_ca_file: None,
    };
    Broker::connect(&settings).await.expect("the broker accepts the login")
}

/// Signs in as a service user with a plain client, for requests that `shared` does not send.
///
/// # Panics
///
/// If the broker refuses.
pub async fn raw_broker_as(stack: &Stack, user: &str) -> async_nats::Client {
    let password = read(stack.text(&format!("/nats_password_files/{user}")));
    async_nats::ConnectOptions::new()
        .user_and_password(user.to_owned(), password)
        .custom_inbox_prefix(format!("_INBOX_{user}"))
        .connect(stack.text("/nats_url"))
        .await
        .expect("the broker accepts the login")
}

/// Returns the audit log, with its chain verified, once it has not grown for 500 ms.
///
/// # Panics
///
/// If the chain is broken.
pub async fn audit_log(stack: &Stack) -> Vec<AuditRecord> {
    let audit = AuditLog::new(&broker_as(stack, "cli").await);
    let mut seen = usize::MAX;
    loop {
        let records = audit.read_all().await.expect("the chain holds");
        if records.len() == seen {
            return records;
        }
        seen = records.len();
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

/// Returns the user name of the process that causes such a transition.
pub fn writer_of(kind: EventKind) -> &'static str {
    match kind {
        EventKind::Submitted | EventKind::Cancelled => "api",
        EventKind::Retried => "cli",
        EventKind::Planned
        | EventKind::Generated
        | EventKind::NoGenerator
        | EventKind::Analyzed
        | EventKind::Executed
        | EventKind::StepFailed => "worker",
        EventKind::GateReleased | EventKind::Parked | EventKind::Decided | EventKind::Expired | EventKind::TimedOut => {
            "approver"
        }
    }
}

/// Returns every transition of a workflow, oldest first.
///
/// # Panics
///
/// If the log cannot be read.
pub async fn history(log: &WorkflowLog, id: &str) -> Vec<Entry> {
    let id = id.parse().expect("an id");
    let mut entries: Vec<Entry> = Vec::new();
    loop {
        let after = entries.last().map_or(0, |entry| entry.sequence);
        match log.next_after(id, after).await.expect("the log") {
            Some(entry) => entries.push(entry),
            None => return entries,
        }
    }
}

/// Returns every dead letter, oldest first.
///
/// # Panics
///
/// If they cannot be read.
pub async fn dead_letters(stack: &Stack) -> Vec<DeadLetter> {
    let letters = DeadLetters::new(&broker_as(stack, "cli").await);
    let kept = letters.list(None, 0, 100).await.expect("the dead letters");
    kept.into_iter().map(|kept| kept.letter).collect()
}

/// Returns the differences between the read model and the log.
///
/// # Panics
///
/// If either cannot be read.
pub async fn differences(stack: &Stack) -> Vec<Difference> {
    let log = WorkflowLog::new(&broker_as(stack, "cli").await);
    let view = ReadModel::open(&read(stack.text("/redis_url_file"))).expect("an address");
    compare(&log, &view).await.expect("both can be read")
}

/// Runs a Redis command as its operator, e.g. `FLUSHALL`.
///
/// # Panics
///
/// If Redis refuses.
pub fn redis_command(stack: &Stack, words: &[&str]) {
    let output = redis_cli(stack, words);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

/// Returns whether a Redis command succeeds.
///
/// # Panics
///
/// Without redis-cli.
pub fn redis_answers(stack: &Stack, words: &[&str]) -> bool {
    let output = redis_cli(stack, words);
    output.status.success() && !String::from_utf8_lossy(&output.stdout).contains("ERR")
}

fn redis_cli(stack: &Stack, words: &[&str]) -> std::process::Output {
    let port = stack.number("/redis_port").to_string();
    let password = read(stack.text("/redis_password_file"));
    std::process::Command::new("redis-cli")
        .args(["--no-auth-warning", "-p", &port, "-a", &password])
        .args(words)
        .output()
        .expect("redis-cli is installed with redis-server")
}

fn read(path: impl AsRef<Path>) -> String {
    std::fs::read_to_string(path).expect("a file").trim().to_owned()
}
