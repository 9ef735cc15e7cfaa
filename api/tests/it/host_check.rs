//! The `Host` check: a web page must not reach an API on loopback through its own host name.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::stack::{Api, PASSWORD, Stack};

/// Sends the text of a request and returns the status and the body of its answer.
async fn raw(api: &Api, request: &str) -> (u16, Value) {
    raw_within(api, request, 5).await
}

async fn raw_within(api: &Api, request: &str, seconds: u64) -> (u16, Value) {
    let mut stream = TcpStream::connect(api.address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    let read = stream.read_to_string(&mut answer);
    tokio::time::timeout(Duration::from_secs(seconds), read).await.expect("the connection is closed").unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, serde_json::from_str(body).unwrap_or(Value::Null))
}

async fn get(api: &Api, target: &str, host: &str) -> u16 {
    let (status, body) = raw(api, &format!("GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")).await;
    if status == 421 {
        assert_eq!(body["type"], "urn:promptcraft:problem:misdirected-request", "{body}");
        assert!(!body["detail"].as_str().unwrap().contains("evil"), "{body}");
    }
    status
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_loopback_a_foreign_host_is_421_everywhere() {
    let stack = Stack::start().await;
    let api = stack.api(&[]).await;
    let port = api.address.port();
    for path in ["/ready", "/health", "/docs", "/openapi.json", "/", "/nowhere", "/api/v3/execute", "/auth/token"] {
        for host in ["evil.example", "evil.example:8000", "localhost.evil.example", "localhost:1@evil.example", ""] {
            assert_eq!(get(&api, path, host).await, 421, "{path} {host:?}");
        }
        assert_ne!(get(&api, path, &format!("localhost:{port}")).await, 421, "{path}");
    }
    for host in ["127.0.0.1", "127.1.2.3:80", "[::1]:80", "LOCALHOST", "localhost."] {
        assert_eq!(get(&api, "/ready", host).await, 200, "{host}");
    }
    for (target, status) in [("http://evil.example/ready", 421), ("http://localhost/ready", 200)] {
        assert_eq!(get(&api, target, "localhost").await, status, "{target}");
    }
    assert_eq!(get(&api, "http://localhost/ready", "evil.example").await, 421);
    let body = json!({"username": "ann", "password": PASSWORD}).to_string();
    let rebound = format!(
        "POST /auth/token HTTP/1.1\r\nHost: evil.example:{port}\r\nOrigin: http://evil.example:{port}\r\nContent-Type: text/plain\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    let (status, answer) = raw(&api, &rebound).await;
    assert_eq!(status, 421, "{answer}");
    assert_eq!(raw(&api, "GET /ready HTTP/1.1\r\nConnection: close\r\n\r\n").await.0, 400, "no Host at all");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_foreign_host_is_answered_without_its_body_charged_and_disconnected() {
    let stack = Stack::start().await;
    let api = stack.api(&[("limits.profile", "standard"), ("limits.unauthenticated", "3/1")]).await;
    let ready = "GET /ready HTTP/1.1\r\nHost: evil.example\r\n\r\n";
    let post = "POST /auth/token HTTP/1.1\r\nHost: evil.example\r\n";
    // The connection is closed, although the request does not ask for it and its announced body is not sent.
    for (text, status) in [
        (ready.to_owned(), 421),
        (post.to_owned() + "Content-Length: 1000000\r\n\r\nx", 421),
        (post.to_owned() + "Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n", 421),
        (ready.to_owned(), 429),
    ] {
        assert_eq!(raw_within(&api, &text, 1).await.0, status, "{text}");
    }
    assert_eq!(raw(&api, "GET /x HTTP/1.1\r\nHost: localhost\r\n\r\n").await.0, 429, "the bucket of the address");
    assert_eq!(get(&api, "/ready", "localhost").await, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn named_hosts_are_served_too_and_a_demo_beyond_loopback_needs_them() {
    let stack = Stack::start().await;
    let named = stack.api(&[("api.hosts", "api.example.org, 192.0.2.1")]).await;
    for (host, status) in [
        ("api.example.org", 200),
        ("API.example.org:8443", 200),
        ("192.0.2.1", 200),
        ("localhost", 200),
        ("example.org", 421),
    ] {
        assert_eq!(get(&named, "/ready", host).await, status, "{host}");
    }
    let open = stack.api(&[("api.listen", "0.0.0.0:0"), ("api.hosts", "api.example.org")]).await;
    assert_eq!(get(&open, "/ready", "api.example.org").await, 200);
    assert_eq!(get(&open, "/ready", "evil.example").await, 421);
    let refused = api::Config::read(stack.settings(&[("api.listen", "0.0.0.0:0")])).unwrap_err().to_string();
    assert!(refused.contains("api.hosts: must be set"), "{refused}");
}
