//! Measures the analysis time of files: `cargo run --release -p heimdall --example measure -- path...`.

use std::time::Duration;

use heimdall::{AnalysisRequest, AnalysisType, Suppressions, analyze};

const ROUNDS: usize = 30;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    for path in std::env::args().skip(1) {
        let source = std::fs::read_to_string(&path)?;
        let mut times: Vec<Duration> = (0..ROUNDS).map(|_| measure(&path, &source)).collect();
        times.sort_unstable();
        println!(
            "{:>8} lines {:>10.3?} median {:>10.3?} worst  {path}",
            source.lines().count(),
            times[ROUNDS / 2],
            times[ROUNDS - 1]
        );
    }
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "measures real time")]
fn measure(path: &str, source: &str) -> Duration {
    let request = AnalysisRequest {
        source,
        file_path: Some(path),
        language: None,
        kind: AnalysisType::General,
        suppressions: Suppressions::Honor,
        framework: None,
        dependencies: &[],
    };
    let start = std::time::Instant::now();
    std::hint::black_box(analyze(&request));
    start.elapsed()
}
