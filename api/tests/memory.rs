//! What a caller sends does not take more memory than all callers together may.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails there")]

mod stack;

use futures_util::future::join_all;
use reqwest::Body;
use stack::{Stack, read};

const MEBIBYTE: usize = 1024 * 1024;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bodies_made_to_fill_memory_do_not() {
    let stack = Stack::start().await;
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
        let absent = "/api/v3/execute/approve/018f3a52-61d7-7b0e-9a54-2f0f51c7a9d3";
        let paths = ["/api/v3/analyze", absent];
        let codes = join_all((0..times).map(|number| post(paths[number % 2]))).await;
        assert!(codes.iter().all(|code| (400..500).contains(code) || *code == 503), "{codes:?}");
        let grown = peak().saturating_sub(before) / MEBIBYTE;
        assert!(grown < 400, "{times} bodies took {grown} MiB");
    }
}

/// The most memory that this process held since the last [`forget_peak`], in bytes.
fn peak() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").trim().parse::<usize>().unwrap() * 1024
}

fn forget_peak() {
    std::fs::write("/proc/self/clear_refs", "5").unwrap();
}
