//! A local endpoint of the OpenAI chat protocol that replies by a script.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// Total tokens that every completion reports.
pub const REPLY_TOKENS: u64 = 400;

/// A reply of the endpoint.
#[derive(Debug, Clone)]
pub enum ModelReply {
    /// A structured reply with these files, by path and content.
    Files(Vec<(&'static str, &'static str)>),
    /// A completion with this text.
    Text(&'static str),
    /// A completion that ends at the token limit.
    Truncated(&'static str),
    /// A status, and the seconds of its `Retry-After` header if it has one.
    Refused(u16, Option<u64>),
    /// No reply; the connection stays open.
    Never,
}

/// A request as the endpoint received it.
#[derive(Debug, Clone)]
pub struct ModelRequest {
    pub at: Instant,
    /// The bearer token, if it has one.
    pub key: Option<String>,
    pub body: Value,
}

impl ModelRequest {
    /// Returns the text of its messages.
    pub fn prompt(&self) -> String {
        let messages = self.body["messages"].as_array().map(Vec::as_slice).unwrap_or_default();
        messages.iter().filter_map(|message| message["content"].as_str()).collect::<Vec<_>>().join("\n")
    }
}

#[derive(Debug, Default)]
struct Play {
    script: VecDeque<ModelReply>,
    requests: Vec<ModelRequest>,
}

/// The endpoint; it stops listening when it is dropped.
pub struct ModelEndpoint {
    address: String,
    play: Arc<Mutex<Play>>,
    task: JoinHandle<()>,
}

impl ModelEndpoint {
    /// Listens on a free port of the loopback interface.
    ///
    /// # Panics
    ///
    /// Without a free port.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = format!("http://{}/v1", listener.local_addr().expect("an address"));
        let play: Arc<Mutex<Play>> = Arc::default();
        let shared = play.clone();
        #[expect(clippy::disallowed_methods, reason = "a test has no tracker; the task ends with the endpoint")]
        let task = tokio::spawn(async move {
            let mut silent = Vec::new();
            while let Ok((mut stream, _)) = listener.accept().await {
                if answer(&mut stream, &shared).await.is_none() {
                    silent.push(stream);
                }
            }
        });
        Self { address, play, task }
    }

    /// Returns the value for `generator.model_url`.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Starts a new script and forgets earlier requests. The last reply is repeated.
    ///
    /// # Panics
    ///
    /// Never: no code panics while it holds the lock.
    pub fn plays(&self, script: impl Into<VecDeque<ModelReply>>) {
        *self.play.lock().expect("the play") = Play { script: script.into(), requests: Vec::new() };
    }

    /// Returns the requests since the script began.
    ///
    /// # Panics
    ///
    /// Never: no code panics while it holds the lock.
    pub fn requests(&self) -> Vec<ModelRequest> {
        self.play.lock().expect("the play").requests.clone()
    }
}

impl Drop for ModelEndpoint {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Replies to one request; `None` without a reply.
async fn answer(stream: &mut TcpStream, play: &Mutex<Play>) -> Option<()> {
    let (key, body) = receive(stream).await?;
    let reply = {
        let mut play = play.lock().expect("the play");
        play.requests.push(ModelRequest { at: Instant::now(), key, body });
        if play.script.len() > 1 { play.script.pop_front() } else { play.script.front().cloned() }
    };
    let (status, more, body) = match reply? {
        ModelReply::Files(files) => (200, String::new(), completion(&solution(&files), "stop")),
        ModelReply::Text(text) => (200, String::new(), completion(text, "stop")),
        ModelReply::Truncated(text) => (200, String::new(), completion(text, "length")),
        ModelReply::Refused(status, seconds) => {
            let delay = seconds.map(|seconds| format!("retry-after: {seconds}\r\n")).unwrap_or_default();
            (status, delay, json!({"error": {"message": "refused"}}))
        }
        ModelReply::Never => return None,
    };
    let body = body.to_string();
    let head = format!(
        "HTTP/1.1 {status} X\r\n{more}content-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    // A client that was killed does not read.
    drop(stream.write_all(format!("{head}{body}").as_bytes()).await);
    Some(())
}

/// Reads one request and returns its key and its JSON body; `None` if it ends early.
async fn receive(stream: &mut TcpStream) -> Option<(Option<String>, Value)> {
    let mut bytes = Vec::new();
    loop {
        let mut buffer = [0; 4096];
        let read = stream.read(&mut buffer).await.ok().filter(|read| *read > 0)?;
        bytes.extend_from_slice(&buffer[..read]);
        let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
        let length: usize = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok())?;
        if bytes.len() >= end + 4 + length {
            let key = head.lines().find_map(|line| line.strip_prefix("authorization: bearer "));
            return Some((key.map(str::to_owned), serde_json::from_slice(&bytes[end + 4..]).ok()?));
        }
    }
}

fn solution(files: &[(&str, &str)]) -> String {
    let kind = |path: &str| if path.contains("test") { "test" } else { "code" };
    let files = files.iter().map(|(path, content)| json!({"path": path, "content": content, "kind": kind(path)}));
    let files: Vec<Value> = files.collect();
    json!({"plan": ["Write the code", "Test it"], "files": files, "notes": "Nothing to install."}).to_string()
}

fn completion(text: &str, finish_reason: &str) -> Value {
    json!({
        "choices": [{"message": {"role": "assistant", "content": text}, "finish_reason": finish_reason}],
        "usage": {"prompt_tokens": 300, "completion_tokens": REPLY_TOKENS - 300, "total_tokens": REPLY_TOKENS},
    })
}
