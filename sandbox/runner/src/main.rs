//! Entry point of `promptcraft-runner`: `serve` runs a job as process 1, `launch` starts bubblewrap, `watchdog` removes
//! the containers of a killed worker.

use std::process::ExitCode;

use runner::{launch, serve, watchdog};

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let outcome = match arguments.next().as_deref() {
        None | Some("serve") => serve::serve(arguments),
        Some("launch") => launch::launch(arguments),
        Some("watchdog") => watchdog::watch(arguments),
        Some(other) => Err(format!("unknown command {other:?}; use `serve`, `launch` or `watchdog`")),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("promptcraft-runner: {reason}");
            ExitCode::FAILURE
        }
    }
}
