//! Entry point of `promptcraft-control`, built by tests only: see [`runner::controls`].

use std::process::ExitCode;

fn main() -> ExitCode {
    if let Err(reason) = runner::controls::control() {
        eprintln!("promptcraft-control: {reason}");
    }
    ExitCode::FAILURE
}
