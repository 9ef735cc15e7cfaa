//! Containers that crash while workflows run: nothing that was accepted is lost, and the engine replaces the container.

use std::time::Duration;

use crate::containers::{crash, developer, inspect, running, until_healthy};
use crate::workflows::{expect_all_completed, submit};

const WORKFLOWS: usize = 8;
const INTERVAL: Duration = Duration::from_millis(300);

async fn check(service: &str, count: usize) {
    until_healthy(service, count).await;
    let client = developer().await;
    let container = running(service).pop().expect("it runs");
    let restarts = || inspect(&container)["RestartCount"].as_i64().expect("a number");
    let before = restarts();
    let disturb = async {
        tokio::time::sleep(INTERVAL * 3).await;
        crash(&container);
    };
    let (accepted, ()) = tokio::join!(submit(&client, WORKFLOWS, INTERVAL), disturb);
    expect_all_completed(&client, &accepted).await;
    until_healthy(service, count).await;
    assert_eq!(restarts(), before + 1);
}

#[tokio::test]
#[ignore = "needs the stack of scripts/compose-test.sh"]
async fn a_crash_of_an_api_loses_nothing() {
    check("api", 2).await;
}

#[tokio::test]
#[ignore = "needs the stack of scripts/compose-test.sh"]
async fn a_crash_of_the_only_worker_loses_nothing() {
    check("worker", 1).await;
}

#[tokio::test]
#[ignore = "needs the stack of scripts/compose-test.sh"]
async fn a_crash_of_an_approver_loses_nothing() {
    check("approver", 2).await;
}

#[tokio::test]
#[ignore = "needs the stack of scripts/compose-test.sh"]
async fn a_crash_of_the_broker_loses_nothing() {
    check("nats", 1).await;
}

#[tokio::test]
#[ignore = "needs the stack of scripts/compose-test.sh"]
async fn a_crash_of_redis_loses_nothing() {
    check("redis", 1).await;
}
