//! Workers that are added and removed under load.

use std::time::Duration;

use crate::containers::{compose, developer, until_healthy};
use crate::workflows::{expect_all_completed, submit};

async fn scale(workers: usize) {
    let option = format!("worker={workers}");
    let arguments = ["up", "--detach", "--no-deps", "--no-recreate", "--scale", &option, "worker"].map(str::to_owned);
    // Stopping workers drain; submissions go on meanwhile.
    let scaled = tokio::task::spawn_blocking(move || compose(&arguments.each_ref().map(String::as_str)));
    scaled.await.expect("the workers are scaled");
    until_healthy("worker", workers).await;
}

#[tokio::test]
#[ignore = "needs the stack of scripts/compose-test.sh"]
async fn scaling_workers_under_load_loses_nothing() {
    until_healthy("worker", 1).await;
    let client = developer().await;
    let disturb = async {
        scale(4).await;
        scale(1).await;
    };
    let (accepted, ()) = tokio::join!(submit(&client, 60, Duration::from_millis(250)), disturb);
    expect_all_completed(&client, &accepted).await;
}
