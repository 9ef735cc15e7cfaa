//! A small HTTP service in the place of the API, with one fault.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::OnceCell;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

/// The fault of a service.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Fault {
    None,
    /// Every operation is 500.
    Errors,
    /// No operation is answered for this time after the first one.
    Stall(Duration),
    /// A repeated key returns another workflow.
    ForgetsKeys,
    /// Every fourth workflow never ends.
    Loses,
    /// The status has another end at each request.
    EndsAgain,
    /// The log has an event after the end.
    GoesOn,
    /// Scripts print something else.
    Misprints,
    /// Every workflow is cancelled.
    Cancels,
}

pub(crate) struct FakeService {
    pub(crate) url: String,
    _connections: JoinSet<()>,
}

struct State {
    fault: Fault,
    first: OnceCell<Instant>,
    keys: Mutex<BTreeMap<String, u64>>,
    /// Outputs of scripts by workflow.
    outputs: Mutex<BTreeMap<u64, String>>,
    next: AtomicU64,
}

impl FakeService {
    pub(crate) async fn start(fault: Fault) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(State {
            fault,
            first: OnceCell::new(),
            keys: Mutex::default(),
            outputs: Mutex::default(),
            next: AtomicU64::new(1),
        });
        let mut connections = JoinSet::new();
        connections.spawn(async move {
            let mut open = JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                open.spawn(serve(stream, state.clone()));
            }
        });
        Self { url, _connections: connections }
    }
}

/// Serves requests until the client closes the connection.
async fn serve(stream: TcpStream, state: Arc<State>) {
    let mut stream = BufReader::new(stream);
    loop {
        let mut head = Vec::new();
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line).await.unwrap_or(0) == 0 {
                return;
            }
            if line == "\r\n" {
                break;
            }
            head.push(line.trim_end().to_owned());
        }
        let header = |name: &str| head.iter().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        let length = header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
        let mut body = vec![0; length];
        stream.read_exact(&mut body).await.unwrap();
        let path = head[0].split(' ').nth(1).unwrap();
        let (status, text) = state.answer(path, &body, header("idempotency-key"), header("last-event-id")).await;
        let answer = format!("HTTP/1.1 {status} x\r\ncontent-length: {}\r\n\r\n{text}", text.len());
        if stream.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}

impl State {
    async fn answer(&self, path: &str, body: &[u8], key: Option<&str>, last_event: Option<&str>) -> (u16, String) {
        match path {
            "/auth/token" => return (200, json!({"access_token": "t", "expires_in": 900}).to_string()),
            "/health" => return (200, json!({"status": "healthy", "version": "fake"}).to_string()),
            _ => {}
        }
        if self.fault == Fault::Errors {
            return (500, "{}".to_owned());
        }
        if let Fault::Stall(time) = self.fault {
            sleep_until(*self.first.get_or_init(async || Instant::now()).await + time).await;
        }
        match path.rsplit('/').next().unwrap() {
            "analyze" => (200, json!({"data": {"suggestions": []}}).to_string()),
            "execute" => {
                let id = self.workflow(key.unwrap());
                self.outputs.lock().unwrap().extend(output_of(body).map(|output| (id, output)));
                (202, json!({"data": {"workflow_id": id.to_string()}}).to_string())
            }
            "events" => self.events(last_event.unwrap()),
            id => (200, json!({"data": self.status(id.parse().unwrap())}).to_string()),
        }
    }

    fn workflow(&self, key: &str) -> u64 {
        let mut keys = self.keys.lock().unwrap();
        match keys.get(key).filter(|_| self.fault != Fault::ForgetsKeys) {
            Some(id) => *id,
            None => {
                let id = self.next.fetch_add(1, Ordering::Relaxed);
                keys.insert(key.to_owned(), id);
                id
            }
        }
    }

    fn status(&self, id: u64) -> Value {
        if self.fault == Fault::Loses && id.is_multiple_of(4) {
            return json!({"status": "running"});
        }
        let at = if self.fault == Fault::EndsAgain { self.next.fetch_add(1, Ordering::Relaxed) } else { 0 };
        let status = if self.fault == Fault::Cancels { "cancelled" } else { "completed" };
        let output = self.outputs.lock().unwrap().get(&id).cloned();
        let output = output.filter(|_| self.fault != Fault::Misprints).unwrap_or_else(|| "total 0\n".to_owned());
        json!({
            "status": status,
            "updated_at": at.to_string(),
            "artifacts": {"test_results": {"stdout": output}},
        })
    }

    fn events(&self, last: &str) -> (u16, String) {
        let event =
            |id: u64, status: &str| format!("id: {id}\ndata: {{\"status\":\"{status}\",\"current_step\":1}}\n\n");
        match last {
            "0" => (200, event(1, "running") + &event(2, "completed")),
            _ if self.fault == Fault::GoesOn => (200, event(3, "failed")),
            _ => (204, String::new()),
        }
    }
}

/// Returns what a submitted script prints: the sum of the squares below the number in its `range(...)`.
fn output_of(body: &[u8]) -> Option<String> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let code = body["context"]["project_context"]["file_content"].as_str()?;
    let (number, _) = code.split_once("range(")?.1.split_once(')')?;
    let number: u64 = number.parse().ok()?;
    let sum: u64 = (0..number).map(|number| number * number).sum();
    Some(format!("total {sum}\n"))
}
