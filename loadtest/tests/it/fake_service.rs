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
}

pub(crate) struct FakeService {
    pub(crate) url: String,
    _connections: JoinSet<()>,
}

struct State {
    fault: Fault,
    first: OnceCell<Instant>,
    keys: Mutex<BTreeMap<String, u64>>,
    next: AtomicU64,
}

impl FakeService {
    pub(crate) async fn start(fault: Fault) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let state = State { fault, first: OnceCell::new(), keys: Mutex::default(), next: AtomicU64::new(1) };
        let state = Arc::new(state);
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
        stream.read_exact(&mut vec![0; length]).await.unwrap();
        let path = head[0].split(' ').nth(1).unwrap();
        let (status, body) = state.answer(path, header("idempotency-key"), header("last-event-id")).await;
        let answer = format!("HTTP/1.1 {status} x\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        if stream.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}

impl State {
    async fn answer(&self, path: &str, key: Option<&str>, last_event: Option<&str>) -> (u16, String) {
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
            "execute" => (202, json!({"data": {"workflow_id": self.workflow(key.unwrap()).to_string()}}).to_string()),
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
        json!({"status": "completed", "updated_at": at.to_string()})
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
