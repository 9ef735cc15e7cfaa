//! Connections of a real API process: their limits of memory and time, and when they are closed.

use std::process::{Child, Command};
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};
use test_support::wait_until;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::{Instant, sleep, timeout};

use crate::stack::{PASSWORD, Stack, goal};

const MEBIBYTE: usize = 1024 * 1024;

/// A process, killed on drop.
struct Process {
    child: Child,
    port: u16,
}

impl Process {
    async fn start(stack: &Stack, more: &[(&str, &str)]) -> Self {
        let ports = service::ports::free(2).unwrap();
        let listen = format!("127.0.0.1:{}", ports[0]);
        let metrics = format!("127.0.0.1:{}", ports[1]);
        let mut command = Command::new(env!("CARGO_BIN_EXE_api"));
        let own = [("api.listen", listen.as_str()), ("api.metrics_listen", &metrics), ("telemetry.filter", "warn")];
        for (name, value) in
            stack.pairs().iter().map(|(name, value)| (*name, value.as_str())).chain(own).chain(more.iter().copied())
        {
            command.env(format!("PROMPTCRAFT__{}", name.replace('.', "__").to_uppercase()), value);
        }
        let process = Self { child: command.spawn().unwrap(), port: ports[0] };
        wait_until("the API listens", async || TcpStream::connect(("127.0.0.1", process.port)).await.is_ok()).await;
        process
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(("127.0.0.1", self.port)).await.unwrap()
    }

    /// Connects with a small receive buffer.
    async fn connect_narrow(&self) -> TcpStream {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(4096).unwrap();
        socket.connect(([127, 0, 0, 1], self.port).into()).await.unwrap()
    }

    fn memory(&self) -> usize {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").trim().parse::<usize>().unwrap() * 1024
    }

    /// Returns the CPU time that the process has used.
    fn cpu_time(&self) -> Duration {
        let text = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        let fields: Vec<&str> = text.rsplit(')').next().unwrap().split_whitespace().collect();
        // In hundredths of a second, in user and system mode.
        let ticks: u64 = fields[11..13].iter().map(|field| field.parse::<u64>().unwrap()).sum();
        Duration::from_millis(ticks * 10)
    }

    /// Returns the number of client connections of the process.
    fn connections(&self) -> usize {
        let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
        let local = format!(":{:04X}", self.port);
        let is_held = |line: &&str| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            // 0A is the listening socket; closed sockets have no inode.
            fields[1].ends_with(&local) && fields[3] != "0A" && fields[9] != "0"
        };
        table.lines().skip(1).filter(is_held).count()
    }

    /// Sends `text` and reads until `end` is received.
    async fn ask(&self, stream: &mut TcpStream, text: &str, end: &str) -> String {
        stream.write_all(text.as_bytes()).await.unwrap();
        read_until(stream, end).await
    }

    async fn token(&self, name: &str) -> String {
        let body = json!({"username": name, "password": PASSWORD}).to_string();
        let text =
            format!("POST /auth/token HTTP/1.1\r\nhost: localhost\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        let answer = self.ask(&mut self.connect().await, &text, "}").await;
        let body: Value = serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap();
        body["access_token"].as_str().unwrap().to_owned()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

async fn read_until(stream: &mut TcpStream, end: &str) -> String {
    let (mut text, mut part) = (String::new(), vec![0; 65_536]);
    while !text.contains(end) {
        let count = timeout(Duration::from_secs(30), stream.read(&mut part)).await.expect("an answer").unwrap();
        assert!(count > 0, "closed behind {text:?}");
        text.push_str(std::str::from_utf8(&part[..count]).unwrap());
    }
    text
}

/// Returns how long the connection stays open, at most `limit`, while `drip` is sent every 200 ms.
async fn open_for(stream: &mut TcpStream, drip: &[u8], limit: Duration) -> Duration {
    let (began, mut part) = (Instant::now(), vec![0; 65_536]);
    while began.elapsed() < limit {
        let read = async { while stream.read(&mut part).await.is_ok_and(|count| count > 0) {} };
        if timeout(Duration::from_millis(200), read).await.is_ok() || stream.write_all(drip).await.is_err() {
            break;
        }
    }
    began.elapsed()
}

fn post(path: &str, token: Option<&str>, framing: &str) -> String {
    let authorization = token.map(|token| format!("authorization: Bearer {token}\r\n")).unwrap_or_default();
    format!("POST {path} HTTP/1.1\r\nhost: localhost\r\n{authorization}{framing}\r\n\r\n")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_that_send_much_and_read_nothing_take_little_memory_and_are_closed() {
    let stack = Stack::start().await;
    let api = Process::start(&stack, &[]).await;
    let empty = "POST /x HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n";
    let requests = [
        "GET /openapi.json HTTP/1.1\r\nhost: localhost\r\n\r\n",
        "GET /docs HTTP/1.1\nhost: localhost\n\n",
        "GET /api/v3/execute HTTP/1.1\r\nhost: localhost\r\n\r\n",
        "HEAD /ready HTTP/1.1\r\nhost: localhost\r\n\r\n",
        empty,
    ];
    let before = api.memory();
    let mut held = Vec::new();
    for number in 0..20 {
        let mut stream = api.connect_narrow().await;
        let text = requests[number % requests.len()].repeat(3_000);
        // The server stops reading, so the kernel accepts no more at some point.
        timeout(Duration::from_millis(500), stream.write_all(text.as_bytes())).await.ok();
        held.push(stream);
    }
    wait_until("all are accepted", async || api.connections() == held.len()).await;
    let (began, mut most) = (Instant::now(), 0);
    while api.connections() > 0 && began.elapsed() < Duration::from_secs(60) {
        most = most.max(api.memory().saturating_sub(before));
        sleep(Duration::from_millis(50)).await;
    }
    println!("{} KiB more, closed after {:?}", most / 1024, began.elapsed());
    assert!(most < 64 * MEBIBYTE, "{} MiB more", most / MEBIBYTE);
    assert_eq!(api.connections(), 0, "some are still open");
    drop(held);
}

/// All responses fit into the receive buffer, so none waits to be sent.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_that_have_room_for_every_answer_and_read_none_are_closed() {
    let stack = &Stack::start().await;
    join_all(["load", "standard"].map(async |profile| {
        let api = Process::start(stack, &[("limits.profile", profile)]).await;
        let mut held = Vec::new();
        for path in ["/x", "/ready", "/docs"] {
            let socket = TcpSocket::new_v4().unwrap();
            socket.set_recv_buffer_size(4 * 1024 * 1024).unwrap();
            let mut stream = socket.connect(([127, 0, 0, 1], api.port).into()).await.unwrap();
            let text = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n").repeat(3_000);
            timeout(Duration::from_millis(500), stream.write_all(text.as_bytes())).await.ok();
            held.push(stream);
        }
        // Some may be closed before the others are accepted, so none is open only once that lasts.
        let (began, mut closed_for) = (Instant::now(), 0);
        while closed_for < 20 && began.elapsed() < Duration::from_secs(60) {
            closed_for = if api.connections() == 0 { closed_for + 1 } else { 0 };
            sleep(Duration::from_millis(50)).await;
        }
        println!("{profile}: closed after {:?}", began.elapsed());
        assert_eq!(api.connections(), 0, "{profile}: some are still open");
        for mut stream in held {
            let mut answers = Vec::new();
            timeout(Duration::from_secs(10), stream.read_to_end(&mut answers)).await.unwrap().ok();
            println!("{} KiB of answers", answers.len() / 1024);
            assert!(answers.starts_with(b"HTTP/1.1"));
        }
    }))
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn line_ends_cost_little_time() {
    let stack = Stack::start().await;
    let api = Process::start(&stack, &[]).await;
    let chunk = |text: &str| {
        let text = text.repeat(MEBIBYTE / text.len());
        post("/x", None, "transfer-encoding: chunked") + &format!("{:x}\r\n{text}\r\n0\r\n\r\n", text.len())
    };
    let cases = [
        ("before a head", "\n".repeat(120_000)),
        ("before a head", "\r\n".repeat(120_000)),
        ("before a second head", "GET /ready HTTP/1.1\r\nhost: localhost\r\n\r\n".to_owned() + &"\n".repeat(120_000)),
        ("in a chunk", chunk("\n")),
        ("in a chunk", chunk("\r\n")),
        ("behind text in a chunk", chunk("x\n\n")),
    ];
    for (name, text) in cases {
        let before = api.cpu_time();
        let mut stream = api.connect().await;
        timeout(Duration::from_secs(5), stream.write_all(text.as_bytes())).await.ok();
        stream.shutdown().await.ok();
        open_for(&mut stream, b"", Duration::from_secs(10)).await;
        let used = api.cpu_time() - before;
        println!("{name}: {used:?}");
        assert!(used < Duration::from_millis(600), "{name}: {used:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_reader_receives_the_whole_answer() {
    let stack = Stack::start().await;
    let api = Process::start(&stack, &[]).await;
    let get = |headers: &str| format!("GET /openapi.json HTTP/1.1\r\nhost: localhost\r\n{headers}\r\n\r\n");
    for (text, pause) in [
        (get("connection: close") + "\r\n", 500),
        (get("connection: close") + &get("a: b").repeat(100), 500),
        // The deadline of the unread body passes meanwhile.
        (get("transfer-encoding: chunked") + "1\r\nx\r\n", 8_000),
        (get("content-length: 100000") + "x", 4_000),
    ] {
        let mut stream = api.connect_narrow().await;
        stream.write_all(text.as_bytes()).await.unwrap();
        sleep(Duration::from_millis(pause)).await;
        let (mut answer, mut part) = (Vec::new(), [0; 4096]);
        loop {
            match timeout(Duration::from_secs(10), stream.read(&mut part)).await.expect("the end").unwrap() {
                0 => break,
                count => answer.extend_from_slice(&part[..count]),
            }
        }
        let answer = String::from_utf8(answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
        assert_eq!(body.len().to_string(), length, "{text:?}");
    }
    let mut stream = api.connect().await;
    stream.write_all(("BAD\r\n\r\n".to_owned() + &get("a: b").repeat(100)).as_bytes()).await.unwrap();
    sleep(Duration::from_millis(300)).await;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_is_kept_behind_line_ends_and_bodies_that_were_not_read() {
    let stack = Stack::start().await;
    let api = Process::start(&stack, &[]).await;
    let get = |headers: &str| format!("GET /ready HTTP/1.1\r\nhost: localhost\r\n{headers}\r\n");
    let runs = [
        (get("") + "\r\n", 14),
        (get("") + "\r", 0),
        (get("content-length: 5\r\n") + "{\n\n}\n", 14),
        (get("transfer-encoding: chunked\r\n") + "5\r\n\n\n\n\n\n\r\n0\r\n\r\n", 14),
        (get("content-length: 60000\r\n") + &"x".repeat(60_000), 0),
    ];
    join_all(runs.iter().map(async |(text, pause)| {
        let mut stream = api.connect().await;
        let answer = api.ask(&mut stream, text, "}").await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        sleep(Duration::from_secs(*pause)).await;
        let next = if text.ends_with('\r') { "\n" } else { "" }.to_owned() + &get("");
        let answer = api.ask(&mut stream, &next, "}").await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }))
    .await;
}

/// Responses arrive in order, wherever the text is split.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_in_a_row_are_answered_in_order() {
    let stack = Stack::start().await;
    let api = Process::start(&stack, &[]).await;
    let token = api.token("ann").await;
    let chunked =
        post("/api/v3/analyze", Some(&token), "transfer-encoding: chunked") + "2\r\n{\n\r\n3\r\n\n\n}\r\n0\r\n\r\n";
    let long = post("/api/v3/analyze", Some(&token), "content-length: 6") + "{\r\n\r\n}";
    let early = post("/x", None, "transfer-encoding: chunked") + "1\r\nx\r\n0\r\n\r\n";
    let round = format!(
        "GET / HTTP/1.1\r\nhost: localhost\r\n\r\n{chunked}\r\nGET /x HTTP/1.1\nhost: localhost\n\n{long}{early}"
    );
    let text = round.repeat(20) + "GET /ready HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    for step in [7, 1_000, text.len()] {
        let (mut read, mut write) = api.connect().await.into_split();
        let send = async {
            for part in text.as_bytes().chunks(step) {
                write.write_all(part).await.unwrap();
            }
        };
        let mut answers = String::new();
        tokio::join!(send, async {
            timeout(Duration::from_secs(60), read.read_to_string(&mut answers)).await.unwrap().unwrap()
        });
        let codes: Vec<&str> =
            answers.lines().filter_map(|line| line.split_once("HTTP/1.1 ")).map(|(_, code)| &code[..3]).collect();
        let expected: Vec<&str> = ["302", "422", "404", "422", "404"].repeat(20).into_iter().chain(["200"]).collect();
        assert_eq!(codes, expected, "in parts of {step}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_is_closed_although_bytes_drip() {
    let stack = Stack::start().await;
    let api = Process::start(&stack, &[]).await;
    let token = api.token("ann").await;
    let (path, limit) = ("/api/v3/execute", Duration::from_secs(80));
    let ready = "GET /ready HTTP/1.1\r\nhost: localhost\r\n\r\n".to_owned();
    let cases = [
        // Answered with 401 after 10 s and with 408 after 30 s, while the body continues.
        (post(path, None, "transfer-encoding: chunked"), "1\r\n \r\n", 40),
        (post(path, Some(&token), "transfer-encoding: chunked"), "1\r\n \r\n", 40),
        (post(path, Some(&token), "transfer-encoding: chunked"), "", 40),
        (post(path, None, "content-length: 9000"), " ", 40),
        (post(path, Some(&token), "content-length: 9000"), " ", 40),
        // A second head that does not end, and line ends before one.
        (ready.clone() + "GET /re", "a", 20),
        (ready.clone() + "GET /re", "", 20),
        (ready.clone(), "\r\n", 50),
        (ready.clone(), "", 50),
        (ready, "\r\n\n\n\r\n\r\n\r\n".repeat(20).leak(), 10),
    ];
    let runs = cases.iter().map(async |(text, drip, most)| {
        let mut stream = api.connect().await;
        stream.write_all(text.as_bytes()).await.unwrap();
        let open = open_for(&mut stream, drip.as_bytes(), limit).await;
        println!("{:?} {drip:?}: {open:?}", text.lines().next());
        (open < Duration::from_secs(*most), text.clone(), open)
    });
    for (is_closed, text, open) in join_all(runs).await {
        assert!(is_closed, "open for {open:?}: {text}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_ends_with_its_client() {
    let stack = Stack::start().await;
    let api = Process::start(&stack, &[("limits.profile", "standard"), ("limits.status", "100000/1000000")]).await;
    let token = api.token("ann").await;
    let body = goal().to_string();
    let order = post("/api/v3/execute", Some(&token), &format!("content-length: {}", body.len())) + &body;
    let answer = api.ask(&mut api.connect().await, &order, "}").await;
    let id = answer.split("workflow_id\":\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let get =
        format!("GET /api/v3/execute/{id}/events HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\n\r\n");
    for round in 0..4 {
        let mut open = Vec::new();
        for number in 0..32 {
            let mut stream = api.connect().await;
            // A client may send more after its request.
            let text = get.clone() + if number % 2 == 1 { "GET / HTTP/1.1\r\nhost: localhost\r\n\r\n" } else { "" };
            // Some clients disconnect before the response.
            if round == 3 {
                stream.write_all(text.as_bytes()).await.unwrap();
            } else {
                api.ask(&mut stream, &text, "event: submitted").await;
            }
            open.push(stream);
        }
        if round == 1 {
            // Closing half of the connection is enough.
            for stream in &mut open {
                stream.shutdown().await.unwrap();
            }
        } else {
            open.clear();
        }
        let closed = Instant::now();
        wait_until("the slots are free", async || {
            let mut open = Vec::new();
            for _ in 0..32 {
                let mut stream = api.connect().await;
                let answer = api.ask(&mut stream, &get, "\r\n\r\n").await;
                open.push(stream);
                if !answer.starts_with("HTTP/1.1 200") {
                    return false;
                }
            }
            true
        })
        .await;
        println!("round {round}: {:?}", closed.elapsed());
        sleep(Duration::from_secs(2)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_has_sent_all_is_answered() {
    let stack = Stack::start().await;
    let api = Process::start(&stack, &[]).await;
    let body = json!({"username": "ann", "password": PASSWORD}).to_string();
    let mut stream = api.connect().await;
    let text = post("/auth/token", None, &format!("content-length: {}", body.len())) + &body;
    stream.write_all(format!("GET /ready HTTP/1.1\r\nhost: localhost\r\n\r\n{text}").as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut answers = String::new();
    timeout(Duration::from_secs(10), stream.read_to_string(&mut answers)).await.unwrap().unwrap();
    assert!(answers.matches("HTTP/1.1 200").count() == 2 && answers.contains("access_token"), "{answers}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sign_ins_leave_no_memory_behind() {
    let stack = Stack::start().await;
    let api = Process::start(&stack, &[("api.workers", "4")]).await;
    for at_once in [1, 8, 50] {
        for _ in 0..4 {
            join_all((0..at_once).map(|number| api.token(if number % 2 == 0 { "ann" } else { "eve" }))).await;
        }
        println!("{at_once} at once: {} KiB", api.memory() / 1024);
        assert!(api.memory() < 80 * MEBIBYTE, "{} MiB", api.memory() / MEBIBYTE);
    }
}
