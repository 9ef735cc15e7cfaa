//! Memory limits of request bodies, in total and per user.

use std::cell::Cell;

use futures_util::future::{join, join_all};
use reqwest::Body;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::stack::{Api, Stack, read};

const MEBIBYTE: usize = 1024 * 1024;
/// A decision on a workflow that does not exist; every user may send it.
const DECIDE: &str = "/api/v3/execute/approve/018f3a52-61d7-7b0e-9a54-2f0f51c7a9d3";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bodies_made_to_fill_memory_do_not() {
    let stack = Stack::start_alone().await;
    let api = stack.api(&[]).await;
    let token = api.token("ann").await;
    let fill = |unit: &str| unit.repeat(6 * MEBIBYTE / unit.len());
    for (body, times) in [
        (format!("[{}0]", fill("{\"\":0},")), 4),
        (format!("{{\"goal\":[{}0]}}", fill("[],")), 4),
        (format!("{{\"goal\":\"ten or more\",\"context\":{{\"x\":\"{}\"}}}}", fill("x")), 60),
    ] {
        let body = bytes::Bytes::from(body);
        forget_peak();
        let before = peak();
        let post = async |path: &str| {
            let request = api.request("POST", path).bearer_auth(&token).body(Body::from(body.clone()));
            read(request.send().await.unwrap()).await.0
        };
        let paths = ["/api/v3/analyze", DECIDE];
        let codes = join_all((0..times).map(|number| post(paths[number % 2]))).await;
        assert!(codes.iter().all(|code| (400..500).contains(code) || *code == 503), "{codes:?}");
        let grown = peak().saturating_sub(before) / MEBIBYTE;
        assert!(grown < 400, "{times} bodies took {grown} MiB");
    }
}

/// Sends the start of a request whose body has the announced `length`, or is chunked.
async fn begin(api: &Api, token: &str, length: Option<usize>, body: &str) -> TcpStream {
    let framing = match length {
        Some(length) => format!("content-length: {length}\r\n\r\n{body}"),
        None => format!("transfer-encoding: chunked\r\n\r\n{:x}\r\n{body}\r\n", body.len()),
    };
    let mut stream = TcpStream::connect(api.address).await.unwrap();
    let head = format!("POST {DECIDE} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\n{framing}");
    stream.write_all(head.as_bytes()).await.unwrap();
    stream
}

/// A viewer's bodies stop in transit while another one waits; bodies of other users are accepted meanwhile.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unfinished_bodies_block_only_their_sender() {
    let stack = Stack::start().await;
    let api = stack.api(&[]).await;
    let (slow, other) = (api.token("vic").await, api.token("eve").await);
    let large = format!("{{\"decision\":\"{}\"}}", "x".repeat(6 * MEBIBYTE));
    let part = &large[..MEBIBYTE + MEBIBYTE / 4];
    let mut held = Vec::new();
    for number in 0..9 {
        held.push(begin(&api, &slow, (number % 2 == 0).then_some(large.len()), part).await);
    }
    let post = async |token: &str| {
        let request = api.request("POST", DECIDE).bearer_auth(token).body(Body::from(large.clone()));
        read(request.send().await.unwrap()).await.0
    };
    let is_answered = Cell::new(false);
    let own = async {
        // Until the others hold all of the user's permits.
        while post(&slow).await != 503 {}
        is_answered.set(true);
    };
    let others = async {
        while !is_answered.get() {
            assert_eq!(post(&other).await, 422);
            let mut small = begin(&api, &other, None, "{}").await;
            small.write_all(b"0\r\n\r\n").await.unwrap();
            let mut status = [0; 12];
            small.read_exact(&mut status).await.unwrap();
            assert_eq!(&status, b"HTTP/1.1 422");
        }
    };
    join(own, others).await;
    drop(held);
}

/// Returns the peak memory of this process since the last [`forget_peak`], in bytes.
fn peak() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").trim().parse::<usize>().unwrap() * 1024
}

fn forget_peak() {
    std::fs::write("/proc/self/clear_refs", "5").unwrap();
}
