//! Users share the workers: a backlog of one does not delay the others.

use std::time::Duration;

use tests::{Options, Stack, long_program};

#[tokio::test]
async fn one_users_flood_does_not_hold_others_back() {
    let options = Options::default().with("worker.execute_concurrency", "4").with("worker.steps_per_user", "2");
    let stack = Stack::start_with(options).await;
    let (greedy, patient) = (stack.developer().await, stack.client("stress_user", "stress_pass").await);
    let mut flood = Vec::new();
    for _ in 0..10 {
        flood.push(greedy.run(&long_program(2)).await);
    }
    let id = patient.run("print('soon')\n").await;
    patient.until(&id, "completed").await;
    let mut ended = 0;
    for id in &flood {
        ended += usize::from(greedy.status(id).await["status"] == "completed");
    }
    assert!(ended <= 4, "{ended} of the flood came first");
    for id in &flood {
        greedy.until_within(id, "completed", Duration::from_secs(90)).await;
    }
}

#[tokio::test]
async fn sleeping_programs_of_one_user_leave_slots_for_others() {
    let stack = Stack::start_with(Options::default().with("worker.execute_concurrency", "2")).await;
    let (sleeper, patient) = (stack.developer().await, stack.client("stress_user", "stress_pass").await);
    let mut sleeping = Vec::new();
    for _ in 0..3 {
        sleeping.push(sleeper.run("import time\ntime.sleep(25)\n").await);
    }
    let runs = async || sleeper.status(&sleeping[1]).await["phase"] == "execute";
    tests::eventually("two programs sleep", Duration::from_secs(30), || async { runs().await.then_some(()) }).await;
    let id = patient.run("print('soon')\n").await;
    patient.until_within(&id, "completed", Duration::from_secs(15)).await;
    let asleep = sleeper.status(&sleeping[0]).await;
    assert_ne!(asleep["status"], "completed", "the others slept meanwhile");
    for id in &sleeping {
        sleeper.post(&format!("/api/v3/execute/cancel/{id}"), &serde_json::json!({})).await.expect(202);
    }
}
