//! The read model: never the truth, always equal to it in the end.

use std::time::Duration;

use rustix::process::Signal;
use tests::{Stack, differences, eventually, redis_command, run_request};

#[tokio::test]
async fn an_emptied_redis_is_filled_from_the_log_while_it_serves() {
    let stack = Stack::start().await;
    let client = stack.developer().await;
    let done = client.run("print('done')\n").await;
    client.until(&done, "completed").await;
    let parked = client.execute(&run_request("print('parked')\n", true)).await;
    client.until(&parked, "waiting_approval").await;
    eventually("the view is up to date", Duration::from_secs(10), || async {
        differences(&stack).await.is_empty().then_some(())
    })
    .await;

    redis_command(&stack, &["FLUSHALL"]);
    assert_eq!(client.status(&done).await["status"], "completed");
    assert!(client.get("/api/v3/approvals").await.expect(200).to_string().contains(&parked));
    let list = client.get("/api/v3/execute?status=completed").await.expect(200).to_string();
    assert!(list.contains(&done) && !list.contains(&parked), "{list}");
    eventually("the view is rebuilt", Duration::from_secs(20), || async {
        differences(&stack).await.is_empty().then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_redis_that_hangs_makes_answers_slower_and_not_wrong() {
    let stack = Stack::start().await;
    let client = stack.developer().await;
    let before = client.run("print('before')\n").await;
    client.until(&before, "completed").await;
    stack.signal("redis", Signal::STOP);
    assert_eq!(client.status(&before).await["status"], "completed");
    let during = client.run("print('during')\n").await;
    let done = client.until(&during, "completed").await;
    assert_eq!(done["artifacts"]["test_results"]["stdout"], "during\n");
    // The supervisor may have replaced the hanging process meanwhile; then there is nothing to wake.
    redis_is_back(&stack);
    eventually("the view catches up", Duration::from_secs(40), || async {
        differences(&stack).await.is_empty().then_some(())
    })
    .await;
}

fn redis_is_back(stack: &Stack) {
    if rustix::process::kill_process(stack.pid("redis"), Signal::CONT).is_err() {
        eprintln!("Redis was started anew");
    }
}
