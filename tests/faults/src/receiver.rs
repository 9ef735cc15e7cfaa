//! Receives notifications, and remembers of which workflows.

use std::collections::HashSet;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use shared::ids::WorkflowId;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// A web server that says yes to everything.
#[derive(Debug)]
pub(crate) struct Receiver {
    pub(crate) url: String,
    told: Arc<Mutex<HashSet<WorkflowId>>>,
    _task: JoinSet<()>,
}

impl Receiver {
    /// Listens on a free port.
    pub(crate) async fn listen() -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let url = format!("http://127.0.0.1:{}/", listener.local_addr()?.port());
        let told: Arc<Mutex<HashSet<WorkflowId>>> = Arc::default();
        let (mut task, heard) = (JoinSet::new(), told.clone());
        task.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                while connections.try_join_next().is_some() {}
                let heard = heard.clone();
                connections.spawn(async move {
                    if let Some(id) = answer(stream).await {
                        heard.lock().unwrap_or_else(PoisonError::into_inner).insert(id);
                    }
                });
            }
        });
        Ok(Self { url, told, _task: task })
    }

    /// The workflows whose end was told so far.
    pub(crate) fn told(&self) -> HashSet<WorkflowId> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn answer(mut stream: TcpStream) -> Option<WorkflowId> {
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
    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").await.ok()?;
    body["workflow_id"].as_str()?.parse().ok()
}
