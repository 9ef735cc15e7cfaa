use std::process::ExitCode;

use approver::{Application, Config};
use service::config::Settings;
use service::lifecycle::Lifecycle;
use service::telemetry::{Process, SpanExport, init_logging};

#[tokio::main]
async fn main() -> ExitCode {
    let config = match Config::read(Settings::from_environment()) {
        Ok(config) => config,
        Err(errors) => {
            eprintln!("approver: {errors}");
            return ExitCode::from(2);
        }
    };
    init_logging(config.log, &config.log_filter);
    match run(config).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(%error, "Approver stopped: {error}");
            eprintln!("approver: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(config: Config) -> Result<(), Box<dyn std::error::Error>> {
    let lifecycle = Lifecycle::with_signals()?;
    let spans = SpanExport::start(Process::Approver, None, config.otlp_endpoint.as_ref())?;
    let outcome = Application::build(config, lifecycle).await?.run_until_stopped().await;
    spans.flush().await;
    Ok(outcome?)
}
