//! Accepted submissions per second, beside the broker's rate with the same payload in the same run.
//!
//! No result fails the run. Worker and approver are stopped, so that only submissions are written. Slow disks are
//! simulated by `strace`, which delays each fsync of the broker by 5 ms.

use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_nats::jetstream::stream::Config;
use async_nats::jetstream::{self, message::PublishMessage};
use async_nats::{Client as Nats, HeaderMap};
use bytes::Bytes;
use futures_util::StreamExt;
use rustix::process::Signal;
use serde_json::{Value, json};
use tests::{Client, Options, Stack, raw_broker_as};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::Instant;

const IN_FLIGHT: usize = 64;
/// One batch is written while the next one gathers.
const CONNECTIONS: usize = 2 * IN_FLIGHT;

/// The size of a measurement.
#[derive(Clone, Copy)]
struct Amounts {
    singles: usize,
    batches: usize,
    submissions: usize,
}

#[tokio::main]
async fn main() {
    let options = Options::default().with("budget.per_user_day", "1000000").with("telemetry.filter", "warn");
    let stack = Stack::start_with(options).await;
    let client = stack.developer().await;
    let nats = raw_broker_as(&stack, "cli").await;
    let payload = a_submission(&client, &nats).await;
    for component in ["worker-1", "approver"] {
        stack.signal(component, Signal::STOP);
    }
    println!("payload: {} bytes", payload.len());
    measure("", Amounts { singles: 4_000, batches: 100, submissions: 4_000 }, &client, &nats, &payload).await;
    match slow_down(&stack) {
        Ok(mut strace) => {
            let amounts = Amounts { singles: 400, batches: 20, submissions: 2_000 };
            measure(", each fsync 5 ms slower", amounts, &client, &nats, &payload).await;
            strace.kill().expect("strace ends");
            strace.wait().expect("strace ends");
        }
        Err(reason) => println!("SKIPPED: rows with a slow fsync: {reason}"),
    }
    for component in ["worker-1", "approver"] {
        stack.signal(component, Signal::CONT);
    }
}

/// Returns the body of a submission as the log stores it.
async fn a_submission(client: &Client, nats: &Nats) -> Bytes {
    let id = client.execute(&order(0)).await;
    let context = jetstream::new(nats.clone());
    let stream = context.get_stream("WORKFLOWS").await.expect("the log");
    let message = stream.get_last_raw_message_by_subject(&format!("wf.plan.std.{id}")).await;
    message.expect("the submission").payload
}

fn order(number: usize) -> Value {
    let goal = format!("Teach my cat number {number} to pilot a submarine");
    json!({"goal": goal, "context": {"execution_preferences": {"require_approval": false}}})
}

/// A connection that submits with little parsing, because the load shares the processors with the server.
struct Lean {
    stream: BufReader<TcpStream>,
    head: String,
}

impl Lean {
    async fn connect(client: &Client) -> Self {
        let address = client.base().trim_start_matches("http://");
        let stream = TcpStream::connect(address).await.expect("the API is there");
        stream.set_nodelay(true).expect("a socket");
        let head = format!(
            "POST /api/v3/execute HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\n",
            client.token()
        );
        Self { stream: BufReader::new(stream), head }
    }

    async fn submit(&mut self, number: usize) {
        let body = order(number).to_string();
        let request = format!("{}content-length: {}\r\n\r\n{body}", self.head, body.len());
        self.stream.write_all(request.as_bytes()).await.expect("sent");
        let (mut line, mut length) = (String::new(), 0);
        while line != "\r\n" {
            let is_first = line.is_empty();
            line.clear();
            self.stream.read_line(&mut line).await.expect("an answer");
            assert!(!is_first || line.starts_with("HTTP/1.1 202 "), "{line}");
            if let Some(value) = line.strip_prefix("content-length: ") {
                length = value.trim().parse().expect("a length");
            }
        }
        self.stream.read_exact(&mut vec![0; length]).await.expect("a body");
    }
}

async fn submissions(client: &Client, count: usize) -> f64 {
    let mut connections = Vec::new();
    for _ in 0..CONNECTIONS {
        connections.push(Lean::connect(client).await);
    }
    let (began, next) = (Instant::now(), Arc::new(AtomicUsize::new(0)));
    let mut running = JoinSet::new();
    for mut connection in connections {
        let next = next.clone();
        running.spawn(async move {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= count {
                    return;
                }
                connection.submit(number).await;
            }
        });
    }
    running.join_all().await;
    rate(count, began)
}

fn slow_down(stack: &Stack) -> Result<Child, String> {
    let pid = stack.pid("nats").as_raw_nonzero().to_string();
    let mut strace = Command::new("strace")
        .args(["-f", "-qq", "-e", "trace=fsync,fdatasync", "-e", "inject=fsync,fdatasync:delay_enter=5000", "-p", &pid])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| format!("strace cannot be run: {error}"))?;
    std::thread::sleep(Duration::from_secs(1));
    match strace.try_wait() {
        Ok(None) => Ok(strace),
        Ok(Some(status)) => Err(format!("strace may not attach to the broker: {status}")),
        Err(error) => Err(error.to_string()),
    }
}

async fn measure(when: &str, amounts: Amounts, client: &Client, nats: &Nats, payload: &Bytes) {
    let context = jetstream::new(nats.clone());
    let config = Config {
        name: "BENCH".into(),
        subjects: vec!["bench.*.*.*".into()],
        allow_atomic_publish: true,
        ..Config::default()
    };
    context.create_stream(config).await.expect("a stream");
    let singles = singles(&context, amounts.singles, payload).await;
    let batches = batches(nats, amounts.batches, payload).await;
    context.delete_stream("BENCH").await.expect("deleted");
    let submissions = submissions(client, amounts.submissions).await;
    println!("{:<64} {singles:>8.0}/s", format!("floor: single synced publishes, {IN_FLIGHT} in flight{when}"));
    println!("{:<64} {batches:>8.0}/s", format!("floor: raw fenced batches of {IN_FLIGHT}{when}"));
    println!(
        "{:<64} {submissions:>8.0}/s  {:.2} x singles, {:.0} % of batches",
        format!("accepted over HTTP, {CONNECTIONS} connections{when}"),
        submissions / singles,
        100.0 * submissions / batches
    );
}

#[expect(clippy::cast_precision_loss, reason = "a small count")]
fn rate(count: usize, began: Instant) -> f64 {
    count as f64 / began.elapsed().as_secs_f64()
}

fn fenced(id: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert("Nats-Expected-Last-Subject-Sequence", "0");
    headers.insert("Nats-Expected-Last-Subject-Sequence-Subject", format!("bench.*.*.{id}").as_str());
    headers
}

async fn singles(context: &jetstream::Context, count: usize, payload: &Bytes) -> f64 {
    let began = Instant::now();
    futures_util::stream::iter(0..count)
        .for_each_concurrent(IN_FLIGHT, |number| async move {
            let id = format!("single-{number}");
            let message = PublishMessage::build().payload(payload.clone()).headers(fenced(&id));
            let ack = context.send_publish(format!("bench.plan.std.{id}"), message).await.expect("published");
            ack.await.expect("acknowledged");
        })
        .await;
    rate(count, began)
}

/// Writes one batch after the other.
async fn batches(nats: &Nats, count: usize, payload: &Bytes) -> f64 {
    let began = Instant::now();
    for batch in 0..count {
        for number in 1..=IN_FLIGHT {
            let id = format!("batch-{batch}-{number}");
            let (subject, mut headers) = (format!("bench.plan.std.{id}"), fenced(&id));
            headers.insert("Nats-Batch-Id", format!("batch-{batch}").as_str());
            headers.insert("Nats-Batch-Sequence", number.to_string().as_str());
            if number < IN_FLIGHT {
                nats.publish_with_headers(subject, headers, payload.clone()).await.expect("published");
                continue;
            }
            headers.insert("Nats-Batch-Commit", "1");
            let answer = nats.request_with_headers(subject, headers, payload.clone()).await.expect("answered");
            assert!(!String::from_utf8_lossy(&answer.payload).contains("error"), "{:?}", answer.payload);
        }
    }
    rate(count * IN_FLIGHT, began)
}
