//! Steps that fail repeatedly: the attempts that count, and the dead letter after the last one.

use std::cell::Cell;
use std::time::Duration;

use async_nats::jetstream;
use domain::workflow::{Content, EventKind};
use messaging::Cause;
use rustix::process::Signal;
use tests::{Options, Stack, dead_letters, eventually, long_program, raw_broker_as};

use super::timeouts::{append, submitted_before};

#[tokio::test]
async fn a_step_whose_code_is_gone_is_given_up() {
    let stack = Stack::start_with(Options::default().with("worker.max_attempts", "2")).await;
    let client = stack.developer().await;
    let mut state = submitted_before(0);
    // The digest of content that was never stored.
    state.submission.code = Some(Content { inline: None, ..Content::new("print(1)\n".repeat(2_000)) });
    let id = state.id.to_string();
    append(&stack, 0, &state, EventKind::Submitted).await;
    let failed = client.until(&id, "failed").await;
    assert_eq!(failed["error"]["code"], "attempts_exhausted");
    let letters = dead_letters(&stack).await;
    assert_eq!(letters.iter().map(|letter| letter.cause).collect::<Vec<_>>(), [Cause::Exhausted]);
}

#[tokio::test]
async fn a_step_that_kills_every_worker_is_given_up() {
    let stack = Stack::start_with(Options::default().with("worker.max_attempts", "2")).await;
    let client = stack.developer().await;
    let id = client.run(&long_program(60)).await;
    let kills = Cell::new(0);
    let failed = eventually("the step is abandoned", Duration::from_secs(120), || async {
        let data = client.status(&id).await;
        if data["current_step"] == 4 && stack.running_steps_of(1).await > 0 {
            stack.kill("worker-1");
            kills.set(kills.get() + 1);
        }
        (data["status"] == "failed").then_some(data)
    })
    .await;
    assert_eq!(failed["error"]["code"], "attempts_exhausted");
    // The first attempt does not count; on a busy machine the broker may redeliver the step by itself.
    assert!((1..=3).contains(&kills.get()), "{kills:?}");
    let letters = dead_letters(&stack).await;
    assert_eq!(letters.len(), 1);
    assert_eq!(letters[0].subject, format!("wf.execute.python.{id}"));
    assert_eq!((letters[0].cause, letters[0].attempts), (Cause::Exhausted, 2), "{}", letters[0].reason);
    let next = client.run("print('next')\n").await;
    client.until(&next, "completed").await;
}

#[tokio::test]
async fn a_log_that_takes_nothing_uses_up_no_attempts() {
    let stack = Stack::start_with(Options::default().with("worker.max_attempts", "2")).await;
    let client = stack.developer().await;
    stack.signal("worker-1", Signal::STOP);
    let id = client.run("print('patient')\n").await;
    let broker = jetstream::new(raw_broker_as(&stack, "cli").await);
    let log = broker.get_stream("WORKFLOWS").await.expect("the log").cached_info().clone();
    let full = i64::try_from(log.state.messages).expect("a number");
    let limited = jetstream::stream::Config { max_messages: full, ..log.config.clone() };
    broker.update_stream(limited).await.expect("a limit");
    stack.signal("worker-1", Signal::CONT);
    eventually("the result was refused again and again", Duration::from_secs(60), || async {
        let refused = stack.log("worker-1").matches("failed to append the result").count();
        (refused >= 4).then_some(())
    })
    .await;
    broker.update_stream(log.config).await.expect("no limit");
    client.until_within(&id, "completed", Duration::from_secs(60)).await;
    assert!(dead_letters(&stack).await.is_empty());
}
