//! Notifications of a workflow's end: signed, retried, and never sent to a private address.

use std::sync::Mutex;
use std::time::Duration;

use async_nats::jetstream;
use async_nats::jetstream::consumer::{FromConsumer, pull};
use domain::ids::WorkflowId;
use messaging::{Cause, encode};
use ring::hmac;
use rustix::process::Signal;
use serde_json::{Value, json};
use tests::{Client, Options, Stack, Terminal, dead_letters, eventually, long_program, raw_broker_as, run_request};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Reads one request, responds with `status` and returns the request as text.
async fn receive(listener: &TcpListener, status: &str) -> String {
    let (mut stream, _) =
        tokio::time::timeout(Duration::from_secs(30), listener.accept()).await.expect("a call").expect("a stream");
    let mut text = String::new();
    let mut buffer = [0; 16_384];
    // The body is small and its length is announced: read until it is complete.
    loop {
        let count = stream.read(&mut buffer).await.expect("bytes");
        text.push_str(&String::from_utf8_lossy(&buffer[..count]));
        let whole = text.split_once("\r\n\r\n").is_some_and(|(head, body)| {
            let length = head
                .to_lowercase()
                .lines()
                .find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok());
            length.is_some_and(|length| body.len() >= length)
        });
        if whole || count == 0 {
            break;
        }
    }
    let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    stream.write_all(answer.as_bytes()).await.expect("sent");
    text
}

#[tokio::test]
async fn a_notification_is_signed_with_the_stacks_own_key_and_sent_again_until_it_is_taken() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let stack = Stack::start_with(Options::default().with("webhook.allow_private", "true")).await;
    let client = stack.developer().await;
    let mut request = run_request("print(1)\n", false);
    let target = format!("http://{}/hook?x=1", listener.local_addr().expect("an address"));
    request["options"] = json!({"notification_webhook": target});
    let id = client.execute(&request).await;
    let first = receive(&listener, "503 Service Unavailable").await;
    let second = receive(&listener, "200 OK").await;
    for text in [&first, &second] {
        assert!(text.starts_with("POST /hook?x=1 "), "{text}");
        assert!(is_signed(&stack, text), "{text}");
        let body: Value =
            text.split_once("\r\n\r\n").and_then(|(_, body)| serde_json::from_str(body).ok()).expect("JSON");
        assert_eq!((&body["workflow_id"], &body["status"]), (&json!(id), &json!("completed")));
    }
}

/// Returns whether a notification has the signature that the README describes, by the key in the stack's data
/// directory.
fn is_signed(stack: &Stack, text: &str) -> bool {
    let key = std::fs::read_to_string(stack.directory().join("secrets/webhook")).expect("a key");
    let key = hmac::Key::new(hmac::HMAC_SHA256, key.trim().as_bytes());
    let (head, body) = text.split_once("\r\n\r\n").expect("a head and a body");
    let signature = head.lines().find_map(|line| line.strip_prefix("promptcraft-signature: t=")).expect("a signature");
    let (seconds, code) = signature.split_once(",v1=").expect("a time and a code");
    hmac::verify(&key, format!("{seconds}.{body}").as_bytes(), &hex::decode(code).expect("hex")).is_ok()
}

/// Submits and cancels a workflow whose end is notified to `target`.
async fn ended(client: &Client, target: &str) -> String {
    let mut request = run_request(&long_program(60), false);
    request["options"] = json!({"notification_webhook": target});
    let id = client.execute(&request).await;
    client.post(&format!("/api/v3/execute/cancel/{id}"), &json!({})).await.expect(200);
    id
}

/// Returns an address at which nothing listens.
async fn address_of_nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    format!("http://{}/", listener.local_addr().expect("an address"))
}

#[tokio::test]
async fn receivers_that_are_away_hold_no_others_notifications_back() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let stack = Stack::start_with(Options::default().with("webhook.allow_private", "true")).await;
    let operator = raw_broker_as(&stack, "cli").await;
    let log = jetstream::new(operator.clone()).get_stream("WORKFLOWS").await.expect("the log");
    let queue = log.consumer_info("webhooks").await.expect("the queue");
    // As if all its other deliveries were already waiting for their receivers.
    let narrow =
        pull::Config { max_ack_pending: 2, ..pull::Config::try_from_consumer_config(queue.config).expect("it") };
    log.update_consumer(narrow).await.expect("it can be changed");

    let (client, away) = (stack.developer().await, address_of_nobody().await);
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(ended(&client, &away).await);
    }
    let id = ended(&client, &format!("http://{}/", listener.local_addr().expect("an address"))).await;
    assert!(receive(&listener, "200 OK").await.contains(&id));

    // The last try of one of them is due.
    let due = format!("timers.notification.{}", ids[0]);
    operator.publish(due, encode(&11_u32).into()).await.expect("it is sent");
    let letters = eventually("it is abandoned", Duration::from_secs(20), || async {
        let letters = dead_letters(&stack).await;
        (!letters.is_empty()).then_some(letters)
    })
    .await;
    assert_eq!((letters[0].cause, letters[0].attempts), (Cause::Undelivered, 12));
    assert_eq!(letters[0].subject, format!("wf.cancelled.std.{}", ids[0]));
    assert!(!letters[0].payload.is_empty() && letters.len() == 1, "the whole transition, and no other");

    // Put back it is due once more.
    let list = Terminal::new(&stack).run(&["admin", "dead-letters", "list"]).well().to_owned();
    let letter = list.lines().find(|line| line.contains("undelivered")).and_then(|line| line.split_whitespace().next());
    Terminal::new(&stack).run(&["admin", "dead-letters", "retry", letter.expect("a letter")]).well();
    assert!(dead_letters(&stack).await.is_empty());
    let scheduled = format!("timers.schedule.notification.{}", ids[0]);
    let timers = jetstream::new(operator.clone()).get_stream("TIMERS").await.expect("the timers");
    eventually("it was retried and rescheduled", Duration::from_secs(20), || async {
        let message = timers.get_last_raw_message_by_subject(&scheduled).await.ok()?;
        (message.payload != encode(&0_u32)).then_some(())
    })
    .await;

    // A notification whose workflow has left the log is kept as well, and its timer removed.
    let due = format!("timers.notification.{}", WorkflowId::fresh());
    operator.publish(due.clone(), encode(&3_u32).into()).await.expect("it is sent");
    let timers = jetstream::new(operator).get_stream("TIMERS").await.expect("the timers");
    eventually("its timer is removed", Duration::from_secs(20), || async {
        let kept = dead_letters(&stack).await;
        let kept = kept.iter().find(|letter| letter.subject == due)?;
        assert!(kept.reason.contains("left the log"), "{}", kept.reason);
        timers.get_last_raw_message_by_subject(&due).await.is_err().then_some(())
    })
    .await;
}

/// Returns whether the peer has not closed the connection.
fn is_open(stream: &TcpStream) -> bool {
    let mut request = [0; 4_096];
    loop {
        match stream.try_read(&mut request) {
            Ok(0) => return false,
            Ok(_) => {}
            Err(error) => return error.kind() == std::io::ErrorKind::WouldBlock,
        }
    }
}

#[tokio::test]
async fn receivers_that_never_answer_are_in_their_owners_way_only() {
    let (silent, listener) = (TcpListener::bind("127.0.0.1:0").await, TcpListener::bind("127.0.0.1:0").await);
    let (silent, listener) = (silent.expect("a port"), listener.expect("a port"));
    let stack = Stack::start_with(Options::default().with("webhook.allow_private", "true")).await;
    let (client, other) = (stack.developer().await, stack.client("stress_user", "stress_pass").await);
    let held = Mutex::new(Vec::new());
    let hold = async {
        loop {
            let (stream, _) = silent.accept().await.expect("a call");
            held.lock().expect("no panic").push(stream);
        }
    };
    let look = async {
        for _ in 0..12 {
            ended(&client, &format!("http://{}/", silent.local_addr().expect("an address"))).await;
        }
        let id = ended(&other, &format!("http://{}/", listener.local_addr().expect("an address"))).await;
        assert!(receive(&listener, "200 OK").await.contains(&id));
        eventually("four are put off", Duration::from_secs(20), || async {
            (stack.log("approver").matches("s: too many notifications are being sent").count() >= 4).then_some(())
        })
        .await;
        let open = held.lock().expect("no panic").iter().filter(|stream| is_open(stream)).count();
        assert!(open <= 8, "{open} at once");
    };
    tokio::select! {
        () = hold => {}
        () = look => {}
    }
}

/// The notification follows from the recorded end, even if the approver dies.
#[tokio::test]
async fn an_end_whose_approver_dies_is_notified_all_the_same() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let stack = Stack::start_with(Options::default().with("webhook.allow_private", "true")).await;
    let client = stack.developer().await;
    stack.signal("approver", Signal::STOP);
    let mut request = run_request(&long_program(60), false);
    request["options"] =
        json!({"notification_webhook": format!("http://{}/", listener.local_addr().expect("an address"))});
    let id = client.execute(&request).await;
    client.post(&format!("/api/v3/execute/cancel/{id}"), &json!({})).await.expect(200);
    stack.kill("approver");
    let text = receive(&listener, "200 OK").await;
    assert!(text.contains(&id) && text.contains("\"cancelled\""), "{text}");
}

#[tokio::test]
async fn a_notification_that_cannot_be_sent_is_kept() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let stack = Stack::start_with(Options::default().with("webhook.allow_private", "true")).await;
    let client = stack.developer().await;
    let mut request = run_request("print(1)\n", false);
    request["options"] =
        json!({"notification_webhook": format!("http://{}/", listener.local_addr().expect("an address"))});
    let id = client.execute(&request).await;
    receive(&listener, "302 Found").await;
    let letters = eventually("it is kept", Duration::from_secs(10), || async {
        let letters = dead_letters(&stack).await;
        (!letters.is_empty()).then_some(letters)
    })
    .await;
    assert_eq!((letters[0].cause, letters[0].reason.as_str()), (Cause::Undelivered, "the receiver redirects"));
    assert_eq!(letters[0].subject, format!("wf.done.std.{id}"));
}

#[tokio::test]
async fn a_notification_never_goes_to_a_private_address() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let stack = Stack::start().await;
    let client = stack.developer().await;
    for host in ["127.0.0.1", "[::1]", "2130706433", "0x7f000001", "localhost", "169.254.169.254"] {
        let mut request = run_request("print(1)\n", false);
        request["options"] = json!({"notification_webhook": format!("http://{host}:{port}/")});
        let answer = client.post("/api/v3/execute", &request).await;
        answer.expect(422);
    }
    let called = tokio::time::timeout(Duration::from_secs(2), listener.accept()).await;
    assert!(called.is_err(), "a private address was called");
}
