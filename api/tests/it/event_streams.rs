//! Event streams: history, resuming, their end, and drains.

use std::time::Duration;

use domain::approval::Actor;
use domain::ids::{EventId, WorkflowId};
use domain::workflow::{
    Artifacts, Content, Event, EventRecord, Failure, StepUsage, TestSummary, TestVerdict, transition,
};
use messaging::{LiveOutput, LiveOutputChannel, LiveStream, WorkflowLog};
use reqwest::Response;
use serde_json::{Value, json};
use service::clock::Clock;
use service::telemetry::TraceContext;
use test_support::wait_until;

use crate::stack::{Api, Stack, read, user};

/// An event as a client reads it.
#[derive(Debug, Clone, PartialEq)]
struct SseEvent {
    id: u64,
    /// Number of an output after the id of its entry; 0 for transitions.
    number: u64,
    kind: String,
    data: Value,
}

struct Reader {
    response: Response,
    text: String,
}

impl Reader {
    async fn open(api: &Api, token: &str, id: &str, last: Option<u64>) -> Self {
        Self::open_after(api, token, id, &last.map(|last| last.to_string()).unwrap_or_default()).await
    }

    async fn open_after(api: &Api, token: &str, id: &str, last: &str) -> Self {
        let request = api.request("GET", &format!("/api/v3/execute/{id}/events")).bearer_auth(token);
        let request = request.header("last-event-id", last);
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { response, text: String::new() }
    }

    /// Returns the next event; `None` once the stream has ended.
    async fn next(&mut self) -> Option<SseEvent> {
        loop {
            while let Some((block, rest)) = self.text.split_once("\n\n").map(|(a, b)| (a.to_owned(), b.to_owned())) {
                self.text = rest;
                let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned);
                if let Some(id) = field("id: ") {
                    let data = serde_json::from_str(&field("data: ").unwrap()).unwrap();
                    let (id, number) = id.split_once('.').unwrap_or((&id, "0"));
                    let (id, number) = (id.parse().unwrap(), number.parse().unwrap());
                    return Some(SseEvent { id, number, kind: field("event: ").unwrap(), data });
                }
            }
            let chunk =
                tokio::time::timeout(Duration::from_secs(10), self.response.chunk()).await.expect("a quiet stream");
            self.text.push_str(std::str::from_utf8(&chunk.unwrap()?).unwrap());
        }
    }

    async fn rest(mut self) -> Vec<SseEvent> {
        let mut events = Vec::new();
        while let Some(event) = self.next().await {
            events.push(event);
        }
        events
    }
}

async fn append_event(log: &WorkflowLog, id: &str, event: Event) {
    let id: WorkflowId = id.parse().unwrap();
    let entry = log.newest_from_leader(id).await.unwrap().unwrap();
    let at = Clock::system().now();
    let happened = EventRecord {
        event_id: EventId::fresh(),
        kind: event.kind(),
        actor: Actor::Service("tests".to_owned()),
        at,
        detail: None,
    };
    let next = transition(&entry.workflow, event, at).unwrap();
    log.append(entry.sequence, &next, &happened, TraceContext::root()).await.unwrap();
}

fn planned() -> Event {
    Event::Planned { usage: StepUsage { started_at: Clock::system().now(), queue_ms: 1, sandbox_ms: 0, cost: 0.0 } }
}

fn failed() -> Event {
    Event::failed(Failure::new("timeout", "Too slow.", "Allow more time."))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_sends_history_then_new_events_and_ends_with_the_workflow() {
    let stack = Stack::start().await;
    let api = stack.api(&[]).await;
    let token = api.token("ann").await;
    let (id, other) = (api.submit(&token).await, api.submit(&token).await);
    let mut live = Reader::open(&api, &token, &id, None).await;
    let first = live.next().await.unwrap();
    assert_eq!(
        (first.kind.as_str(), &first.data["status"], &first.data["actor"]),
        ("submitted", &json!("created"), &json!("user"))
    );
    append_event(&stack.log, &other, planned()).await;
    append_event(&stack.log, &id, planned()).await;
    let second = live.next().await.unwrap();
    assert_eq!((second.kind.as_str(), &second.data["workflow_id"]), ("planned", &json!(id)));
    assert!(second.id > first.id);
    append_event(&stack.log, &id, failed()).await;
    let end = live.rest().await;
    assert_eq!(end.len(), 1, "the stream ends with the workflow");
    let whole = Reader::open(&api, &token, &id, None).await.rest().await;
    assert_eq!(whole, [first.clone(), second.clone(), end[0].clone()]);
    assert_eq!(Reader::open(&api, &token, &id, Some(first.id)).await.rest().await, [second, end[0].clone()]);
    let path = format!("/api/v3/execute/{id}/events?last_event_id={}", end[0].id);
    assert_eq!(api.request("GET", &path).bearer_auth(&token).send().await.unwrap().status(), 204);
    let bad = api.request("GET", &path.replace("id=", "id=x")).bearer_auth(&token).send().await.unwrap();
    assert_eq!(read(bad).await.0, 422);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_event_is_lost_or_sent_twice_whenever_a_stream_is_opened() {
    let stack = Stack::start().await;
    let api = stack.api(&[]).await;
    let token = api.token("ann").await;
    for _ in 0..15 {
        let id = api.submit(&token).await;
        // The stream opens while transitions are appended, so that each round splits history elsewhere.
        let append = async {
            append_event(&stack.log, &id, planned()).await;
            append_event(&stack.log, &id, failed()).await;
        };
        let open = async { Reader::open(&api, &token, &id, None).await.rest().await };
        let ((), events) = tokio::join!(append, open);
        let kinds: Vec<&str> = events.iter().map(|event| event.kind.as_str()).collect();
        assert_eq!(kinds, ["submitted", "planned", "step_failed"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drain_ends_streams_at_once_and_another_instance_resumes_them() {
    let stack = Stack::start().await;
    let (mut one, two) = (stack.api(&[]).await, stack.api(&[]).await);
    let token = one.token("ann").await;
    let id = one.submit(&token).await;
    let mut reader = Reader::open(&one, &token, &id, None).await;
    let first = reader.next().await.unwrap();
    one.life.stop();
    assert_eq!(reader.next().await, None);
    let running = &mut one.running;
    tokio::time::timeout(Duration::from_secs(5), running).await.expect("the drain ends").unwrap();
    let mut resumed = Reader::open(&two, &token, &id, Some(first.id)).await;
    append_event(&stack.log, &id, planned()).await;
    assert_eq!(resumed.next().await.unwrap().kind, "planned");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_ends_when_the_caller_loses_access() {
    let stack = Stack::start().await;
    let api = stack.api(&[]).await;
    let (ann, root) = (api.token("ann").await, api.token("root").await);
    let id = api.submit(&ann).await;
    let mut reader = Reader::open(&api, &root, &id, None).await;
    assert_eq!(reader.next().await.unwrap().kind, "submitted");
    append_event(&stack.log, &id, planned()).await;
    assert_eq!(reader.next().await.unwrap().kind, "planned");
    stack.put_user(&user("root", domain::identity::Role::Developer)).await;
    let demoted = async || api.get(&format!("/api/v3/execute/status/{id}"), &root).await.0 == 404;
    wait_until("the API knows", demoted).await;
    append_event(&stack.log, &id, failed()).await;
    assert_eq!(reader.next().await, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_has_a_limited_number_of_streams() {
    let stack = Stack::start().await;
    let api = stack.api(&[("limits.profile", "standard")]).await;
    let token = api.token("ann").await;
    let (id, other) = (api.submit(&token).await, api.submit(&token).await);
    let mut open = Vec::new();
    for _ in 0..32 {
        open.push(Reader::open(&api, &token, &id, None).await);
    }
    let events = format!("/api/v3/execute/{other}/events");
    let refused = api.request("GET", &events).bearer_auth(&token).send().await.unwrap();
    let header = |name: &str| refused.headers()[name].to_str().unwrap().to_owned();
    assert_eq!((header("ratelimit-limit").as_str(), header("ratelimit-remaining").as_str()), ("32", "0"));
    assert_eq!(refused.status(), 429);
    // Streams end with their workflow, also if no client reads on.
    append_event(&stack.log, &id, failed()).await;
    wait_until("a place is free", async || {
        let again = api.request("GET", &events).bearer_auth(&token).send().await.unwrap();
        again.status() == 200
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_ends_when_its_token_is_revoked() {
    let stack = Stack::start().await;
    let api = stack.api(&[]).await;
    let token = api.token("ann").await;
    let id = api.submit(&token).await;
    let mut reader = Reader::open(&api, &token, &id, None).await;
    assert_eq!(reader.next().await.unwrap().kind, "submitted");
    assert_eq!(api.post("/auth/revoke", Some(&token), &json!({})).await.0, 200);
    append_event(&stack.log, &id, planned()).await;
    assert_eq!(reader.next().await, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_quiet_stream_ends_when_its_token_expires() {
    let stack = Stack::start().await;
    let (api, brief) = (stack.api(&[]).await, stack.api(&[("auth.access_ttl", "3s")]).await);
    let (revoked, lasting) = (api.token("ann").await, api.token("ann").await);
    let id = api.submit(&lasting).await;
    let expiring = brief.token("ann").await;
    for (api, token) in [(&api, &revoked), (&brief, &expiring)] {
        let mut reader = Reader::open(api, token, &id, None).await;
        assert_eq!(reader.next().await.unwrap().kind, "submitted");
        if *token == revoked {
            assert_eq!(api.post("/auth/revoke", Some(token), &json!({})).await.0, 200);
        }
        // The reader's timeout is shorter than the heartbeat interval.
        assert_eq!(reader.next().await, None);
    }
    let mut reader = Reader::open(&api, &lasting, &id, None).await;
    assert_eq!(reader.next().await.unwrap().kind, "submitted");
    append_event(&stack.log, &id, planned()).await;
    assert_eq!(reader.next().await.unwrap().kind, "planned", "another token's end is not this one's");
}

/// Advances a workflow until its code runs, and returns the sequence of that entry.
async fn run_to_execution(log: &WorkflowLog, id: &str) -> u64 {
    let usage = || StepUsage { started_at: Clock::system().now(), queue_ms: 1, sandbox_ms: 0, cost: 0.0 };
    append_event(log, id, planned()).await;
    let artifacts = Artifacts { runtime: Some("python".to_owned()), ..Artifacts::default() };
    append_event(log, id, Event::Generated { artifacts: Box::new(artifacts), usage: usage() }).await;
    let report = Content::new(json!({"overall_score": 90, "findings": [], "tools": []}).to_string());
    append_event(log, id, Event::Analyzed { report, issues: 0, usage: usage() }).await;
    log.newest_from_leader(id.parse().unwrap()).await.unwrap().unwrap().sequence
}

fn executed() -> Event {
    let usage = StepUsage { started_at: Clock::system().now(), queue_ms: 1, sandbox_ms: 0, cost: 0.0 };
    let results = Content::new(json!({"success_rate": 1.0, "total": 1, "passed": 1}).to_string());
    let tests = TestSummary { total: 1, passed: 1 };
    Event::Executed { results, tests, ran: Box::default(), rerun: TestVerdict::Passed, usage }
}

/// Sends output as a worker does.
struct Job<'a> {
    channel: LiveOutputChannel,
    id: &'a str,
    sequence: u64,
}

impl Job<'_> {
    async fn print(&self, number: u64, stream: LiveStream, text: &str) {
        let (workflow_id, sequence, text) = (self.id.parse().unwrap(), self.sequence, text.to_owned());
        self.channel.send(&LiveOutput { workflow_id, sequence, number, stream, text }).await;
    }
}

async fn submit_without_gate(api: &Api, token: &str) -> String {
    let body = json!({
        "goal": "Write a function that adds two numbers",
        "context": {"execution_preferences": {"require_approval": false}},
    });
    api.post("/api/v3/execute", Some(token), &body).await.1["data"]["workflow_id"].as_str().unwrap().to_owned()
}

/// Returns the texts of outputs and the kinds of transitions.
fn texts_of(events: &[SseEvent]) -> Vec<&str> {
    let is_output = |event: &SseEvent| event.kind == "output";
    events
        .iter()
        .map(|event| if is_output(event) { event.data["text"].as_str().unwrap() } else { &event.kind })
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn output_of_a_running_job_is_sent_in_order() {
    let stack = Stack::start().await;
    let api = stack.api(&[]).await;
    let token = api.token("ann").await;
    let id = submit_without_gate(&api, &token).await;
    let sequence = run_to_execution(&stack.log, &id).await;
    let mut reader = Reader::open(&api, &token, &id, Some(sequence - 1)).await;
    assert_eq!(reader.next().await.unwrap().kind, "analyzed");
    let job = Job { channel: LiveOutputChannel::new(&stack.broker), id: &id, sequence };
    job.print(1_001, LiveStream::Stdout, "one\n").await;
    let first = reader.next().await.unwrap();
    assert_eq!(
        (first.kind.as_str(), &first.data["stream"], &first.data["text"]),
        ("output", &json!("stdout"), &json!("one\n"))
    );
    assert_eq!((first.id, first.number), (sequence, 1_001));
    job.print(1_002, LiveStream::Stderr, "two").await;
    assert_eq!(reader.next().await.unwrap().data["stream"], "stderr");

    // Output of another entry, and a repeated number, are not this job's next output.
    Job { sequence: sequence - 1, ..Job { channel: LiveOutputChannel::new(&stack.broker), id: &id, sequence } }
        .print(1_003, LiveStream::Stdout, "of another entry")
        .await;
    job.print(1_002, LiveStream::Stdout, "repeated").await;
    job.print(1_004, LiveStream::Stdout, "last").await;
    job.print(1_005, LiveStream::End, "").await;
    append_event(&stack.log, &id, executed()).await;
    append_event(&stack.log, &id, failed()).await;
    assert_eq!(texts_of(&reader.rest().await), ["last", "executed", "step_failed"]);

    // Of a step that has ended, the result holds the output, for those who may read that.
    let late = Reader::open_after(&api, &token, &id, &format!("{sequence}.1")).await;
    assert_eq!(texts_of(&late.rest().await), ["executed", "step_failed"]);
    assert_eq!(
        texts_of(&Reader::open(&api, &token, &id, Some(sequence - 1)).await.rest().await),
        ["analyzed", "executed", "step_failed"]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_resumes_behind_the_output_that_it_has() {
    let stack = Stack::start().await;
    let api = stack.api(&[]).await;
    let token = api.token("ann").await;
    let id = submit_without_gate(&api, &token).await;
    let sequence = run_to_execution(&stack.log, &id).await;
    let mut reader = Reader::open(&api, &token, &id, Some(sequence)).await;
    let job = Job { channel: LiveOutputChannel::new(&stack.broker), id: &id, sequence };
    for (number, text) in [(11, "one"), (12, "two"), (13, "three")] {
        job.print(number, LiveStream::Stdout, text).await;
        assert_eq!(texts_of(&[reader.next().await.unwrap()]), [text]);
    }
    let mut resumed = Reader::open_after(&api, &token, &id, &format!("{sequence}.11")).await;
    assert_eq!(texts_of(&[resumed.next().await.unwrap(), resumed.next().await.unwrap()]), ["two", "three"]);
    job.print(14, LiveStream::Stdout, "four").await;
    assert_eq!(texts_of(&[reader.next().await.unwrap(), resumed.next().await.unwrap()]), ["four", "four"]);
    // Nothing of a cancelled job follows.
    job.print(15, LiveStream::Stdout, "").await;
    assert_eq!(api.post(&format!("/api/v3/execute/cancel/{id}"), Some(&token), &json!({})).await.0, 200);
    job.print(16, LiveStream::Stdout, "too late").await;
    let rest = reader.rest().await;
    assert_eq!(rest.last().map(|event| event.kind.as_str()), Some("cancelled"));
    assert!(!texts_of(&rest).contains(&"too late"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rule_of_the_operator_withholds_output_that_may_be_gated_later() {
    let stack = Stack::start().await;
    let api = stack.api(&[]).await;
    let token = api.token("ann").await;
    let id = submit_without_gate(&api, &token).await;
    let sequence = run_to_execution(&stack.log, &id).await;
    // The rule is newer than the submission.
    let strict = stack.api(&[("approval.demand_human_from", "high")]).await;
    let mut withheld = Reader::open(&strict, &strict.token("ann").await, &id, Some(sequence - 1)).await;
    assert_eq!(withheld.next().await.unwrap().kind, "analyzed");
    let mut shown = Reader::open(&api, &token, &id, Some(sequence - 1)).await;
    assert_eq!(shown.next().await.unwrap().kind, "analyzed");
    let job = Job { channel: LiveOutputChannel::new(&stack.broker), id: &id, sequence };
    job.print(1, LiveStream::Stdout, "secret").await;
    assert_eq!(texts_of(&[shown.next().await.unwrap()]), ["secret"]);
    append_event(&stack.log, &id, failed()).await;
    assert_eq!(texts_of(&withheld.rest().await), ["step_failed"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn output_before_a_gate_is_for_those_who_may_decide() {
    let stack = Stack::start().await;
    let api = stack.api(&[]).await;
    let (ann, root) = (api.token("ann").await, api.token("root").await);
    let id = api.submit(&ann).await;
    let sequence = run_to_execution(&stack.log, &id).await;
    let mut admin = Reader::open(&api, &root, &id, Some(sequence - 1)).await;
    let mut owner = Reader::open(&api, &ann, &id, Some(sequence - 1)).await;
    assert_eq!(
        (admin.next().await.unwrap().kind, owner.next().await.unwrap().kind),
        ("analyzed".to_owned(), "analyzed".to_owned())
    );
    let job = Job { channel: LiveOutputChannel::new(&stack.broker), id: &id, sequence };
    job.print(1, LiveStream::Stdout, "withheld").await;
    assert_eq!(texts_of(&[admin.next().await.unwrap()]), ["withheld"]);
    job.print(2, LiveStream::End, "").await;
    append_event(&stack.log, &id, failed()).await;
    assert_eq!(texts_of(&owner.rest().await), ["step_failed"]);
    let again = Reader::open_after(&api, &ann, &id, &format!("{sequence}.1")).await;
    assert_eq!(texts_of(&again.rest().await), ["step_failed"]);
}
