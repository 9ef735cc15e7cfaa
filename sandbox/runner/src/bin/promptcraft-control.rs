//! Entry of `promptcraft-control`, which tests alone build: see [`runner::controls`].

use std::process::ExitCode;

fn main() -> ExitCode {
    if let Err(reason) = runner::controls::control() {
        eprintln!("promptcraft-control: {reason}");
    }
    ExitCode::FAILURE
}
