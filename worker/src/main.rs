use std::path::PathBuf;
use std::process::ExitCode;

use service::config::Settings;
use service::lifecycle::Lifecycle;
use service::telemetry::{Process, SpanExport, init_logging};
use worker::{Application, Config, print_recipes};

#[tokio::main]
async fn main() -> ExitCode {
    // `promptcraft recipes` reads and checks recipes with this program, which has the generator.
    let mut words = std::env::args_os().skip(1);
    if words.next().is_some_and(|word| word == "--recipes") {
        return print_recipes(words.map(PathBuf::from).collect());
    }
    let config = match Config::read(Settings::from_environment()) {
        Ok(config) => config,
        Err(errors) => {
            eprintln!("worker: {errors}");
            return ExitCode::from(2);
        }
    };
    init_logging(config.log, &config.log_filter);
    match run(config).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(%error, "Worker stopped: {error}");
            eprintln!("worker: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(config: Config) -> Result<(), Box<dyn std::error::Error>> {
    let lifecycle = Lifecycle::with_signals()?;
    let spans = SpanExport::start(Process::Worker, Some(&config.instance), config.otlp_endpoint.as_ref())?;
    let outcome = Application::build(config, lifecycle).await?.run_until_stopped().await;
    spans.flush().await;
    Ok(outcome?)
}
