//! Messages that no client library sends. The broker stores and delivers them unchanged, so without tolerance one
//! message could fail every reader at each redelivery.

use std::time::Duration;

use serde_json::{Value, json};
use tests::{Bot, RawPublish, Stack, Terminal, eventually, publish_raw, run_request};

const BLOCKS: [&[u8]; 12] = [
    b"NATS/1.0\r\nTold: by\ra worker\r\n\r\n",
    b"NATS/1.0\nTold: by a worker\n\n",
    b"NATS/1.0\r\nno header\r\n\r\n",
    b"NATS/1.0\r\nTold: \xff\xfe\r\n\r\n",
    b"NATS/1.0\r\n: nobody\r\n\r\n",
    b"NATS/1.0\r\nTold\0 you: so\r\n more\r\n\r\n",
    b"NATS/1.0 404 No Messages\r\nTold: by a worker\r\n\r\n",
    // The broker removes a status up to the first carriage return, and adds its own where a message enters another
    // account.
    b"NATS/1.0 404 No Messages\nTold: by a worker\n\n",
    b"NATS/1.0 409 Consumer Deleted\nTold: by a worker\n\n",
    b"NATS/1.0 503\nTold: by a worker\n\n",
    b"NATS/1.0 what\nTold: by a worker\n\n",
    b"HTTP/1.1 200 OK\r\n\r\n",
];
/// The last token of a subject. At the no-break space a reader that splits at any white space takes the 1 for the
/// subscription id.
const TOKENS: [&[u8]; 4] = [b"\xff", b"a\rb", b"a\xc2\xa01", b"\xe2\x80\xa8"];

/// Checks that a workflow runs, and that the read model can be rebuilt from the log.
async fn still_works(stack: &Stack) {
    let client = stack.developer().await;
    let id = client.execute(&run_request("print('on')\n", false)).await;
    client.until(&id, "completed").await;
    Terminal::new(stack).run(&["admin", "rebuild"]).well();
    let health = client.get("/health").await;
    assert_eq!(health.status, 200, "{}", health.text);
}

fn password(stack: &Stack, file: &str) -> String {
    std::fs::read_to_string(stack.text(file)).expect("a password").trim().to_owned()
}

#[tokio::test]
async fn what_a_worker_writes_ends_its_workflow_and_nothing_else() {
    let stack = Stack::start().await;
    let client = stack.developer().await;
    let mut ids = Vec::new();
    for block in BLOCKS {
        let id = client.execute(&run_request("print('parked')\n", true)).await;
        client.until(&id, "waiting_approval").await;
        ids.push((id, block));
    }
    // The broker stores no larger header block.
    let large = [b"NATS/1.0\r\nTold: ".as_slice(), &vec![0xff; 65_000], b"\r\n\r\n"].concat();
    let id = client.execute(&run_request("print('parked')\n", true)).await;
    client.until(&id, "waiting_approval").await;
    ids.push((id, &large));
    let garbage = |subject: String, block: &[u8]| RawPublish {
        subject: subject.into(),
        header_block: block.to_vec(),
        body: b"garbage".to_vec(),
    };
    let messages: Vec<_> = ids.iter().map(|(id, block)| garbage(format!("wf.generate.std.{id}"), block)).collect();
    publish_raw(&stack, "worker", &password(&stack, "/nats_password_files/worker"), &messages).await;
    for (id, block) in &ids {
        let failed = client.until(id, "failed").await;
        assert_eq!(failed["error"]["code"], "tampered", "{}", block[..block.len().min(99)].escape_ascii());
    }
    let list = eventually("every one is kept", Duration::from_secs(20), || async {
        let list =
            Terminal::new(&stack).run(&["admin", "dead-letters", "list", "--cause", "unreadable"]).well().to_owned();
        ids.iter().all(|(id, _)| list.contains(id.as_str())).then_some(list)
    })
    .await;
    let letter = list.lines().find(|line| line.contains(&ids[0].0)).and_then(|line| line.split_whitespace().next());
    let shown =
        Terminal::new(&stack).run(&["admin", "dead-letters", "show", letter.expect("a letter")]).well().to_owned();
    assert!(shown.contains("by a worker"), "what can be read of a block is kept: {shown}");
    still_works(&stack).await;
}

#[tokio::test]
async fn subjects_that_are_no_text_reach_nobody_else() {
    let stack = Stack::start().await;
    let places = [
        "wf.generate.std.",
        "wf.failed.std.",
        "blob.",
        "dead.",
        "presence.worker.",
        "$KV.attempts.",
        "$KV.catalogues.",
        "answers.",
        "live.output.",
    ];
    let all = places.iter().flat_map(|place| TOKENS.map(|token| [place.as_bytes(), token].concat()));
    let messages: Vec<_> = all
        .map(|subject| RawPublish { subject, header_block: b"NATS/1.0\r\n\r\n".to_vec(), body: b"garbage".to_vec() })
        .collect();
    publish_raw(&stack, "worker", &password(&stack, "/nats_password_files/worker"), &messages).await;
    still_works(&stack).await;

    let mut bot = Bot::sign_in(&stack).await;
    let own = |token: &[u8]| [b"approvals.decisions.", bot.name.as_bytes(), b".", token].concat();
    let messages: Vec<_> = TOKENS
        .map(|token| RawPublish {
            subject: own(token),
            header_block: b"NATS/1.0\r\n\r\n".to_vec(),
            body: b"{}".to_vec(),
        })
        .to_vec();
    publish_raw(&stack, &bot.name, &password(&stack, "/bots/0/password_file"), &messages).await;
    let client = stack.developer().await;
    approve(&client, &mut bot).await;
    still_works(&stack).await;
    // A process that lost its connection has logged it.
    for name in ["api", "approver", "worker-1"] {
        assert!(!stack.log(name).contains("disconnected"), "{name} lost its connection");
    }
}

async fn approve(client: &tests::Client, bot: &mut Bot) {
    let id = client.execute(&run_request("print('by bot')\n", true)).await;
    let request = bot.request().await;
    let decision: Value = json!({
        "workflow_id": id, "approval_id": request["approval_id"], "decision": "approved", "digest": request["digest"],
    });
    bot.decide(&id, &decision, "good").await;
    eventually("the decision is applied", Duration::from_secs(20), || async {
        (client.status(&id).await["status"] == "completed").then_some(())
    })
    .await;
}

#[tokio::test]
async fn what_a_bot_writes_is_answered() {
    let stack = Stack::start().await;
    let client = stack.developer().await;
    let mut bot = Bot::sign_in(&stack).await;
    let id = client.execute(&run_request("print('wait')\n", true)).await;
    bot.request().await;
    let subject = format!("approvals.decisions.{}.{id}", bot.name);
    let wrong = json!({"decision": "maybe"}).to_string();
    let messages = BLOCKS.map(|block| RawPublish {
        subject: subject.clone().into(),
        header_block: block.to_vec(),
        body: wrong.clone().into(),
    });
    publish_raw(&stack, &bot.name, &password(&stack, "/bots/0/password_file"), &messages).await;
    for block in BLOCKS {
        assert_eq!(bot.reply().await["code"], "malformed", "{}", block.escape_ascii());
    }
    approve(&client, &mut bot).await;
    still_works(&stack).await;
}
