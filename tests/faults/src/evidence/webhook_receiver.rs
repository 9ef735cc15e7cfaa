//! A receiver of notifications. It refuses the first delivery for a third of the workflows.

use std::collections::HashSet;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use domain::ids::WorkflowId;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// A web server that records the workflows it was notified of.
#[derive(Debug)]
pub(crate) struct WebhookReceiver {
    pub(crate) url: String,
    deliveries: Arc<Mutex<Deliveries>>,
    _task: JoinSet<()>,
}

#[derive(Debug, Default)]
struct Deliveries {
    refused: HashSet<WorkflowId>,
    taken: HashSet<WorkflowId>,
}

impl Deliveries {
    /// Returns whether this delivery is accepted.
    fn takes(&mut self, id: WorkflowId) -> bool {
        let is_choosy = id.as_uuid().as_bytes().last().is_some_and(|byte| byte.is_multiple_of(3));
        let takes = !is_choosy || !self.refused.insert(id);
        if takes {
            self.taken.insert(id);
        }
        takes
    }
}

impl WebhookReceiver {
    /// Listens on a free port.
    pub(crate) async fn listen() -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let url = format!("http://127.0.0.1:{}/", listener.local_addr()?.port());
        let deliveries: Arc<Mutex<Deliveries>> = Arc::default();
        let (mut task, received) = (JoinSet::new(), deliveries.clone());
        task.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                while connections.try_join_next().is_some() {}
                let received = received.clone();
                connections.spawn(async move { answer(stream, &received).await });
            }
        });
        Ok(Self { url, deliveries, _task: task })
    }

    /// Returns the workflows whose notification was accepted so far.
    pub(crate) fn notified(&self) -> HashSet<WorkflowId> {
        self.deliveries.lock().unwrap_or_else(PoisonError::into_inner).taken.clone()
    }
}

/// Handles one request; `None` if it is incomplete or malformed.
async fn answer(mut stream: TcpStream, received: &Mutex<Deliveries>) -> Option<()> {
    let mut text = Vec::new();
    let mut part = [0; 4096];
    // A notification ends with its only `}` at the end of a chunk.
    while !text.ends_with(b"}") {
        match stream.read(&mut part).await {
            Ok(length @ 1..) => text.extend_from_slice(&part[..length]),
            Ok(_) | Err(_) => return None,
        }
    }
    let text = String::from_utf8_lossy(&text).into_owned();
    let body: serde_json::Value = serde_json::from_str(text.split_once("\r\n\r\n")?.1).ok()?;
    let id = body["workflow_id"].as_str()?.parse().ok()?;
    let takes = received.lock().unwrap_or_else(PoisonError::into_inner).takes(id);
    let status = if takes { "200 OK" } else { "503 Service Unavailable" };
    let head = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).await.ok()
}
