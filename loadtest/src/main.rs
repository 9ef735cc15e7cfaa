//! The program `promptcraft-loadtest`.

use std::process::ExitCode;

use clap::Parser as _;
use loadtest::arguments::{Arguments, Plan};
use loadtest::run::{describe, run};

/// Exit code of a run that could not be done, the same as of a void one.
const EXIT_VOID: u8 = 2;

fn main() -> ExitCode {
    let outcome = Arguments::parse().into_plan().map_err(Into::into).and_then(execute);
    ExitCode::from(outcome.unwrap_or_else(|error: Box<dyn std::error::Error>| {
        eprintln!("error: {error}");
        EXIT_VOID
    }))
}

fn execute(plan: Plan) -> Result<u8, Box<dyn std::error::Error>> {
    if plan.is_check {
        println!("{}", describe(&plan.scenario));
        return Ok(0);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    Ok(runtime.block_on(run(plan))?)
}
