//! Header blocks that are none. The broker stores what it is sent and hands it on as it is, so whoever may publish anything at all
//! could have every reader of it fail, each time it is delivered again.

use std::time::Duration;

use serde_json::{Value, json};
use tests::{Bot, Stack, Terminal, eventually, publish_blocks, run_request};

const BLOCKS: [&[u8]; 9] = [
    b"NATS/1.0\r\nTold: by\ra worker\r\n\r\n",
    b"NATS/1.0\nTold: by a worker\n\n",
    b"NATS/1.0\r\nno header\r\n\r\n",
    b"NATS/1.0\r\nTold: \xff\xfe\r\n\r\n",
    b"NATS/1.0\r\n: nobody\r\n\r\n",
    b"NATS/1.0\r\nTold\0 you: so\r\n more\r\n\r\n",
    b"NATS/1.0 404 No Messages\r\nTold: by a worker\r\n\r\n",
    b"NATS/1.0 what\r\nTold: by a worker\r\n\r\n",
    b"HTTP/1.1 200 OK\r\n\r\n",
];

/// That a workflow runs, is parked, is decided, and that its state is readable from the log alone.
async fn still_works(stack: &Stack) {
    let client = stack.developer().await;
    let id = client.execute(&run_request("print('on')\n", false)).await;
    client.until(&id, "completed").await;
    Terminal::new(stack).run(&["rebuild"]).well();
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
    let password = std::fs::read_to_string(stack.text("/nats_password_files/worker")).expect("a password");
    let garbage: &[u8] = b"garbage";
    let messages: Vec<_> = ids.iter().map(|(id, block)| (format!("wf.generate.std.{id}"), *block, garbage)).collect();
    publish_blocks(&stack, "worker", password.trim(), &messages).await;
    for (id, block) in &ids {
        let failed = client.until(id, "failed").await;
        assert_eq!(failed["error"]["code"], "tampered", "{}", block.escape_ascii());
    }
    let list = eventually("every one is kept", Duration::from_secs(20), || async {
        let list = Terminal::new(&stack).run(&["dead", "list", "--cause", "unreadable"]).well().to_owned();
        ids.iter().all(|(id, _)| list.contains(id.as_str())).then_some(list)
    })
    .await;
    let letter = list.lines().find(|line| line.contains(&ids[6].0)).and_then(|line| line.split_whitespace().next());
    let shown = Terminal::new(&stack).run(&["dead", "show", letter.expect("a letter")]).well().to_owned();
    assert!(shown.contains("by a worker"), "what can be read of a block is kept: {shown}");
    still_works(&stack).await;
}

#[tokio::test]
async fn what_a_bot_writes_is_answered() {
    let stack = Stack::start().await;
    let client = stack.developer().await;
    let mut bot = Bot::sign_in(&stack).await;
    let id = client.execute(&run_request("print('by bot')\n", true)).await;
    let request = bot.request().await;
    let password = std::fs::read_to_string(stack.text("/bots/0/password_file")).expect("a password");
    let wrong = json!({"decision": "maybe"}).to_string();
    let subject = format!("approvals.decisions.{}.{id}", bot.name);
    let messages: Vec<_> = BLOCKS.iter().map(|block| (subject.clone(), *block, wrong.as_bytes())).collect();
    publish_blocks(&stack, &bot.name, password.trim(), &messages).await;
    for block in BLOCKS {
        assert_eq!(bot.reply().await["code"], "malformed", "{}", block.escape_ascii());
    }
    let decision: Value = json!({
        "workflow_id": id, "approval_id": request["approval_id"], "decision": "approved", "digest": request["digest"],
    });
    bot.decide(&id, &decision, "good").await;
    assert_eq!(bot.reply().await["status"], "applied");
    client.until(&id, "completed").await;
    still_works(&stack).await;
}
