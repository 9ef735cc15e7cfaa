//! The program `promptcraft`.

use std::process::ExitCode;

use clap::Parser;
use cli::commands::Commands;
use cli::output;

/// Turn goals into tested, reviewed code, and run the services that do it
#[derive(Parser)]
#[command(name = "promptcraft", version, max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    command: Commands,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    // PR_SET_PDEATHSIG is per thread: children must be spawned from a thread that lives as long as the process.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let outcome = match runtime {
        Ok(runtime) => runtime.block_on(arguments.command.run()),
        Err(error) => Err(error.into()),
    };
    outcome.unwrap_or_else(|error| {
        output::error(error.as_ref());
        ExitCode::FAILURE
    })
}
