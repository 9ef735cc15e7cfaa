//! The cost of a log with many workflows: latencies beside those of an empty log in the same run, and memory and disk
//! per workflow.
//!
//! `cargo bench -p tests --bench growth -- 1000000` fills the log with this many ended workflows, and a tenth of it,
//! or a second number, queued to be run. The queued ones belong to one user whose share is in use, in the queue that
//! the runs of another user pass. They are copies of two real ones, written into the log directly. With the word `keep`
//! they are not archived in the end, which takes time and space.
//!
//! Prints milliseconds and bytes; no result fails the run.

use std::fs;
use std::path::Path;
use std::pin::Pin;
use std::process::Command;
use std::time::Duration;

use async_nats::jetstream::consumer::{DeliverPolicy, pull};
use async_nats::jetstream::{self, stream::Stream as JetStream};
use async_nats::{Client as Nats, HeaderMap};
use domain::ids::WorkflowId;
use futures_util::{Stream, StreamExt, TryStreamExt};
use messaging::{Entry, Retention, StoredMessage, WorkflowLog};
use serde_json::{Value, json};
use tests::{Client, Options, Stack, broker_as, eventually, program, raw_broker_as, run_request};
use tokio::time::Instant;

const WORKFLOWS: usize = 50_000;
const ROUNDS: usize = 200;
const RUNS: usize = 50;
/// Sleeps, so that queued work takes slots and no processor time.
const QUEUED: &str = "import time\ntime.sleep(25)\n";
/// Workflows in an atomic batch.
const BATCH: usize = 200;
const BATCHES_AT_ONCE: usize = 4;
/// Maximum ratio of a latency to that of an empty log.
const GOAL: f64 = 1.5;
const PROCESSES: [&str; 5] = ["nats", "redis", "api", "approver", "worker-1"];
/// Consumers that skip the workflows that were written directly: reading them takes long and only leaves records
/// behind.
const PASSED_OVER: [&str; 5] = ["plan", "generate", "audit", "webhooks", "schedules"];

#[tokio::main]
async fn main() {
    let mut asked = std::env::args().filter_map(|word| word.parse().ok());
    let ended = asked.next().unwrap_or(WORKFLOWS);
    let queued = asked.next().unwrap_or(ended / 10);
    let options = Options::default()
        .with("budget.per_user_day", "1000000")
        .with("telemetry.filter", "warn")
        .with("worker.execute_concurrency", "8")
        .with("worker.steps_per_user", "2");
    let stack = Stack::start_with(options).await;
    let mut bench = Bench::open(&stack).await;
    let over = bench.template(&bench.client.clone(), &hopeless()).await;
    let waiting = bench.queued_template(&stack.client("stress_user", "stress_pass").await).await;
    bench.measure(&[]).await;
    let (empty, before) = (bench.measure(&[]).await, Footprint::of(&stack));
    println!(
        "an ended workflow: {} messages, {} bytes; a queued one: {} messages, {} bytes",
        over.len(),
        bytes(&over),
        waiting.len(),
        bytes(&waiting)
    );

    drop(bench);
    let began = Instant::now();
    let filler = Filler::open(&stack).await;
    let consumers = filler.pass_over().await;
    let known = filler.fill(&over, ended).await;
    filler.resume(consumers).await;
    filler.fill(&waiting, queued).await;
    println!("filled in {:.0} s", began.elapsed().as_secs_f64());
    filler.until_seen().await;
    println!("every queued step was seen once after {:.0} s", began.elapsed().as_secs_f64());
    settle(&stack).await;
    let mut bench = Bench::open(&stack).await;
    println!("handled after {:.0} s", began.elapsed().as_secs_f64());

    bench.measure(&known).await;
    let (full, after) = (bench.measure(&known).await, Footprint::of(&stack));
    println!("\n{:34} {:>9} {:>9} {:>9} {:>9} {:>9}  goal", "milliseconds", "empty", "p95", "full", "p95", "x empty");
    for ((name, empty), (_, full)) in empty.iter().zip(&full) {
        let ratio = at(full, 0.5) / at(empty, 0.5);
        println!(
            "{name:34} {:>9.2} {:>9.2} {:>9.2} {:>9.2} {ratio:>9.2}  at most {GOAL}: {}",
            at(empty, 0.5),
            at(empty, 0.95),
            at(full, 0.5),
            at(full, 0.95),
            if ratio <= GOAL { "reached" } else { "NOT REACHED" }
        );
    }
    println!("\n{:34} {:>12} {:>12} {:>14} {:>12}", "megabytes", "empty", "full", "bytes/workflow", "archived");
    let (said, archived) = if std::env::args().any(|word| word == "keep") {
        ("not archived".to_owned(), Footprint::of(&stack))
    } else {
        archive(&stack).await
    };
    let rows = before.0.iter().zip(&after.0).zip(&archived.0);
    for (((name, before), (_, after)), (_, archived)) in rows {
        let each = after.saturating_sub(*before) / u64::try_from(ended + queued).unwrap_or(u64::MAX);
        println!("{name:34} {:>12} {:>12} {each:>14} {:>12}", before >> 20, after >> 20, archived >> 20);
    }
    println!("\n{said}");
}

/// Archives the ended workflows; returns the command's output, and the footprint a minute later. The tool's clock is 40
/// days ahead, which a release build does not allow.
async fn archive(stack: &Stack) -> (String, Footprint) {
    let tool = program("../debug/instrumented/promptcraft");
    if !tool.exists() {
        return ("not archived: scripts/instrument.sh builds the tool for it".to_owned(), Footprint::of(stack));
    }
    let orders = stack.directory().join("orders");
    fs::create_dir_all(&orders).expect("a folder");
    fs::write(orders.join("clock"), (40 * 86_400_000_u64).to_string()).expect("an order");
    let began = Instant::now();
    let mut command = Command::new(tool);
    command.args(["admin", "archive"]).arg("--data").arg(stack.directory()).env("PROMPTCRAFT_FAILPOINTS", orders);
    let said = command.output().expect("it runs");
    let took = began.elapsed().as_secs_f64();
    tokio::time::sleep(Duration::from_secs(60)).await;
    let said = [said.stdout, said.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
    (format!("in {took:.0} s: {said}"), Footprint::of(stack))
}

/// Returns a request that fails after three appends, because nothing can serve it.
fn hopeless() -> Value {
    json!({"goal": "Teach my cat to pilot a submarine", "context": {"execution_preferences": {"require_approval": false}}})
}

fn bytes(messages: &[StoredMessage]) -> usize {
    messages.iter().map(|message| message.payload.len()).sum()
}

fn at(samples: &[f64], share: f64) -> f64 {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a small index"
    )]
    let index = ((sorted.len() - 1) as f64 * share).round() as usize;
    sorted[index]
}

fn millis(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1_000.0
}

/// The client, and a reader of the log.
struct Bench {
    client: Client,
    retention: Retention,
    transitions: Pin<Box<dyn Stream<Item = Entry>>>,
}

impl Bench {
    async fn open(stack: &Stack) -> Self {
        let broker = broker_as(stack, "cli").await;
        let (_, follow) = WorkflowLog::new(&broker).follow().await.expect("the log");
        let transitions = Box::pin(follow.filter_map(|entry| async { entry.ok() }));
        Self { client: stack.developer().await, retention: Retention::new(&broker), transitions }
    }

    /// Returns the times of the workflow's first transition, its second, and its end.
    async fn watch(&mut self, id: &str) -> [Instant; 3] {
        let mut seen = Vec::new();
        while let Some(entry) = self.transitions.next().await {
            if entry.workflow.id.to_string() == id {
                seen.push(Instant::now());
                if entry.workflow.status().is_terminal() {
                    break;
                }
            }
        }
        [seen[0], seen[1], *seen.last().expect("an end")]
    }

    /// Measures each workflow alone and returns the samples. Statuses are read of `known` workflows, or of the new
    /// ones.
    async fn measure(&mut self, known: &[WorkflowId]) -> Vec<(&'static str, Vec<f64>)> {
        let (mut submit, mut dispatch, mut status, mut whole) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for round in 0..ROUNDS {
            let began = Instant::now();
            let id = self.client.execute(&hopeless()).await;
            submit.push(millis(began));
            let [first, second, end] = self.watch(&id).await;
            dispatch.push((second - first).as_secs_f64() * 1_000.0);
            whole.push((end - began).as_secs_f64() * 1_000.0);
            let asked = known.get(round * known.len() / ROUNDS).map_or(id, WorkflowId::to_string);
            let began = Instant::now();
            self.client.status(&asked).await;
            status.push(millis(began));
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let mut runs = Vec::new();
        for _ in 0..RUNS {
            let began = Instant::now();
            let id = self.client.run("print('behind the queue')\n").await;
            let [.., end] = self.watch(&id).await;
            runs.push((end - began).as_secs_f64() * 1_000.0);
        }
        vec![
            ("run of another than is queued", runs),
            ("submit: POST to 202", submit),
            ("dispatch: submitted to planned", dispatch),
            ("workflow of three appends", whole),
            ("status", status),
        ]
    }

    /// Returns every message of a workflow like this, from beginning to end.
    async fn template(&mut self, client: &Client, request: &Value) -> Vec<StoredMessage> {
        let id = client.execute(request).await;
        self.watch(&id).await;
        let messages: Vec<StoredMessage> =
            self.retention.messages(1).await.expect("the log").try_collect().await.expect("the log");
        messages.into_iter().filter(|message| message.workflow_id.to_string() == id).collect()
    }

    /// Returns the messages of a workflow that waits to be run.
    async fn queued_template(&mut self, client: &Client) -> Vec<StoredMessage> {
        let messages = self.template(client, &run_request(QUEUED, false)).await;
        let run = messages.iter().position(|message| message.subject.contains(".execute.")).expect("it was run");
        messages.into_iter().take(run + 1).collect()
    }
}

fn replaced(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut found = bytes.to_vec();
    let mut place = 0;
    while place + from.len() <= found.len() {
        if found[place..].starts_with(from) {
            found[place..place + from.len()].copy_from_slice(to);
            place += from.len();
        } else {
            place += 1;
        }
    }
    found
}

/// Writes into the log with the logins of the processes that may.
struct Filler {
    steps: Nats,
    failures: Nats,
}

impl Filler {
    async fn open(stack: &Stack) -> Self {
        Self { steps: raw_broker_as(stack, "cli").await, failures: raw_broker_as(stack, "worker").await }
    }

    fn context(&self) -> jetstream::Context {
        jetstream::new(self.steps.clone())
    }

    async fn log(&self) -> JetStream {
        self.context().get_stream("WORKFLOWS").await.expect("the log")
    }

    async fn pass_over(&self) -> Vec<pull::Config> {
        let log = self.log().await;
        let mut configs = Vec::new();
        for name in PASSED_OVER {
            configs.push(like(&log, name).await);
            log.delete_consumer(name).await.expect("deleted");
        }
        configs
    }

    /// Moves the consumers behind the present end of the log.
    async fn resume(&self, configs: Vec<pull::Config>) {
        let log = self.log().await;
        for config in configs {
            let config = pull::Config { deliver_policy: DeliverPolicy::New, ..config };
            log.create_consumer(config).await.expect("a consumer");
        }
    }

    /// Waits until the workers have read every queued run.
    async fn until_seen(&self) {
        let log = self.log().await;
        eventually("the queue is seen", Duration::from_secs(3_600), || async {
            let info = log.consumer_info("execute-python").await.expect("the queue");
            (info.num_pending == 0).then_some(())
        })
        .await;
    }

    /// Writes this many copies of a workflow; consumers see only the last message of each. Returns the ids of some.
    async fn fill(&self, template: &[StoredMessage], count: usize) -> Vec<WorkflowId> {
        let groups: Vec<Vec<WorkflowId>> = (0..count.div_ceil(BATCH))
            .map(|group| (group * BATCH..count.min((group + 1) * BATCH)).map(|_| WorkflowId::fresh()).collect())
            .collect();
        let known = groups.iter().filter_map(|ids| ids.first().copied()).collect();
        futures_util::stream::iter(groups)
            .for_each_concurrent(BATCHES_AT_ONCE, |ids| async move {
                for (nats, messages) in self.by_writer(template) {
                    batch(nats, messages, &ids).await;
                }
            })
            .await;
        known
    }

    /// Splits the messages by the login that may write them. Workers write ends only.
    fn by_writer<'m>(&self, template: &'m [StoredMessage]) -> [(&Nats, &'m [StoredMessage]); 2] {
        let steps = template.iter().take_while(|message| !message.subject.contains(".failed.")).count();
        let (steps, ends) = template.split_at(steps);
        [(&self.steps, steps), (&self.failures, ends)]
    }
}

/// Writes these messages of each of these workflows in one atomic batch.
async fn batch(nats: &Nats, messages: &[StoredMessage], ids: &[WorkflowId]) {
    let batch = WorkflowId::fresh().to_string();
    let members = messages.iter().flat_map(|message| ids.iter().map(move |id| (message, id)));
    for (number, (message, id)) in (1..).zip(members) {
        let (old, new) = (message.workflow_id.to_string(), id.to_string());
        let subject = message.subject.replace(&old, &new);
        let payload = replaced(&message.payload, old.as_bytes(), new.as_bytes());
        let mut headers = HeaderMap::new();
        let carried = message.headers.iter().filter(|(name, _)| !name.starts_with("Nats-"));
        carried.for_each(|(name, value)| headers.insert(name.as_str(), value.as_str()));
        headers.insert("Nats-Batch-Id", batch.as_str());
        headers.insert("Nats-Batch-Sequence", number.to_string().as_str());
        if number < messages.len() * ids.len() {
            nats.publish_with_headers(subject, headers, payload.into()).await.expect("published");
            continue;
        }
        headers.insert("Nats-Batch-Commit", "1");
        let answer = nats.request_with_headers(subject, headers, payload.into()).await.expect("answered");
        assert!(!String::from_utf8_lossy(&answer.payload).contains("error"), "{:?}", answer.payload);
    }
}

/// Returns the configuration of a consumer of the log.
async fn like(log: &JetStream, name: &str) -> pull::Config {
    let consumer = log.get_consumer::<pull::Config>(name).await.expect("a consumer");
    use jetstream::consumer::FromConsumer;
    let config =
        pull::Config::try_from_consumer_config(consumer.cached_info().config.clone()).expect("a pull consumer");
    pull::Config { name: None, ..config }
}

/// Waits until every effect of the entries in the log has happened.
async fn settle(stack: &Stack) {
    let (retention, filler) = (Retention::new(&broker_as(stack, "cli").await), Filler::open(stack).await);
    eventually("every effect has happened", Duration::from_secs(4 * 3_600), || async {
        let last = filler.log().await.cached_info().state.last_sequence;
        (retention.settled_up_to().await.expect("the consumers") >= last).then_some(())
    })
    .await;
    // Then wait for background work of the processes: syncing, evicting, garbage collection.
    tokio::time::sleep(Duration::from_secs(10)).await;
}

/// Memory of each process, and the size of the broker's store, in bytes.
struct Footprint(Vec<(String, u64)>);

impl Footprint {
    fn of(stack: &Stack) -> Self {
        let resident = |process: &&str| {
            let pid = stack.pid(process).as_raw_nonzero();
            let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("a process");
            let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a size");
            let kilobytes: u64 = line.trim().trim_end_matches(" kB").parse().expect("a number");
            (format!("memory of {process}"), kilobytes << 10)
        };
        let mut rows: Vec<(String, u64)> = PROCESSES.iter().map(resident).collect();
        rows.push(("disk of nats".to_owned(), size_of(&stack.directory().join("jetstream"))));
        Self(rows)
    }
}

fn size_of(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    // A file may be removed while it is read.
    let size = |entry: fs::DirEntry| match entry.metadata() {
        Ok(found) if found.is_dir() => size_of(&entry.path()),
        Ok(found) => found.len(),
        Err(_) => 0,
    };
    entries.map(size).sum()
}
