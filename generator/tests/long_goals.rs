//! Goals of the maximum length.

use std::time::Duration;

use generator::{GenerateRequest, Generator, GeneratorConfig};
use tokio::time::Instant;

/// Maximum time for one goal in a debug build on a busy machine. Anything worse than linear in its length takes
/// minutes.
const LIMIT: Duration = Duration::from_secs(20);

#[tokio::test]
async fn a_goal_of_ten_thousand_characters_is_matched_in_reasonable_time() {
    let generator = Generator::open(GeneratorConfig::default()).expect("the catalogue is valid");
    for part in ["x", "an LRU cache ", "without threads ", "rate limiter using two stacks, "] {
        let goal: String =
            format!("Write an LRU cache with tests. {}", part.repeat(10_000)).chars().take(10_000).collect();
        let began = Instant::now();
        // Only the time matters here.
        drop(generator.generate(&GenerateRequest { goal, round: 1, ..GenerateRequest::default() }).await);
        assert!(began.elapsed() < LIMIT, "{part:?} takes {:?}", began.elapsed());
    }
}
