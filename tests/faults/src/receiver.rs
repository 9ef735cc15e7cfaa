//! Receives notifications, and remembers of which workflows. A third of them it takes only when they come again.

use std::collections::HashSet;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use shared::ids::WorkflowId;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// A web server.
#[derive(Debug)]
pub(crate) struct Receiver {
    pub(crate) url: String,
    heard: Arc<Mutex<Heard>>,
    _task: JoinSet<()>,
}

#[derive(Debug, Default)]
struct Heard {
    refused: HashSet<WorkflowId>,
    taken: HashSet<WorkflowId>,
}

impl Heard {
    /// Whether it is taken now.
    fn takes(&mut self, id: WorkflowId) -> bool {
        let is_choosy = id.as_uuid().as_bytes().last().is_some_and(|byte| byte.is_multiple_of(3));
        let takes = !is_choosy || !self.refused.insert(id);
        if takes {
            self.taken.insert(id);
        }
        takes
    }
}

impl Receiver {
    /// Listens on a free port.
    pub(crate) async fn listen() -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let url = format!("http://127.0.0.1:{}/", listener.local_addr()?.port());
        let heard: Arc<Mutex<Heard>> = Arc::default();
        let (mut task, ears) = (JoinSet::new(), heard.clone());
        task.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                while connections.try_join_next().is_some() {}
                let ears = ears.clone();
                connections.spawn(async move { answer(stream, &ears).await });
            }
        });
        Ok(Self { url, heard, _task: task })
    }

    /// The workflows whose end was told so far.
    pub(crate) fn told(&self) -> HashSet<WorkflowId> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).taken.clone()
    }
}

/// `None` where nobody asked, or asked what this server does not understand.
async fn answer(mut stream: TcpStream, ears: &Mutex<Heard>) -> Option<()> {
    let mut text = Vec::new();
    let mut part = [0; 4096];
    // A notification is small, and its id stands in it whole once its last brace is there.
    while !text.ends_with(b"}") {
        match stream.read(&mut part).await {
            Ok(length @ 1..) => text.extend_from_slice(&part[..length]),
            Ok(_) | Err(_) => return None,
        }
    }
    let text = String::from_utf8_lossy(&text).into_owned();
    let body: serde_json::Value = serde_json::from_str(text.split_once("\r\n\r\n")?.1).ok()?;
    let id = body["workflow_id"].as_str()?.parse().ok()?;
    let takes = ears.lock().unwrap_or_else(PoisonError::into_inner).takes(id);
    let status = if takes { "200 OK" } else { "503 Service Unavailable" };
    let head = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).await.ok()
}
