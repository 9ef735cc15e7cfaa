//! `promptcraft admin archive`: workflows that ended long ago are moved from the log to files, complete and once, even
//! if the tool is killed.
//!
//! The instrumented tool's clock is 40 days ahead, so that a workflow that ends now is old enough for it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use domain::approval::Actor;
use domain::ids::{Digest, EventId};
use domain::workflow::{Event, EventKind, EventRecord, transition};
use messaging::{Retention, WorkflowLog};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use service::clock::Clock;
use service::telemetry::TraceContext;
use tests::{
    Client, Stack, Terminal, audit_log, broker_as, differences, eventually, history, program, raw_broker_as,
    run_request,
};

const DAY_MS: u64 = 86_400_000;

/// The instrumented tool on a stack.
struct Archiver<'s> {
    stack: &'s Stack,
    orders: PathBuf,
}

impl<'s> Archiver<'s> {
    fn new(stack: &'s Stack) -> Self {
        let archiver = Self { stack, orders: stack.directory().join("orders") };
        fs::create_dir_all(&archiver.orders).expect("a folder");
        archiver.days_ahead(40);
        archiver
    }

    fn days_ahead(&self, days: u64) {
        self.order("clock", &(days * DAY_MS).to_string());
    }

    fn order(&self, place: &str, order: &str) {
        fs::write(self.orders.join(place), order).expect("an order");
    }

    /// Returns whether a failpoint was triggered.
    fn has_reached(&self, place: &str) -> bool {
        !self.orders.join(place).exists()
    }

    fn start(&self, words: &[&str]) -> Child {
        Command::new(program("instrumented/promptcraft"))
            .args(["admin", "archive"])
            .args(words)
            .arg("--data")
            .arg(self.stack.directory())
            .env("PROMPTCRAFT_FAILPOINTS", &self.orders)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the instrumented tool was built: scripts/instrument.sh")
    }

    fn end(child: Child) -> Output {
        child.wait_with_output().expect("it ends")
    }

    /// Runs to the end and returns the output.
    #[track_caller]
    fn run(&self, words: &[&str]) -> String {
        let output = Self::end(self.start(words));
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("text")
    }

    /// Returns the line of a workflow in a complete file.
    fn line(&self, id: &str) -> Value {
        let texts = files(&self.stack.directory().join("archive")).into_iter().map(fs::read_to_string);
        let texts: Vec<String> = texts.map(|text| text.expect("text")).collect();
        let line =
            texts.iter().flat_map(|text| text.lines()).find(|line| line.contains(&format!("\"workflow_id\":\"{id}\"")));
        serde_json::from_str(line.expect("a line")).expect("JSON")
    }

    /// Returns how often complete files hold each workflow.
    fn lines(&self) -> BTreeMap<String, usize> {
        let mut lines = BTreeMap::new();
        for path in files(&self.stack.directory().join("archive")) {
            let text = fs::read_to_string(path).expect("text");
            for line in text.lines().skip(1) {
                let line: Value = serde_json::from_str(line).expect("JSON");
                *lines.entry(line["workflow_id"].as_str().expect("an id").to_owned()).or_default() += 1;
            }
        }
        lines
    }
}

/// Returns the complete files; a run that died leaves others behind.
fn files(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).expect("an archive").flatten();
    entries.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|ending| ending == "jsonl")).collect()
}

async fn log_of(stack: &Stack) -> WorkflowLog {
    WorkflowLog::new(&broker_as(stack, "cli").await)
}

/// Returns a request that fails within milliseconds, because nothing can serve it.
fn hopeless() -> Value {
    json!({"goal": "Teach my cat to pilot a submarine", "context": {"execution_preferences": {"require_approval": false}}})
}

/// Runs this many workflows to their end, with every effect.
async fn ended(stack: &Stack, client: &Client, count: usize) -> Vec<String> {
    let mut ids = Vec::new();
    for _ in 0..count {
        ids.push(client.execute(&hopeless()).await);
    }
    for id in &ids {
        client.until(id, "failed").await;
    }
    settled(stack).await;
    ids
}

/// Waits until every effect of the entries in the log has happened.
async fn settled(stack: &Stack) {
    let retention = Retention::new(&broker_as(stack, "cli").await);
    let log = log_of(stack).await;
    eventually("every effect has happened", Duration::from_secs(30), || async {
        let last = newest(&log).await;
        (retention.settled_up_to().await.expect("consumers") >= last).then_some(())
    })
    .await;
}

async fn newest(log: &WorkflowLog) -> u64 {
    use futures_util::StreamExt;
    let mut entries = std::pin::pin!(log.scan().await.expect("the log"));
    let mut last = 0;
    while let Some(entry) = entries.next().await {
        last = last.max(entry.map_or(0, |entry| entry.sequence));
    }
    last
}

async fn is_gone(client: &Client, id: &str) -> bool {
    client.get(&format!("/api/v3/execute/status/{id}")).await.status == 404
}

/// Returns a document as it reads after it was written: the last digit of a fraction may differ.
fn read_back(document: &Value) -> Value {
    serde_json::from_str(&document.to_string()).expect("JSON")
}

#[tokio::test]
async fn what_ended_long_ago_leaves_the_log_whole() {
    let stack = Stack::start().await;
    let (client, archiver, log) = (stack.developer().await, Archiver::new(&stack), log_of(&stack).await);
    let code = format!("print('done')\n# {}\n", "x".repeat(10_000));
    let done = client.run(&code).await;
    client.until(&done, "completed").await;
    let key = [("idempotency-key", "once")];
    let keyed = client.send("POST", "/api/v3/execute", &key, Some(hopeless().to_string())).await.expect(202);
    let keyed = keyed["data"]["workflow_id"].as_str().expect("an id").to_owned();
    client.until(&keyed, "failed").await;
    let cancelled = client.execute(&run_request("print('never')\n", true)).await;
    client.until(&cancelled, "waiting_approval").await;
    client.post(&format!("/api/v3/execute/cancel/{cancelled}"), &json!({})).await.expect(200);
    let parked = client.execute(&run_request("print('parked')\n", true)).await;
    client.until(&parked, "waiting_approval").await;
    settled(&stack).await;
    let (told, audited) = (history(&log, &done).await, audit_log(&stack).await);

    // By the clock of now everything is too young.
    assert!(Terminal::new(&stack).run(&["admin", "archive"]).well().starts_with("archived 0 workflows"));
    Terminal::new(&stack).run(&["admin", "archive", "--older-than", "23h"]).refused(1, "at least 24h");
    assert!(archiver.run(&["--older-than", "41d", "--dry-run"]).starts_with("0 workflows"));
    assert!(archiver.run(&["--dry-run"]).starts_with("3 workflows"));
    assert_eq!(client.status(&done).await["status"], "completed", "a dry run changes nothing");
    assert!(archiver.run(&[]).starts_with("archived 3 workflows"));

    for id in [&done, &keyed, &cancelled] {
        assert!(is_gone(&client, id).await, "{id}");
        assert!(history(&log, id).await.is_empty(), "{id}");
    }
    let list = client.get("/api/v3/execute?limit=100").await.expect(200).to_string();
    assert!(list.contains(&parked) && !list.contains(&done) && !list.contains(&cancelled), "{list}");
    assert!(differences(&stack).await.is_empty());
    assert_eq!(audit_log(&stack).await, audited);

    let shown = archiver.run(&["show", &done]);
    assert!(shown.contains("status    completed") && shown.contains("gate_released"), "{shown}");
    let printed: Value = serde_json::from_str(&archiver.run(&["show", &done, "--json"])).expect("JSON");
    assert_eq!(printed["messages"].as_array().map(Vec::len), Some(told.len()));
    let kept = archiver.line(&done);
    let messages = kept["messages"].as_array().expect("messages");
    for (message, entry) in messages.iter().zip(&told) {
        assert_eq!(
            (message["sequence"].as_u64(), message["subject"].as_str()),
            (Some(entry.sequence), Some(entry.subject.as_str()))
        );
        assert_eq!(
            message["body"]["body"],
            read_back(&json!({"workflow": entry.workflow, "happened": entry.happened}))
        );
    }
    let digest = Digest::of(code.as_bytes()).to_string();
    let content = stack.directory().join("archive/contents").join(&digest[..2]).join(&digest);
    assert_eq!(fs::read_to_string(content).expect("the code"), code);

    assert!(archiver.run(&[]).starts_with("archived 0 workflows"), "it is done");
    let again = client.send("POST", "/api/v3/execute", &key, Some(hopeless().to_string())).await;
    again.expect(202);
    assert_eq!(again.header("idempotency-replayed"), "", "what has left the log begins anew");
    let question = client.status(&parked).await["pending_approvals"][0]["approval_id"].clone();
    client.decide(&parked, question.as_str().expect("an id"), "approved").await.expect(200);
    client.until(&parked, "completed").await;
}

#[tokio::test]
async fn killed_anywhere_it_loses_nothing_and_keeps_nothing_twice() {
    let stack = Stack::start().await;
    let (client, archiver) = (stack.developer().await, Archiver::new(&stack));
    let mut all = Vec::new();
    for place in ["archive.part", "archive.pending", "archive.halfway", "archive.taken", "archive.forgotten"] {
        let ids = ended(&stack, &client, 8).await;
        archiver.order(place, "abort");
        let died = Archiver::end(archiver.start(&[]));
        assert!(!died.status.success() && archiver.has_reached(place), "{place}: {died:?}");
        for id in &ids {
            let in_log = !is_gone(&client, id).await;
            assert!(in_log || archiver.run(&["show", id]).contains("status    failed"), "{place}: {id} is lost");
        }
        all.extend(ids);
    }
    // The last one is left for these.
    all.extend(ended(&stack, &client, 40).await);
    for millis in (0..).step_by(45) {
        let mut child = archiver.start(&[]);
        tokio::time::sleep(Duration::from_millis(millis)).await;
        let has_ended = child.try_wait().expect("a child").is_some();
        drop(child.kill());
        let output = Archiver::end(child);
        if has_ended {
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            break;
        }
    }
    archiver.run(&[]);
    let expected: BTreeMap<String, usize> = all.iter().map(|id| (id.clone(), 1)).collect();
    assert_eq!(archiver.lines(), expected);
    for id in &all {
        assert!(is_gone(&client, id).await, "{id}");
    }
    assert!(differences(&stack).await.is_empty());
}

/// Returns the file of a run that died before it removed anything from the log.
fn left_pending(archiver: &Archiver<'_>) -> PathBuf {
    archiver.order("archive.pending", "abort");
    assert!(!Archiver::end(archiver.start(&[])).status.success());
    let entries = fs::read_dir(archiver.stack.directory().join("archive")).expect("an archive").flatten();
    let mut paths = entries.map(|entry| entry.path());
    paths.find(|path| path.extension().is_some_and(|ending| ending == "pending")).expect("a file")
}

#[tokio::test]
async fn a_file_of_another_log_takes_nothing_out_of_this_one() {
    let stack = Stack::start().await;
    let (client, archiver) = (stack.developer().await, Archiver::new(&stack));
    let ids = ended(&stack, &client, 3).await;
    let pending = left_pending(&archiver);
    let text = fs::read_to_string(&pending).expect("text");
    let (heading, lines) = text.split_once('\n').expect("lines");
    let mut other: Value = serde_json::from_str(heading).expect("JSON");
    other["log"] = json!("2020-01-01T00:00:00Z");
    fs::write(&pending, format!("{other}\n{lines}")).expect("written");
    let refused = Archiver::end(archiver.start(&[]));
    assert!(
        !refused.status.success() && String::from_utf8_lossy(&refused.stderr).contains("another log"),
        "{refused:?}"
    );
    for id in &ids {
        assert_eq!(client.status(id).await["status"], "failed");
    }
    fs::write(&pending, text).expect("written");
    assert!(archiver.run(&[]).starts_with("archived 3 workflows"));
    for id in &ids {
        assert!(is_gone(&client, id).await, "{id}");
    }
}

/// A restored log keeps its name, and its sequences are used again from the backup on.
#[tokio::test]
async fn a_file_from_before_a_restore_takes_nothing_out_that_it_does_not_hold() {
    let stack = Stack::start().await;
    let (client, archiver, log) = (stack.developer().await, Archiver::new(&stack), log_of(&stack).await);
    let parked = client.execute(&run_request("print('parked')\n", true)).await;
    client.until(&parked, "waiting_approval").await;
    let ids = ended(&stack, &client, 2).await;
    let told = history(&log, &parked).await;
    let pending = left_pending(&archiver);
    let text = fs::read_to_string(&pending).expect("text");
    let mut lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let places = lines[1]["messages"].as_array_mut().expect("messages").iter_mut();
    for (place, entry) in places.zip(&told) {
        place["sequence"] = json!(entry.sequence);
    }
    let end = lines[1]["messages"].as_array().and_then(|places| places.last()).expect("an end").clone();
    let is_mixed = end["sequence"].as_u64().is_some_and(|sequence| told.iter().any(|entry| entry.sequence == sequence));
    assert!(is_mixed, "the file claims the places of another workflow: {end}");
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    fs::write(&pending, text).expect("written");

    let said = archiver.run(&[]);
    assert!(said.contains("skipped 1 workflows of an earlier run"), "{said}");
    assert_eq!(history(&log, &parked).await, told);
    for id in &ids {
        assert!(is_gone(&client, id).await, "the same run archives anew what stayed: {id}");
    }
    assert!(differences(&stack).await.is_empty());
    let question = client.status(&parked).await["pending_approvals"][0]["approval_id"].clone();
    client.decide(&parked, question.as_str().expect("an id"), "approved").await.expect(200);
    client.until(&parked, "completed").await;
}

#[tokio::test]
async fn a_clock_that_is_behind_makes_no_end_older() {
    let stack = Stack::start().await;
    let client = stack.developer().await;
    let id = client.execute(&run_request("print('never')\n", true)).await;
    client.until(&id, "waiting_approval").await;
    // The API cancels it, with a clock 40 days behind.
    let log = WorkflowLog::new(&broker_as(&stack, "api").await);
    let newest = log.newest_from_leader(id.parse().expect("an id")).await.expect("the log").expect("a workflow");
    let (by, at) = (Actor::Service("api".into()), Clock::system().now().before(Duration::from_millis(40 * DAY_MS)));
    let next = transition(&newest.workflow, Event::Cancelled { by: by.clone() }, at).expect("it may be cancelled");
    let happened = EventRecord { event_id: EventId::fresh(), kind: EventKind::Cancelled, actor: by, at, detail: None };
    log.append(newest.sequence, &next, &happened, TraceContext::root()).await.expect("it ends");
    client.until(&id, "cancelled").await;
    settled(&stack).await;
    assert!(Terminal::new(&stack).run(&["admin", "archive"]).well().starts_with("archived 0 workflows"));
    assert_eq!(client.status(&id).await["status"], "cancelled");
    assert!(Archiver::new(&stack).run(&[]).starts_with("archived 1 workflows"), "40 days later it is old");
}

#[tokio::test]
async fn a_text_in_whose_place_another_stands_is_reported_and_holds_nothing_up() {
    let stack = Stack::start().await;
    let (client, archiver) = (stack.developer().await, Archiver::new(&stack));
    let texts = ["whole", "damaged"].map(|name| format!("print('{name}')\n# {}\n", "x".repeat(10_000)));
    let digests = texts.clone().map(|text| Digest::of(text.as_bytes()));
    let mut ids = Vec::new();
    for text in &texts {
        ids.push(client.run(text).await);
        client.until(&ids[ids.len() - 1], "completed").await;
    }
    settled(&stack).await;
    let worker = raw_broker_as(&stack, "worker").await;
    worker.publish(format!("blob.{}", digests[1]), "another text".into()).await.expect("sent");
    worker.flush().await.expect("flushed");
    let said = archiver.run(&[]);
    assert!(said.starts_with("archived 2 workflows") && said.contains("a text is corrupted"), "{said}");
    let [whole, damaged] = digests.map(|digest| digest.to_string());
    let kept = |name: &str| stack.directory().join("archive/contents").join(&name[..2]).join(name);
    assert_eq!(fs::read_to_string(kept(&whole)).expect("a text"), texts[0]);
    assert!(!kept(&damaged).exists(), "what lies under a digest has it");
    assert_eq!(fs::read_to_string(kept(&format!("{damaged}.damaged"))).expect("a text"), "another text");
    let (shown, other) = (archiver.run(&["show", &ids[1]]), archiver.run(&["show", &ids[0]]));
    assert!(shown.contains("damaged   ") && !other.contains("damaged   ") && other.contains("content   "), "{shown}");
}

#[tokio::test]
async fn a_text_that_is_submitted_while_it_is_about_to_be_dropped_stays() {
    let stack = Stack::start().await;
    let (client, archiver) = (stack.developer().await, Archiver::new(&stack));
    let retention = Retention::new(&broker_as(&stack, "cli").await);
    let texts = ["first", "second"].map(|name| format!("print('{name}')\n# {}\n", "x".repeat(10_000)));
    let digests = texts.clone().map(|text| Digest::of(text.as_bytes()));
    for text in &texts {
        let id = client.run(text).await;
        client.until(&id, "completed").await;
    }
    settled(&stack).await;
    assert!(archiver.run(&[]).contains("removed 0 unreferenced texts; 2 more"));
    assert_eq!(retention.contents().await.expect("contents").len(), 2);

    // The second pass has found both, and pauses before it drops them while one is submitted again.
    archiver.days_ahead(42);
    archiver.order("archive.contents", "pause 4000");
    let clearing = archiver.start(&[]);
    eventually("both are found", Duration::from_secs(20), || async {
        archiver.has_reached("archive.contents").then_some(())
    })
    .await;
    let clearer = i32::try_from(clearing.id()).ok().and_then(Pid::from_raw).expect("a process");
    kill_process(clearer, Signal::STOP).expect("it is there");
    assert_eq!(retention.contents().await.expect("contents").len(), 2, "none is dropped yet");
    stack.signal("worker-1", Signal::STOP);
    let late = client.run(&texts[0]).await;
    assert_eq!(retention.contents().await.expect("contents").len(), 2, "it is accepted before any is dropped");
    kill_process(clearer, Signal::CONT).expect("it is there");
    let output = Archiver::end(clearing);
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("removed 2 unreferenced texts"), "{output:?}");
    let left = retention.contents().await.expect("contents");
    assert!(left.contains_key(&digests[0]) && !left.contains_key(&digests[1]), "{left:?}");
    stack.signal("worker-1", Signal::CONT);
    let done = client.until(&late, "completed").await;
    assert_eq!(done["artifacts"]["test_results"]["stdout"], "first\n");
}
