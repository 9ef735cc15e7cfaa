//! The program `promptcraft`.

use std::process::ExitCode;

use clap::Parser;
use cli::commands::Command;
use cli::output;

/// Turn goals into tested, reviewed code, and run the services that do it.
#[derive(Parser)]
#[command(name = "promptcraft", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    // One thread: children are told to die with the thread that started them, and a pool's threads come and go.
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
