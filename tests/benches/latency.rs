//! Latencies, beside the floor of this machine in the same run.
//!
//! `make bench` prints a table of medians and 95th percentiles in milliseconds. No result fails the run.

use std::pin::Pin;
use std::process::{Command, Stdio};
use std::time::Duration;

use domain::workflow::EventKind;
use futures_util::{Stream, StreamExt};
use messaging::{Entry, WorkflowLog};
use serde_json::{Value, json};
use tests::{Client, Options, Stack, broker_as, eventually, run_request};
use tokio::time::Instant;

const ROUNDS: usize = 100;
const GENERATE_ROUNDS: usize = 40;
const GENERATE_FLOOR: &str = "floor: generate step of a given file";
/// For loading the embedding model and computing the vectors of all recipes.
const EMBEDDINGS_TIMEOUT: Duration = Duration::from_secs(300);

/// Samples of one measure, in milliseconds.
struct Row {
    name: String,
    samples: Vec<f64>,
    /// The row it is compared with, and its target.
    floor: Option<&'static str>,
    target: Option<f64>,
}

impl Row {
    fn at(&self, share: f64) -> f64 {
        let mut sorted = self.samples.clone();
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
}

fn millis(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1_000.0
}

#[tokio::main]
async fn main() {
    let mut rows = vec![python_floor()];
    measure_backend("bubblewrap", 150.0, &mut rows, true).await;
    if docker_answers() {
        measure_backend("docker", 120.0, &mut rows, false).await;
    } else {
        println!("SKIPPED: docker rows: no engine answers");
    }
    measure_catalogue(&mut rows).await;
    print_table(&rows);
}

fn docker_answers() -> bool {
    std::os::unix::net::UnixStream::connect("/var/run/docker.sock").is_ok()
}

/// Measures a plain interpreter without a sandbox.
fn python_floor() -> Row {
    let samples = (0..30).map(|_| {
        let start = Instant::now();
        let status = Command::new("python3").args(["-I", "-S", "-c", "print('hello')"]).stdout(Stdio::null()).status();
        assert!(status.is_ok_and(|status| status.success()), "python3 runs");
        millis(start)
    });
    Row { name: "floor: plain python3 process".into(), samples: samples.collect(), floor: None, target: None }
}

struct Bench {
    client: Client,
    /// Every transition as it is appended.
    transitions: Pin<Box<dyn Stream<Item = Entry>>>,
}

impl Bench {
    async fn of(stack: &Stack) -> Self {
        let log = WorkflowLog::new(&broker_as(stack, "cli").await);
        let (_, follow) = log.follow().await.expect("the log");
        let transitions = Box::pin(follow.filter_map(|entry| async { entry.ok() }));
        Self { client: stack.developer().await, transitions }
    }

    async fn until(&mut self, id: &str, seen: impl Fn(&Entry) -> bool) -> Entry {
        let wait = async {
            loop {
                let entry = self.transitions.next().await.expect("the log has another entry");
                if entry.workflow.id.to_string() == id && seen(&entry) {
                    return entry;
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(60), wait).await.expect("the workflow has the status")
    }

    /// Returns the time from the end of the planning step to the end of the generating step.
    async fn generate_time(&mut self, request: &Value) -> f64 {
        let id = self.client.execute(request).await;
        self.until(&id, |entry| entry.happened.kind == EventKind::Planned).await;
        let start = Instant::now();
        let after = self.until(&id, |entry| entry.happened.kind != EventKind::Planned).await;
        let took = millis(start);
        assert_eq!(after.happened.kind, EventKind::Generated, "{:?}", after.happened);
        self.until(&id, |entry| entry.workflow.status().is_terminal()).await;
        took
    }

    async fn time_to_end(&mut self, request: &Value) -> f64 {
        let start = Instant::now();
        let id = self.client.execute(request).await;
        let end = self.until(&id, |entry| entry.workflow.status().is_terminal()).await;
        let took = millis(start);
        assert!(end.happened.kind.as_str() != "step_failed", "{:?}", end.happened);
        took
    }
}

/// Measures the generate step of goals that recipes serve, beside that of a given file, which needs no search.
async fn measure_catalogue(rows: &mut Vec<Row>) {
    let options = Options { embeddings: true, ..Options::default() }.with("budget.per_user_day", "100000");
    let stack = Stack::start_with(options).await;
    let mut bench = Bench::of(&stack).await;
    eventually("goals are matched by meaning", EMBEDDINGS_TIMEOUT, || async {
        let health = bench.client.get("/health").await.json();
        (health["services"]["generator"]["matching"] == "embeddings").then_some(())
    })
    .await;
    let goal = |text: String| json!({"goal": text, "context": {"execution_preferences": {"require_approval": false}}});
    // The number makes each goal new, so that no remembered decision serves it.
    let requests: [(&str, &dyn Fn(usize) -> Value); 3] = [
        (GENERATE_FLOOR, &|_| run_request("print('hello')\n", false)),
        ("generate step, recipe by keywords", &|_| goal("Write a fibonacci function with tests".to_owned())),
        ("generate step, recipe by meaning, new goal", &|round| {
            goal(format!("shortest route between {round} places in a weighted graph of roads"))
        }),
    ];
    for (name, request) in requests {
        let mut samples = Vec::new();
        for round in 0..GENERATE_ROUNDS {
            samples.push(bench.generate_time(&request(round)).await);
        }
        let is_floor = name == GENERATE_FLOOR;
        let (floor, target) = if is_floor { (None, None) } else { (Some(GENERATE_FLOOR), Some(30.0)) };
        rows.push(Row { name: name.to_owned(), samples, floor, target });
    }
}

async fn measure_backend(backend: &'static str, target: f64, rows: &mut Vec<Row>, with_common: bool) {
    // Budgets are raised with the limits, or the thousandth run would be refused.
    let options = Options { backend, ..Options::default() }.with("budget.per_user_day", "100000");
    let stack = Stack::start_with(options).await;
    let mut bench = Bench::of(&stack).await;
    for _ in 0..10 {
        bench.time_to_end(&run_request("print('warm')\n", false)).await;
    }
    if with_common {
        rows.push(publish_floor(&stack).await);
        rows.push(submit(&bench.client).await);
        rows.push(no_sandbox(&mut bench).await);
        rows.push(decide(&mut bench).await);
    }
    let mut samples = Vec::new();
    for _ in 0..ROUNDS {
        samples.push(bench.time_to_end(&run_request("print('hello')\n", false)).await);
        // The stack is idle between two samples: a warm container has been replaced.
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    rows.push(Row {
        name: format!("POST to completed, trivial Python file, {backend}"),
        samples,
        floor: Some("floor: plain python3 process"),
        target: Some(target),
    });
}

/// Measures acknowledged, synced publishes, one after the other.
async fn publish_floor(stack: &Stack) -> Row {
    let password = std::fs::read_to_string(stack.text("/nats_password_files/cli")).expect("a password");
    let client = async_nats::ConnectOptions::new()
        .user_and_password("cli".to_owned(), password.trim().to_owned())
        .custom_inbox_prefix("_INBOX_cli")
        .connect(stack.text("/nats_url"))
        .await
        .expect("the broker");
    let jetstream = async_nats::jetstream::new(client);
    let config = async_nats::jetstream::stream::Config {
        name: "BENCH".into(),
        subjects: vec!["bench".into()],
        ..Default::default()
    };
    jetstream.create_stream(config).await.expect("a stream");
    let mut samples = Vec::new();
    for _ in 0..500 {
        let start = Instant::now();
        let ack = jetstream.publish("bench", vec![0; 1_500].into()).await.expect("published");
        ack.await.expect("acknowledged");
        samples.push(millis(start));
    }
    jetstream.delete_stream("BENCH").await.expect("deleted");
    Row { name: "floor: raw acked publish, 1.5 kB".into(), samples, floor: None, target: None }
}

async fn submit(client: &Client) -> Row {
    let request = json!({"goal": "Teach my cat to pilot a submarine", "context": {"execution_preferences": {"require_approval": false}}});
    let mut samples = Vec::new();
    for _ in 0..ROUNDS {
        let start = Instant::now();
        client.execute(&request).await;
        samples.push(millis(start));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Row {
        name: "POST execute to 202".into(),
        samples,
        floor: Some("floor: raw acked publish, 1.5 kB"),
        target: Some(10.0),
    }
}

/// Measures a workflow that is submitted, planned and failed, because nothing can serve the goal: three durable
/// appends.
async fn no_sandbox(bench: &mut Bench) -> Row {
    let request = json!({"goal": "Teach my cat to pilot a submarine", "context": {"execution_preferences": {"require_approval": false}}});
    let mut samples = Vec::new();
    for _ in 0..ROUNDS {
        samples.push(bench.time_to_end(&request).await);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Row {
        name: "workflow of three appends, no sandbox".into(),
        samples,
        floor: Some("floor: raw acked publish, 1.5 kB"),
        target: Some(6.0),
    }
}

async fn decide(bench: &mut Bench) -> Row {
    let mut samples = Vec::new();
    for _ in 0..ROUNDS / 2 {
        let id = bench.client.execute(&run_request("print('hello')\n", true)).await;
        let parked = bench.until(&id, |entry| entry.workflow.park().is_some()).await;
        let approval = parked.workflow.gate().expect("a gate").approval_id.to_string();
        tokio::time::sleep(Duration::from_millis(100)).await;
        let start = Instant::now();
        bench.client.decide(&id, &approval, "approved").await.expect(200);
        bench.until(&id, |entry| entry.workflow.status().is_terminal()).await;
        samples.push(millis(start));
    }
    Row {
        name: "decision to completed".into(),
        samples,
        floor: Some("floor: raw acked publish, 1.5 kB"),
        target: Some(15.0),
    }
}

fn print_table(rows: &[Row]) {
    println!("\n{:52} {:>9} {:>9} {:>9} {:>9}", "milliseconds", "median", "p95", "x floor", "target");
    for row in rows {
        let floor = row.floor.and_then(|name| rows.iter().find(|row| row.name == name)).map(|floor| floor.at(0.5));
        let ratio = floor.map_or("-".to_owned(), |floor| format!("{:.1}", row.at(0.5) / floor));
        let target = row.target.map_or("-".to_owned(), |target| format!("< {target:.0}"));
        println!("{:52} {:>9.2} {:>9.2} {ratio:>9} {target:>9}", row.name, row.at(0.5), row.at(0.95));
    }
}
