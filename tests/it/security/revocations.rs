//! The API's copies of users and revocations, whose watches can die while the broker is healthy.

use std::time::Duration;

use async_nats::jetstream;
use domain::identity::Revocation;
use futures_util::TryStreamExt;
use messaging::Buckets;
use service::clock::Clock;
use tests::{Client, Stack, broker_as, eventually, raw_broker_as};
use tokio::time::{Instant, sleep_until};

/// The default of `auth.max_revocation_staleness`.
const MAX_STALENESS: Duration = Duration::from_secs(5);

/// Deletes every consumer of a bucket's stream: its watches stop without an error.
async fn silence(operator: &jetstream::Context, stream: &str) {
    let stream = operator.get_stream(stream).await.expect("the stream");
    let names: Vec<String> = stream.consumer_names().try_collect().await.expect("their names");
    assert!(!names.is_empty(), "the API watches");
    for name in names {
        stream.delete_consumer(&name).await.expect("it is there");
    }
}

async fn status(client: &Client) -> u16 {
    client.get("/api/v3/execute").await.status
}

#[tokio::test]
async fn an_end_that_a_dead_watch_does_not_tell_of_counts_all_the_same() {
    let stack = Stack::start().await;
    let operator = jetstream::new(raw_broker_as(&stack, "cli").await);
    let buckets = Buckets::new(&broker_as(&stack, "cli").await);
    let (users, revocations) = (buckets.users().await.expect("users"), buckets.revocations().await.expect("them"));
    let families = buckets.refresh_families().await.expect("families");

    let revoked = stack.developer().await;
    let (family, _) = families.all().await.expect("they can be read").remove(0);
    let disabled = stack.client("stress_user", "stress_pass").await;
    let (mut user, _) = users.get("stress_user").await.expect("it can be read").expect("a user");
    assert_eq!((status(&revoked).await, status(&disabled).await), (200, 200));

    for stream in ["KV_revocations", "KV_users"] {
        silence(&operator, stream).await;
    }
    let until = Clock::system().now().after(Duration::from_secs(3_600));
    revocations.put(&family, &Revocation { until }).await.expect("it is stored");
    user.disabled = true;
    users.put("stress_user", &user).await.expect("it is stored");
    sleep_until(Instant::now() + MAX_STALENESS).await;

    for client in [&revoked, &disabled] {
        let status = status(client).await;
        assert!(matches!(status, 401 | 503), "{status}");
    }
    for client in [&revoked, &disabled] {
        eventually("the watch is restarted", Duration::from_secs(30), || async {
            (status(client).await == 401).then_some(())
        })
        .await;
    }
    assert_eq!(status(&stack.client("approver", "approver_pass").await).await, 200, "other users are unaffected");
}
