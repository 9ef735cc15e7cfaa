//! Analyses files and prints the reports as JSON: `cargo run -p heimdall --example analyze -- path...`.

use heimdall::{AnalysisRequest, AnalysisType, Suppressions, analyze};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    for path in std::env::args().skip(1) {
        let source = std::fs::read_to_string(&path)?;
        let request = AnalysisRequest {
            source: &source,
            file_path: Some(&path),
            language: None,
            kind: AnalysisType::General,
            suppressions: Suppressions::Honor,
            framework: None,
            dependencies: &[],
        };
        println!("{}", serde_json::to_string(&(&path, analyze(&request)))?);
    }
    Ok(())
}
