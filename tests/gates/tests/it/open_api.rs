//! An API that admits everything must fail the API security gate.

use ::tests::Client;
use gates::gates::api_security::{Document, probe_authentication, probe_rate_limits};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// Answers every request with this head.
async fn serve(listener: TcpListener, head: &'static str) {
    loop {
        let (stream, _) = listener.accept().await.expect("a connection");
        answer(stream, head).await;
    }
}

async fn answer(mut stream: TcpStream, head: &str) {
    let mut request = vec![0; 64 << 10];
    // Requests of a probe fit into one read.
    let read = stream.read(&mut request).await.unwrap_or(0);
    if read > 0 {
        let response = format!("HTTP/1.1 {head}\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{{}}");
        stream.write_all(response.as_bytes()).await.ok();
    }
}

fn document() -> Document {
    Document::read(&json!({
        "security": [{"bearer": []}],
        "paths": {"/health": {"get": {"security": []}}, "/api/v3/execute": {"get": {}, "post": {}}},
    }))
    .expect("a document")
}

async fn stub() -> (TcpListener, Client) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let client = Client::new(&format!("http://{}", listener.local_addr().expect("an address")));
    (listener, client)
}

#[tokio::test]
async fn requests_without_a_token_that_are_answered_are_incidents() {
    let (listener, client) = stub().await;
    let document = document();
    let probes = tokio::select! {
        probes = probe_authentication(&client, &document, "id") => probes,
        () = serve(listener, "200 OK") => unreachable!("serves for ever"),
    };
    assert!(probes.made > 100, "{probes:?}");
    // The document itself is right about /health.
    assert_eq!(probes.incidents.len(), probes.made - 1, "{probes:#?}");
    for part in
        ["GET /api/v3/execute with no token: 200", "POST /api/v3/execute with a forged token", "GET /api/v3/nowhere"]
    {
        assert!(probes.incidents.iter().any(|incident| incident.contains(part)), "{part}: {probes:#?}");
    }
}

#[tokio::test]
async fn a_document_that_opens_an_operation_is_an_incident() {
    let (listener, client) = stub().await;
    let opened = json!({"paths": {"/api/v3/execute": {"get": {"security": []}}}});
    let document = Document::read(&opened).expect("a document");
    let probes = tokio::select! {
        probes = probe_authentication(&client, &document, "id") => probes,
        () = serve(listener, "401 Unauthorized") => unreachable!("serves for ever"),
    };
    assert_eq!(probes.incidents.len(), 1, "{probes:#?}");
    assert!(probes.incidents[0].contains("GET /api/v3/execute is documented"), "{probes:#?}");
}

#[tokio::test]
async fn limits_that_never_refuse_are_incidents() {
    for (head, what) in [("200 OK", "never refused"), ("429 Too Many Requests", "no Retry-After")] {
        let (listener, client) = stub().await;
        let probes = tokio::select! {
            probes = probe_rate_limits(&client, &client, &client) => probes,
            () = serve(listener, head) => unreachable!("serves for ever"),
        };
        let limits = probes.incidents.iter().filter(|incident| incident.starts_with("limits.")).count();
        assert_eq!(limits, 6, "{what}: {probes:#?}");
    }
}
