//! The closed model: users who wait for a response, then pause, like those of locust.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::context::{Arrival, Context};
use super::random::Random;
use crate::operations::perform;
use crate::scenario::{Series, UserClass};

/// Maximum time for which a user follows a workflow; then it is followed in the background.
const MAX_FOLLOW_TIME: Duration = Duration::from_secs(10);

/// Starts all users from `start` on, `spawn_rate` in each second; returns when the last task of each ended.
pub(crate) async fn drive(
    context: &Arc<Context>,
    classes: &[UserClass],
    spawn_rate: f64,
    start: Instant,
    length: Duration,
) {
    let mut users = JoinSet::new();
    let numbers = Arc::new(AtomicU64::new(0));
    // One user of each class in turn.
    let most = classes.iter().map(|class| class.users).max().unwrap_or(0);
    let order = (0..most).flat_map(|round| classes.iter().filter(move |class| round < class.users));
    for (index, class) in order.enumerate() {
        let user = SimulatedUser {
            context: context.clone(),
            class: class.clone(),
            random: Random::of(context.scenario.seed, 1_000, index as u64),
            numbers: numbers.clone(),
        };
        let begin = start + Duration::from_secs_f64(index as f64 / spawn_rate);
        users.spawn(user.live(begin, start + length));
    }
    users.join_all().await;
}

struct SimulatedUser {
    context: Arc<Context>,
    class: UserClass,
    random: Random,
    /// Number of the next task of any user.
    numbers: Arc<AtomicU64>,
}

impl SimulatedUser {
    async fn live(mut self, begin: Instant, end: Instant) {
        sleep_until(begin).await;
        let (operations, weights): (Vec<Series>, Vec<u32>) = self.class.tasks.iter().map(|(&s, &w)| (s, w)).unzip();
        while Instant::now() < end {
            let operation = operations[self.random.weighted(&weights)];
            let number = self.numbers.fetch_add(1, Ordering::Relaxed);
            let arrival = Arrival { operation, planned: Instant::now(), number };
            if let Some(following) = perform(self.context.clone(), arrival, None).await {
                // An error of the task was recorded by the task.
                drop(timeout(MAX_FOLLOW_TIME, following).await);
            }
            sleep(self.random.between(self.class.wait[0].0, self.class.wait[1].0)).await;
        }
    }
}
