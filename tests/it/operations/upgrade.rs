//! New processes on a broker that an older version prepared: each reports what is missing, and starts once it is there.

use std::fs;
use std::time::Duration;

use async_nats::jetstream;
use async_nats::jetstream::consumer::{FromConsumer, pull};
use tests::{Stack, Terminal, eventually, raw_broker_as};

/// Waits until a process that cannot start has logged the reason; the pauses between its starts grow.
async fn until_said(stack: &Stack, process: &str, words: &str) {
    eventually("the process logs what is missing", Duration::from_secs(120), || async {
        stack.log(process).contains(words).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_process_says_what_the_broker_lacks_and_starts_once_it_was_provisioned() {
    let stack = Stack::start().await;
    // Before that, a process that ends three times ends the whole stack.
    eventually("the supervisor has seen every process ready", Duration::from_secs(30), || async {
        let log = fs::read_to_string(stack.directory().join("up.log")).expect("a log");
        log.contains("Press Ctrl-C to stop").then_some(())
    })
    .await;
    let operator = jetstream::new(raw_broker_as(&stack, "cli").await);
    operator.delete_stream("KV_refresh").await.expect("a bucket");
    let log = operator.get_stream("WORKFLOWS").await.expect("the log");
    for queue in ["schedules", "execute-python"] {
        log.delete_consumer(queue).await.expect("a queue");
    }
    let what_to_do = "run `promptcraft admin provision` of this version with the operator's user first";
    for (process, missing) in
        [("api", "bucket refresh"), ("approver", "queue schedules"), ("worker-1", "queue execute-python")]
    {
        stack.kill(process);
        until_said(&stack, process, &format!("{missing} is missing: {what_to_do}")).await;
    }
    let blobs = operator.get_stream("BLOBS").await.expect("a stream").cached_info().config.clone();
    let older = jetstream::stream::Config { max_messages_per_subject: -1, ..blobs };
    operator.update_stream(older).await.expect("it can be changed");
    let outdated = "stream BLOBS does not match this version (max_messages_per_subject): ";
    until_said(&stack, "api", &format!("{outdated}{what_to_do}")).await;

    Terminal::new(&stack).run(&["admin", "provision"]).well();
    eventually("the API is back", Duration::from_secs(60), || async {
        reqwest::get(format!("{}/ready", stack.url())).await.is_ok_and(|answer| answer.status() == 200).then_some(())
    })
    .await;
    let analyze = log.get_consumer::<pull::Config>("analyze").await.expect("a queue").cached_info().config.clone();
    let older = pull::Config::try_from_consumer_config(analyze).expect("a pull consumer");
    log.update_consumer(pull::Config { max_ack_pending: 10_000, ..older }).await.expect("it can be changed");
    stack.kill("worker-1");
    until_said(
        &stack,
        "worker-1",
        &format!("queue analyze does not match this version (max_ack_pending): {what_to_do}"),
    )
    .await;
    Terminal::new(&stack).run(&["admin", "provision"]).well();

    let client = stack.developer().await;
    let id = client.run("print('upgraded')\n").await;
    client.until_within(&id, "completed", Duration::from_secs(60)).await;
}

/// Removes a queue from the broker's configuration and restarts the broker.
async fn forget(stack: &Stack, queue: &str) {
    for file in ["workers.conf", "services.conf"] {
        let path = stack.directory().join("nats").join(file);
        let text = fs::read_to_string(&path).expect("a configuration");
        let older: Vec<_> = text.lines().filter(|line| !line.contains(queue)).collect();
        assert!(older.len() < text.lines().count(), "{file} knows {queue}");
        fs::write(path, older.join("\n")).expect("a configuration");
    }
    restart_broker(stack).await;
}

async fn restart_broker(stack: &Stack) {
    stack.kill("nats");
    eventually("the broker is back", Duration::from_secs(60), || async {
        let monitor = stack.text("/nats_monitor_url");
        reqwest::get(format!("{monitor}/healthz")).await.is_ok_and(|answer| answer.status() == 200).then_some(())
    })
    .await;
}

/// As if a language came with the new version and the operator did not update the broker.
#[tokio::test]
async fn a_worker_says_that_the_brokers_configuration_does_not_know_its_lane() {
    let stack = Stack::start().await;
    forget(&stack, "execute-bash").await;
    stack.kill("worker-1");
    until_said(&stack, "worker-1", "the broker does not report whether queue execute-bash exists").await;

    let folder = stack.directory().join("nats").display().to_string();
    Terminal::new(&stack).run_elsewhere(&["admin", "broker-config", &folder]).well();
    restart_broker(&stack).await;
    let client = stack.developer().await;
    let id = client.run("print('upgraded')\n").await;
    client.until_within(&id, "completed", Duration::from_secs(60)).await;
}
