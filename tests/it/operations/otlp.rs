//! Traces over OTLP, of programs built with their feature `otlp`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use opentelemetry_proto::tonic::collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse};
use opentelemetry_proto::tonic::common::v1::any_value::Value as AnyValue;
use opentelemetry_proto::tonic::common::v1::{AnyValue as Attribute, KeyValue};
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use prost::Message as _;
use serde_json::json;
use tests::{Options, Scrape, Stack, eventually, run_request};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// The span of the client that a test pretends to be.
const CLIENT_SPAN: &str = "00f067aa0ba902b7";
const LIMIT: Duration = Duration::from_secs(15);

/// A received span with the attributes of its process.
#[derive(Debug, Clone)]
struct Received {
    resource: BTreeMap<String, String>,
    span: Span,
}

impl Received {
    fn service(&self) -> &str {
        &self.resource["service.name"]
    }

    fn id(&self) -> String {
        hex::encode(&self.span.span_id)
    }

    /// Returns the id of the parent; empty without one.
    fn parent(&self) -> String {
        hex::encode(&self.span.parent_span_id)
    }

    fn attributes(&self) -> BTreeMap<String, String> {
        texts(&self.span.attributes)
    }

    fn has_failed(&self) -> bool {
        self.span.status.as_ref().is_some_and(|status| status.code == StatusCode::Error as i32)
    }
}

fn texts(attributes: &[KeyValue]) -> BTreeMap<String, String> {
    let text = |value: &Option<Attribute>| match value.as_ref().and_then(|value| value.value.as_ref()) {
        Some(AnyValue::StringValue(text)) => text.clone(),
        Some(AnyValue::IntValue(number)) => number.to_string(),
        other => panic!("{other:?} is neither text nor number"),
    };
    attributes.iter().map(|pair| (pair.key.clone(), text(&pair.value))).collect()
}

/// A receiver of OTLP over HTTP; it stops listening when it is dropped.
struct Receiver {
    address: String,
    spans: Arc<Mutex<Vec<Received>>>,
    task: JoinHandle<()>,
}

impl Receiver {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = format!("http://{}", listener.local_addr().expect("an address"));
        let spans: Arc<Mutex<Vec<Received>>> = Arc::default();
        let shared = spans.clone();
        #[expect(clippy::disallowed_methods, reason = "a test has no tracker; the task ends with the receiver")]
        let task = tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                if let Some(body) = receive(&mut stream).await {
                    shared.lock().expect("spans").extend(spans_of(&body));
                }
            }
        });
        Self { address, spans, task }
    }

    /// Returns the received spans of a trace.
    fn of(&self, trace: &str) -> Vec<Received> {
        let all = self.spans.lock().expect("spans").clone();
        all.into_iter().filter(|one| hex::encode(&one.span.trace_id) == trace).collect()
    }

    /// Waits until spans with all of these names and the parents of all spans have arrived; returns the trace.
    async fn has(&self, trace: &str, names: &[&str]) -> Vec<Received> {
        let complete = || async {
            let found = self.of(trace);
            let has_all = names.iter().all(|name| found.iter().any(|one| one.span.name == *name));
            (has_all && orphans(&found).next().is_none()).then_some(found)
        };
        if let Ok(found) = tokio::time::timeout(LIMIT, eventually("spans arrive", LIMIT * 2, complete)).await {
            return found;
        }
        let found = self.of(trace);
        panic!("{names:?} or the parents of {:?} are not among {found:#?}", orphans(&found).collect::<Vec<_>>());
    }
}

/// Returns the names of spans whose parent is neither received nor the client's span.
fn orphans(trace: &[Received]) -> impl Iterator<Item = &str> {
    let ids: BTreeSet<String> = trace.iter().map(Received::id).collect();
    let is_known = move |parent: String| parent.is_empty() || parent == CLIENT_SPAN || ids.contains(&parent);
    trace.iter().filter(move |one| !is_known(one.parent())).map(|one| one.span.name.as_str())
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Reads one request, answers it, and returns its body; `None` if it ends early.
async fn receive(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let (head, start) = loop {
        let mut buffer = [0; 4096];
        let read = stream.read(&mut buffer).await.ok().filter(|read| *read > 0)?;
        bytes.extend_from_slice(&buffer[..read]);
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break (String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase(), end + 4);
        }
    };
    assert!(head.starts_with("post /v1/traces "), "{head}");
    assert!(head.contains("content-type: application/x-protobuf"), "{head}");
    let length: usize = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok())?;
    let mut body = bytes.split_off(start);
    let received = body.len();
    body.resize(length, 0);
    stream.read_exact(&mut body[received..]).await.ok()?;
    let answer = ExportTraceServiceResponse::default().encode_to_vec();
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/x-protobuf\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        answer.len()
    );
    // A process that was stopped does not read.
    drop(stream.write_all(&[head.into_bytes(), answer].concat()).await);
    Some(body)
}

fn spans_of(body: &[u8]) -> Vec<Received> {
    let request = ExportTraceServiceRequest::decode(body).expect("an export request");
    let of_process = request.resource_spans.into_iter().flat_map(|process| {
        let resource = texts(&process.resource.expect("a resource").attributes);
        let spans = process.scope_spans.into_iter().flat_map(|scope| scope.spans);
        spans.map(|span| Received { resource: resource.clone(), span }).collect::<Vec<_>>()
    });
    of_process.collect()
}

fn traceparent(trace: &str, flags: &str) -> String {
    format!("00-{trace}-{CLIENT_SPAN}-{flags}")
}

/// Returns the name of the parent of each span, by name; `client` for the client's, empty without one.
fn parents_of(trace: &[Received]) -> BTreeMap<&str, &str> {
    let mut names: BTreeMap<String, &str> = trace.iter().map(|one| (one.id(), one.span.name.as_str())).collect();
    assert_eq!(names.len(), trace.len(), "every span has an id of its own");
    names.extend([(CLIENT_SPAN.to_owned(), "client"), (String::new(), "")]);
    trace.iter().map(|one| (one.span.name.as_str(), names[&one.parent()])).collect()
}

#[tokio::test]
async fn one_trace_leads_from_the_request_to_the_release() {
    let receiver = Receiver::start().await;
    let stack = Stack::start_with(Options::default().with("telemetry.otlp_endpoint", &*receiver.address)).await;
    let client = stack.developer().await;
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let parent = traceparent(trace, "01");
    let headers = [("traceparent", parent.as_str())];
    let body = run_request("print('marker_in_code')\n", true).to_string();
    let answer = client.send("POST", "/api/v3/execute", &headers, Some(body)).await.expect(202);
    let id = answer["data"]["workflow_id"].as_str().expect("an id").to_owned();
    let parked = client.until(&id, "waiting_approval").await;
    let approval = &parked["pending_approvals"][0]["approval_id"];
    let decision = json!({"workflow_id": id, "approval_id": approval, "decision": "approved"}).to_string();
    let path = format!("/api/v3/execute/approve/{id}");
    client.send("POST", &path, &headers, Some(decision)).await.expect(200);
    client.until(&id, "completed").await;
    let submit = "POST /api/v3/execute";
    let approve = "POST /api/v3/execute/approve/{workflow_id}";
    let names = [
        submit,
        "plan step",
        "generate step",
        "analyze step",
        "execute step",
        "evaluate gate",
        "append parked",
        approve,
        "decide",
        "append decided",
    ];
    let spans = receiver.has(trace, &names).await;
    let parents = parents_of(&spans);
    for (name, parent) in [
        (submit, "client"),
        ("plan step", submit),
        ("generate step", "plan step"),
        ("append parked", "evaluate gate"),
        (approve, "client"),
        ("decide", approve),
        ("append decided", "decide"),
    ] {
        assert_eq!(parents[name], parent, "{name} among {parents:#?}");
    }
    let services: BTreeSet<&str> = spans.iter().map(Received::service).collect();
    assert_eq!(
        services.into_iter().collect::<Vec<_>>(),
        ["promptcraft-api", "promptcraft-approver", "promptcraft-worker"]
    );
    for one in &spans {
        assert!(!one.resource["service.instance.id"].is_empty() && !one.resource["service.version"].is_empty());
        assert!(!one.has_failed(), "{one:?}");
        assert!(!format!("{one:?}").contains("marker_in_code"), "{one:?}");
        if one.service() != "promptcraft-api" {
            assert_eq!(one.attributes()["workflow.id"], id);
        }
    }
}

#[tokio::test]
async fn a_trace_has_failures_and_analyses_and_begins_here_without_a_caller() {
    let receiver = Receiver::start().await;
    let stack = Stack::start_with(Options::default().with("telemetry.otlp_endpoint", &*receiver.address)).await;
    let client = stack.developer().await;
    let failing = "11111111111111111111111111111111";
    let parent = traceparent(failing, "01");
    let unserved = json!({"goal": "Teach a fish to pilot a submarine", "context": {"execution_preferences": {"require_approval": false}}});
    let answer = client
        .send("POST", "/api/v3/execute", &[("traceparent", &parent)], Some(unserved.to_string()))
        .await
        .expect(202);
    client.until(answer["data"]["workflow_id"].as_str().expect("an id"), "failed").await;
    let spans = receiver.has(failing, &["generate step"]).await;
    let failed = spans.iter().find(|one| one.has_failed()).expect("a failed span");
    assert_eq!(failed.span.name, "generate step");

    let unsampled = "22222222222222222222222222222222";
    let analysed = "33333333333333333333333333333333";
    let analysis = json!({"context": {"file_content": "print(1)\n"}, "analysis_type": "security"}).to_string();
    for (trace, flags) in [(unsampled, "00"), (analysed, "01")] {
        let parent = traceparent(trace, flags);
        let body = analysis.replace("print(1)", &format!("print({flags})"));
        client.send("POST", "/api/v3/analyze", &[("traceparent", &parent)], Some(body)).await.expect(200);
    }
    let spans = receiver.has(analysed, &["run analysis"]).await;
    assert_eq!(parents_of(&spans)["run analysis"], "POST /api/v3/analyze");

    let id = client.run("print(1)\n").await;
    client.until(&id, "completed").await;
    let begun_here = || async {
        let all = receiver.spans.lock().expect("spans").clone();
        let step =
            all.iter().find(|one| one.span.name == "plan step" && one.attributes()["workflow.id"] == id)?.clone();
        Some(hex::encode(&step.span.trace_id))
    };
    let trace = eventually("the plan step arrives", LIMIT, begun_here).await;
    let spans = receiver.has(&trace, &["POST /api/v3/execute", "execute step"]).await;
    assert_eq!(parents_of(&spans)["POST /api/v3/execute"], "", "a trace without a caller has a root");
    assert_eq!(receiver.of(unsampled).len(), 0, "the caller did not sample this trace");
}

#[tokio::test]
async fn an_unreachable_receiver_only_costs_spans() {
    let address = {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        format!("http://{}", listener.local_addr().expect("an address"))
    };
    let stack = Stack::start_with(Options::default().with("telemetry.otlp_endpoint", address)).await;
    let client = stack.developer().await;
    let id = client.run("print(1)\n").await;
    client.until(&id, "completed").await;
    for pointer in ["/api_metrics_url", "/worker_metrics_urls/0", "/approver_metrics_url"] {
        let is_counted = || async {
            let scrape = Scrape::of(&stack, pointer).await;
            (scrape.sum("promptcraft_spans_dropped_total", &[]) > 0.0).then_some(())
        };
        eventually("dropped spans are counted", Duration::from_secs(30), is_counted).await;
    }
    client.get("/api/v3/execute").await.expect(200);
    for component in ["api", "worker-1", "approver"] {
        let log = stack.log(component);
        let lines = log.lines().filter(|line| line.contains("Traces: dropped")).count();
        assert!((1..=2).contains(&lines), "{component} reports at most once a minute:\n{log}");
    }
}
