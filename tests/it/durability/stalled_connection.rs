//! One of the two broker connections of a process no longer answers, as behind a firewall that forgot it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use domain::approval::Actor;
use domain::ids::{EventId, UserName, WorkflowId};
use domain::samples;
use domain::workflow::{EventKind, EventRecord, Workflow};
use messaging::{Charges, WorkflowLog};
use rustix::process::Signal;
use service::clock::Clock;
use service::telemetry::TraceContext;
use tests::{Stack, broker_at};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Time for an answer of the broker, and the request once more over the other connection.
const FIRST_CALL: Duration = Duration::from_secs(6);
/// Time for a call when the stalled connection is avoided.
const LATER_CALL: Duration = Duration::from_secs(1);

/// A proxy in front of a broker that can stall the direct connections of its clients.
struct Proxy {
    url: String,
    is_stalled: Arc<AtomicBool>,
}

impl Proxy {
    async fn start(broker: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("nats://{}", listener.local_addr().expect("an address"));
        let is_stalled = Arc::new(AtomicBool::new(false));
        let stalls = is_stalled.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(&broker).await.expect("the broker");
                tokio::spawn(forward(client, server, stalls.clone()));
            }
        });
        Self { url, is_stalled }
    }
}

/// Copies both ways; once the client has said that it is a direct connection, nothing passes while `stalls`.
async fn forward(mut client: TcpStream, mut server: TcpStream, stalls: Arc<AtomicBool>) {
    let (mut from_client, mut from_server) = ([0; 65_536], [0; 65_536]);
    let mut is_direct = false;
    loop {
        let (sent, target, length) = tokio::select! {
            read = client.read(&mut from_client) => (&from_client, &mut server, read.unwrap_or(0)),
            read = server.read(&mut from_server) => (&from_server, &mut client, read.unwrap_or(0)),
        };
        if length == 0 {
            return;
        }
        is_direct |= String::from_utf8_lossy(&sent[..length]).contains(" direct\"");
        if is_direct && stalls.load(Ordering::SeqCst) {
            continue;
        }
        if target.write_all(&sent[..length]).await.is_err() {
            return;
        }
    }
}

async fn append(log: &WorkflowLog) -> Result<u64, messaging::AppendError> {
    let sample = samples::submitted("test_user", samples::options());
    let workflow = Workflow::submitted(WorkflowId::fresh(), sample.owner, sample.submission, Clock::system().now());
    let (actor, at) = (Actor::Service("api".to_owned()), workflow.updated_at);
    let happened = EventRecord { event_id: EventId::fresh(), kind: EventKind::Submitted, actor, at, detail: None };
    log.append(0, &workflow, &happened, TraceContext::root()).await
}

#[tokio::test]
async fn without_the_direct_connection_everything_goes_through_the_relay() {
    let stack = Stack::start().await;
    stack.signal("worker-1", Signal::STOP);
    let proxy = Proxy::start(stack.text("/nats_url").trim_start_matches("nats://").to_owned()).await;
    let broker = broker_at(&stack, "api", &proxy.url).await;
    let (log, charges) = (WorkflowLog::new(&broker), Charges::open(&broker).await.expect("charges"));
    let user: UserName = "test_user".parse().expect("a name");
    append(&log).await.expect("appended over the direct connection");
    proxy.is_stalled.store(true, Ordering::SeqCst);

    let start = Instant::now();
    append(&log).await.expect("appended through the relay");
    assert!(start.elapsed() < FIRST_CALL, "{:?}", start.elapsed());
    let start = Instant::now();
    append(&log).await.expect("appended");
    charges.of(&user, "2026-01-31").await.expect("a sum");
    assert!(start.elapsed() < LATER_CALL, "the stalled connection was used again: {:?}", start.elapsed());
    stack.signal("worker-1", Signal::CONT);
}
